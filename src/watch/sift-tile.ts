// A data tile in one go, bytes in, hashes and the few entries that may matter out: what a worker thread does all day. Entries that are nobody's we know
// leave their hash behind, and nothing else.
import { ParseError } from '../ct/errors.ts'
import { readLeafIndex } from '../ct/leaf.ts'
import { HASH_SIZE, writeLeafHash } from '../ct/merkle.ts'
import type { TileEntry, TileOffsets } from '../ct/tile.ts'
import { tileEntryAt, walkDataTile } from '../ct/tile.ts'
import { afterUnknownLeaf } from '../ct/unknown-leaf.ts'
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
 * Reads the first `width` entries of a data tile, inflated, the first of which is the log's entry `firstIndex`. With the `leafHashes` of the whole tile
 * an entry of a kind that nobody knows is passed over, if they prove where it ends. Throws ParseError.
 */
export function siftTile(bytes: Uint8Array, width: number, firstIndex: number, sieve: Sieve, leafHashes?: Uint8Array): SiftedTile {
  const hashes = Buffer.allocUnsafe(width * HASH_SIZE)
  const kept: (TileEntry & { n: number })[] = []
  const misplaced: number[] = []
  const unreadable: { n: number; why: string }[] = []
  // Views of a Buffer take longer to make.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const skip =
    leafHashes &&
    ((at: number, n: number, error: ParseError): number => {
      const next = afterUnknownLeaf(bytes, at, n, leafHashes)
      if (next === undefined) throw error
      hashes.set(leafHashes.subarray(n * HASH_SIZE, (n + 1) * HASH_SIZE), n * HASH_SIZE)
      unreadable.push({ n, why: error.message })
      return next
    })
  const visit = (offsets: Readonly<TileOffsets>, n: number): void => {
    const { start, der, derEnd, extensions, end } = offsets
    writeLeafHash(hashes, n * HASH_SIZE, plain, start, end)
    if (!isInPlace(bytes, extensions, end, firstIndex + n)) misplaced.push(n)
    if (sieve.mayMatter(bytes, der, derEnd)) kept.push({ ...tileEntryAt(bytes, offsets), n })
  }
  walkDataTile(bytes, width, visit, skip)
  return { hashes, kept, misplaced, unreadable }
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
