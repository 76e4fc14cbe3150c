// The entries up to a head: hashed, sifted, and kept on the way.
import type { Clock } from '../clock.ts'
import type { CompactRange } from '../ct/compact-range.ts'
import { growTree } from '../ct/compact-range.ts'
import type { ReceivedHead } from '../sources/log-client.ts'
import { readAhead } from '../sources/read-ahead.ts'
import type { LogState } from '../stores/log-state.ts'
import { rangeOf, storedRange } from '../stores/log-state.ts'
import type { Alert } from '../watch/alert.ts'
import { grouped } from '../watch/words.ts'
import type { LogContext } from './context.ts'
import type { Finds } from './state.ts'
import { emptyFinds, failingAfter } from './state.ts'

/** What was found is kept at least so often while reading goes on. */
const KEEP_EVERY = 1000
const KEEP_FINDS_EVERY = 250
/** A page that is not there after this does not hold back what was found before it. */
const PATIENT_FOR = 150

/** What reading up to a head came to. `finds` and `alerts` are not kept yet: they go with the verdict on `root`. */
export interface ReadEntries {
  readonly state: LogState
  readonly range: CompactRange
  readonly root: Buffer
  readonly finds: Finds
  readonly alerts: readonly Alert[]
}

/** Reads the entries from the state's position to a head. What is found is kept on the way, all but the last. */
export async function readEntries(context: LogContext, begin: LogState, received: ReceivedHead, alerts: readonly Alert[]): Promise<ReadEntries> {
  const { ports, log, client, window, signal } = context
  const { clock, report, sift, random } = ports
  const { size } = received.head
  const tree = growTree(rangeOf(begin.position))
  let state = begin
  let finds = emptyFinds()
  let toTell = alerts
  let keptAt = clock.now()
  // What the requests say of themselves, at any time.
  let failure: LogState['failing'] = begin.failing
  let dirty = false
  // ms spent in waiting for pages since the state was last kept.
  let idle = 0
  const flush = async (): Promise<void> => {
    dirty = false
    const took = Math.max(1, clock.now() - keptAt)
    const lately = context.allowance.limit() === undefined ? undefined : 'limited'
    const cause = failure?.kind ?? lately ?? (ports.bandwidth.short ? 'bandwidth' : idle > took / 2 ? 'slow' : 'cpu')
    const { failing: _, ...rest } = state
    state = await context.keep(
      { ...rest, cause, position: storedRange(tree.range()), ...(failure !== undefined && { failing: failure }) },
      { ...finds, alerts: toTell },
    )
    finds = emptyFinds()
    toTell = []
    keptAt = clock.now()
    idle = 0
  }
  const pages = readAhead(begin.position.size, size, size, {
    client,
    window,
    clock,
    random,
    signal,
    attempts: ports.attempts ?? Infinity,
    failed: (each) => {
      failure = failingAfter(failure, each, clock.now())
      dirty = true
      report({ kind: 'log-failed', log: log.description, message: each.message })
    },
    succeeded: () => {
      dirty ||= failure !== undefined
      failure = undefined
    },
  })
  try {
    for (;;) {
      const next = pages.next()
      const asked = clock.now()
      for (let before = asked; !(await settles(next, clock, PATIENT_FOR, signal)); before = clock.now()) {
        idle += clock.now() - before
        const found = finds.sightings.length + finds.malformed.length + toTell.length > 0
        if (found || ((dirty || idle >= KEEP_EVERY || tree.size > state.position.size) && clock.now() - keptAt >= KEEP_EVERY)) await flush()
      }
      idle += Math.min(PATIENT_FOR, clock.now() - asked)
      const { value: page } = await next
      if (page === undefined) break
      const now = new Date(clock.now())
      tree.appendLeaves(page.hashes)
      for (const entry of page.kept) {
        const sifted = sift(log, entry, now)
        if (sifted?.sighting !== undefined) finds.sightings.push(sifted.sighting)
        if (sifted?.malformed !== undefined) finds.malformed.push(sifted.malformed)
      }
      for (const index of page.misplaced) {
        const message = `its entry ${grouped(index)} says that it is at another place. It is read all the same`
        const judged = await context.tell(state, [{ kind: 'leaf-index', about: String(index), message }], received, { index })
        state = judged.state
        toTell = [...toTell, ...judged.alerts]
      }
      if (tree.size >= size) break
      const waited = clock.now() - keptAt
      if (waited >= KEEP_EVERY || (finds.sightings.length + finds.malformed.length > 0 && waited >= KEEP_FINDS_EVERY)) await flush()
    }
  } finally {
    await pages.return(undefined)
  }
  return { state, range: tree.range(), root: tree.root(), finds, alerts: toTell }
}

// Whether a promise settles within so many ms.
async function settles(promise: Promise<unknown>, clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  const over = new AbortController()
  try {
    return await Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      clock.sleepUntil(clock.now() + ms, AbortSignal.any([over.signal, signal])).then(() => signal.aborted),
    ])
  } finally {
    over.abort()
  }
}
