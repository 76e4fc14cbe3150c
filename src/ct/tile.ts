// A static log's tiles: where they are, and what is in them (c2sp.org/tlog-tiles, c2sp.org/static-ct-api).
import { ParseError } from './errors.ts'
import type { TimestampedEntry } from './leaf.ts'
import { readTimestampedEntry } from './leaf.ts'
import { tlsReader } from './tls.ts'

/** Items of a full tile. */
const TILE_WIDTH = 256
const HASH_SIZE = 32

/** One tile: level 0 holds leaf hashes, each level above the roots of 256 of the one below; `data` holds the entries. `width` is 1 to 256. */
export interface Tile {
  readonly level: number | 'data'
  readonly index: number
  readonly width: number
}

/** Its path below the log's monitoring prefix: `tile/0/x001/x234/067`, `tile/data/000.p/17`. */
export function tilePath({ level, index, width }: Tile): string {
  const groups = [String(index % 1000).padStart(3, '0')]
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) groups.unshift(`x${String(rest % 1000).padStart(3, '0')}`)
  return `tile/${level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** The tiles at the right edge of a tree, from the highest level to level 0: their items, one after the other, are what its compact range is made of. */
export function edgeTiles(size: number): readonly (Tile & { readonly level: number })[] {
  const tiles: (Tile & { readonly level: number })[] = []
  let items = size
  for (let level = 0; items > 0; level++, items = Math.floor(items / TILE_WIDTH)) {
    const width = items % TILE_WIDTH
    if (width > 0) tiles.unshift({ level, index: Math.floor(items / TILE_WIDTH), width })
  }
  return tiles
}

/** The hashes of a hash tile; a full one may stand for a partial one. Views. Throws ParseError. */
export function readHashTile(bytes: Uint8Array, width: number): readonly Uint8Array[] {
  if (bytes.length !== width * HASH_SIZE && bytes.length !== TILE_WIDTH * HASH_SIZE)
    throw new ParseError('length', 'hash tile', bytes.length, `is of ${bytes.length} bytes instead of ${width * HASH_SIZE}`)
  return Array.from({ length: width }, (_, n) => bytes.subarray(n * HASH_SIZE, (n + 1) * HASH_SIZE))
}

/** An entry of a data tile. Views of the tile's bytes. */
export interface TileEntry {
  readonly entry: TimestampedEntry
  /** The bytes of the TimestampedEntry: with 00 00 before them they are the MerkleTreeLeaf. */
  readonly timestamped: Uint8Array
  /** The precertificate as it was submitted; of a precert entry alone. Not signed. */
  readonly precertificate: Uint8Array | undefined
  /** SHA-256 of each certificate of the chain, in order: 32 bytes each, one after the other. Not signed. */
  readonly fingerprints: Uint8Array
}

/**
 * Reads the first `width` entries of a data tile, inflated, and hands each to `visit`. A full tile may stand for a partial one.
 *
 *     struct { TimestampedEntry timestamped_entry;
 *              select (entry_type) { case x509_entry: Empty; case precert_entry: ASN.1Cert pre_certificate; };
 *              Fingerprint certificate_chain<0..2^16-1>; } TileLeaf
 *
 * Throws ParseError where it breaks off, after those before were handed over, and where a full tile goes on.
 */
export function readDataTile(bytes: Uint8Array, width: number, visit: (entry: TileEntry, n: number) => void): void {
  const reader = tlsReader(bytes)
  for (let n = 0; n < width; n++) {
    const start = reader.at
    const entry = readTimestampedEntry(reader)
    const timestamped = bytes.subarray(start, reader.at)
    const precertificate = entry.type === 'precert' ? reader.vector(3, 'pre_certificate') : undefined
    const fingerprints = reader.vector(2, 'certificate_chain')
    if (fingerprints.length % HASH_SIZE !== 0) throw new ParseError('length', 'certificate_chain', reader.at, `is of ${fingerprints.length} bytes`)
    visit({ entry, timestamped, precertificate, fingerprints }, n)
  }
  if (width === TILE_WIDTH) reader.end('data tile')
}
