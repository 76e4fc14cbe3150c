// The reading half of RFC 6962, section 4, with the manners of Google's CTFE: capped and aligned pages, 400 for what is not there.
import { jsonAnswer, refusal, type CtAnswer } from './ct-answer.ts'
import { shownEntry, type Shown } from './ct-shown.ts'

export interface PageRules {
  /** Entries of a page at most. */
  readonly pageSize: number
  /** True if a page of that size ends where the next multiple of it begins. */
  readonly aligned: boolean
}

/** Answers `ct/v1/ENDPOINT`, or undefined if there is none by that name. `entries` is how many get-entries gives, whatever was asked. */
export function answerRfc6962(shown: Shown, endpoint: string, query: URLSearchParams, rules: PageRules, entries?: number): CtAnswer | undefined {
  switch (endpoint) {
    case 'get-sth':
      return getSth(shown)
    case 'get-entries':
      return getEntries(shown, query, rules, entries)
    case 'get-sth-consistency':
      return getConsistency(shown, query)
    case 'get-proof-by-hash':
      return getProofByHash(shown, query)
    case 'get-entry-and-proof':
      return getEntryAndProof(shown, query)
    case 'get-roots':
      return jsonAnswer({ certificates: shown.log.roots.map(base64) })
    default:
      return undefined
  }
}

function getSth({ head }: Shown): CtAnswer {
  return jsonAnswer({
    tree_size: head.size,
    timestamp: head.timestamp,
    sha256_root_hash: base64(head.root),
    tree_head_signature: base64(head.signature),
  })
}

function getEntries(shown: Shown, query: URLSearchParams, { pageSize, aligned }: PageRules, forced: number | undefined): CtAnswer {
  const [start, last] = [whole(query, 'start'), whole(query, 'end')]
  if (start === undefined || last === undefined || last < start) return refusal(400, 'need start and end, and start <= end')
  if (start >= shown.size) return refusal(400, `need tree size: ${start + 1} to get leaves but only got: ${shown.size}`)
  let count = Math.min(last - start + 1, pageSize)
  if (aligned && count === pageSize) count -= (start + count) % pageSize
  // A page that a fault makes too long may go beyond what the head covers, but not beyond what the log has.
  const endExclusive = forced === undefined ? Math.min(start + count, shown.size) : Math.min(start + forced, shown.log.size)
  const rows = (): Buffer => {
    const parts: string[] = []
    for (let index = start; index < endExclusive; index++) {
      const { leafInput, extraData } = shownEntry(shown, index)
      parts.push(`{"leaf_input":"${base64(leafInput)}","extra_data":"${base64(extraData)}"}`)
    }
    return Buffer.from(`{"entries":[${parts.join(',')}]}`)
  }
  const full = endExclusive === last + 1
  return { ...jsonAnswer({}, { 'cache-control': full ? 'public, max-age=86400' : 'public, max-age=60' }), body: rows }
}

function getConsistency({ log, size }: Shown, query: URLSearchParams): CtAnswer {
  const [first, second] = [whole(query, 'first'), whole(query, 'second')]
  if (first === undefined || second === undefined || second < first) return refusal(400, 'need first and second, and first <= second')
  if (second > size) return refusal(400, `need tree size: ${second} for proof but only got: ${size}`)
  return jsonAnswer({ consistency: log.tree.consistencyProof(first, second).map(base64) }, PROOF)
}

function getProofByHash({ log, size }: Shown, query: URLSearchParams): CtAnswer {
  const treeSize = whole(query, 'tree_size')
  const hash = Buffer.from(query.get('hash') ?? '', 'base64')
  if (treeSize === undefined || treeSize < 1 || hash.length !== 32) return refusal(400, 'need hash and tree_size')
  if (treeSize > size) return refusal(400, `got tree_size ${treeSize} but only have ${size}`)
  const index = log.tree.indexOf(hash, treeSize)
  if (index === undefined) return refusal(404, 'no such leaf')
  return jsonAnswer({ leaf_index: index, audit_path: log.tree.inclusionProof(index, treeSize).map(base64) }, PROOF)
}

function getEntryAndProof(shown: Shown, query: URLSearchParams): CtAnswer {
  const [index, treeSize] = [whole(query, 'leaf_index'), whole(query, 'tree_size')]
  if (index === undefined || treeSize === undefined || index >= treeSize)
    return refusal(400, 'need leaf_index and tree_size, and leaf_index < tree_size')
  if (treeSize > shown.size) return refusal(400, `need tree size: ${treeSize} for proof but only got: ${shown.size}`)
  const { leafInput, extraData } = shownEntry(shown, index)
  const path = shown.log.tree.inclusionProof(index, treeSize)
  return jsonAnswer({ leaf_input: base64(leafInput), extra_data: base64(extraData), audit_path: path.map(base64) }, PROOF)
}

const PROOF = { 'cache-control': 'public, max-age=86400' }

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function whole(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
