// The identity of an issuance: one for the precertificate, the certificate and every log that has either.
import { hash } from 'node:crypto'
import { encodeHeader, encodingOf } from './der.ts'
import type { Element } from './der.ts'
import { extensionsWithin, forEachExtension } from './extensions.ts'
import { isOid, OID_POISON, OID_SCT_LIST } from './oid.ts'
import { findTbsFields } from './tbs-fields.ts'

/**
 * The DER of the TBSCertificate with the CT poison and every SCT list cut out (RFC 6962, sections 3.1 and 3.2): a view if there is none, else a copy.
 * Bytes are cut and never re-encoded, but for the lengths of what encloses the cut, so nothing else can change. Takes a Certificate or a bare
 * TBSCertificate. Throws ParseError.
 */
export function tbsWithoutCt(der: Uint8Array): Uint8Array {
  const { tbs, extensions } = findTbsFields(der)
  if (extensions === undefined) return encodingOf(der, tbs)
  const sequence = extensionsWithin(der, extensions)
  const cuts: Element[] = []
  forEachExtension(der, sequence, ({ whole, extnId }) => {
    if (isOid(der, extnId, OID_POISON) || isOid(der, extnId, OID_SCT_LIST)) cuts.push(whole)
  })
  // A log may have left the empty field behind; in the certificate it is gone with its last extension.
  const isEmpty = sequence.content === sequence.end && sequence.end === extensions.end
  if (cuts.length === 0 && !isEmpty) return encodingOf(der, tbs)

  const kept: Uint8Array[] = []
  let from = sequence.content
  for (const cut of cuts) {
    kept.push(der.subarray(from, cut.start))
    from = cut.end
  }
  kept.push(der.subarray(from, sequence.end))
  const afterSequence = der.subarray(sequence.end, extensions.end)
  // Extensions is SIZE (1..MAX): with none left, the field goes.
  const empty = sizeOf(kept) + afterSequence.length === 0
  const newExtensions = empty ? [] : enclose(extensions.tag, [...enclose(sequence.tag, kept), afterSequence])
  const before = der.subarray(tbs.content, extensions.start)
  const after = der.subarray(extensions.end, tbs.end)
  return Buffer.concat(enclose(tbs.tag, [before, ...newExtensions, after]))
}

/** SHA-256 of the TBSCertificate without the CT extensions, 64 lower-case hex digits: the Cert Spotter API's `tbs_sha256`. Throws ParseError. */
export function issuanceId(der: Uint8Array): string {
  return hash('sha256', tbsWithoutCt(der), 'hex')
}

function enclose(tag: number, parts: readonly Uint8Array[]): Uint8Array[] {
  return [encodeHeader(tag, sizeOf(parts)), ...parts]
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((size, part) => size + part.length, 0)
}
