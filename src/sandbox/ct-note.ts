// A static log's checkpoint: a signed note with the RFC 6962 signature in it, and what other lines real logs put beside (c2sp.org/static-ct-api).
import { createHash, createPublicKey, randomInt, sign } from 'node:crypto'
import { uint } from './ct-entry.ts'
import type { LogKeys, SignedHead } from './ct-key.ts'
import { systemRandom } from './random.ts'

/** Which lines stand beside the log's RFC 6962 signature. */
export interface NoteLines {
  /** Two lines that mean nothing, as Sunlight adds: one of `grease.invalid`, one of the log's own name with an unknown key id. */
  readonly grease?: boolean
  /** An Ed25519 signature under the log's own name. */
  readonly ed25519?: boolean
}

const ED25519_TYPE = 1
const RFC6962_TYPE = 5

/** The checkpoint. Lines are in random order: only the key id tells them apart. */
export function checkpointNote(origin: string, head: SignedHead, keys: LogKeys, lines: NoteLines = {}): Buffer {
  const text = `${origin}\n${head.size}\n${head.root.toString('base64')}\n`
  const all = [signatureLine(origin, keyId(origin, RFC6962_TYPE, keys.id), Buffer.concat([uint(head.timestamp, 8), head.signature]))]
  if (lines.ed25519 === true) {
    // An Ed25519 SubjectPublicKeyInfo ends with the 32 bytes of the key.
    const key = createPublicKey(keys.ed25519).export({ type: 'spki', format: 'der' }).subarray(-32)
    all.push(signatureLine(origin, keyId(origin, ED25519_TYPE, key), sign(null, Buffer.from(text), keys.ed25519)))
  }
  if (lines.grease === true)
    for (const name of ['grease.invalid', origin]) all.push(signatureLine(name, systemRandom(4), systemRandom(randomInt(1, 101))))
  const shuffled = all.map((line) => ({ line, at: Math.random() })).sort((a, b) => a.at - b.at)
  return Buffer.from(`${text}\n${shuffled.map(({ line }) => line).join('')}`)
}

function signatureLine(name: string, id: Uint8Array, signature: Uint8Array): string {
  return `\u2014 ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`
}

function keyId(name: string, type: number, key: Uint8Array): Buffer {
  return createHash('sha256').update(`${name}\n`).update(Buffer.of(type)).update(key).digest().subarray(0, 4)
}
