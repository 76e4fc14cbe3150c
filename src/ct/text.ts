// The string types of ASN.1, as certificates misuse them: whatever the type says, any bytes give at least one reading.

/** What bytes may say: the likeliest reading first. `odd` says what is wrong with them for their type. */
export interface TextReadings {
  readonly readings: readonly string[]
  readonly odd?: string
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The bytes as UTF-8, or undefined if they are not. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Each byte as the character of that number. */
export function decodeLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** Bytes of a type that should be ASCII: that, or, as nobody knows what the CA meant, UTF-8 (if it is) and Latin-1 both. */
export function readLooseText(bytes: Uint8Array): readonly string[] {
  const latin1 = decodeLatin1(bytes)
  if (!/[\u0080-\u00ff]/.test(latin1)) return [latin1]
  const utf8 = decodeUtf8(bytes)
  return utf8 === undefined ? [latin1] : [utf8, latin1]
}

/** Reads the content of an ASN.1 string by its tag (12 UTF8, 19 Printable, 20 Teletex, 22 IA5, 26 Visible, 28 Universal, 30 BMP). Never throws. */
export function readString(tag: number, bytes: Uint8Array): TextReadings {
  switch (tag) {
    case 12: {
      const text = decodeUtf8(bytes)
      return text === undefined ? { readings: [decodeLatin1(bytes)], odd: 'UTF8String that is not UTF-8' } : { readings: [text] }
    }
    case 19:
    case 22:
    case 26: {
      const readings = readLooseText(bytes)
      return readings.length === 1 && /^[\u0000-\u007f]*$/.test(readings[0] ?? '')
        ? { readings }
        : { readings, odd: 'bytes over 127 in an ASCII string' }
    }
    case 20: {
      // Teletex is T.61 by the standard and Latin-1 by everyone; some CAs put UTF-8 there.
      return { readings: readLooseText(bytes).toReversed() }
    }
    case 28:
      return readWide(bytes, 4, 'UniversalString')
    case 30:
      return readWide(bytes, 2, 'BMPString')
    default:
      return { readings: readLooseText(bytes), odd: `string of the type 0x${tag.toString(16).padStart(2, '0')}` }
  }
}

/** Is this the tag of a string of two or four bytes a character? */
export function isWide(tag: number): boolean {
  return tag === 28 || tag === 30
}

function readWide(bytes: Uint8Array, width: 2 | 4, type: string): TextReadings {
  let text = ''
  let odd = bytes.length % width === 0 ? undefined : `${type} whose length is no multiple of ${width}`
  for (let at = 0; at + width <= bytes.length; at += width) {
    let code = 0
    for (let i = 0; i < width; i++) code = code * 256 + (bytes[at + i] ?? 0)
    if (code > 0x10ffff) {
      odd ??= `${type} with a number that is no character`
      code = 0xfffd
    }
    text += String.fromCodePoint(code)
  }
  return odd === undefined ? { readings: [text] } : { readings: [text], odd }
}
