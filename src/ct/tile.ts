// A static log's tiles: where they are, and what is in them (c2sp.org/tlog-tiles, c2sp.org/static-ct-api).
import { ParseError } from './errors.ts'
import type { EntryOffsets, TimestampedEntry } from './leaf.ts'
import { createEntryOffsets, entryAt, locateEntry } from './leaf.ts'
import { HASH_SIZE } from './merkle.ts'
import { uint16At, uint24At } from './tls.ts'

/** Items of a full tile. */
const TILE_WIDTH = 256

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

/** The hashes of a hash tile; a full one may stand for a partial one. Views. Throws ParseError. */
export function readHashTile(bytes: Uint8Array, width: number): readonly Uint8Array[] {
  if (bytes.length !== width * HASH_SIZE && bytes.length !== TILE_WIDTH * HASH_SIZE)
    throw new ParseError('length', 'hash tile', bytes.length, `is of ${bytes.length} bytes instead of ${width * HASH_SIZE}`)
  return Array.from({ length: width }, (_, n) => bytes.subarray(n * HASH_SIZE, (n + 1) * HASH_SIZE))
}

/** Where one entry stands in a data tile: as EntryOffsets, filled again for each. */
export interface TileOffsets extends EntryOffsets {
  /** The precertificate as it was submitted; both the same of an x509 entry. Not signed. */
  precertificate: number
  precertificateEnd: number
  fingerprints: number
  fingerprintsEnd: number
}

/**
 * Finds the first `width` entries of a data tile, inflated, and hands the offsets of each to `visit`, in one and the same object. A full tile may stand
 * for a partial one.
 *
 *     struct { TimestampedEntry timestamped_entry;
 *              select (entry_type) { case x509_entry: Empty; case precert_entry: ASN.1Cert pre_certificate; };
 *              Fingerprint certificate_chain<0..2^16-1>; } TileLeaf
 *
 * Throws ParseError where it breaks off, after those before were handed over, and where a full tile goes on. `skip` is asked for where the next entry
 * begins if one cannot be read, and of a full tile that goes on, then with its width as `n`. It throws what it is given if it does not know, and ends the
 * walk by undefined. With it a chain may have any length: it is not signed.
 */
export function walkDataTile(
  bytes: Uint8Array,
  width: number,
  visit: (offsets: Readonly<TileOffsets>, n: number) => void,
  skip?: (at: number, n: number, error: ParseError) => number | undefined,
): void {
  const offsets: TileOffsets = { ...createEntryOffsets(), precertificate: 0, precertificateEnd: 0, fingerprints: 0, fingerprintsEnd: 0 }
  let at = 0
  for (let n = 0; n < width; n++) {
    try {
      locateEntry(bytes, at, bytes.length, offsets)
    } catch (error) {
      if (skip === undefined || !(error instanceof ParseError)) throw error
      const next = skip(at, n, error)
      if (next === undefined) return
      at = next
      continue
    }
    const submitted = offsets.end
    at = submitted
    if (offsets.type === 'precert') {
      if (submitted + 3 > bytes.length) throw cutOff('pre_certificate', submitted)
      at = submitted + 3 + uint24At(bytes, submitted)
    }
    offsets.precertificate = offsets.type === 'precert' ? submitted + 3 : submitted
    offsets.precertificateEnd = at
    offsets.fingerprints = at + 2
    if (offsets.fingerprints > bytes.length) throw cutOff('certificate_chain', submitted)
    const length = uint16At(bytes, at)
    at += 2 + length
    if (at > bytes.length) throw cutOff('certificate_chain', offsets.fingerprints)
    if (length % HASH_SIZE !== 0 && skip === undefined) throw new ParseError('length', 'certificate_chain', at, `is of ${length} bytes`)
    offsets.fingerprintsEnd = at
    visit(offsets, n)
  }
  if (width !== TILE_WIDTH || at === bytes.length) return
  const error = new ParseError('value', 'data tile', at, `is followed by ${bytes.length - at} other bytes`)
  if (skip === undefined) throw error
  skip(at, width, error)
}

function cutOff(what: string, at: number): ParseError {
  return new ParseError('truncated', what, at, 'is cut off')
}

/** An entry of a data tile. Views of the tile's bytes. */
export interface TileEntry {
  readonly entry: TimestampedEntry
  /** The bytes of the TimestampedEntry: with 00 00 before them they are the MerkleTreeLeaf. */
  readonly timestamped: Uint8Array
  /** The precertificate as it was submitted; of a precert entry alone. Not signed. */
  readonly precertificate: Uint8Array | undefined
  /** SHA-256 of each certificate of the chain, in order: 32 bytes each, one after the other, unless the log has it otherwise. Not signed. */
  readonly fingerprints: Uint8Array
}

/** The entry that was found, as an object. */
export function tileEntryAt(bytes: Uint8Array, offsets: Readonly<TileOffsets>): TileEntry {
  const { start, end, type, precertificate, precertificateEnd, fingerprints, fingerprintsEnd } = offsets
  return {
    entry: entryAt(bytes, offsets),
    timestamped: bytes.subarray(start, end),
    precertificate: type === 'precert' ? bytes.subarray(precertificate, precertificateEnd) : undefined,
    fingerprints: bytes.subarray(fingerprints, fingerprintsEnd),
  }
}

/** As walkDataTile, with each entry as an object. */
export function readDataTile(bytes: Uint8Array, width: number, visit: (entry: TileEntry, n: number) => void): void {
  walkDataTile(bytes, width, (offsets, n) => visit(tileEntryAt(bytes, offsets), n))
}
