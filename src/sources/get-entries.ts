// An answer of get-entries (RFC 6962, section 4.6): the hash of each entry, and the few that may matter.
import { decodeBase64 } from '../ct/base64.ts'
import { ParseError } from '../ct/errors.ts'
import { readExtraData } from '../ct/extra-data.ts'
import { HASH_SIZE, leafHash } from '../ct/merkle.ts'
import { objectOf } from '../ct/tree-head.ts'
import type { Sieve } from '../watch/sieve.ts'
import type { PageViews } from './log-entry.ts'
import { isMisplaced, readLeaf } from './log-entry.ts'

/** Reads the answer, the first entry of which is the log's `start`. Throws ParseError. */
export function readEntries(body: Buffer, start: number, sieve: Sieve): PageViews {
  const { entries } = objectOf(body.toString('latin1'), 'get-entries')
  if (!Array.isArray(entries)) throw new ParseError('value', 'entries', 0, 'is not a list')
  const hashes = Buffer.allocUnsafe(entries.length * HASH_SIZE)
  const kept: PageViews['kept'][number][] = []
  const misplaced: number[] = []
  for (const [n, row] of (entries as unknown[]).entries()) {
    const { leaf_input: leaf, extra_data: extra } = (typeof row === 'object' && row !== null ? row : {}) as Record<string, unknown>
    if (typeof leaf !== 'string') throw new ParseError('value', 'leaf_input', 0, 'is not a string')
    const leafInput = decodeBase64(leaf, 'leaf_input')
    hashes.set(leafHash(leafInput), n * HASH_SIZE)
    const { entry, why } = readLeaf(leafInput)
    const index = start + n
    if (entry !== undefined && isMisplaced(entry, index)) misplaced.push(index)
    if (entry !== undefined && !sieve.mayMatter(entry.der, 0, entry.der.length)) continue
    const precertificate = entry?.type === 'precert' && typeof extra === 'string' ? precertificateOf(extra) : undefined
    kept.push({ index, entry, why, precertificate })
  }
  return { start, hashes, kept, misplaced }
}

// It is not signed, so what is wrong with it is no reason to ask again: what the leaf says counts.
function precertificateOf(extra: string): Uint8Array | undefined {
  try {
    return readExtraData(Buffer.from(extra, 'base64'), 'precert').precertificate
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return undefined
  }
}
