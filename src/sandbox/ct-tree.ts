// A log's Merkle tree, as RFC 6962 (section 2.1) defines it, recursion and all. Every perfect subtree's hash is kept, so that nothing is reckoned twice:
// 64 bytes for each leaf.
import { hash } from 'node:crypto'

/** Sizes are numbers of leaves; hashes are 32 bytes, and views of what the tree keeps. */
export interface Tree {
  readonly size: number
  append(leafHash: Uint8Array): void
  /** MTH of the first `size` leaves. */
  root(size: number): Buffer
  /** PATH(index, D[size]). */
  inclusionProof(index: number, size: number): readonly Buffer[]
  /** PROOF(first, D[second]); empty if `first` is 0. */
  consistencyProof(first: number, second: number): readonly Buffer[]
  /** Roots of perfect subtrees of 2^level leaves, side by side, from the `start`-th. */
  nodes(level: number, start: number, endExclusive: number): Buffer
  /** Where among the first `size` leaves the hash is first. */
  indexOf(leafHash: Uint8Array, size: number): number | undefined
  /** Another tree that has the first `size` leaves of this one. */
  fork(size: number): Tree
}

const HASH_SIZE = 32

/** SHA-256(0x00 ‖ leaf). */
export function hashLeaf(leaf: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(0), leaf]), 'buffer')
}

function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(1), left, right]), 'buffer')
}

interface Level {
  bytes: Buffer
  count: number
}

/** An empty tree. */
export function createTree(): Tree {
  return treeOf([])
}

function treeOf(levels: Level[]): Tree {
  const push = (height: number, node: Uint8Array): void => {
    const level = (levels[height] ??= { bytes: Buffer.alloc(0), count: 0 })
    const end = (level.count + 1) * HASH_SIZE
    if (level.bytes.length < end) level.bytes = Buffer.concat([level.bytes], Math.max(1024, 2 * level.bytes.length))
    level.bytes.set(node, end - HASH_SIZE)
    level.count++
    if (level.count % 2 === 0) push(height + 1, hashNode(nodeAt(height, level.count - 2), nodeAt(height, level.count - 1)))
  }

  const nodes = (height: number, start: number, endExclusive: number): Buffer => {
    const level = levels[height]
    if (level === undefined || endExclusive > level.count) throw new RangeError(`level ${height} has no subtree ${endExclusive - 1} yet`)
    return level.bytes.subarray(start * HASH_SIZE, endExclusive * HASH_SIZE)
  }

  const nodeAt = (height: number, index: number): Buffer => nodes(height, index, index + 1)

  // MTH(D[start:endExclusive]); every start that the definitions come to is a multiple of the split below.
  const mth = (start: number, endExclusive: number): Buffer => {
    const width = endExclusive - start
    if (width === 0) return hash('sha256', Buffer.alloc(0), 'buffer')
    const height = Math.round(Math.log2(width))
    if (2 ** height === width) return nodeAt(height, start / width)
    const k = split(width)
    return hashNode(mth(start, start + k), mth(start + k, endExclusive))
  }

  const path = (m: number, start: number, endExclusive: number): Buffer[] => {
    if (endExclusive - start === 1) return []
    const middle = start + split(endExclusive - start)
    return m < middle ? [...path(m, start, middle), mth(middle, endExclusive)] : [...path(m, middle, endExclusive), mth(start, middle)]
  }

  // SUBPROOF(m, D, b): `known` is b, true as long as the subtree is one that the reader has the hash of.
  const subproof = (m: number, start: number, endExclusive: number, known: boolean): Buffer[] => {
    if (m === endExclusive) return known ? [] : [mth(start, endExclusive)]
    const middle = start + split(endExclusive - start)
    return m <= middle
      ? [...subproof(m, start, middle, known), mth(middle, endExclusive)]
      : [...subproof(m, middle, endExclusive, false), mth(start, middle)]
  }

  const size = () => levels[0]?.count ?? 0
  const within = (n: number, limit: number, what: string) => {
    if (!Number.isSafeInteger(n) || n < 0 || n > limit) throw new RangeError(`${what} ${n} is not within ${limit}`)
  }

  return {
    get size() {
      return size()
    },
    append: (leafHash) => push(0, leafHash),
    root(n) {
      within(n, size(), 'size')
      return Buffer.from(mth(0, n))
    },
    inclusionProof(index, n) {
      within(n, size(), 'size')
      within(index, n - 1, 'index')
      return path(index, 0, n)
    },
    consistencyProof(first, second) {
      within(second, size(), 'size')
      within(first, second, 'size')
      return first === 0 ? [] : subproof(first, 0, second, true)
    },
    nodes,
    indexOf(leafHash, n) {
      const leaves = nodes(0, 0, n)
      for (let at = leaves.indexOf(leafHash); at !== -1; at = leaves.indexOf(leafHash, at + 1)) if (at % HASH_SIZE === 0) return at / HASH_SIZE
      return undefined
    },
    fork(n) {
      within(n, size(), 'size')
      return treeOf(
        levels.map(({ bytes }, height) => {
          const count = Math.floor(n / 2 ** height)
          return { bytes: Buffer.from(bytes.subarray(0, count * HASH_SIZE)), count }
        }),
      )
    },
  }
}

/** The largest power of two smaller than n. */
function split(n: number): number {
  let k = 1
  while (2 * k < n) k *= 2
  return k
}
