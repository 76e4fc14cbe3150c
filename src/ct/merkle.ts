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

/** The leafHash with prefix 2 of what stands from `start` to `endExclusive` in a tile, written into `into` at `at`. The tile is as it was afterwards. */
export function writeLeafHash(into: Buffer, at: number, tile: Uint8Array, start: number, endExclusive: number): void {
  let digest: string
  if (start < 3) digest = digestOfLeaf(tile.subarray(start, endExclusive), 2)
  else {
    // Hashed where it stands, with the three zeros written over the end of the entry before: copying them all would be the larger half of the work.
    const [a, b, c] = [tile[start - 3]!, tile[start - 2]!, tile[start - 1]!]
    tile[start - 3] = tile[start - 2] = tile[start - 1] = 0
    digest = hash('sha256', tile.subarray(start - 3, endExclusive), 'binary')
    tile[start - 3] = a
    tile[start - 2] = b
    tile[start - 1] = c
  }
  into.write(digest, at, HASH_SIZE, 'latin1')
}

function digestOfLeaf(bytes: Uint8Array, prefix: 0 | 2): string {
  const end = 3 + bytes.length
  if (leaf.length < end) leaf = new Uint8Array(2 * end)
  leaf.set(bytes, 3)
  return hash('sha256', leaf.subarray(2 - prefix, end), 'binary')
}

// Room for a row of 128 nodes as they are hashed, each with its 0x01 before its two children.
const PAIR_OF_HASHES = 2 * HASH_SIZE
const PAIR = 1 + PAIR_OF_HASHES
const row = Buffer.alloc(128 * PAIR)
const pairs = Array.from({ length: 128 }, (_, n) => {
  row[n * PAIR] = 1
  return new Uint8Array(row.buffer, row.byteOffset + n * PAIR, PAIR)
})

/** The root of a perfect tree, from the hashes of its leaves, one after the other: a power of two of them, at most 256. */
export function perfectRoot(hashes: Uint8Array): Buffer {
  let count = hashes.length / PAIR_OF_HASHES
  if (count < 1) return Buffer.from(hashes)
  for (let n = 0; n < count; n++) row.set(hashes.subarray(n * PAIR_OF_HASHES, (n + 1) * PAIR_OF_HASHES), n * PAIR + 1)
  // Each row is written over the one below it: a node stands where its children did, or before.
  for (; count > 1; count /= 2) {
    for (let n = 0; n < count; n++) row.write(hash('sha256', pairs[n]!, 'binary'), (n >> 1) * PAIR + 1 + (n & 1) * HASH_SIZE, HASH_SIZE, 'latin1')
  }
  return Buffer.from(hash('sha256', pairs[0]!, 'binary'), 'latin1')
}
