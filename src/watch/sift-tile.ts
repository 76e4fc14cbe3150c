// A data tile in one go, bytes in, hashes and the few entries that may matter out: what a worker thread does all day. Entries that are nobody's we know
// leave their hash behind, and nothing else.
import { ParseError } from '../ct/errors.ts'
import { readLeafIndex } from '../ct/leaf.ts'
import { HASH_SIZE, writeLeafHash } from '../ct/merkle.ts'
import type { TileEntry, TileOffsets } from '../ct/tile.ts'
import { tileEntryAt, walkDataTile } from '../ct/tile.ts'
import { uint16At } from '../ct/tls.ts'
import { afterUnknownLeaf, createSearchBudget } from '../ct/unknown-leaf.ts'
import type { Sieve } from './sieve.ts'

/** What is in a data tile. `n` counts from its first entry. */
export interface SiftedTile {
  /** The leaf hashes, one after the other. */
  readonly hashes: Buffer
  /** What `readEntry` has to look at. Views of the tile's bytes. */
  readonly kept: readonly (TileEntry & { readonly n: number })[]
  /** Entries that cannot be read, and why. Only where the leaf hashes were given. */
  readonly unreadable: readonly { readonly n: number; readonly why: string }[]
  /** Entries whose leaf_index is another than their place, or cannot be read. Without one, an entry is in its place. */
  readonly misplaced: readonly number[]
}

/**
 * What the log's tile of hashes says of a data tile. `giveUp`: it could not be read again and again, so what cannot be told apart in it is unreadable, if
 * its beginning shows that it is the tile.
 */
export interface TileProof {
  /** Of the whole tile, one after the other. */
  readonly leafHashes: Uint8Array
  readonly giveUp: boolean
}

/**
 * Reads the first `width` entries of a data tile, inflated, the first of which is the log's entry `firstIndex`. With a proof, what is in the way of the
 * others is passed over: entries of a kind that nobody knows, if it shows where they end, and what follows the last. Throws ParseError.
 */
export function siftTile(bytes: Uint8Array, width: number, firstIndex: number, sieve: Sieve, proof?: TileProof): SiftedTile {
  const hashes = Buffer.allocUnsafe(width * HASH_SIZE)
  const kept: (TileEntry & { n: number })[] = []
  const misplaced: number[] = []
  // Views of a Buffer take longer to make.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const past = proof && passing(bytes, hashes, proof)
  const visit = (offsets: Readonly<TileOffsets>, n: number): void => {
    if (past?.isOver() === true) return
    const { start, der, derEnd, extensions, end } = offsets
    writeLeafHash(hashes, n * HASH_SIZE, plain, start, end)
    if (past?.isOther(n) === true) return
    if (!isInPlace(bytes, extensions, end, firstIndex + n)) misplaced.push(n)
    if (sieve.mayMatter(bytes, der, derEnd)) kept.push({ ...tileEntryAt(bytes, offsets), n })
  }
  walkDataTile(bytes, width, visit, past?.skip)
  return { hashes, kept, misplaced, unreadable: past?.unreadable ?? [] }
}

interface Passing {
  readonly unreadable: readonly { readonly n: number; readonly why: string }[]
  /** The rest was passed over. */
  readonly isOver: () => boolean
  /** Of an entry whose hash was written: whether it is another than the tile has there, and was passed over. */
  readonly isOther: (n: number) => boolean
  readonly skip: (at: number, n: number, error: ParseError) => number | undefined
}

// How to get past what cannot be read. Whatever it was, its hash is the one that the log says: the root of the tree shows whether that is so.
function passing(bytes: Uint8Array, hashes: Buffer, { leafHashes, giveUp }: TileProof): Passing {
  const width = hashes.length / HASH_SIZE
  const unreadable: { n: number; why: string }[] = []
  const budget = createSearchBudget()
  // Whether all entries so far are those that were hashed: an answer that is no tile at all shows at its first.
  let proven = true
  let over = false
  const pass = (n: number, why: string): void => {
    hashes.set(leafHashes.subarray(n * HASH_SIZE, (n + 1) * HASH_SIZE), n * HASH_SIZE)
    unreadable.push({ n, why })
  }
  const passRest = (first: number, why: string): void => {
    over = true
    pass(first, why)
    for (let n = first + 1; n < width; n++) pass(n, `it stands behind entry ${first} of its tile, of which nobody knows where it ends`)
  }
  return {
    unreadable,
    isOver: () => over,
    isOther: (n) => {
      const at = n * HASH_SIZE
      if (hashes.compare(leafHashes, at, at + HASH_SIZE, at, at + HASH_SIZE) === 0) return false
      if (giveUp && proven && n > 0) passRest(n, 'it is another than the one that was hashed')
      proven = false
      return over
    },
    skip: (at, n, error) => {
      if (over) return undefined
      if (!proven) throw error
      if (n === width) return undefined
      const next = afterUnknownLeaf(bytes, at, n, leafHashes, budget)
      if (next === undefined) {
        // What is cut off may come whole another time, and what does not even begin with a time, below 2^53, is no tile.
        if (!giveUp || error.code === 'truncated' || (n === 0 && uint16At(bytes, 0) >= 0x20)) throw error
        passRest(n, error.message)
        return undefined
      }
      pass(n, error.message)
      return next
    },
  }
}

function isInPlace(bytes: Uint8Array, start: number, endExclusive: number, index: number): boolean {
  try {
    const said = readLeafIndex(bytes, start, endExclusive)
    return said === undefined || said === index
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return false
  }
}
