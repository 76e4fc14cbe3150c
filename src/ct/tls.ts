// The TLS presentation language (RFC 8446, section 3; RFC 5246, section 4), as logs use it: big-endian integers, and vectors behind their length in bytes.
// The bytes are the log's, and through it those of whoever submitted the certificate.
import { ParseError } from './errors.ts'

/** An unsigned integer of 1 to 6 bytes, which are there: exact. Of 8 it is rounded from 2^53 on. Multiplied, not shifted: indices pass 2^32. */
export function uintAt(bytes: Uint8Array, at: number, size: number): number {
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + bytes[at + i]!
  return value
}

/** An unsigned integer of 2 bytes, which are there. */
export function uint16At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

/** An unsigned integer of 3 bytes, which are there. */
export function uint24At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
}

/** Reads on from where it stands. Every method throws ParseError where the bytes end too early. */
export interface TlsReader {
  readonly at: number
  /** An unsigned integer of 1 to 6 bytes: exact, whatever its size. */
  uint(bytes: number, what: string): number
  /** An unsigned integer of 8 bytes that a number can hold exactly. */
  uint64(what: string): number
  /** As many bytes, as a view. */
  take(length: number, what: string): Uint8Array
  /** `opaque x<0..2^(8n)-1>`: a length of `lengthBytes` bytes and as many bytes, as a view. */
  vector(lengthBytes: number, what: string): Uint8Array
  atEnd(): boolean
  /** Throws unless everything was read. */
  end(what: string): void
}

/** A reader over bytes from `start` to `endExclusive`. */
export function tlsReader(bytes: Uint8Array, start = 0, endExclusive = bytes.length): TlsReader {
  let at = start
  const need = (length: number, what: string): void => {
    if (length > endExclusive - at) throw new ParseError('truncated', what, at, `has ${Math.max(0, endExclusive - at)} bytes left of ${length}`)
  }
  const uint = (size: number, what: string): number => {
    need(size, what)
    at += size
    return uintAt(bytes, at - size, size)
  }
  const take = (length: number, what: string): Uint8Array => {
    need(length, what)
    const view = bytes.subarray(at, at + length)
    at += length
    return view
  }
  return {
    get at() {
      return at
    },
    uint,
    uint64: (what) => {
      const value = uint(8, what)
      if (!Number.isSafeInteger(value)) throw new ParseError('value', what, at - 8, 'is 2^53 or more')
      return value
    },
    take,
    vector: (lengthBytes, what) => take(uint(lengthBytes, what), what),
    atEnd: () => at === endExclusive,
    end: (what) => {
      if (at !== endExclusive) throw new ParseError('value', what, at, `is followed by ${endExclusive - at} other bytes`)
    },
  }
}
