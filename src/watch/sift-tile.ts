// A data tile in one go, bytes in, hashes and the few entries that may matter out: what a worker thread does all day. Entries that are nobody's we know
// leave their hash behind, and nothing else.
import { ParseError } from '../ct/errors.ts'
import { readLeafIndex } from '../ct/leaf.ts'
import { HASH_SIZE, writeLeafHash } from '../ct/merkle.ts'
import type { TileEntry } from '../ct/tile.ts'
import { tileEntryAt, walkDataTile } from '../ct/tile.ts'
import type { Sieve } from './sieve.ts'

/** What is in a data tile. `n` counts from its first entry. */
export interface SiftedTile {
  /** The leaf hashes, one after the other. */
  readonly hashes: Buffer
  /** What `readEntry` has to look at. Views of the tile's bytes. */
  readonly kept: readonly (TileEntry & { readonly n: number })[]
  /** Entries whose leaf_index is another than their place, or cannot be read. Without one, an entry is in its place. */
  readonly misplaced: readonly number[]
}

/** Reads the first `width` entries of a data tile, inflated, the first of which is the log's entry `firstIndex`. Throws ParseError. */
export function siftTile(bytes: Uint8Array, width: number, firstIndex: number, sieve: Sieve): SiftedTile {
  const hashes = Buffer.allocUnsafe(width * HASH_SIZE)
  const kept: (TileEntry & { n: number })[] = []
  const misplaced: number[] = []
  // Views of a Buffer take longer to make.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  walkDataTile(bytes, width, (offsets, n) => {
    const { start, der, derEnd, extensions, end } = offsets
    writeLeafHash(hashes, n * HASH_SIZE, plain, start, end)
    if (!isInPlace(bytes, extensions, end, firstIndex + n)) misplaced.push(n)
    if (sieve.mayMatter(bytes, der, derEnd)) kept.push({ ...tileEntryAt(bytes, offsets), n })
  })
  return { hashes, kept, misplaced }
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
