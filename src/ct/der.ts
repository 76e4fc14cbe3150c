// DER (X.690) without copying: an element is its offsets in the bytes. The bytes are under the control of whoever had the certificate issued.
// Nothing recurses: each reader walks its own grammar with a loop, so depth is that of the grammar and time is linear in the bytes.
// Lenient where logged certificates are: lengths that are longer than need be are taken. Strict where walking would go astray: no indefinite
// length, no length over 4 bytes, nothing that reaches out of what encloses it.
import { ParseError } from './errors.ts'

/** The universal tags that certificates use, as their identifier octet. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** One element: `start` is its identifier octet, `content` its first content octet, `end` exclusive. Of a tag number over 30, `tag` is the first octet. */
export interface Element {
  readonly tag: number
  readonly start: number
  readonly content: number
  readonly end: number
}

/** Reads the element at `at`, which must end by `endExclusive`. `what` names it in errors. Throws ParseError. */
export function readElement(bytes: Uint8Array, at: number, endExclusive: number, what: string): Element {
  const limit = Math.min(endExclusive, bytes.length)
  const tag = at < limit ? bytes[at] : undefined
  if (tag === undefined) throw new ParseError('truncated', what, at, 'ends before its tag')
  let next = at + 1
  if ((tag & 0x1f) === 0x1f) next = skipHighTag(bytes, next, limit, what)
  const first = next < limit ? bytes[next++] : undefined
  if (first === undefined) throw new ParseError('truncated', what, next, 'ends before its length')
  let length = first
  if (first >= 0x80) {
    const size = first - 0x80
    if (size === 0) throw new ParseError('length', what, next - 1, 'has an indefinite length')
    if (size > 4) throw new ParseError('length', what, next - 1, `has a length of ${size} bytes`)
    if (next + size > limit) throw new ParseError('truncated', what, next, 'ends within its length')
    length = 0
    // Multiplied, not shifted: four bytes pass 2^31.
    for (let i = 0; i < size; i++) length = length * 256 + (bytes[next++] ?? 0)
  }
  if (length > limit - next) throw new ParseError('truncated', what, next, `has ${limit - next} bytes left of ${length}`)
  return { tag, start: at, content: next, end: next + length }
}

// X.690, section 8.1.2.4: base 128, the last octet without its high bit. No such tag means anything in a certificate.
function skipHighTag(bytes: Uint8Array, from: number, limit: number, what: string): number {
  for (let at = from; at < limit; at++) {
    if (at - from === 4) break
    if ((bytes[at] ?? 0) < 0x80) return at + 1
  }
  throw new ParseError('tag', what, from, 'has a tag number that is cut off or too large')
}

/** Reads the element at `at` and insists on its tag. Throws ParseError. */
export function expectElement(bytes: Uint8Array, at: number, endExclusive: number, tag: number, what: string): Element {
  const element = readElement(bytes, at, endExclusive, what)
  if (element.tag !== tag) throw new ParseError('tag', what, at, `has the tag 0x${hexByte(element.tag)} in place of 0x${hexByte(tag)}`)
  return element
}

/** The content octets, as a view and not a copy. */
export function contentOf(bytes: Uint8Array, element: Element): Uint8Array {
  return bytes.subarray(element.content, element.end)
}

/** The whole encoding, tag and length included, as a view and not a copy. */
export function encodingOf(bytes: Uint8Array, element: Element): Uint8Array {
  return bytes.subarray(element.start, element.end)
}

/** Identifier and length octets for `length` content octets, in DER's shortest form. Throws RangeError from 2^32 on. */
export function encodeHeader(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length)
  if (length >= 2 ** 32) throw new RangeError(`${length} bytes are too many for one element`)
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return Uint8Array.of(tag, 0x80 + octets.length, ...octets)
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
