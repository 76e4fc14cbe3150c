// The hashes of a log's Merkle tree (RFC 6962, section 2.1).
import { hash } from 'node:crypto'

/** MTH of the empty tree: SHA-256 of nothing. */
export const EMPTY_ROOT: Buffer = hash('sha256', Buffer.alloc(0), 'buffer')

const HASH_SIZE = 32
// SHA-256(0x01 ‖ left ‖ right): one buffer for all, since nothing is awaited between filling and hashing.
const node = Buffer.alloc(1 + 2 * HASH_SIZE)
node[0] = 1

/** The hash of an inner node. Both children are 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1)
  node.set(right, 1 + HASH_SIZE)
  return hash('sha256', node, 'buffer')
}

let leaf = Buffer.alloc(4096)

/** SHA-256(0x00 ‖ leaf_input), with `prefix` before the bytes: a static log's tiles hold the leaf without its first two. */
export function leafHash(bytes: Uint8Array, prefix: 0 | 2 = 0): Buffer {
  const size = 1 + prefix + bytes.length
  if (leaf.length < size) leaf = Buffer.alloc(2 * size)
  leaf.fill(0, 0, 1 + prefix)
  leaf.set(bytes, 1 + prefix)
  return hash('sha256', leaf.subarray(0, size), 'buffer')
}
