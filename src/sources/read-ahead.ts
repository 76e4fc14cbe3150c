// Entries in order, fetched several pages at once: as many as the log bears. A page that fails is asked for again, and those after it are kept meanwhile.
import type { Clock } from '../clock.ts'
import type { LogClient } from './log-client.ts'
import type { LogPage } from './log-entry.ts'
import { entriesIn } from './log-entry.ts'
import { LogFailure } from './log-failure.ts'

/**
 * How many requests of one log are in flight. It doubles with each round that goes well until the log could not bear it, and is one more with each
 * round from then on; half as many for each that failed.
 */
export interface Window {
  readonly size: number
  succeeded(): void
  failed(): void
}

const MOST = 32
/** Pages that wait for one before them are held in memory: some 5 KB an entry. */
const MOST_ENTRIES = 8192
/**
 * But whoever has a certificate issued decides how large it is, and a log how many of them it has: of what came and waits, so many bytes are kept. The rest
 * is asked for again when it is wanted. One page has no more either, but for its last answer.
 */
const MOST_BYTES = 32 * 1024 * 1024

/** A window of two. */
export function createWindow(): Window {
  let size = 2
  // Up to here it doubles.
  let borne = MOST
  return {
    get size() {
      return Math.floor(size)
    },
    succeeded: () => (size = Math.min(MOST, size + (size < borne ? 1 : 1 / size))),
    failed: () => (size = borne = Math.max(1, size / 2)),
  }
}

export interface ReadAheadOptions {
  readonly client: LogClient
  readonly window: Window
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  /** A request that failed so often in a row is not made again: LogFailure. Infinity: it always is. */
  readonly attempts: number
  /** What asks to be left alone for longer (ms) ends it: LogFailure. */
  readonly patience: number
  /** Pages come with the answers that they were made of. */
  readonly keep: boolean
  /** A request failed and is made again; and it went well again. */
  readonly failed: (failure: LogFailure) => void
  readonly succeeded: () => void
}

const FIRST_PAUSE = 250
const LONGEST_PAUSE = 30_000

/** Entries that are asked for together. */
interface Part {
  readonly start: number
  readonly endExclusive: number
  /** Undefined: it came, and was more than may wait. */
  page: Promise<LogPage> | undefined
  isThere: boolean
  /** Of what came of it; kept of what was dropped. */
  bytes: number
}

/** The entries from `start` to before `endExclusive` of a tree of `size`, page by page, in order. Ends by AbortError once the signal is aborted. */
export async function* readAhead(start: number, endExclusive: number, size: number, options: ReadAheadOptions): AsyncGenerator<LogPage> {
  const { client, window } = options
  // A consumer that stops early leaves nothing running.
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const parts: Part[] = []
  let next = start
  // What came of all but the first, which nothing keeps from being read.
  const waiting = (): number => parts.reduce((sum, { page, bytes }, n) => (n === 0 || page === undefined ? sum : sum + bytes), 0)
  const ahead = (): number => parts.reduce((sum, part) => sum + part.endExclusive - part.start, 0)
  // The farthest first. What is not there yet ends by itself at its next answer.
  const drop = (): void => {
    for (let n = parts.length - 1; n > 0 && waiting() > MOST_BYTES; n--) {
      const part = parts[n]
      if (part?.isThere === true) part.page = undefined
    }
  }
  const ask = (part: Part): void => {
    part.isThere = false
    let bytes = 0
    // Asked for again, it has the room that it needed before.
    const came = (more: number): boolean => {
      bytes += more
      part.bytes = Math.max(part.bytes, bytes)
      return bytes < MOST_BYTES && (part === parts[0] || waiting() < MOST_BYTES)
    }
    const page = whole(part, size, { ...options, signal }, came).then((whole) => {
      part.isThere = true
      part.bytes = bytes
      drop()
      return whole
    })
    // Whoever waits for it hears of it; until then nobody does.
    page.catch(() => undefined)
    part.page = page
  }
  const partOf = (from: number, end: number): Part => ({ start: from, endExclusive: end, page: undefined, isThere: false, bytes: 0 })
  const fill = (): void => {
    for (const [n, part] of parts.entries()) if (part.page === undefined && (n === 0 || waiting() + part.bytes <= MOST_BYTES)) ask(part)
    while (next < endExclusive && (parts.length === 0 || (parts.length < window.size && ahead() < MOST_ENTRIES && waiting() < MOST_BYTES))) {
      const part = partOf(next, Math.min(endExclusive, client.boundary(next)))
      parts.push(part)
      ask(part)
      next = part.endExclusive
    }
  }
  try {
    for (fill(); ; fill()) {
      const first = parts[0]
      if (first?.page === undefined) return
      const page = await first.page
      const end = page.start + entriesIn(page)
      if (end < first.endExclusive) parts[0] = partOf(end, first.endExclusive)
      else parts.shift()
      yield page
    }
  } finally {
    stop.abort()
  }
}

// One part, in as many requests as the log makes of it; or its beginning, if `came` says that these are enough bytes.
async function whole({ start, endExclusive }: Part, size: number, options: ReadAheadOptions, came: (bytes: number) => boolean): Promise<LogPage> {
  const { client, window, signal, keep } = options
  const pages: LogPage[] = []
  for (let at = start, goOn = true; at < endExclusive && goOn;) {
    const from = at
    const page = await patiently(options, async () => client.page(from, endExclusive, size, signal, keep))
    window.succeeded()
    pages.push(page)
    at += entriesIn(page)
    goOn = came(bytesOf(page))
  }
  const [first] = pages
  if (first !== undefined && pages.length === 1) return first
  return {
    start,
    hashes: Buffer.concat(pages.map(({ hashes }) => hashes)),
    kept: pages.flatMap(({ kept }) => kept),
    misplaced: pages.flatMap(({ misplaced }) => misplaced),
    ...(keep && { received: pages.flatMap(({ received }) => received ?? []) }),
  }
}

// What a page keeps is in one piece of memory with its hashes. Beside that it has some objects for each entry.
function bytesOf({ hashes, kept, received = [] }: LogPage): number {
  return received.reduce((sum, { bytes }) => sum + bytes.length, hashes.buffer.byteLength + kept.length * 1024)
}

async function patiently<T>(
  { clock, random, signal, window, attempts, patience, failed, succeeded }: ReadAheadOptions,
  ask: () => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      const answer = await ask()
      if (failures > 0) succeeded()
      return answer
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error
      window.failed()
      failed(error)
      if (failures + 1 >= attempts || (error.until ?? 0) - clock.now() > patience) throw error
      const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(20, failures))
      await clock.sleepUntil(Math.max(error.until ?? 0, clock.now() + pause * (0.5 + random() / 2)), signal)
      signal.throwIfAborted()
    }
  }
}
