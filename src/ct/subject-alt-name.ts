// The names that a certificate is for.
//
//   SubjectAltName ::= GeneralNames;  GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName
//   GeneralName ::= CHOICE { ..., dNSName [2] IA5String, ..., iPAddress [7] OCTET STRING, ... }     -- RFC 5280, section 4.2.1.6
import { contentOf, expectElement, readElement, TAG } from './der.ts'
import type { Element } from './der.ts'
import { ParseError } from './errors.ts'

/** What subjectAltNames are gathered into. The views are of the certificate's bytes. */
export interface SubjectAltNames {
  readonly dnsNames: Uint8Array[]
  readonly ipAddresses: Uint8Array[]
}

/** Of all subjectAltNames of a certificate together. CAs put some hundreds there; sixteen packed kilobytes may hold eight millions, and a gigabyte of views. */
export const MOST_NAMES = 100_000

/**
 * Adds the names of one extnValue to `into`. Says through `odd` what is wrong with them. False if one among them may be a name and is none that can be
 * read. Throws ParseError where it breaks off, or there are too many; names before it are kept.
 */
export function readSubjectAltName(bytes: Uint8Array, extnValue: Element, into: SubjectAltNames, odd: (what: string) => void): boolean {
  if (extnValue.tag !== TAG.octetString) throw new ParseError('tag', 'subjectAltName', extnValue.start, 'is no OCTET STRING')
  const names = expectElement(bytes, extnValue.content, extnValue.end, TAG.sequence, 'subjectAltName')
  let whole = true
  let others = 0
  for (let at = names.content; at < names.end;) {
    if (into.dnsNames.length + into.ipAddresses.length + others >= MOST_NAMES)
      throw new ParseError('value', 'subjectAltName', at, `holds more than ${MOST_NAMES} names`)
    const name = readElement(bytes, at, names.end, 'GeneralName')
    at = name.end
    // By class and number alone: a constructed bit that should not be there hides no name.
    if ((name.tag & 0xdf) === 0x82) {
      into.dnsNames.push(contentOf(bytes, name))
      if (name.tag !== 0x82) odd('dNSName in a constructed encoding')
    } else if ((name.tag & 0xdf) === 0x87) {
      const length = name.end - name.content
      if (length === 4 || length === 16) into.ipAddresses.push(contentOf(bytes, name))
      else {
        others += 1
        odd(`iPAddress of ${length} bytes`)
        whole = false
      }
    } else {
      others += 1
      if ((name.tag & 0x1f) !== 0x1f) continue
      // Some readers may take it for a dNSName whose tag was written the long way.
      odd('GeneralName with a tag number over 30')
      whole = false
    }
  }
  const rest = extnValue.end - names.end
  // One stray zero byte is a fault that several CAs had.
  if (rest > 1 || (rest === 1 && bytes[names.end] !== 0)) throw new ParseError('value', 'subjectAltName', names.end, 'is followed by other bytes')
  return whole
}
