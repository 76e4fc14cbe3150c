// The hot path: is this entry worth reading? Nearly every one is a stranger's, so no string and no object is made of it: the DER is walked by offsets,
// and only subject and subjectAltName are looked into. It knows the usual alone. Whatever is unusual in any way goes to readEntry, which decides.
import { MOST_ATTRIBUTES } from '../ct/distinguished-name.ts'
import { MOST_NAMES } from '../ct/subject-alt-name.ts'
import type { AddressSieveData } from './address-sieve.ts'
import { addressSieveData, openAddressSieve } from './address-sieve.ts'
import type { FlagTableData } from './flag-table.ts'
import type { IpItem } from './ip-ranges.ts'
import type { Item } from './item.ts'
import type { NameItem } from './label-trie.ts'
import { nameSieveData, openNameSieve } from './name-sieve.ts'

/** What a sieve knows, as plain data. Its tables are in memory that threads share: what a message carries is a view, not a copy. */
export interface SieveData {
  /** Undefined: everything is worth reading. */
  readonly names: FlagTableData | undefined
  readonly addresses: AddressSieveData | undefined
}

/** Keeps back what may matter to the owner. */
export interface Sieve {
  /** For `openSieve`, on another thread. */
  readonly data: SieveData
  /** Bytes that its tables hold, whatever the items themselves take. */
  readonly size: number
  /**
   * Looks at the DER of an entry, from `start` to `endExclusive`: a Certificate, or the TBSCertificate of a precert entry. False if readEntry surely
   * finds a stranger's there, neither a match nor malformed. True costs time alone.
   */
  mayMatter(bytes: Uint8Array, start: number, endExclusive: number): boolean
}

const BOOLEAN = 0x01
const INTEGER = 0x02
const OCTET_STRING = 0x04
const OID = 0x06
const SEQUENCE = 0x30
const SET = 0x31

/** A sieve for these items. What is excluded is kept back too: it is recorded, though it stays silent. */
export function createSieve(watch: readonly Item[]): Sieve {
  if (watch.some((item) => item.kind === 'all')) return openSieve({ names: undefined, addresses: undefined })
  const ranges = watch.filter((item): item is IpItem => item.kind === 'ip')
  return openSieve({
    names: nameSieveData(watch.filter((item): item is NameItem => item.kind === 'name')),
    addresses: ranges.length === 0 ? undefined : addressSieveData(ranges),
  })
}

/** The sieve that this data is of. */
export function openSieve(data: SieveData): Sieve {
  if (data.names === undefined) return { data, size: 0, mayMatter: () => true }
  const { size, mayTouch: nameMayTouch } = openNameSieve(data.names)
  const addresses = data.addresses === undefined ? undefined : openAddressSieve(data.addresses)

  const mayTouch = (bytes: Uint8Array, start: number, end: number): boolean => {
    // No top-level domain ends in a digit, but an address does.
    if (addresses !== undefined && isDigit(bytes[end - 1])) return true
    return nameMayTouch(bytes, start, end)
  }

  // Name (RFC 5280, section 4.1.2.4)
  const subjectMatters = (bytes: Uint8Array, start: number, endExclusive: number): boolean => {
    let attributes = 0
    for (let rdn = start; rdn < endExclusive;) {
      const rdnEnd = endOf(bytes, rdn, endExclusive)
      if (rdnEnd < 0 || bytes[rdn] !== SET) return true
      for (let attribute = contentAt(bytes, rdn); attribute < rdnEnd;) {
        const attributeEnd = endOf(bytes, attribute, rdnEnd)
        if (attributeEnd < 0 || bytes[attribute] !== SEQUENCE || ++attributes > MOST_ATTRIBUTES) return true
        const type = contentAt(bytes, attribute)
        const value = endOf(bytes, type, attributeEnd)
        if (value < 0 || bytes[type] !== OID) return true
        const valueEnd = endOf(bytes, value, attributeEnd)
        if (valueEnd < 0 || isLongTag(bytes[value]!)) return true
        if (bytes[type + 1] === 3 && bytes[type + 2] === 0x55 && bytes[type + 3] === 0x04 && bytes[type + 4] === 0x03) {
          if (commonNameMatters(bytes, bytes[value]!, contentAt(bytes, value), valueEnd)) return true
        } else if (bytes[type + 1]! >= 0x80) return true
        attribute = attributeEnd
      }
      rdn = rdnEnd
    }
    return false
  }

  const commonNameMatters = (bytes: Uint8Array, tag: number, start: number, endExclusive: number): boolean => {
    if (start === endExclusive) return false
    // UTF8String, PrintableString, TeletexString, IA5String, VisibleString: of ASCII letters they all say the same.
    if (tag !== 12 && tag !== 19 && tag !== 20 && tag !== 22 && tag !== 26) return true
    return mayTouch(bytes, start, endExclusive) && !isNoHost(bytes, start, endExclusive)
  }

  // Of the certificate that is looked at: readEntry stops at so many.
  let generalNames = 0

  // Extensions (RFC 5280, section 4.1), within their [3]
  const extensionsMatter = (bytes: Uint8Array, start: number, endExclusive: number): boolean => {
    generalNames = 0
    if (endOf(bytes, start, endExclusive) !== endExclusive || bytes[start] !== SEQUENCE) return true
    for (let extension = contentAt(bytes, start); extension < endExclusive;) {
      const extensionEnd = endOf(bytes, extension, endExclusive)
      if (extensionEnd < 0 || bytes[extension] !== SEQUENCE) return true
      const id = contentAt(bytes, extension)
      let value = endOf(bytes, id, extensionEnd)
      if (value < 0 || bytes[id] !== OID) return true
      let valueEnd = endOf(bytes, value, extensionEnd)
      if (valueEnd >= 0 && bytes[value] === BOOLEAN) {
        value = valueEnd
        valueEnd = endOf(bytes, value, extensionEnd)
      }
      if (valueEnd < 0 || isLongTag(bytes[value]!)) return true
      if (bytes[id + 1] === 3 && bytes[id + 2] === 0x55 && bytes[id + 3] === 0x1d && bytes[id + 4] === 0x11) {
        if (bytes[value] !== OCTET_STRING || namesMatter(bytes, contentAt(bytes, value), valueEnd)) return true
      } else if (bytes[id + 1]! >= 0x80) return true
      extension = extensionEnd
    }
    return false
  }

  // SubjectAltName (RFC 5280, section 4.2.1.6), within its OCTET STRING
  const namesMatter = (bytes: Uint8Array, start: number, endExclusive: number): boolean => {
    const end = endOf(bytes, start, endExclusive)
    if (end < 0 || bytes[start] !== SEQUENCE) return true
    if (end !== endExclusive && (end + 1 !== endExclusive || bytes[end] !== 0)) return true
    for (let name = contentAt(bytes, start); name < end;) {
      const nameEnd = endOf(bytes, name, end)
      if (nameEnd < 0 || ++generalNames > MOST_NAMES) return true
      const tag = bytes[name]!
      const content = contentAt(bytes, name)
      if (tag === 0x82) {
        if (mayTouch(bytes, content, nameEnd)) return true
      } else if (tag === 0x87) {
        const size = nameEnd - content
        if ((size !== 4 && size !== 16) || addresses?.(bytes, content, size) === true) return true
      } else if (isLongTag(tag) || tag === 0xa2 || tag === 0xa7) return true
      name = nameEnd
    }
    return false
  }

  return {
    data,
    size,
    mayMatter(bytes, start, endExclusive) {
      if (endExclusive > bytes.length || endOf(bytes, start, endExclusive) !== endExclusive || bytes[start] !== SEQUENCE) return true
      let at = contentAt(bytes, start)
      let end = endOf(bytes, at, endExclusive)
      let limit = endExclusive
      // The tbsCertificate of a Certificate
      if (end >= 0 && bytes[at] === SEQUENCE) {
        limit = end
        at = contentAt(bytes, at)
        end = endOf(bytes, at, limit)
      }
      if (end >= 0 && bytes[at] === 0xa0) {
        at = end
        end = endOf(bytes, at, limit)
      }
      if (end < 0 || bytes[at] !== INTEGER) return true
      // signature, issuer and validity: they hide no name, whatever they are
      for (let n = 0; n < 3; n++) {
        at = end
        end = endOf(bytes, at, limit)
        if (end < 0 || isLongTag(bytes[at]!)) return true
      }
      const subjectEnd = endOf(bytes, end, limit)
      if (subjectEnd < 0 || bytes[end] !== SEQUENCE || subjectMatters(bytes, contentAt(bytes, end), subjectEnd)) return true
      // subjectPublicKeyInfo
      at = subjectEnd
      end = endOf(bytes, at, limit)
      if (end < 0 || isLongTag(bytes[at]!)) return true
      while (end < limit) {
        at = end
        end = endOf(bytes, at, limit)
        if (end < 0) return true
        if (bytes[at] === 0xa3) return end !== limit || extensionsMatter(bytes, contentAt(bytes, at), end)
        // issuerUniqueID, subjectUniqueID
        if (bytes[at] !== 0x81 && bytes[at] !== 0x82) return true
      }
      return false
    },
  }
}

// Where the element at `at` ends; -1 if not by `limit`, or if it has 16 MiB or more. Pure numbers, no object: the compiler keeps them in registers.
function endOf(bytes: Uint8Array, at: number, limit: number): number {
  if (limit - at < 2) return -1
  const first = bytes[at + 1]!
  const end = first < 0x80 ? at + 2 + first : longEnd(bytes, at + 2, first - 0x80, limit)
  return end > limit ? -1 : end
}

function longEnd(bytes: Uint8Array, at: number, size: number, limit: number): number {
  if (size === 0 || size > 3 || limit - at < size) return -1
  let length = 0
  for (let n = 0; n < size; n++) length = length * 256 + bytes[at + n]!
  return at + size + length
}

// Where the content of an element begins whose end was found.
function contentAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at + 1]!
  return first < 0x80 ? at + 2 : at + 2 + first - 0x80
}

// Its tag goes on in the next byte, so that it is not where contentAt and endOf look for the length.
function isLongTag(tag: number): boolean {
  return (tag & 0x1f) === 0x1f
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
