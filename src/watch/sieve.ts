// The hot path: is this entry worth reading? Nearly every one is a stranger's, so no string and no object is made of it: the DER is walked by offsets,
// and only subject and subjectAltName are looked into. It knows the usual alone. Whatever is unusual in any way goes to readEntry, which decides.
import { createAddressSieve } from './address-sieve.ts'
import type { IpItem } from './ip-ranges.ts'
import type { Item } from './item.ts'
import type { NameItem } from './label-trie.ts'
import { createNameSieve } from './name-sieve.ts'

/** Keeps back what may matter to the owner. */
export interface Sieve {
  /** Bytes that its tables hold, whatever the items themselves take. */
  readonly size: number
  /**
   * Looks at the DER of an entry, from `start` to `endExclusive`: a Certificate, or the TBSCertificate of a precert entry. False if readEntry surely
   * finds a stranger's there, neither a match nor malformed. True costs time alone.
   */
  mayMatter(bytes: Uint8Array, start: number, endExclusive: number): boolean
}

const OID = 0x06
const SEQUENCE = 0x30

/** A sieve for these items. What is excluded is kept back too: it is recorded, though it stays silent. */
export function createSieve(watch: readonly Item[]): Sieve {
  // Everything is worth reading.
  if (watch.some((item) => item.kind === 'all')) return { size: 0, mayMatter: () => true }
  const names = createNameSieve(watch.filter((item): item is NameItem => item.kind === 'name'))
  const ranges = watch.filter((item): item is IpItem => item.kind === 'ip')
  const addresses = ranges.length === 0 ? undefined : createAddressSieve(ranges)

  const mayTouch = (bytes: Uint8Array, start: number, end: number): boolean => {
    // No top-level domain ends in a digit, but an address does.
    if (addresses !== undefined && isDigit(bytes[end - 1])) return true
    return names.mayTouch(bytes, start, end)
  }

  // Where the content of the element read last begins and ends. Kept here, as an object for each would be most of the cost.
  let content = 0
  let end = 0
  // The tag of the element at `at`; 0 if it is unusual: does not end by `limit`, is of 16 MiB or more, has a long tag number.
  const read = (bytes: Uint8Array, at: number, limit: number): number => {
    if (limit - at < 2) return 0
    const tag = bytes[at]!
    let length = bytes[at + 1]!
    let next = at + 2
    if (length >= 0x80) {
      const size = length - 0x80
      if (size === 0 || size > 3 || limit - next < size) return 0
      length = 0
      for (const from = next + size; next < from; next++) length = length * 256 + bytes[next]!
    }
    if (length > limit - next || (tag & 0x1f) === 0x1f) return 0
    content = next
    end = next + length
    return tag
  }

  // Name (RFC 5280, section 4.1.2.4)
  const subjectMatters = (bytes: Uint8Array, start: number, subjectEnd: number): boolean => {
    for (let at = start; at < subjectEnd;) {
      if (read(bytes, at, subjectEnd) !== 0x31) return true
      const rdnEnd = end
      at = rdnEnd
      for (let inner = content; inner < rdnEnd;) {
        if (read(bytes, inner, rdnEnd) !== SEQUENCE) return true
        const attributeEnd = end
        inner = attributeEnd
        if (read(bytes, content, attributeEnd) !== OID) return true
        const isCommonName = end - content === 3 && bytes[content] === 0x55 && bytes[content + 1] === 0x04 && bytes[content + 2] === 0x03
        const tag = read(bytes, end, attributeEnd)
        if (tag === 0) return true
        if (!isCommonName || content === end) continue
        // UTF8String, PrintableString, TeletexString, IA5String, VisibleString: of ASCII letters they all say the same.
        if (tag !== 12 && tag !== 19 && tag !== 20 && tag !== 22 && tag !== 26) return true
        if (mayTouch(bytes, content, end) && !isNoHost(bytes, content, end)) return true
      }
    }
    return false
  }

  // SubjectAltName (RFC 5280, section 4.2.1.6), within its OCTET STRING
  const namesMatter = (bytes: Uint8Array, start: number, valueEnd: number): boolean => {
    if (read(bytes, start, valueEnd) !== SEQUENCE) return true
    const namesEnd = end
    if (namesEnd !== valueEnd && (namesEnd + 1 !== valueEnd || bytes[namesEnd] !== 0)) return true
    for (let at = content; at < namesEnd; at = end) {
      const tag = read(bytes, at, namesEnd)
      if (tag === 0x82) {
        if (mayTouch(bytes, content, end)) return true
      } else if (tag === 0x87) {
        const size = end - content
        if (size !== 4 && size !== 16) return true
        if (addresses?.(bytes, content, size) === true) return true
      } else if (tag === 0 || tag === 0xa2 || tag === 0xa7) return true
    }
    return false
  }

  // Extensions (RFC 5280, section 4.1), within their [3]
  const extensionsMatter = (bytes: Uint8Array, start: number, wrapperEnd: number): boolean => {
    if (read(bytes, start, wrapperEnd) !== SEQUENCE || end !== wrapperEnd) return true
    for (let at = content; at < wrapperEnd;) {
      if (read(bytes, at, wrapperEnd) !== SEQUENCE) return true
      const extensionEnd = end
      at = extensionEnd
      if (read(bytes, content, extensionEnd) !== OID) return true
      const isSan = end - content === 3 && bytes[content] === 0x55 && bytes[content + 1] === 0x1d && bytes[content + 2] === 0x11
      let tag = read(bytes, end, extensionEnd)
      if (tag === 0x01) tag = read(bytes, end, extensionEnd)
      if (tag === 0) return true
      if (isSan && (tag !== 0x04 || namesMatter(bytes, content, end))) return true
    }
    return false
  }

  return {
    get size() {
      return names.size
    },
    mayMatter(bytes, start, endExclusive) {
      if (endExclusive > bytes.length || read(bytes, start, endExclusive) !== SEQUENCE || end !== endExclusive) return true
      let limit = end
      let tag = read(bytes, content, limit)
      if (tag === SEQUENCE) {
        limit = end
        tag = read(bytes, content, limit)
      }
      if (tag === 0xa0) tag = read(bytes, end, limit)
      // serialNumber; then signature, issuer and validity, which hide no name whatever they are
      if (tag !== 0x02) return true
      if (read(bytes, end, limit) === 0 || read(bytes, end, limit) === 0 || read(bytes, end, limit) === 0) return true
      if (read(bytes, end, limit) !== SEQUENCE) return true
      const subjectEnd = end
      if (subjectMatters(bytes, content, subjectEnd)) return true
      // subjectPublicKeyInfo
      if (read(bytes, subjectEnd, limit) === 0) return true
      while (end < limit) {
        tag = read(bytes, end, limit)
        if (tag === 0xa3) return end !== limit || extensionsMatter(bytes, content, end)
        // issuerUniqueID, subjectUniqueID
        if (tag !== 0x81 && tag !== 0x82) return true
      }
      return false
    },
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

// Printable ASCII with a space in it, and nothing that readEntry would cut or strip to come to something without: `Acme Corp`.
function isNoHost(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] === 0x20 || bytes[end - 1] === 0x20 || bytes[end - 1] === 0x2e) return false
  let space = false
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte < 0x20 || byte > 0x7e || byte === 0x2f) return false
    if (byte === 0x20) space = true
  }
  return space
}
