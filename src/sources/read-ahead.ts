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

/** The entries from `start` to before `endExclusive` of a tree of `size`, page by page, in order. Ends by AbortError once the signal is aborted. */
export async function* readAhead(start: number, endExclusive: number, size: number, options: ReadAheadOptions): AsyncGenerator<LogPage> {
  const { client, window } = options
  // A consumer that stops early leaves nothing running.
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const pages: { readonly count: number; readonly page: Promise<LogPage> }[] = []
  let next = start
  let ahead = 0
  const fill = (): void => {
    while (next < endExclusive && (pages.length === 0 || (pages.length < window.size && ahead < MOST_ENTRIES))) {
      const end = Math.min(endExclusive, client.boundary(next))
      const page = whole(next, end, size, { ...options, signal })
      // Whoever waits for it hears of it; until then nobody does.
      page.catch(() => undefined)
      pages.push({ count: end - next, page })
      ahead += end - next
      next = end
    }
  }
  try {
    for (fill(); ; fill()) {
      const first = pages[0]
      if (first === undefined) return
      const page = await first.page
      pages.shift()
      ahead -= first.count
      yield page
    }
  } finally {
    stop.abort()
  }
}

// One part, in as many requests as the log makes of it.
async function whole(start: number, endExclusive: number, size: number, options: ReadAheadOptions): Promise<LogPage> {
  const { client, window, signal, keep } = options
  const pages: LogPage[] = []
  for (let at = start; at < endExclusive;) {
    const from = at
    const page = await patiently(options, async () => client.page(from, endExclusive, size, signal, keep))
    window.succeeded()
    pages.push(page)
    at += entriesIn(page)
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
