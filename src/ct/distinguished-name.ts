// Distinguished names, for people and for the names in them.
//
//   Name ::= RDNSequence
//   RDNSequence ::= SEQUENCE OF RelativeDistinguishedName
//   RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
//   AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }        -- RFC 5280, section 4.1.2.4
import { contentOf, encodingOf, expectElement, readElement, TAG, toHex } from './der.ts'
import type { Element } from './der.ts'
import { ParseError } from './errors.ts'
import { isOid, OID_COMMON_NAME, readOid } from './oid.ts'
import { isWide, readString } from './text.ts'

/** Attributes. Real names have a dozen. */
export const MOST_ATTRIBUTES = 10_000
/** Characters of the text, and of one value in it, before it is quoted. */
const MOST_TEXT = 65_536
const MOST_VALUE = 4000

/** A name as text, and every common name in it, whatever RDN it stands in: each reading of it, as it may be a host name. */
export interface DistinguishedName {
  /** The beginning of it, if it is longer than any name is; of a value that is, its beginning. */
  readonly text: string
  readonly commonNames: readonly string[]
  readonly oddities: readonly string[]
  /** False if reading stopped before the end: there may be names that were not seen. */
  readonly whole: boolean
}

// The short names that OpenSSL has, which are those of the Cert Spotter API.
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.13', 'description'],
  ['2.5.4.15', 'businessCategory'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.18', 'postOfficeBox'],
  ['2.5.4.42', 'GN'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.97', 'organizationIdentifier'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
  ['1.3.6.1.4.1.311.60.2.1.1', 'jurisdictionL'],
  ['1.3.6.1.4.1.311.60.2.1.2', 'jurisdictionST'],
  ['1.3.6.1.4.1.311.60.2.1.3', 'jurisdictionC'],
])

/** Reads a Name; what cannot be read is left out of the text and told in `oddities`. Throws nothing. */
export function readDistinguishedName(bytes: Uint8Array, name: Element): DistinguishedName {
  const oddities = new Set<string>()
  const rdns: string[] = []
  const commonNames = new Set<string>()
  let whole = true
  let [count, length] = [0, 0]
  try {
    if (name.tag !== TAG.sequence) throw new ParseError('tag', 'Name', name.start, 'is no SEQUENCE')
    for (let at = name.content; at < name.end;) {
      const rdn = expectElement(bytes, at, name.end, TAG.set, 'RelativeDistinguishedName')
      at = rdn.end
      const attributes: string[] = []
      for (let inner = rdn.content; inner < rdn.end;) {
        const attribute = expectElement(bytes, inner, rdn.end, TAG.sequence, 'AttributeTypeAndValue')
        inner = attribute.end
        if (++count > MOST_ATTRIBUTES) throw new ParseError('value', 'Name', attribute.start, `holds more than ${MOST_ATTRIBUTES} attributes`)
        const type = expectElement(bytes, attribute.content, attribute.end, TAG.oid, 'attribute type')
        const value = readElement(bytes, type.end, attribute.end, 'attribute value')
        const { readings, odd } = readString(value.tag, contentOf(bytes, value))
        const isCommonName = isOid(bytes, type, OID_COMMON_NAME)
        if (isCommonName) for (const reading of readings) if (reading !== '') commonNames.add(reading)
        if (odd !== undefined) oddities.add(odd)
        // Characters of a wide string that are none may have been a name's.
        if (odd !== undefined && isCommonName && isWide(value.tag)) whole = false
        if (length > MOST_TEXT) continue
        // Structured values (a SEQUENCE, say) as RFC 4514, section 2.4 has them; hostile ones are cut.
        const structured = (value.tag & 0x20) !== 0 && !isCommonName
        const text = structured ? `#${toHex(encodingOf(bytes, value).subarray(0, 64))}` : quote(readings[0] ?? '')
        const labelled = `${labelOf(bytes, type)}=${text}`
        attributes.push(labelled)
        length += labelled.length
      }
      if (attributes.length > 0) rdns.push(attributes.join(' + '))
    }
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    oddities.add(`name that cannot be read to its end (${error.message})`)
    whole = false
  }
  return { text: rdns.join(', '), commonNames: [...commonNames], oddities: [...oddities], whole }
}

function labelOf(bytes: Uint8Array, type: Element): string {
  try {
    const oid = readOid(bytes, type)
    return SHORT_NAMES.get(oid) ?? oid
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return `#${toHex(contentOf(bytes, type).subarray(0, 64))}`
  }
}

// As the Cert Spotter API quotes: quotes around what has a special character, a backslash before a quote and a backslash, controls as \0A.
function quote(whole: string): string {
  const value = whole.length > MOST_VALUE ? `${whole.slice(0, MOST_VALUE)}…` : whole
  const escaped = value
    .replace(/["\\]/g, '\\$&')
    .replace(/[\u0000-\u001f\u007f]/g, (c) => `\\${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
  return /[,+"<>;\\]|^[ #]| $/.test(value) ? `"${escaped}"` : escaped
}
