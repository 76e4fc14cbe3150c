// The leaf hashes of what was read and is not proved yet: in memory of their own, since those of a page hold on to all of it; and in one piece, since thousands
// of small ones are the collector's.
import { HASH_SIZE } from '../ct/merkle.ts'

const MOST_HASHES = 65_536

/** Leaf hashes, one after the other, and the index of the first. */
export interface LeafHashes {
  readonly from: number
  readonly bytes: Buffer
}

/** None yet; the first is of entry `begin`. As many as there is room for are kept, without gaps. */
export function createLeafHashes(begin: number): {
  add(bytes: Uint8Array): void
  /** What comes now begins at that entry; those before are let go. */
  beginAt(index: number): void
  kept(): LeafHashes
} {
  let from = begin
  let length = 0
  let isFull = false
  let bytes = Buffer.alloc(0)
  return {
    add: (more) => {
      isFull ||= length + more.length > MOST_HASHES * HASH_SIZE
      if (isFull) return
      if (length + more.length > bytes.length) bytes = Buffer.concat([bytes.subarray(0, length)], Math.max(length + more.length, 2 * length))
      bytes.set(more, length)
      length += more.length
    },
    beginAt: (index) => {
      from = index
      length = 0
      isFull = false
    },
    kept: () => ({ from, bytes: bytes.subarray(0, length) }),
  }
}

/** The indices that both have, of those whose hashes are not the same: at most so many. Undefined if they have none in common. */
export function differing(one: LeafHashes, other: LeafHashes, most: number): readonly number[] | undefined {
  const indices: number[] = []
  const hashOf = ({ from, bytes }: LeafHashes, index: number): Buffer => bytes.subarray((index - from) * HASH_SIZE, (index - from + 1) * HASH_SIZE)
  const endOf = ({ from, bytes }: LeafHashes): number => from + bytes.length / HASH_SIZE
  const end = Math.min(endOf(one), endOf(other))
  const start = Math.max(one.from, other.from)
  if (start >= end) return undefined
  for (let index = start; index < end && indices.length < most; index++) if (!hashOf(one, index).equals(hashOf(other, index))) indices.push(index)
  return indices
}
