// Where things stand in a certificate. Everything that reads one starts here, so that the names and the identity are of the same bytes.
//
//   Certificate ::= SEQUENCE { tbsCertificate TBSCertificate, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
//   TBSCertificate ::= SEQUENCE {
//     version [0] EXPLICIT Version DEFAULT v1, serialNumber INTEGER, signature AlgorithmIdentifier, issuer Name, validity Validity,
//     subject Name, subjectPublicKeyInfo SubjectPublicKeyInfo, issuerUniqueID [1] IMPLICIT BIT STRING OPTIONAL,
//     subjectUniqueID [2] IMPLICIT BIT STRING OPTIONAL, extensions [3] EXPLICIT Extensions OPTIONAL }          -- RFC 5280, section 4.1
import { expectElement, readElement, TAG } from './der.ts'
import type { Element } from './der.ts'
import { ParseError } from './errors.ts'

/** The parts of a TBSCertificate, not yet looked into. `extensions` is the [3] wrapper. */
export interface TbsFields {
  readonly tbs: Element
  readonly serialNumber: Element
  readonly issuer: Element
  readonly validity: Element
  readonly subject: Element
  readonly subjectPublicKeyInfo: Element
  readonly extensions: Element | undefined
  /** True if the TBSCertificate has parts that the grammar does not know, or any after its extensions. */
  readonly unknownParts: boolean
  /** True if bytes follow the outermost SEQUENCE. */
  readonly trailing: boolean
}

/** Finds the parts of a Certificate or of a bare TBSCertificate, which begins with no SEQUENCE. Throws ParseError. */
export function findTbsFields(bytes: Uint8Array): TbsFields {
  const outer = expectElement(bytes, 0, bytes.length, TAG.sequence, 'certificate')
  const first = readElement(bytes, outer.content, outer.end, 'tbsCertificate')
  const tbs = first.tag === TAG.sequence ? first : outer

  let next = tbs.content
  const take = (what: string): Element => {
    const element = readElement(bytes, next, tbs.end, what)
    next = element.end
    return element
  }
  let serialNumber = take('version or serialNumber')
  if (serialNumber.tag === 0xa0) serialNumber = take('serialNumber')
  if (serialNumber.tag !== TAG.integer) throw new ParseError('tag', 'serialNumber', serialNumber.start, 'is no INTEGER')
  take('signature')
  const issuer = take('issuer')
  const validity = take('validity')
  const subject = take('subject')
  const subjectPublicKeyInfo = take('subjectPublicKeyInfo')
  let extensions: Element | undefined
  let unknownParts = false
  while (next < tbs.end && extensions === undefined) {
    const element = take('issuerUniqueID, subjectUniqueID or extensions')
    if (element.tag === 0xa3) extensions = element
    else if (![0x81, 0x82, 0xa1, 0xa2].includes(element.tag)) unknownParts = true
  }
  if (next < tbs.end) unknownParts = true
  const trailing = outer.end < bytes.length
  return { tbs, serialNumber, issuer, validity, subject, subjectPublicKeyInfo, extensions, unknownParts, trailing }
}
