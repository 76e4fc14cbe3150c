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
