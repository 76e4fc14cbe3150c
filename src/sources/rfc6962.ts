// An RFC 6962 log: signed tree heads and get-entries (section 4).
import { decodeBase64, decodeHash } from '../ct/base64.ts'
import { growTree, rootOf } from '../ct/compact-range.ts'
import { ParseError } from '../ct/errors.ts'
import type { LogKey } from '../ct/log-key.ts'
import { leafHash } from '../ct/merkle.ts'
import { edgeBefore, isPowerOfTwo, provesConsistency, refutesConsistency } from '../ct/proofs.ts'
import { objectOf, readSth, verifyTreeHead } from '../ct/tree-head.ts'
import type { LogClient } from './log-client.ts'
import { entriesIn, receivedOf } from './log-entry.ts'
import { broken, LogFailure } from './log-failure.ts'
import type { LogHttp } from './log-http.ts'
import type { ReadPage } from './read-page.ts'

// Some logs take half a minute for anything.
const HEAD = { timeoutMs: 60_000, maxBytes: 64 * 1024 }
const PROOF = { timeoutMs: 60_000, maxBytes: 4 * 1024 * 1024 }
const PROOF_ATTEMPTS = 2
// 256 entries of 5 to 9 KB.
const ENTRIES = { timeoutMs: 60_000, maxBytes: 64 * 1024 * 1024 }
/** Logs serve caches best, and cut pages, at multiples of it. */
const ALIGNED = 256

/** A client of the log with this key. `url` is for evidence; `readPage` keeps what may matter. */
export function createRfc6962({ get, getPacked }: LogHttp, key: LogKey, url: string, readPage: ReadPage): LogClient {
  // Most entries that one answer ever had: some logs give 32 at a time, whatever is asked for.
  let largest = 0
  const unit = (): number => (largest > 0 && largest < ALIGNED ? 2 ** Math.floor(Math.log2(largest)) : ALIGNED)
  const isPrefix: LogClient['isPrefix'] = async (small, large, signal) => {
    if (small.size === 0) return true
    if (small.size === large.size) return Buffer.from(large.root).equals(small.root)
    // A proof is not signed: one that holds for neither tree is a broken answer, and may be whole when it is asked for again.
    for (let left = PROOF_ATTEMPTS; left > 0; left--) {
      const body = await get(`ct/v1/get-sth-consistency?first=${small.size}&second=${large.size}`, PROOF, signal)
      const path = broken('proof', () => {
        const { consistency } = objectOf(body.toString(), 'get-sth-consistency')
        if (!Array.isArray(consistency)) throw new ParseError('value', 'consistency', 0, 'is not a list')
        return (consistency as unknown[]).map((node) => decodeHash(node, 'consistency'))
      })
      if (provesConsistency(small.size, large.size, small.root, large.root, path)) return true
      if (refutesConsistency(small.size, large.size, small.root, large.root, path)) return false
    }
    // Nothing can be refuted of such a size. A log that showed no proof of it twice has none, as far as anybody can tell.
    return isPowerOfTwo(small.size) ? false : undefined
  }
  // The last leaf of a tree of this size, and its audit path. Not every log has the one answer that holds both; the other way is two.
  const lastLeaf = async (size: number, signal: AbortSignal): Promise<{ readonly hash: Buffer; readonly path: readonly Buffer[] }> => {
    try {
      const body = await get(`ct/v1/get-entry-and-proof?leaf_index=${size - 1}&tree_size=${size}`, PROOF, signal)
      return broken('proof', () => {
        const { leaf_input: leaf, audit_path: path } = objectOf(body.toString(), 'get-entry-and-proof')
        return { hash: hashOfLeaf(leaf), path: pathOf(path) }
      })
    } catch (error) {
      if (!(error instanceof LogFailure) || error.status === undefined || error.status < 400 || error.kind === 'limited') throw error
    }
    const page = await get(`ct/v1/get-entries?start=${size - 1}&end=${size - 1}`, PROOF, signal)
    const hash = broken('page of entries', () => {
      const { entries } = objectOf(page.toString(), 'get-entries')
      const [entry] = Array.isArray(entries) ? (entries as unknown[]) : []
      if (typeof entry !== 'object' || entry === null || !('leaf_input' in entry)) throw new ParseError('value', 'get-entries', 0, 'has no entry')
      return hashOfLeaf(entry.leaf_input)
    })
    const body = await get(`ct/v1/get-proof-by-hash?hash=${encodeURIComponent(hash.toString('base64'))}&tree_size=${size}`, PROOF, signal)
    return broken('proof', () => ({ hash, path: pathOf(objectOf(body.toString(), 'get-proof-by-hash')['audit_path']) }))
  }
  return {
    head: async (signal) => {
      const received = await get('ct/v1/get-sth', HEAD, signal)
      const head = broken('tree head', () => readSth(received.toString()))
      return { head, valid: broken('signature', () => verifyTreeHead(head, key)), received, url: `${url}ct/v1/get-sth` }
    },
    page: async (start, endExclusive, _size, signal, keep) => {
      const path = `ct/v1/get-entries?start=${start}&end=${endExclusive - 1}`
      const page = await getPacked(path, ENTRIES, signal, async (answer) => {
        const received = keep === true ? [receivedOf(url + path, answer.bytes)] : undefined
        const read = await readPage(answer, { kind: 'get-entries', start, count: endExclusive - start }, signal)
        return received === undefined ? read : { ...read, received }
      })
      const count = entriesIn(page)
      if (count === 0) throw new LogFailure('broken', 'it answers without entries, though its tree has them')
      largest = Math.max(largest, count)
      return page
    },
    edge: async ({ size, root }, _within, signal) => {
      if (size === 0) return growTree().range()
      const { hash, path } = await lastLeaf(size, signal)
      return broken('proof', () => {
        const hashes = edgeBefore(size - 1, hash, path, root)
        if (hashes === undefined) throw new ParseError('value', 'audit_path', 0, 'does not lead to the root')
        const tree = growTree({ size: size - 1, hashes })
        tree.append(hash)
        return tree.range()
      })
    },
    isPrefix,
    // A proof that does not hold may be a broken answer, and says nothing of the entries: their root does, at the end.
    proves: async (edge, tree, signal) => ((await isPrefix({ size: edge.size, root: rootOf(edge) }, tree, signal)) ? true : undefined),
    proofEvery: 30_000,
    boundary: (start) => (Math.floor(start / unit()) + 1) * unit(),
  }
}

function hashOfLeaf(leaf: unknown): Buffer {
  if (typeof leaf !== 'string') throw new ParseError('value', 'leaf_input', 0, 'is no string')
  return leafHash(decodeBase64(leaf, 'leaf_input'))
}

function pathOf(path: unknown): readonly Buffer[] {
  if (!Array.isArray(path)) throw new ParseError('value', 'audit_path', 0, 'is not a list')
  return (path as unknown[]).map((node) => decodeHash(node, 'audit_path'))
}
