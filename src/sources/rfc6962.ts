// An RFC 6962 log: signed tree heads and get-entries (section 4).
import { decodeBase64, decodeHash } from '../ct/base64.ts'
import { growTree } from '../ct/compact-range.ts'
import { ParseError } from '../ct/errors.ts'
import { readExtraData } from '../ct/extra-data.ts'
import type { LogKey } from '../ct/log-key.ts'
import { HASH_SIZE, leafHash } from '../ct/merkle.ts'
import { edgeBefore, provesConsistency } from '../ct/proofs.ts'
import { objectOf, readSth, verifyTreeHead } from '../ct/tree-head.ts'
import type { LogClient } from './log-client.ts'
import type { Sieve } from '../watch/sieve.ts'
import type { LogEntry, LogPage } from './log-entry.ts'
import { entriesIn, isMisplaced, readLeaf } from './log-entry.ts'
import { LogFailure } from './log-failure.ts'
import type { LogGet } from './log-http.ts'
import { broken } from './static-ct.ts'

// Some logs take half a minute for anything.
const HEAD = { timeoutMs: 60_000, maxBytes: 64 * 1024 }
const PROOF = { timeoutMs: 60_000, maxBytes: 4 * 1024 * 1024 }
// 256 entries of 5 to 9 KB.
const ENTRIES = { timeoutMs: 60_000, maxBytes: 64 * 1024 * 1024 }
/** Logs serve caches best, and cut pages, at multiples of it. */
const ALIGNED = 256

/** A client of the log with this key. `url` is for evidence; `sieve` tells what may matter. */
export function createRfc6962(get: LogGet, key: LogKey, url: string, sieve: Sieve): LogClient {
  // Most entries that one answer ever had: some logs give 32 at a time, whatever is asked for.
  let largest = 0
  const unit = (): number => (largest > 0 && largest < ALIGNED ? 2 ** Math.floor(Math.log2(largest)) : ALIGNED)
  return {
    head: async (signal) => {
      const received = await get('ct/v1/get-sth', HEAD, signal)
      const head = broken('tree head', () => readSth(received.toString()))
      return { head, valid: broken('signature', () => verifyTreeHead(head, key)), received, url: `${url}ct/v1/get-sth` }
    },
    page: async (start, endExclusive, _size, signal, keep) => {
      const path = `ct/v1/get-entries?start=${start}&end=${endExclusive - 1}`
      const body = await get(path, ENTRIES, signal)
      const page = broken('page of entries', () => readEntries(body, start, sieve))
      const count = entriesIn(page)
      if (count === 0) throw new LogFailure('broken', 'it answers without entries, though its tree has them')
      if (count > endExclusive - start) throw new LogFailure('broken', 'it answers with more entries than were asked for')
      largest = Math.max(largest, count)
      return keep === true ? { ...page, received: [{ url: url + path, bytes: body }] } : page
    },
    edge: async ({ size, root }, _within, signal) => {
      if (size === 0) return growTree().range()
      const body = await get(`ct/v1/get-entry-and-proof?leaf_index=${size - 1}&tree_size=${size}`, PROOF, signal)
      return broken('proof', () => {
        const { leaf_input: leaf, audit_path: path } = objectOf(body.toString(), 'get-entry-and-proof')
        if (typeof leaf !== 'string' || !Array.isArray(path)) throw new ParseError('value', 'get-entry-and-proof', 0, 'has no leaf or no path')
        const hash = leafHash(decodeBase64(leaf, 'leaf_input'))
        const hashes = edgeBefore(
          size - 1,
          hash,
          (path as unknown[]).map((node) => decodeHash(node, 'audit_path')),
          root,
        )
        if (hashes === undefined) throw new ParseError('value', 'audit_path', 0, 'does not lead to the root')
        const tree = growTree({ size: size - 1, hashes })
        tree.append(hash)
        return tree.range()
      })
    },
    isPrefix: async (small, large, signal) => {
      if (small.size === 0) return true
      if (small.size === large.size) return Buffer.from(large.root).equals(small.root)
      const body = await get(`ct/v1/get-sth-consistency?first=${small.size}&second=${large.size}`, PROOF, signal)
      const path = broken('proof', () => {
        const { consistency } = objectOf(body.toString(), 'get-sth-consistency')
        if (!Array.isArray(consistency)) throw new ParseError('value', 'consistency', 0, 'is not a list')
        return (consistency as unknown[]).map((node) => decodeHash(node, 'consistency'))
      })
      return provesConsistency(small.size, large.size, small.root, large.root, path)
    },
    boundary: (start) => (Math.floor(start / unit()) + 1) * unit(),
  }
}

function readEntries(body: Buffer, start: number, sieve: Sieve): LogPage {
  const { entries } = objectOf(body.toString('latin1'), 'get-entries')
  if (!Array.isArray(entries)) throw new ParseError('value', 'entries', 0, 'is not a list')
  const hashes = Buffer.allocUnsafe(entries.length * HASH_SIZE)
  const kept: LogEntry[] = []
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
    kept.push({ index, leafHash: hashes.subarray(n * HASH_SIZE, (n + 1) * HASH_SIZE), entry, why, precertificate })
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
