// A tree head and what of it a log signs (RFC 6962, section 3.5).
import { decodeBase64, decodeHash } from './base64.ts'
import { ParseError } from './errors.ts'
import type { LogKey } from './log-key.ts'

/** A tree at one size. `timestamp` in ms, the log's own word. `rootHash` is 32 bytes. */
export interface TreeHead {
  readonly size: number
  readonly timestamp: number
  readonly rootHash: Uint8Array
}

/** A tree head with the DigitallySigned that goes with it. */
export interface SignedTreeHead extends TreeHead {
  readonly signature: Uint8Array
}

/**
 * True if the log signed it.
 *
 *     struct { Version sct_version = v1; SignatureType = tree_hash; uint64 timestamp; uint64 tree_size; opaque sha256_root_hash[32]; } TreeHeadSignature
 *
 * Throws ParseError if the signature is broken in form.
 */
export function verifyTreeHead({ size, timestamp, rootHash, signature }: SignedTreeHead, key: LogKey): boolean {
  const message = Buffer.alloc(50)
  message[1] = 1
  message.writeBigUInt64BE(BigInt(timestamp), 2)
  message.writeBigUInt64BE(BigInt(size), 10)
  message.set(rootHash, 18)
  return key.verifies(message, signature)
}

/** Reads the answer of get-sth (RFC 6962, section 4.3). Unknown members are ignored. Throws ParseError; nothing is verified. */
export function readSth(json: string): SignedTreeHead {
  const fields = objectOf(json, 'get-sth')
  const { tree_head_signature: signature } = fields
  if (typeof signature !== 'string') throw new ParseError('value', 'tree_head_signature', 0, 'is not a string')
  return {
    size: sizeOf(fields['tree_size'], 'tree_size'),
    timestamp: sizeOf(fields['timestamp'], 'timestamp'),
    rootHash: decodeHash(fields['sha256_root_hash'], 'sha256_root_hash'),
    signature: decodeBase64(signature, 'tree_head_signature'),
  }
}

/** The members of a JSON object. Throws ParseError. */
export function objectOf(json: string, what: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new ParseError('value', what, 0, 'is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ParseError('value', what, 0, 'is not a JSON object')
  return value as Record<string, unknown>
}

function sizeOf(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new ParseError('value', what, 0, 'is not a whole number below 2^53')
  return value
}
