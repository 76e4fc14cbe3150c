// An entry of a type that nobody knows yet, in a data tile: where it ends is nowhere said, but its leaf hash is in the tile of hashes, and what follows it
// has one as well.
import { createHash } from 'node:crypto'
import { ParseError } from './errors.ts'
import { createEntryOffsets, locateEntry } from './leaf.ts'
import { HASH_SIZE, writeLeafHash } from './merkle.ts'
import { uint16At, uint24At } from './tls.ts'

/** No longer entry is looked for: some 100 ms of hashing. */
const LONGEST = 65_536
const SHORTEST = 10

/**
 * Where the next entry begins after one at `at`, the nth of a tile, that cannot be read; undefined if that does not show, as in a tile that is none.
 * `leafHashes` are those of all entries of the tile.
 */
export function afterUnknownLeaf(bytes: Uint8Array, at: number, n: number, leafHashes: Uint8Array): number | undefined {
  const end = endOf(bytes, at, hashAt(leafHashes, n))
  if (end === undefined) return undefined
  const isLast = (n + 1) * HASH_SIZE >= leafHashes.length
  // After it stand the fingerprints of its chain, or, if it is of the kind of a precertificate, what was submitted and then those.
  const ends = [chainEnd(bytes, end), chainEnd(bytes, submittedEnd(bytes, end))].filter((next) => next !== undefined && next <= bytes.length)
  // A full tile may stand for a partial one: then more follows the last.
  if (isLast) return ends.find((next) => next === bytes.length) ?? ends[0]
  return ends.find((next) => next !== undefined && beginsHere(bytes, next, hashAt(leafHashes, n + 1)))
}

function endOf(bytes: Uint8Array, at: number, leafHash: Uint8Array): number | undefined {
  const first = at + SHORTEST
  if (first > bytes.length) return undefined
  // SHA-256(0x00 ‖ 0x00 0x00 ‖ TimestampedEntry)
  const hash = createHash('sha256')
    .update(Uint8Array.of(0, 0, 0))
    .update(bytes.subarray(at, first))
  const last = Math.min(bytes.length, at + LONGEST)
  for (let end = first; ; end++) {
    if (hash.copy().digest().equals(leafHash)) return end
    if (end >= last) return undefined
    hash.update(bytes.subarray(end, end + 1))
  }
}

function beginsHere(bytes: Uint8Array, at: number, leafHash: Uint8Array): boolean {
  try {
    const offsets = createEntryOffsets()
    locateEntry(bytes, at, bytes.length, offsets)
    const own = Buffer.alloc(HASH_SIZE)
    writeLeafHash(own, 0, bytes, offsets.start, offsets.end)
    return own.equals(leafHash)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return endOf(bytes, at, leafHash) !== undefined
  }
}

function chainEnd(bytes: Uint8Array, at: number | undefined): number | undefined {
  return at === undefined || at + 2 > bytes.length ? undefined : at + 2 + uint16At(bytes, at)
}

function submittedEnd(bytes: Uint8Array, at: number): number | undefined {
  return at + 3 > bytes.length ? undefined : at + 3 + uint24At(bytes, at)
}

function hashAt(leafHashes: Uint8Array, n: number): Uint8Array {
  return leafHashes.subarray(n * HASH_SIZE, (n + 1) * HASH_SIZE)
}
