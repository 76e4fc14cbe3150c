// An answer of get-entries (RFC 6962, section 4.6): the hash of each entry, and the few that may matter.
//
// Two thirds of an answer are chains that nobody looks at, and parsing JSON costs more than all the rest. So an answer as every log gives it is cut by
// its quotes, without a parser. Whatever is unusual in any way goes to the parser, and comes to the same.
import { decodeBase64, writeAnyBase64, writeBase64 } from '../ct/base64.ts'
import { ParseError } from '../ct/errors.ts'
import { readExtraData } from '../ct/extra-data.ts'
import { createEntryOffsets, locateEntry } from '../ct/leaf.ts'
import { HASH_SIZE, leafHash, writeLeafHash } from '../ct/merkle.ts'
import { objectOf } from '../ct/tree-head.ts'
import type { Sieve } from '../watch/sieve.ts'
import type { PageViews } from './log-entry.ts'
import { isMisplaced, readLeaf } from './log-entry.ts'

/** Entries that were asked for: the index of the first in its log, and how many at most. */
export interface Asked {
  readonly start: number
  readonly count: number
}

/** Reads the answer. One with more entries than were asked for is given up at the first too many. Throws ParseError. */
export function readEntries(body: Buffer, asked: Asked, sieve: Sieve): PageViews {
  const text = body.toString('latin1')
  return cutEntries(text, asked, sieve) ?? parseEntries(text, asked, sieve)
}

/** By a parser of JSON: any answer. Throws ParseError. */
export function parseEntries(text: string, { start, count }: Asked, sieve: Sieve): PageViews {
  // Ten packed kilobytes may hold a million objects: the parser would make each before anything could be counted.
  if (hasMoreParts(text, PARTS * (count + 1))) throw new ParseError('value', 'get-entries', 0, `holds more than ${count} entries can have`)
  // One character over 255 would make two bytes of each in its text, of which there may be sixty millions. No base64 has it.
  if (text.length > LARGE && /\\u(?!00)/.test(text)) throw new ParseError('value', 'get-entries', 0, 'has other characters than it can have')
  const { entries } = objectOf(text, 'get-entries')
  if (!Array.isArray(entries)) throw new ParseError('value', 'entries', 0, 'is not a list')
  if (entries.length > count) throw tooMany(count, 0)
  const hashes = Buffer.allocUnsafe(entries.length * HASH_SIZE)
  const found: Found = { start, kept: [], misplaced: [] }
  for (const [n, row] of (entries as unknown[]).entries()) {
    const { leaf_input: leaf, extra_data: extra } = (typeof row === 'object' && row !== null ? row : {}) as Record<string, unknown>
    if (typeof leaf !== 'string') throw new ParseError('value', 'leaf_input', 0, 'is not a string')
    const leafInput = decodeBase64(leaf, 'leaf_input')
    hashes.set(leafHash(leafInput), n * HASH_SIZE)
    look(found, n, leafInput, extra, sieve)
  }
  return { ...found, hashes }
}

/** Characters of an answer with which its memory counts. */
const LARGE = 4 * 1024 * 1024

// Values that an entry may come with, of members that nobody knows yet.
const PARTS = 64

// Every value but the first stands behind one of these, and no base64 has them.
function hasMoreParts(text: string, most: number): boolean {
  let parts = 0
  for (const mark of '{[,') {
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) if (++parts > most) return true
  }
  return false
}

function tooMany(count: number, at: number): ParseError {
  return new ParseError('value', 'entries', at, `are more than the ${count} that were asked for`)
}

interface Found {
  readonly start: number
  readonly kept: PageViews['kept'][number][]
  readonly misplaced: number[]
}

function look({ start, kept, misplaced }: Found, n: number, leafInput: Uint8Array, extra: unknown, sieve: Sieve): void {
  const { entry, why } = readLeaf(leafInput)
  const index = start + n
  if (entry !== undefined && isMisplaced(entry, index)) misplaced.push(index)
  if (entry !== undefined && !sieve.mayMatter(entry.der, 0, entry.der.length)) return
  const precertificate = entry?.type === 'precert' && typeof extra === 'string' ? precertificateOf(extra) : undefined
  kept.push({ index, entry, why, precertificate })
}

const OPEN = '{"entries":[{"leaf_input":"'
const BETWEEN = '","extra_data":"'
const NEXT = '"},{"leaf_input":"'
const CLOSE = '"}]}'

// Where a leaf is decoded, after the zero byte that is hashed before it. No log takes a certificate that is as large; if one did, it would be parsed.
const LEAF = 1
const room = Buffer.alloc(1024 * 1024)
const offsets = createEntryOffsets()

/**
 * By its quotes. Throws ParseError at an entry more than were asked for. Undefined if it is not, to the letter, `{"entries":[{"leaf_input":"…","extra_data":"…"},…]}` with base64 in every `…`: there is nothing in
 * it then that a parser could read in another way.
 */
export function cutEntries(text: string, { start, count }: Asked, sieve: Sieve): PageViews | undefined {
  if (!text.startsWith(OPEN)) return undefined
  const hashes: Buffer[] = []
  let hashed = Buffer.allocUnsafe(0)
  const found: Found = { start, kept: [], misplaced: [] }
  let at = OPEN.length
  for (let n = 0; ; n++) {
    if (n === count) throw tooMany(count, at)
    const leafEnd = text.indexOf('"', at)
    if (leafEnd < 0 || !text.startsWith(BETWEEN, leafEnd)) return undefined
    const extraStart = leafEnd + BETWEEN.length
    const extraEnd = text.indexOf('"', extraStart)
    if (extraEnd < 0) return undefined
    if (Math.max(leafEnd - at, extraEnd - extraStart) >= room.length) return undefined
    const extra = text.substring(extraStart, extraEnd)
    if (writeAnyBase64(room, LEAF, extra) < 0) return undefined
    const size = writeBase64(room, LEAF, text.substring(at, leafEnd))
    if (size < 0) return undefined
    if (n % PIECE === 0) hashes.push((hashed = Buffer.allocUnsafe(PIECE * HASH_SIZE)))
    if (!isStranger(hashed, (n % PIECE) * HASH_SIZE, LEAF + size, sieve)) {
      const leafInput = Buffer.from(room.subarray(LEAF, LEAF + size))
      leafHash(leafInput).copy(hashed, (n % PIECE) * HASH_SIZE)
      look(found, n, leafInput, extra, sieve)
    }
    if (text.startsWith(NEXT, extraEnd)) at = extraEnd + NEXT.length
    else if (text.startsWith(CLOSE, extraEnd) && isBlank(text, extraEnd + CLOSE.length))
      return { ...found, hashes: Buffer.concat(hashes, (n + 1) * HASH_SIZE) }
    else return undefined
  }
}

// Hashes are gathered by so many: how many there are is known at the end.
const PIECE = 256

// What nearly every entry is, without an object made of it; and its hash.
function isStranger(hashed: Buffer, at: number, end: number, sieve: Sieve): boolean {
  // version and leaf_type
  if (end < 3 || room[1] !== 0 || room[2] !== 0) return false
  try {
    locateEntry(room, 3, end, offsets)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return false
  }
  if (offsets.end !== end || offsets.extensions !== end || sieve.mayMatter(room, offsets.der, offsets.derEnd)) return false
  writeLeafHash(hashed, at, room, 3, end)
  return true
}

// JSON's white space (RFC 8259, section 2), to the end.
function isBlank(text: string, start: number): boolean {
  for (let at = start; at < text.length; at++) if (!' \n\r\t'.includes(text.charAt(at))) return false
  return true
}

// It is not signed, so what is wrong with it is no reason to ask again: what the leaf says counts.
function precertificateOf(extra: string): Uint8Array | undefined {
  try {
    return readExtraData(Buffer.from(extra, 'base64'), 'precert').precertificate
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return undefined
  }
}
