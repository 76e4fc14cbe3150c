// A JSON array taken entry by entry. A page is half a megabyte of which nearly all is dead as soon as its entry was looked at: parsed as a whole it
// outlives V8's nursery and costs more in collections than in reading.
import { isAscii } from 'node:buffer'

/** One entry, and a way to have it whole while its bytes are still there. */
export interface JsonEntry {
  /** Perhaps with an empty text for each member of the name to leave out. */
  readonly value: unknown
  /** Parses it anew, all of it. Only as long as the body's memory was not lent to another answer. */
  readonly whole: () => unknown
}

const OPEN = 0x5b
const CLOSE = 0x5d
const BOUNDARY = Buffer.from('},{')
const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * The entries of an array, one after the other, or what the body is if it is no array. Throws SyntaxError for what is no JSON.
 *
 * The body is cut at every `},{`. Whoever has a certificate issued may put those characters into a name; but a cut inside a string leaves the string
 * open, and one inside a nested value leaves a brace open, so a piece that JSON.parse takes was cut where entries meet. If one is not taken, the whole
 * is parsed at once. `take` turns an entry into what is kept of it. `omit` is a member that is long and seldom looked at.
 */
export function readEntries<T>(
  body: Buffer,
  omit: string,
  take: (entry: JsonEntry) => T,
): { readonly taken: readonly T[] } | { readonly other: unknown } {
  // Nearly all pages are ASCII, which is read at half the price.
  const encoding = isAscii(body) ? 'latin1' : 'utf8'
  const taken: T[] = []
  const pieces = cut(body, Buffer.from(`"${omit}":"`))
  for (const { start, end, hole } of pieces) {
    const parse = (): unknown => JSON.parse(body.toString(encoding, start, end)) as unknown
    let value: unknown
    try {
      value = hole === undefined ? parse() : JSON.parse(body.toString(encoding, start, hole.start) + body.toString(encoding, hole.end, end))
    } catch {
      break
    }
    // What was left out may be what makes it no JSON, a control character say; the entry is as good without.
    const whole = (): unknown => {
      try {
        return parse()
      } catch {
        return value
      }
    }
    taken.push(take({ value, whole }))
  }
  if (pieces.length > 0 && taken.length === pieces.length) return { taken }
  const value: unknown = JSON.parse(body.toString(encoding))
  return Array.isArray(value) ? { taken: (value as unknown[]).map((entry) => take({ value: entry, whole: () => entry })) } : { other: value }
}

interface Span {
  readonly start: number
  readonly end: number
}

/** Where an entry stands, and the inside of the text to leave out. */
interface Piece extends Span {
  readonly hole: Span | undefined
}

// No pieces: not an array with anything in it, as far as can be seen.
function cut(body: Buffer, key: Buffer): readonly Piece[] {
  let first = 0
  let last = body.length
  while (first < last && isBlank(body[first])) first += 1
  while (last > first && isBlank(body[last - 1])) last -= 1
  if (last - first < 4 || body[first] !== OPEN || body[last - 1] !== CLOSE) return []
  const pieces: Piece[] = []
  let start = first + 1
  let found = body.indexOf(key, start)
  for (;;) {
    const at = body.indexOf(BOUNDARY, start)
    const end = at === -1 || at >= last - 1 ? last - 1 : at + 1
    if (found !== -1 && found < start) found = body.indexOf(key, start)
    pieces.push({ start, end, hole: found !== -1 && found < end ? holeIn(body, found + key.length, end) : undefined })
    if (end === last - 1) return pieces
    start = end + 1
  }
}

// What stands between the quotes, if it is sure that they are a pair. Within a text the key's own quotes would be escaped, so it is a member; and a
// quote without a backslash before it ends its text.
function holeIn(body: Buffer, start: number, limit: number): Span | undefined {
  const end = body.indexOf(QUOTE, start)
  return end === -1 || end >= limit || body[end - 1] === BACKSLASH ? undefined : { start, end }
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
