// A JSON array taken entry by entry. A page is half a megabyte of which nearly all is dead as soon as its entry was looked at: parsed as a whole it
// outlives V8's nursery and costs more in collections than in reading.
import { isAscii } from 'node:buffer'

/** One entry, and a way to have it again while its bytes are still there. */
export interface JsonEntry {
  readonly value: unknown
  /** Parses it anew. Only as long as the body's memory was not lent to another answer. */
  readonly again: () => unknown
}

const OPEN = 0x5b
const CLOSE = 0x5d
const BOUNDARY = Buffer.from('},{')

/**
 * The entries of an array, one after the other, or what the body is if it is no array. Throws SyntaxError for what is no JSON.
 *
 * The body is cut at every `},{`. Whoever has a certificate issued may put those characters into a name; but a cut inside a string leaves the string
 * open, and one inside a nested value leaves a brace open, so a piece that JSON.parse takes was cut where entries meet. If one is not taken, the whole
 * is parsed at once. `take` turns an entry into what is kept of it.
 */
export function readEntries<T>(body: Buffer, take: (entry: JsonEntry) => T): { readonly taken: readonly T[] } | { readonly other: unknown } {
  // Nearly all pages are ASCII, which is read at half the price.
  const encoding = isAscii(body) ? 'latin1' : 'utf8'
  const taken: T[] = []
  const pieces = cut(body)
  for (const [start, end] of pieces) {
    const parse = (): unknown => JSON.parse(body.toString(encoding, start, end)) as unknown
    let value: unknown
    try {
      value = parse()
    } catch {
      break
    }
    taken.push(take({ value, again: parse }))
  }
  if (pieces.length > 0 && taken.length === pieces.length) return { taken }
  const value: unknown = JSON.parse(body.toString(encoding))
  return Array.isArray(value) ? { taken: (value as unknown[]).map((entry) => take({ value: entry, again: () => entry })) } : { other: value }
}

// No pieces: not an array with anything in it, as far as can be seen.
function cut(body: Buffer): readonly (readonly [number, number])[] {
  let first = 0
  let last = body.length
  while (first < last && isBlank(body[first])) first += 1
  while (last > first && isBlank(body[last - 1])) last -= 1
  if (last - first < 4 || body[first] !== OPEN || body[last - 1] !== CLOSE) return []
  const pieces: (readonly [number, number])[] = []
  let start = first + 1
  for (;;) {
    const at = body.indexOf(BOUNDARY, start)
    const end = at === -1 || at >= last - 1 ? last - 1 : at + 1
    pieces.push([start, end])
    if (end === last - 1) return pieces
    start = end + 1
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
