// The two ways to run: one pass for cron, or for ever. Sources and sinks go round on their own, so that neither waits for the other.
import type { App } from './app.ts'
import type { Clock } from './clock.ts'
import type { Notifier } from './notifiers/notifier.ts'
import { hasMore } from './stores/control.ts'
import type { Wait } from './stores/store.ts'
import { retryAfter, STATE_RETRY, StoreError } from './watch/errors.ts'

/** What a pass came to: `failed` if something failed, or waits because it failed. */
export interface PassResult {
  readonly failed: boolean
}

export interface PassOptions {
  /** Go on until every baseline and backlog is done and delivered. */
  readonly wait: boolean
  readonly signal: AbortSignal
  /** Called when the pass sleeps until a time (ms). */
  readonly resting?: (until: number, why: string) => void
}

/** A source or sink that failed so often in a row ends `--wait`: a person has to look. */
const HOPELESS = 5
const REVIEW_EVERY = 60_000
/** After a start, names that are late get so long to be looked at before a review tells of them. */
const CATCHING_UP = 5 * 60_000

/** Everything that is due now, once. Throws StoreError and OwnerError, when nothing of it goes on any more. */
export async function runPass(app: App, clock: Clock, given: PassOptions): Promise<PassResult> {
  // One that cannot go on ends them all, and they are waited for: where processes are frozen, a loop left behind would wake up in another pass.
  const stop = new AbortController()
  const options = { ...given, signal: AbortSignal.any([given.signal, stop.signal]) }
  const together = async (loops: readonly Promise<boolean>[]): Promise<boolean> => {
    for (const loop of loops) loop.catch(() => stop.abort())
    const ended = await Promise.allSettled(loops)
    const broken = ended.find((result) => result.status === 'rejected')
    if (broken !== undefined) throw broken.reason
    return ended.some((result) => result.status === 'fulfilled' && result.value)
  }
  const reading = app.tail?.pass(options.signal).then(
    (read) => !read,
    async (error: unknown) => {
      if (error instanceof StoreError) await app.monitor.stateFailed(error)
      throw error
    },
  )
  const asking = together([askAll(app, clock, options), ...(reading === undefined ? [] : [reading])])
  // Deliveries go on beside: a baseline of hours must not hold back what rings in it. When the asking is over, they end with the queue.
  let asked = false
  const over = asking.finally(() => (asked = true)).catch(() => undefined)
  const failed = await together([asking, ...app.notifiers.map(async (notifier) => deliverAll(app, clock, notifier, options, () => asked, over))])
  await app.monitor.release()
  await app.monitor.review(true)
  // The review may have found a trouble: it goes out with this pass.
  const late = await together(app.notifiers.map(async (notifier) => deliverAll(app, clock, notifier, options, () => true, over)))
  return { failed: failed || late }
}

async function askAll(app: App, clock: Clock, { wait, signal, resting }: PassOptions): Promise<boolean> {
  // What is due is what is due now: a round that takes longer than the interval must not begin anew.
  const since = clock.now()
  let failures = 0
  let failed = false
  for (;;) {
    if (signal.aborted) return failed
    const did = await app.monitor.askNext(since)
    if (did.kind === 'did') {
      failures = did.failed ? failures + 1 : 0
      failed ||= did.failed
      continue
    }
    failed ||= did.failing
    if (!wait || failures >= HOPELESS || !(await hasBacklog(app))) return wait ? did.failing || failures >= HOPELESS : failed
    resting?.(did.until, did.why)
    await clock.sleepUntil(Math.min(did.until, clock.now() + REVIEW_EVERY), signal)
    await app.monitor.review(false)
    // What failed and then went well is well, for who waits.
    failed = false
  }
}

async function hasBacklog(app: App): Promise<boolean> {
  const { items } = await app.reader.control()
  return app.plan.setup.items.some(({ key }) => {
    const item = items[key]
    return item === undefined || item.polledAt === undefined || hasMore(item) || item.failing !== undefined
  })
}

async function deliverAll(
  app: App,
  clock: Clock,
  notifier: Notifier,
  options: PassOptions,
  asked: () => boolean,
  over: Promise<unknown>,
): Promise<boolean> {
  let failures = 0
  for (;;) {
    if (options.signal.aborted) return failures > 0
    const did = await app.monitor.deliverNext(notifier)
    if (did.kind === 'did') {
      failures = did.failed ? failures + 1 : 0
      continue
    }
    if (did.why === 'spacing' || did.why === 'leased') await clock.sleepUntil(did.until, options.signal)
    else if (options.wait && did.failing && failures < HOPELESS && Number.isFinite(did.until)) await clock.sleepUntil(did.until, options.signal)
    else if (asked()) return did.failing || failures > 0
    else await Promise.race([over, clock.sleepUntil(clock.now() + 1000, options.signal)])
  }
}

export interface WatchOptions {
  /** Aborted by the first signal: steps in hand are finished, nothing new is begun. */
  readonly signal: AbortSignal
  readonly resting?: (wait: Wait) => void
  /** Called each time a loop has come round: the process is alive. */
  readonly round?: () => void
  /** The state could not be written, and reading of that kind stopped; undefined: it was written again. Default: of all kinds. */
  readonly stateFailed?: (error: StoreError | undefined, what?: 'logs') => void
}

/**
 * Opens the app, if need be again and again: a state on a full disk ends no daemon. `meanwhile` is called for each try that failed.
 * Undefined: the signal came first. Throws OwnerError.
 */
export async function openPatiently(
  open: (signal: AbortSignal) => Promise<App>,
  clock: Clock,
  { signal, round, stateFailed }: WatchOptions,
  meanwhile: (error: StoreError) => Promise<void>,
): Promise<App | undefined> {
  while (!signal.aborted) {
    round?.()
    try {
      const app = await open(signal)
      stateFailed?.(undefined)
      return app
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      stateFailed?.(error)
      await meanwhile(error)
    }
    await clock.sleepUntil(clock.now() + STATE_RETRY, signal)
  }
  return undefined
}

/** Runs until the signal. Throws OwnerError: the state must not be touched any more. */
export async function runWatch(app: App, clock: Clock, options: WatchOptions): Promise<void> {
  // One that cannot go on ends them all: a monitor that is half alive looks well and is not.
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const wake = createWake()
  const guarded = async (loop: Promise<void>): Promise<void> => {
    try {
      await loop
    } finally {
      stop.abort()
    }
  }
  const tailFailed = async (error: StoreError | undefined): Promise<void> => {
    options.stateFailed?.(error, 'logs')
    await app.monitor.stateFailed(error)
  }
  const loops = [
    guarded(askForever(app, clock, signal, wake, options)),
    ...(app.tail === undefined ? [] : [guarded(app.tail.run(signal, { found: () => wake.ring(), stateFailed: tailFailed }))]),
    ...app.notifiers.map(async (notifier) => guarded(deliverForever(app, clock, notifier, signal, wake))),
    guarded(reviewForever(app, clock, signal, options)),
  ]
  const ended = await Promise.allSettled(loops)
  const broken = ended.find((result) => result.status === 'rejected')
  if (broken !== undefined) throw broken.reason
  await patient(clock, options.signal, async () => {
    await app.monitor.release()
    await app.store.rest(clock.now(), undefined)
  }).catch(() => undefined)
}

interface Wake {
  /** Ends every sleep that waits for news. */
  ring(): void
  sleepUntil(clock: Clock, time: number, signal: AbortSignal): Promise<void>
}

function createWake(): Wake {
  const sleepers = new Set<AbortController>()
  return {
    ring: () => {
      for (const sleeper of sleepers) sleeper.abort()
    },
    sleepUntil: async (clock, time, signal) => {
      // A controller for each sleep, taken off afterwards: AbortSignal.any on a signal that lives as long as the process would gather dust.
      const sleeper = new AbortController()
      const stop = (): void => sleeper.abort()
      signal.addEventListener('abort', stop, { once: true })
      sleepers.add(sleeper)
      try {
        if (!signal.aborted) await clock.sleepUntil(time, sleeper.signal)
      } finally {
        sleepers.delete(sleeper)
        signal.removeEventListener('abort', stop)
      }
    },
  }
}

async function askForever(app: App, clock: Clock, signal: AbortSignal, wake: Wake, options: WatchOptions): Promise<void> {
  while (!signal.aborted) {
    options.round?.()
    const did = await patient(clock, signal, async () => app.monitor.askNext(), options.stateFailed)
    if (did === undefined) continue
    if (did.kind === 'did') {
      options.stateFailed?.(undefined)
      wake.ring()
      continue
    }
    const now = clock.now()
    const until = Math.max(now + 5, Math.min(did.until, now + 5 * REVIEW_EVERY))
    const rested = await patient(
      clock,
      signal,
      async () => {
        await app.store.rest(now, until)
        return true
      },
      options.stateFailed,
    )
    if (rested === undefined) continue
    options.stateFailed?.(undefined)
    options.resting?.(did)
    await clock.sleepUntil(until, signal)
  }
}

async function deliverForever(app: App, clock: Clock, notifier: Notifier, signal: AbortSignal, wake: Wake): Promise<void> {
  while (!signal.aborted) {
    const did = await patient(clock, signal, async () => app.monitor.deliverNext(notifier))
    if (did === undefined || did.kind === 'did') continue
    // Another process may have found something: look every few seconds even when nothing rings here.
    await wake.sleepUntil(clock, Math.min(did.until, clock.now() + 5000), signal)
  }
}

async function reviewForever(app: App, clock: Clock, signal: AbortSignal, options: WatchOptions): Promise<void> {
  const began = clock.now()
  while (!signal.aborted) {
    await patient(clock, signal, async () => app.monitor.review(clock.now() - began >= CATCHING_UP))
    options.round?.()
    await clock.sleepUntil(clock.now() + REVIEW_EVERY / 2, signal)
  }
}

// A state that cannot be written now may be written later: reading stops meanwhile, the process does not.
async function patient<T>(
  clock: Clock,
  signal: AbortSignal,
  step: () => Promise<T>,
  stateFailed?: WatchOptions['stateFailed'],
): Promise<T | undefined> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    stateFailed?.(error)
    await clock.sleepUntil(clock.now() + retryAfter(error), signal)
    return undefined
  }
}
