// A log's key and what it signs with it.
import { createECDH, createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { uint, vector } from './ct-entry.ts'
import { seeded } from './random.ts'

/** ECDSA on P-256, as every log has; and an Ed25519 key for the second line of its checkpoints. */
export interface LogKeys {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Buffer
  /** SHA-256 of it. */
  readonly id: Buffer
  /** DigitallySigned: SHA-256, ECDSA, signature. */
  sign(message: Uint8Array): Buffer
  readonly ed25519: KeyObject
}

/** A head with the DigitallySigned over it; whether it is true is another matter. `timestamp` in ms. */
export interface SignedHead {
  readonly size: number
  readonly timestamp: number
  readonly root: Buffer
  readonly signature: Buffer
}

/** New keys. With a seed the ECDSA key, and so the log id, is the same again. */
export function createLogKeys(seed?: string): LogKeys {
  const { privateKey, publicKey } = seed === undefined ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' }) : seededKey(seed)
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return {
    spki,
    id: createHash('sha256').update(spki).digest(),
    sign: (message) => Buffer.concat([Buffer.of(4, 3), vector(2, sign('sha256', message, privateKey))]),
    ed25519: generateKeyPairSync('ed25519').privateKey,
  }
}

/** Signs a head, whatever it says: TreeHeadSignature is version, signature_type, timestamp, tree_size, root hash. */
export function signHead(keys: LogKeys, head: Omit<SignedHead, 'signature'>): SignedHead {
  const message = Buffer.concat([Buffer.of(0, 1), uint(head.timestamp, 8), uint(head.size, 8), head.root])
  return { ...head, signature: keys.sign(message) }
}

/** The head with one bit of its signature flipped: well-formed, and wrong. */
export function flipSignature(head: SignedHead): SignedHead {
  const signature = Buffer.from(head.signature)
  // The last byte is of the number s, so that the DER around it stays whole.
  const last = signature.length - 1
  signature[last] = signature[last]! ^ 1
  return { ...head, signature }
}

function seededKey(seed: string): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  const ecdh = createECDH('prime256v1')
  const d = Buffer.concat([Buffer.of(1), seeded(seed)(31)])
  ecdh.setPrivateKey(d)
  const point = ecdh.getPublicKey()
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((b) => b.toString('base64url'))
  const privateKey = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x: x!, y: y!, d: d.toString('base64url') }, format: 'jwk' })
  return { privateKey, publicKey: createPublicKey(privateKey) }
}
