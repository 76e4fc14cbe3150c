// The root of a growing tree, from its right edge alone: the roots of the perfect subtrees that its size is made of, largest first. At most 53 hashes,
// whatever the size. Sizes pass 2^32, so there is no bit operator here.
import { ParseError } from './errors.ts'
import { EMPTY_ROOT, nodeHash } from './merkle.ts'

/** A tree by its right edge: one hash for each 1 in the binary form of `size`. */
export interface CompactRange {
  readonly size: number
  readonly hashes: readonly Uint8Array[]
}

/** A tree that grows at its right. */
export interface GrowingTree {
  readonly size: number
  /** Appends a leaf by its hash. */
  append(leafHash: Uint8Array): void
  /** Appends a perfect subtree of 2^level leaves by its root. The size must be a multiple of that; RangeError if not. */
  appendSubtree(level: number, root: Uint8Array): void
  /** MTH of what there is: RFC 6962, section 2.1. */
  root(): Buffer
  /** What it is now, to be kept; later appending does not change it. */
  range(): CompactRange
}

/** The empty tree. */
export const EMPTY_RANGE: CompactRange = { size: 0, hashes: [] }

/** A tree to append to, from a range that was kept. Throws ParseError if the hashes do not fit the size. */
export function growTree({ size: begin, hashes }: CompactRange = EMPTY_RANGE): GrowingTree {
  if (!Number.isSafeInteger(begin) || begin < 0 || hashes.length !== ones(begin) || hashes.some((each) => each.length !== 32))
    throw new ParseError('value', 'compact range', 0, `${hashes.length} hashes do not make a tree of ${begin}`)
  let size = begin
  const stack: Uint8Array[] = hashes.map((each) => Buffer.from(each))

  const push = (level: number, subtree: Uint8Array): void => {
    const width = 2 ** level
    if (size % width !== 0) throw new RangeError(`a subtree of ${width} leaves cannot begin at ${size}`)
    // As in adding one to a binary number: every 1 from this level upwards is carried.
    let root: Uint8Array = Buffer.from(subtree)
    for (let carry = size / width; carry % 2 === 1; carry = (carry - 1) / 2) root = nodeHash(stack.pop() ?? root, root)
    stack.push(root)
    size += width
  }
  return {
    get size() {
      return size
    },
    append: (leafHash) => push(0, leafHash),
    appendSubtree: push,
    root: () => rootOf({ size, hashes: stack }),
    range: () => ({ size, hashes: [...stack] }),
  }
}

/** The root of a range: its hashes folded from the right. */
export function rootOf({ hashes }: CompactRange): Buffer {
  const last = hashes.at(-1)
  if (last === undefined) return EMPTY_ROOT
  return hashes.slice(0, -1).reduceRight<Buffer>((right, left) => nodeHash(left, right), Buffer.from(last))
}

function ones(size: number): number {
  let count = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2
  return count
}
