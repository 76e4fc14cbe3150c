// The public key: what kind, how strong.
//
//   SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
//   AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }    -- RFC 5280, section 4.1.2.7
//   RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }                        -- RFC 8017, A.1.1
//   Dss-Parms ::= SEQUENCE { p INTEGER, q INTEGER, g INTEGER }                                   -- RFC 3279, section 2.3.2
import { expectElement, readElement, TAG } from './der.ts'
import type { Element } from './der.ts'
import { ParseError } from './errors.ts'
import { readOid } from './oid.ts'

/** `{type:'rsa', bits:2048}`, `{type:'ec', curve:'P-256'}`, `{type:'ed25519'}`; an unknown algorithm or curve is its OID. */
export interface PublicKeyInfo {
  readonly type: string
  readonly bits?: number
  readonly curve?: string
}

const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.1', 'rsa'],
  ['1.2.840.113549.1.1.10', 'rsa-pss'],
  ['1.2.840.10040.4.1', 'dsa'],
  ['1.2.840.10045.2.1', 'ec'],
  ['1.3.101.110', 'x25519'],
  ['1.3.101.111', 'x448'],
  ['1.3.101.112', 'ed25519'],
  ['1.3.101.113', 'ed448'],
  ['2.16.840.1.101.3.4.3.17', 'ml-dsa-44'],
  ['2.16.840.1.101.3.4.3.18', 'ml-dsa-65'],
  ['2.16.840.1.101.3.4.3.19', 'ml-dsa-87'],
])

const CURVES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.10045.3.1.1', 'P-192'],
  ['1.3.132.0.33', 'P-224'],
  ['1.2.840.10045.3.1.7', 'P-256'],
  ['1.3.132.0.34', 'P-384'],
  ['1.3.132.0.35', 'P-521'],
  ['1.3.132.0.10', 'secp256k1'],
  ['1.3.36.3.3.2.8.1.1.7', 'brainpoolP256r1'],
  ['1.3.36.3.3.2.8.1.1.11', 'brainpoolP384r1'],
  ['1.3.36.3.3.2.8.1.1.13', 'brainpoolP512r1'],
])

/** Reads a SubjectPublicKeyInfo. Throws ParseError. */
export function readPublicKey(bytes: Uint8Array, spki: Element): PublicKeyInfo {
  const algorithm = expectElement(bytes, spki.content, spki.end, TAG.sequence, 'AlgorithmIdentifier')
  const oid = expectElement(bytes, algorithm.content, algorithm.end, TAG.oid, 'algorithm')
  const dotted = readOid(bytes, oid)
  const type = ALGORITHMS.get(dotted) ?? dotted
  if (type === 'rsa' || type === 'rsa-pss') {
    const key = expectElement(bytes, algorithm.end, spki.end, TAG.bitString, 'subjectPublicKey')
    // The first octet says how many bits of the last are unused: none, in DER that holds DER.
    const inner = expectElement(bytes, key.content + 1, key.end, TAG.sequence, 'RSAPublicKey')
    return { type, bits: bitLength(bytes, expectElement(bytes, inner.content, inner.end, TAG.integer, 'modulus')) }
  }
  if (oid.end === algorithm.end) return { type }
  const parameters = readElement(bytes, oid.end, algorithm.end, 'algorithm parameters')
  if (type === 'ec') {
    // Explicit parameters (a SEQUENCE) may define any curve at all, whatever well-known one they look like.
    if (parameters.tag !== TAG.oid) return { type, curve: 'explicit' }
    const curve = readOid(bytes, parameters)
    return { type, curve: CURVES.get(curve) ?? curve }
  }
  if (type === 'dsa' && parameters.tag === TAG.sequence) {
    return { type, bits: bitLength(bytes, expectElement(bytes, parameters.content, parameters.end, TAG.integer, 'p')) }
  }
  return { type }
}

function bitLength(bytes: Uint8Array, integer: Element): number {
  let at = integer.content
  while (at < integer.end && bytes[at] === 0) at++
  const top = at < integer.end ? bytes[at] : undefined
  if (top === undefined) throw new ParseError('value', 'integer', integer.content, 'is zero or empty')
  return (integer.end - at - 1) * 8 + (32 - Math.clz32(top))
}
