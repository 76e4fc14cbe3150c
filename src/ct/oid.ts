// Object identifiers: read as dotted text for people, compared as bytes where it is hot.
import type { Element } from './der.ts'
import { ParseError } from './errors.ts'

/** CT poison, RFC 6962 section 3.1: 1.3.6.1.4.1.11129.2.4.3, content octets. */
export const OID_POISON = Uint8Array.of(0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x03)
/** Embedded SCT list, RFC 6962 section 3.3: 1.3.6.1.4.1.11129.2.4.2, content octets. */
export const OID_SCT_LIST = Uint8Array.of(0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02)
/** subjectAltName, RFC 5280 section 4.2.1.6: 2.5.29.17, content octets. */
export const OID_SUBJECT_ALT_NAME = Uint8Array.of(0x55, 0x1d, 0x11)
/** commonName, 2.5.4.3, content octets. */
export const OID_COMMON_NAME = Uint8Array.of(0x55, 0x04, 0x03)

/** Are the element's content octets this identifier? */
export function isOid(bytes: Uint8Array, element: Element, oid: Uint8Array): boolean {
  if (element.end - element.content !== oid.length) return false
  for (let i = 0; i < oid.length; i++) if (bytes[element.content + i] !== oid[i]) return false
  return true
}

// Longer ones exist in no registry; the limit bounds what a hostile one costs and how much of an alert it fills.
const MAX_OCTETS = 64

/** The identifier as dotted text (X.690, section 8.19). Throws ParseError if it is empty, cut off, over 64 octets or has an arc from 2^53 on. */
export function readOid(bytes: Uint8Array, element: Element): string {
  const { content, end } = element
  if (end === content || end - content > MAX_OCTETS) throw new ParseError('value', 'object identifier', content, `has ${end - content} octets`)
  const arcs: number[] = []
  let arc = 0
  for (let at = content; at < end; at++) {
    const octet = bytes[at] ?? 0
    arc = arc * 128 + (octet & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER) throw new ParseError('value', 'object identifier', at, 'has an arc that is too large')
    if (octet >= 0x80) {
      if (at + 1 === end) throw new ParseError('value', 'object identifier', at, 'ends within an arc')
      continue
    }
    // The first two arcs share one number: 40 times the first, which is 0, 1 or 2, and the second.
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(arc / 40))
      arcs.push(first, arc - 40 * first)
    } else arcs.push(arc)
    arc = 0
  }
  return arcs.join('.')
}
