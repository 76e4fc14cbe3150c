// Pages read on other threads while there is much to read, as in catching up. Nothing depends on them: what a worker does not take, or fails at, is read here.
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Sieve } from '../watch/sieve.ts'
import type { LogPage } from './log-entry.ts'
import { LogFailure } from './log-failure.ts'
import type { WorkerOrder, WorkerReply } from './page-worker.ts'
import type { PackedAnswer, PageKind, ReadPage } from './read-page.ts'
import { readPage } from './read-page.ts'

/** Reads pages, here and on its workers. */
export interface PagePool {
  readonly read: ReadPage
  /** Workers that are there now, and take pages. */
  readonly workers: number
  /** Ends the workers at once; what they were at is read here. Later pages may start new ones. */
  end(): Promise<void>
}

export interface PagePoolOptions {
  readonly sieve: Sieve
  /** Workers at most; with 0, everything is read here. */
  readonly most: number
  /** ms from whenever, never set back. */
  readonly now: () => number
  /** ms of reading that pile up, over what is normal, before a worker is started. */
  readonly startAt?: number
  /** What a worker runs. */
  readonly entry?: URL
}

/** As it stands beside this file, in src or in dist. */
const ENTRY = new URL(`./page-worker${extname(import.meta.url)}`, import.meta.url)

/** Less is read sooner than it is told of. */
const SMALL = 64
/** So many pages are with a worker at once, so that it does not wait for the next while this thread is busy. */
const DEPTH = 3
/** Of packed bytes that are with workers or wait for one; the next page is then read at once. */
const MOST_BYTES = 32 * 1024 * 1024

// How busy we are: ms of reading that pile up, less what is normal. Keeping up with all the logs there are takes a tenth of a core, catching up takes
// what it can get.
const NORMAL = 0.25
const START_AT = 250
/** So much is remembered: workers end when there was little to do for the time in which it runs off, 12 s. */
const MOST_PILED = 3000
const LOOK = 1000

/** Workers that broke within so many ms, after which there are no others until then: whatever broke them is likely to come again. */
const MOST_BROKEN = 3
const REST = 600_000

/** Of a worker's heap; what it unpacks is not in it. */
const LIMITS = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 }

interface Helper {
  readonly thread: Worker
  /** It is there, and takes orders. */
  ready: boolean
  readonly orders: Map<number, Order>
}

/** A page that somebody waits for. */
interface Order {
  /** No other order of this process ever has it, so that nothing is taken for another's. */
  readonly id: number
  readonly answer: PackedAnswer
  /** Of its bytes, which may be gone once the signal is aborted. */
  readonly size: number
  readonly kind: PageKind
  readonly signal: AbortSignal
  readonly resolve: (page: LogPage) => void
  readonly reject: (error: unknown) => void
}

/** A pool without a worker yet. */
export function createPagePool({ sieve, most, now, startAt = START_AT, entry = ENTRY }: PagePoolOptions): PagePool {
  const helpers = new Set<Helper>()
  const waiting: Order[] = []
  let turn: NodeJS.Immediate | undefined
  let nextId = 0
  // When the last of them broke.
  let broken: readonly number[] = []
  let bytesOut = 0
  let piled = 0
  let piledAt = now()
  let look: NodeJS.Timeout | undefined

  const isResting = (): boolean => broken.length === MOST_BROKEN && now() - (broken[0] ?? 0) < REST
  const pile = (ms: number): number => {
    const at = now()
    piled = Math.min(MOST_PILED, Math.max(0, piled - NORMAL * (at - piledAt)) + ms)
    piledAt = at
    return piled
  }

  const start = (): void => {
    // It gets no environment: there are secrets in it.
    const thread = new Worker(entry, { workerData: sieve.data, env: {}, execArgv: [], resourceLimits: LIMITS, name: 'certbell-pages' })
    const helper: Helper = { thread, ready: false, orders: new Map() }
    helpers.add(helper)
    // Nothing waits for a worker that has nothing to do.
    thread.unref()
    thread.on('message', (message: WorkerReply | 'ready') => {
      if (message === 'ready') helper.ready = true
      else settle(helper, message)
      handOut()
    })
    const lost = (): void => {
      if (!helpers.delete(helper)) return
      broken = [...broken, now()].slice(-MOST_BROKEN)
      void thread.terminate()
      takeBack(helper)
    }
    thread.on('error', lost)
    thread.on('messageerror', lost)
    thread.on('exit', lost)
    look ??= setInterval(() => {
      if (pile(0) === 0) void end()
    }, LOOK).unref()
  }

  const settle = (helper: Helper, { id, ms, page, failure }: WorkerReply): void => {
    pile(ms)
    const order = helper.orders.get(id)
    if (order === undefined) return
    helper.orders.delete(id)
    if (helper.orders.size === 0) helper.thread.unref()
    bytesOut -= order.size
    if (page !== undefined) order.resolve({ ...page, hashes: Buffer.from(page.hashes.buffer, page.hashes.byteOffset, page.hashes.length) })
    else if (failure !== undefined) order.reject(new LogFailure(failure.kind, failure.message, failure))
    else finishHere(order)
  }

  // What it was at is read here, and not by another worker, which it might break as well.
  const takeBack = ({ orders }: Helper): void => {
    for (const order of orders.values()) {
      bytesOut -= order.size
      finishHere(order)
    }
    orders.clear()
  }

  const handOut = (): void => {
    for (const helper of helpers) {
      while (helper.ready && helper.orders.size < DEPTH) {
        const order = waiting.shift()
        if (order === undefined) return
        if (order.signal.aborted) {
          bytesOut -= order.size
          continue
        }
        give(helper, order)
      }
    }
    // This thread has nothing better to do than to help; but only one page at a time, between one look at the network and the next.
    if (waiting.length > 0) turn ??= setImmediate(help)
  }

  const give = (helper: Helper, order: Order): void => {
    const { id, answer, kind } = order
    helper.orders.set(id, order)
    helper.thread.ref()
    // A copy is given away, not the bytes themselves: a worker that breaks would take them along. It takes some ten microseconds of a millisecond.
    const bytes = new Uint8Array(answer.bytes)
    helper.thread.postMessage({ id, answer: { ...answer, bytes }, kind } satisfies WorkerOrder, [bytes.buffer])
  }

  const help = (): void => {
    turn = undefined
    const order = waiting.shift()
    if (order !== undefined) {
      bytesOut -= order.size
      finishHere(order)
    }
    handOut()
  }

  const finishHere = ({ answer, kind, signal, resolve, reject }: Order): void => {
    // Nobody waits for it any more.
    if (signal.aborted) return
    try {
      resolve(here(answer, kind))
    } catch (error) {
      reject(error)
    }
  }

  const here = (answer: PackedAnswer, kind: PageKind): LogPage => {
    const began = now()
    try {
      return readPage(answer, kind, sieve)
    } finally {
      pile(now() - began)
    }
  }

  const end = async (): Promise<void> => {
    clearInterval(look)
    look = undefined
    const ended = [...helpers]
    helpers.clear()
    const ending = ended.map(async ({ thread }) => thread.terminate())
    for (const helper of ended) takeBack(helper)
    handOut()
    await Promise.all(ending)
  }

  const mayUseWorkers = (kind: PageKind, bytes: number): boolean => {
    const entries = kind.kind === 'data-tile' ? kind.width : kind.count
    if (entries < SMALL || most === 0) return false
    let starting = false
    let ready = false
    for (const helper of helpers) {
      if (helper.ready) ready = true
      else starting = true
    }
    // One at a time, and another only while there is more than these can take.
    if (!starting && helpers.size < most && !isResting() && waiting.length >= helpers.size && pile(0) >= startAt) start()
    return ready && bytesOut + bytes <= MOST_BYTES
  }

  const later = async (answer: PackedAnswer, kind: PageKind, signal: AbortSignal): Promise<LogPage> =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error)
      signal.addEventListener('abort', onAbort, { once: true })
      const done = (): void => signal.removeEventListener('abort', onAbort)
      const size = answer.bytes.length
      bytesOut += size
      waiting.push({
        id: nextId++,
        answer,
        size,
        kind,
        signal,
        resolve: (page) => {
          done()
          resolve(page)
        },
        reject: (error) => {
          done()
          reject(error)
        },
      })
      handOut()
    })

  return {
    get workers() {
      return [...helpers].filter(({ ready }) => ready).length
    },
    end,
    read: async (answer, kind, signal) => {
      signal.throwIfAborted()
      return mayUseWorkers(kind, answer.bytes.length) ? later(answer, kind, signal) : here(answer, kind)
    },
  }
}
