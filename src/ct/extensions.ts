// The extensions of a certificate, one by one.
//
//   Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension
//   Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }   -- RFC 5280, section 4.1
import { expectElement, readElement, TAG } from './der.ts'
import type { Element } from './der.ts'

/** One extension: the whole of it, its extnID and its extnValue (whose content is the DER of the extension). */
export interface Extension {
  readonly whole: Element
  readonly extnId: Element
  readonly extnValue: Element
}

/** The Extensions SEQUENCE within the [3] wrapper. Throws ParseError. */
export function extensionsWithin(bytes: Uint8Array, wrapper: Element): Element {
  return expectElement(bytes, wrapper.content, wrapper.end, TAG.sequence, 'Extensions')
}

/** Hands each extension of the SEQUENCE to `visit`, in order. Throws ParseError at the first that cannot be read; those before it were handed over. */
export function forEachExtension(bytes: Uint8Array, sequence: Element, visit: (extension: Extension) => void): void {
  for (let at = sequence.content; at < sequence.end;) {
    const whole = expectElement(bytes, at, sequence.end, TAG.sequence, 'Extension')
    at = whole.end
    const extnId = expectElement(bytes, whole.content, whole.end, TAG.oid, 'extnID')
    let extnValue = readElement(bytes, extnId.end, whole.end, 'extnValue')
    if (extnValue.tag === TAG.boolean) extnValue = readElement(bytes, extnValue.end, whole.end, 'extnValue')
    visit({ whole, extnId, extnValue })
  }
}
