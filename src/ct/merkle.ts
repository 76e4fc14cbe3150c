// The hashes of a log's Merkle tree (RFC 6962, section 2.1). Every entry of every log goes through here. `hash` gives its digest as a string of bytes,
// since making a Buffer for each costs three times the hashing; and what is hashed is gathered in one buffer for all, since nothing is awaited between
// filling and hashing.
import { hash } from 'node:crypto'

/** Bytes of a hash. */
export const HASH_SIZE = 32

/** MTH of the empty tree: SHA-256 of nothing. */
export const EMPTY_ROOT: Buffer = hash('sha256', Buffer.alloc(0), 'buffer')

// SHA-256(0x01 ‖ left ‖ right)
const node = Buffer.alloc(1 + 2 * HASH_SIZE)
node[0] = 1

/** The hash of an inner node. Both children are 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  node.set(left, 1)
  node.set(right, 1 + HASH_SIZE)
  return Buffer.from(hash('sha256', node, 'binary'), 'latin1')
}

// SHA-256(0x00 ‖ leaf_input), after room for the two bytes that a leaf has before what is in a tile: all three are 0.
let leaf = new Uint8Array(4096)

/** SHA-256(0x00 ‖ leaf_input), with `prefix` before the bytes: a static log's tiles hold the leaf without its first two. */
export function leafHash(bytes: Uint8Array, prefix: 0 | 2 = 0): Buffer {
  return Buffer.from(digestOfLeaf(bytes, prefix), 'latin1')
}

/** As leafHash, written into `into` at `at`. */
export function writeLeafHash(into: Buffer, at: number, bytes: Uint8Array, prefix: 0 | 2 = 0): void {
  into.write(digestOfLeaf(bytes, prefix), at, HASH_SIZE, 'latin1')
}

function digestOfLeaf(bytes: Uint8Array, prefix: 0 | 2): string {
  const end = 3 + bytes.length
  if (leaf.length < end) leaf = new Uint8Array(2 * end)
  leaf.set(bytes, 3)
  return hash('sha256', leaf.subarray(2 - prefix, end), 'binary')
}

let row = Buffer.alloc(256 * HASH_SIZE)

/** The root of a perfect tree, from the hashes of its leaves, one after the other: a power of two of them. */
export function perfectRoot(hashes: Uint8Array): Buffer {
  if (row.length < hashes.length) row = Buffer.alloc(hashes.length)
  row.set(hashes)
  // Each row is written over the one below it: a node stands where its children did, or before.
  for (let count = hashes.length / HASH_SIZE; count > 1; count /= 2) {
    for (let n = 0; n < count / 2; n++) {
      row.copy(node, 1, 2 * n * HASH_SIZE, 2 * (n + 1) * HASH_SIZE)
      row.write(hash('sha256', node, 'binary'), n * HASH_SIZE, HASH_SIZE, 'latin1')
    }
  }
  return Buffer.from(row.subarray(0, HASH_SIZE))
}
