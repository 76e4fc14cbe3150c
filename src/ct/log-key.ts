// A log's public key and what it signs.
//
//   struct { HashAlgorithm hash; SignatureAlgorithm signature; opaque signature<0..2^16-1>; } DigitallySigned   -- RFC 5246, section 4.7
import { createPublicKey, hash, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { ParseError } from './errors.ts'
import { tlsReader } from './tls.ts'

const SHA256 = 4
const RSA = 1
const ECDSA = 3

/** A log's key. `id` is its log id: SHA-256 of the DER SubjectPublicKeyInfo, 32 bytes (RFC 6962, section 3.2). */
export interface LogKey {
  readonly id: Buffer
  /** True if it signed the message. Throws ParseError if `signed` is no DigitallySigned of the kind of this key. */
  verifies(message: Uint8Array, signed: Uint8Array): boolean
}

/** Reads a DER SubjectPublicKeyInfo: ECDSA on P-256, or RSA of 2048 bits at least (RFC 6962, section 2.1.4). Throws ParseError. */
export function readLogKey(spki: Uint8Array): LogKey {
  const der = Buffer.from(spki)
  let key: KeyObject
  try {
    key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  } catch {
    throw new ParseError('value', 'log key', 0, 'is no SubjectPublicKeyInfo')
  }
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  const kind =
    key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1' ? ECDSA : key.asymmetricKeyType === 'rsa' && modulusLength >= 2048 ? RSA : undefined
  if (kind === undefined) throw new ParseError('value', 'log key', 0, 'is neither ECDSA on P-256 nor RSA of 2048 bits')
  return {
    id: hash('sha256', der, 'buffer'),
    verifies: (message, signed) => {
      const reader = tlsReader(signed)
      const [hashAlgorithm, signatureAlgorithm] = [reader.uint(1, 'hash'), reader.uint(1, 'signature algorithm')]
      const signature = reader.vector(2, 'signature')
      reader.end('DigitallySigned')
      if (hashAlgorithm !== SHA256 || signatureAlgorithm !== kind)
        throw new ParseError('value', 'DigitallySigned', 0, `has algorithms ${hashAlgorithm} and ${signatureAlgorithm}, which do not fit the key`)
      return verify('sha256', message, key, signature)
    },
  }
}
