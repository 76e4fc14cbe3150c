// What a certificate says. Logs hold certificates that break every rule, and any of them may be for a watched name: one odd field never hides the rest.
import { contentOf, encodingOf, readElement, TAG, toHex } from './der.ts'
import type { Element } from './der.ts'
import { readDistinguishedName } from './distinguished-name.ts'
import { ParseError } from './errors.ts'
import { extensionsWithin, forEachExtension } from './extensions.ts'
import { isOid, OID_POISON, OID_SCT_LIST, OID_SUBJECT_ALT_NAME } from './oid.ts'
import { readPublicKey } from './spki.ts'
import type { PublicKeyInfo } from './spki.ts'
import { readSubjectAltName } from './subject-alt-name.ts'
import { findTbsFields } from './tbs-fields.ts'
import { readTime } from './time.ts'

/**
 * A certificate, or the TBSCertificate of one. Undefined is what could not be understood; `oddities` says why, in words.
 * Every string and byte is under the control of whoever had it issued. Uint8Arrays are views of the bytes that were read.
 */
export interface Certificate {
  /** The DER of the TBSCertificate as it stands, CT extensions included. */
  readonly tbs: Uint8Array
  /** Lower-case hex of the INTEGER's content, one leading zero byte dropped. */
  readonly serial: string | undefined
  /** As text in the Cert Spotter API's form: `C=US, O="Cloudflare, Inc.", CN=Cloudflare Inc ECC CA-3`. */
  readonly issuer: string
  /** Every common name of the subject; where the bytes can be read in two ways, both. */
  readonly commonNames: readonly string[]
  readonly notBefore: Date | undefined
  readonly notAfter: Date | undefined
  readonly key: PublicKeyInfo | undefined
  /** The DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** Every dNSName of every subjectAltName, as the bytes that were signed. */
  readonly dnsNames: readonly Uint8Array[]
  /** Every iPAddress of 4 or 16 bytes. */
  readonly ipAddresses: readonly Uint8Array[]
  /** True if the CT poison is in it. The TBS in a log's precert entry no longer has it. */
  readonly precertificate: boolean
  /** What is wrong with it, each once; at most 20. */
  readonly oddities: readonly string[]
  /**
   * True if a place that may hold names could not be read to its end, or a name in it cannot be read: it may be anyone's. What stands behind all that the
   * grammar has, such as a second value of an attribute or bytes after the certificate, no client reads, and it is not looked into.
   */
  readonly namesHidden: boolean
}

const MAX_ODDITIES = 20

/** Reads a Certificate or a bare TBSCertificate. Throws ParseError if its parts cannot even be told apart. */
export function readCertificate(der: Uint8Array): Certificate {
  const fields = findTbsFields(der)
  const oddities = new Set<string>()
  const odd = (what: string): void => {
    if (oddities.size < MAX_ODDITIES) oddities.add(what)
  }
  let namesHidden = false
  if (fields.trailing) odd('bytes after its end')
  if (fields.unknownParts) {
    odd('parts that no TBSCertificate has')
    namesHidden = true
  }

  const issuer = readDistinguishedName(der, fields.issuer)
  for (const what of issuer.oddities) odd(`issuer: ${what}`)
  const subject = readDistinguishedName(der, fields.subject)
  for (const what of subject.oddities) odd(`subject: ${what}`)
  if (!subject.whole) namesHidden = true

  const serial = readSerial(der, fields.serialNumber, odd)
  const { notBefore, notAfter } = readValidity(der, fields.validity, odd)
  const key = orOdd('subjectPublicKeyInfo', odd, () => readPublicKey(der, fields.subjectPublicKeyInfo))

  const names = { dnsNames: [] as Uint8Array[], ipAddresses: [] as Uint8Array[] }
  let precertificate = false
  let hasSctList = false
  const { extensions } = fields
  if (extensions !== undefined) {
    const done = orOdd('extensions', odd, () => {
      const sequence = extensionsWithin(der, extensions)
      if (sequence.end < extensions.end) odd('bytes after its extensions')
      forEachExtension(der, sequence, ({ extnId, extnValue }) => {
        if (isOid(der, extnId, OID_POISON)) precertificate = true
        else if (isOid(der, extnId, OID_SCT_LIST)) {
          if (hasSctList) odd('more than one SCT list')
          hasSctList = true
        } else if (isOid(der, extnId, OID_SUBJECT_ALT_NAME)) {
          // A broken one does not hide the next.
          const whole = orOdd('subjectAltName', odd, () => readSubjectAltName(der, extnValue, names, odd))
          if (whole !== true) namesHidden = true
        }
      })
      return true
    })
    if (done === undefined) namesHidden = true
  }

  return {
    tbs: encodingOf(der, fields.tbs),
    serial,
    issuer: issuer.text,
    commonNames: subject.commonNames,
    notBefore,
    notAfter,
    key,
    spki: encodingOf(der, fields.subjectPublicKeyInfo),
    ...names,
    precertificate,
    oddities: [...oddities],
    namesHidden,
  }
}

// RFC 5280, section 4.1.2.2: positive, at most 20 octets; X.690, section 8.3.2: the first nine bits not all alike.
function readSerial(bytes: Uint8Array, serialNumber: Element, odd: (what: string) => void): string | undefined {
  const content = contentOf(bytes, serialNumber)
  const [first, second] = content
  if (first === undefined) {
    odd('serialNumber without content')
    return undefined
  }
  if (first >= 0x80) odd('negative serialNumber')
  if (content.length > 20 + (first === 0 ? 1 : 0)) odd(`serialNumber of ${content.length} bytes`)
  if (second === undefined) return toHex(content)
  if ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)) odd('serialNumber padded for no reason')
  return toHex(first === 0 ? content.subarray(1) : content)
}

// Validity ::= SEQUENCE { notBefore Time, notAfter Time }   -- RFC 5280, section 4.1.2.5
function readValidity(
  bytes: Uint8Array,
  validity: Element,
  odd: (what: string) => void,
): { notBefore: Date | undefined; notAfter: Date | undefined } {
  const times: (Date | undefined)[] = []
  orOdd('validity', odd, () => {
    if (validity.tag !== TAG.sequence) throw new ParseError('tag', 'Validity', validity.start, 'is no SEQUENCE')
    for (let at = validity.content; times.length < 2;) {
      const what = times.length === 0 ? 'notBefore' : 'notAfter'
      const element = readElement(bytes, at, validity.end, what)
      at = element.end
      const reading = readTime(bytes, element)
      if (reading.odd !== undefined) odd(`${what}: ${reading.odd}`)
      times.push(reading.time)
    }
  })
  return { notBefore: times[0], notAfter: times[1] }
}

function orOdd<T>(what: string, odd: (what: string) => void, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    odd(`${what}: ${error.message}`)
    return undefined
  }
}
