// A static log's checkpoint: a signed note whose RFC 6962 line holds what get-sth would (c2sp.org/static-ct-api, c2sp.org/tlog-checkpoint).
import { hash } from 'node:crypto'
import { decodeHash } from './base64.ts'
import { ParseError } from './errors.ts'
import type { LogKey } from './log-key.ts'
import type { SignedNote } from './signed-note.ts'
import { readSignedNote } from './signed-note.ts'
import type { SignedTreeHead } from './tree-head.ts'
import { verifyTreeHead } from './tree-head.ts'
import { tlsReader } from './tls.ts'

/** A checkpoint that could be read. The origin is under no RFC 6962 signature; the key is what ties it to the log. */
export interface Checkpoint {
  readonly origin: string
  /** The head as the log signed it. */
  readonly head: SignedTreeHead
}

const RFC6962_TYPE = 5

/**
 * Reads a checkpoint of the log with this key; `valid` says whether the log signed it. Lines of the log's own name with another key id (grease,
 * Ed25519, ML-DSA) are not its, whatever their number and order. Throws ParseError for what is broken in form, or has no line of this key.
 */
export function readCheckpoint(bytes: Uint8Array, key: LogKey): Checkpoint & { readonly valid: boolean } {
  const note = readSignedNote(bytes)
  const { origin, size, rootHash } = readText(note)
  const keyId = checkpointKeyId(origin, key.id)
  const own = note.signatures.filter((line) => line.name === origin && Buffer.compare(line.keyId, keyId) === 0)
  const [first] = own
  if (first === undefined) throw new ParseError('value', 'checkpoint', 0, "has no signature by the log's key")
  const heads = own.map(({ signature }) => {
    const reader = tlsReader(signature)
    return { size, rootHash, timestamp: reader.uint64('timestamp'), signature: signature.subarray(reader.at) }
  })
  return { origin, head: heads[0] as SignedTreeHead, valid: heads.every((head) => verifyTreeHead(head, key)) }
}

/** SHA-256(name ‖ 0x0A ‖ 0x05 ‖ log id), its first four bytes (c2sp.org/static-ct-api, Checkpoints). */
export function checkpointKeyId(origin: string, logId: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${origin}\n`), Buffer.of(RFC6962_TYPE), logId]), 'buffer').subarray(0, 4)
}

function readText({ text }: SignedNote): { readonly origin: string; readonly size: number; readonly rootHash: Buffer } {
  const [origin = '', size = '', root = '', ...rest] = text.slice(0, -1).split('\n')
  // Extension lines are forbidden beside an RFC 6962 signature, which does not cover them.
  if (rest.length > 0) throw new ParseError('value', 'checkpoint', 0, 'has more than three lines')
  if (origin === '') throw new ParseError('value', 'origin', 0, 'is empty')
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    throw new ParseError('value', 'tree size', 0, 'is not a whole number below 2^53')
  return { origin, size: Number(size), rootHash: decodeHash(root, 'root hash') }
}
