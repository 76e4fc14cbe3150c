// An entry of a type that nobody knows yet, in a data tile: where it ends is nowhere said, but its leaf hash is in the tile of hashes, and what follows it
// begins as an entry does. A log decides how many there are of them and how long each is, so one tile has a budget.
import { createHash } from 'node:crypto'
import { ParseError } from './errors.ts'
import { createEntryOffsets, isKnownType, locateEntry } from './leaf.ts'
import { HASH_SIZE, writeLeafHash } from './merkle.ts'
import { uint16At, uint24At } from './tls.ts'

const SHORTEST = 10

/** What looking for the ends of one tile's entries may still cost: places looked at, and hashes made there. */
export interface SearchBudget {
  places: number
  hashes: number
}

/** A tile's: each of the two is some 100 ms of work. */
export function createSearchBudget(): SearchBudget {
  return { places: 8_388_608, hashes: 32_768 }
}

/**
 * Where the next entry begins after one at `at`, the nth of a tile, that cannot be read; undefined if that does not show within the budget, as in a tile
 * that is none. `leafHashes` are those of all entries of the tile.
 */
export function afterUnknownLeaf(bytes: Uint8Array, at: number, n: number, leafHashes: Uint8Array, budget: SearchBudget): number | undefined {
  const isLast = (n + 1) * HASH_SIZE >= leafHashes.length
  // Times are in ms since 1970, so the first two bytes of an entry are 0; or else it is of a type that is known. After the last a full tile ends, or goes on
  // where it stands for a partial one.
  const mayBegin = (next: number): boolean =>
    isLast && next === bytes.length
      ? true
      : next + SHORTEST <= bytes.length && (uint16At(bytes, next) === 0 || isKnownType(uint16At(bytes, next + 8)))
  const isEnd = endTest(bytes, at, hashAt(leafHashes, n))
  for (let end = at + SHORTEST; end + 2 <= bytes.length; end++) {
    if (budget.places-- <= 0) return undefined
    // After it stand the fingerprints of its chain, or, if it is of the kind of a precertificate, what was submitted and then those.
    const plain = afterChain(bytes, end)
    const submitted = end + 3 <= bytes.length ? afterChain(bytes, end + 3 + uint24At(bytes, end)) : Infinity
    const [plainMay, submittedMay] = [mayBegin(plain), mayBegin(submitted)]
    if (!plainMay && !submittedMay) continue
    if (budget.hashes-- <= 0) return undefined
    if (!isEnd(end)) continue
    if (!plainMay || !submittedMay) return plainMay ? plain : submitted
    return !isLast && beginsHere(bytes, submitted, hashAt(leafHashes, n + 1)) ? submitted : plain
  }
  return undefined
}

// Whether the leaf that begins at `at` ends at a place, to be asked from left to right: what lies between is hashed once.
function endTest(bytes: Uint8Array, at: number, leafHash: Uint8Array): (end: number) => boolean {
  // SHA-256(0x00 ‖ 0x00 0x00 ‖ TimestampedEntry)
  const hash = createHash('sha256').update(Uint8Array.of(0, 0, 0))
  let hashed = at
  return (end) => {
    hash.update(bytes.subarray(hashed, end))
    hashed = end
    return hash.copy().digest().equals(leafHash)
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
    return false
  }
}

function afterChain(bytes: Uint8Array, at: number): number {
  return at + 2 > bytes.length ? Infinity : at + 2 + uint16At(bytes, at)
}

function hashAt(leafHashes: Uint8Array, n: number): Uint8Array {
  return leafHashes.subarray(n * HASH_SIZE, (n + 1) * HASH_SIZE)
}
