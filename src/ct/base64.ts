// Base64 as CT has it: the standard alphabet with padding (RFC 4648, section 4). Node's own decoder takes anything.
import { ParseError } from './errors.ts'

/** Decodes strictly: what is taken encodes to the same text again. Throws ParseError. */
export function decodeBase64(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new ParseError('value', what, 0, 'is not base64')
  return bytes
}

/** Decodes what must be a SHA-256 hash. Throws ParseError. */
export function decodeHash(text: unknown, what: string): Buffer {
  if (typeof text !== 'string') throw new ParseError('value', what, 0, 'is not a string')
  const bytes = decodeBase64(text, what)
  if (bytes.length !== 32) throw new ParseError('length', what, 0, `has ${bytes.length} bytes instead of 32`)
  return bytes
}

const HYPHEN = '-'
const LOW_LINE = '_'
const EQUALS = 0x3d

/**
 * Decodes into memory that is used again, at `at`, where there has to be room for three quarters of the text. How many bytes; -1 for just the texts that
 * decodeBase64 does not take.
 */
export function writeBase64(into: Buffer, at: number, text: string): number {
  const count = writeAnyBase64(into, at, text)
  if (count < 0 || text.includes(HYPHEN) || text.includes(LOW_LINE)) return -1
  // The last letter may have bits that no byte has (RFC 4648, section 3.5).
  const spare = count % 3
  if (spare === 1 && !'AQgw'.includes(text.charAt(text.length - 3))) return -1
  if (spare === 2 && !'AEIMQUYcgkosw048'.includes(text.charAt(text.length - 2))) return -1
  return count
}

/** As writeBase64, and takes the other alphabet and spare bits too: nothing else than letters, digits, `+/-_` and the padding. */
export function writeAnyBase64(into: Buffer, at: number, text: string): number {
  const { length } = text
  if (length % 4 !== 0) return -1
  if (length === 0) return 0
  const padding = text.charCodeAt(length - 1) !== EQUALS ? 0 : text.charCodeAt(length - 2) !== EQUALS ? 1 : 2
  // Whatever is no letter is left out by Node's decoder, or ends it: then there are fewer bytes.
  const count = (length / 4) * 3 - padding
  return into.write(text, at, 'base64') === count ? count : -1
}
