// A page of a log from its packed bytes: here, or on another thread. All that it needs and all that comes of it can be put into a message.
import { HASH_SIZE } from '../ct/merkle.ts'
import { NetworkError } from '../http.ts'
import { inflate } from '../http-inflate.ts'
import { release } from '../release.ts'
import type { Sieve } from '../watch/sieve.ts'
import type { TileProof } from '../watch/sift-tile.ts'
import { siftTile } from '../watch/sift-tile.ts'
import { readEntries } from './get-entries.ts'
import type { LogEntry, LogPage, PageViews } from './log-entry.ts'
import { broken, LogFailure, unanswered } from './log-failure.ts'
import { sweep } from './sweep.ts'

/** An answer as it came. */
export interface PackedAnswer {
  readonly bytes: Uint8Array
  /** What `packing` said of it. */
  readonly encoding: string | undefined
  /** That it may unpack to. */
  readonly maxBytes: number
}

/**
 * What the answer is: a static log's tile of which the first `width` entries are wanted, or at most `count` entries of an RFC 6962 log. With a
 * `proof`, what is in the way of other entries is passed over, as siftTile does.
 */
export type PageKind =
  | { readonly kind: 'data-tile'; readonly start: number; readonly width: number; readonly proof?: TileProof }
  | { readonly kind: 'get-entries'; readonly start: number; readonly count: number }

/** Reads a page, wherever. Throws LogFailure for what cannot be read, and AbortError once the signal is aborted. */
export type ReadPage = (answer: PackedAnswer, kind: PageKind, signal: AbortSignal) => Promise<LogPage>

/** Reads pages on this thread. */
export function readPagesHere(sieve: Sieve): ReadPage {
  return async (answer, kind, signal) => {
    signal.throwIfAborted()
    return readPage(answer, kind, sieve)
  }
}

/** Reads a page. It holds nothing of the answer's memory. Throws LogFailure. */
export function readPage({ bytes, encoding, maxBytes }: PackedAnswer, kind: PageKind, sieve: Sieve): LogPage {
  const body = unpack(bytes, encoding, maxBytes)
  try {
    return pageOf(body, kind, sieve)
  } finally {
    if (encoding !== undefined) release(body)
  }
}

function pageOf(body: Buffer, kind: PageKind, sieve: Sieve): LogPage {
  if (kind.kind === 'get-entries') return ofItsOwn(broken('page of entries', () => readEntries(body, kind, sieve)))
  const { start, width, proof } = kind
  const { hashes, kept, misplaced, unreadable } = broken('data tile', () => siftTile(body, width, start, sieve, proof))
  return ofItsOwn({
    start,
    hashes,
    kept: [
      ...kept.map(({ n, entry, precertificate }) => ({ index: start + n, entry, why: undefined, precertificate })),
      ...unreadable.map(({ n, why }) => ({ index: start + n, entry: undefined, why, precertificate: undefined })),
    ].sort((a, b) => a.index - b.index),
    misplaced: misplaced.map((n) => start + n),
  })
}

const MUCH = 4 * 1024 * 1024

function unpack(bytes: Uint8Array, encoding: string | undefined, maxBytes: number): Buffer {
  try {
    return inflate(bytes, encoding, maxBytes)
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error
    // What came out so far is nobody's now, and as much as was allowed.
    if (error.code === 'too-large') sweep(maxBytes > MUCH ? 'major' : 'minor')
    // It came whole: its request is judged by it, and not as one that the network failed.
    const { kind, message, tooLarge } = unanswered(error)
    throw new LogFailure(kind, message, { tooLarge, cause: error.cause })
  }
}

// A page waits for those before it. What it keeps is copied into one piece of memory, so that it does not hold the whole answer meanwhile, and can be given
// to another thread.
function ofItsOwn({ start, hashes, kept, misplaced }: PageViews): LogPage {
  let size = hashes.length
  for (const { entry, precertificate } of kept) {
    if (entry !== undefined) size += entry.der.length + entry.extensions.length + (entry.issuerKeyHash?.length ?? 0)
    size += precertificate?.length ?? 0
  }
  const memory = new Uint8Array(size)
  let end = 0
  const copy = (bytes: Uint8Array): Uint8Array => {
    memory.set(bytes, end)
    end += bytes.length
    return memory.subarray(end - bytes.length, end)
  }
  const hashesOf = copy(hashes)
  const copyEntry = ({ index, entry, why, precertificate }: PageViews['kept'][number]): LogEntry => ({
    index,
    leafHash: hashesOf.subarray((index - start) * HASH_SIZE, (index - start + 1) * HASH_SIZE),
    entry: entry && {
      ...entry,
      der: copy(entry.der),
      issuerKeyHash: entry.issuerKeyHash && copy(entry.issuerKeyHash),
      extensions: copy(entry.extensions),
    },
    why,
    precertificate: precertificate && copy(precertificate),
  })
  return { start, hashes: Buffer.from(memory.buffer, 0, hashes.length), kept: kept.map(copyEntry), misplaced }
}
