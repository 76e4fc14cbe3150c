// A naive DER writer. It is the sandbox's own, so that a mistake in `src/ct` is not made twice and hidden.

/** One tag-length-value with any tag byte (low tag numbers only). */
export function tlv(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  if (body.length < 128) return Buffer.concat([Buffer.from([tag, body.length]), body])
  let hex = body.length.toString(16)
  if (hex.length % 2 === 1) hex = `0${hex}`
  const length = Buffer.from(hex, 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body])
}

/** SEQUENCE. */
export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tlv(0x30, ...parts)
}

/** SET of one element: a set of more would have to be sorted. */
export function set(part: Uint8Array): Buffer {
  return tlv(0x31, part)
}

/** INTEGER from big-endian two's complement bytes that are minimal already, or from a number that is not negative. */
export function integer(value: bigint | number): Buffer {
  if (value < 0) throw new RangeError('the writer knows no negative integers')
  let hex = BigInt(value).toString(16)
  if (hex.length % 2 === 1) hex = `0${hex}`
  // The first bit is the sign.
  if (Number.parseInt(hex.slice(0, 2), 16) >= 0x80) hex = `00${hex}`
  return tlv(0x02, Buffer.from(hex, 'hex'))
}

/** OBJECT IDENTIFIER from dotted decimals. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes: number[] = []
  for (const arc of [40 * first + second, ...rest]) {
    const digits = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift(128 + (left % 128))
    bytes.push(...digits)
  }
  return tlv(0x06, Buffer.from(bytes))
}

/** BIT STRING of whole bytes, or with `unused` bits in the last one. */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return tlv(0x03, Buffer.from([unused]), bytes)
}

/** OCTET STRING. */
export function octetString(...parts: readonly Uint8Array[]): Buffer {
  return tlv(0x04, ...parts)
}

/** BOOLEAN true; false is left out in DER where it is the default. */
export const TRUE: Buffer = tlv(0x01, Buffer.from([0xff]))

/** NULL. */
export const NULL: Buffer = tlv(0x05)

/** UTF8String. */
export function utf8String(text: string): Buffer {
  return tlv(0x0c, Buffer.from(text, 'utf8'))
}

/** PrintableString; the caller keeps to its characters. */
export function printableString(text: string): Buffer {
  return tlv(0x13, Buffer.from(text, 'latin1'))
}

/** UTCTime before 2050, GeneralizedTime from then on, as RFC 5280 wants it. Fractions of a second are dropped. */
export function time(at: Date): Buffer {
  const digits = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '')
  return at.getUTCFullYear() < 2050 && at.getUTCFullYear() >= 1950
    ? tlv(0x17, Buffer.from(digits.slice(2), 'latin1'))
    : tlv(0x18, Buffer.from(digits, 'latin1'))
}
