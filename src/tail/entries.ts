// The entries up to a head: hashed, sifted, and kept on the way.
import { steadyClock } from '../clock.ts'
import type { CompactRange } from '../ct/compact-range.ts'
import { growTree } from '../ct/compact-range.ts'
import type { ReceivedHead } from '../sources/log-client.ts'
import type { LogEntry, Received } from '../sources/log-entry.ts'
import { LogFailure } from '../sources/log-failure.ts'
import type { Sifted } from '../sources/log-sift.ts'
import { readAhead } from '../sources/read-ahead.ts'
import type { LogState } from '../stores/log-state.ts'
import { rangeOf, storedRange } from '../stores/log-state.ts'
import type { Alert } from '../watch/alert.ts'
import type { LagCause } from '../watch/lag.ts'
import { grouped } from '../watch/words.ts'
import { createLookBeyond, isHole } from './beyond.ts'
import type { LogContext } from './context.ts'
import { holding } from './held.ts'
import type { LeafHashes } from './leaf-hashes.ts'
import { createLeafHashes } from './leaf-hashes.ts'
import { createProving } from './proving.ts'
import { createSecondLook } from './second-look.ts'
import { settling } from './settling.ts'
import type { Finds } from './state.ts'
import { addFinds, asVerified, emptyFinds, failingAfter, storedHead } from './state.ts'

/** What was found is kept at least so often while reading goes on. */
const KEEP_EVERY = 1000
const KEEP_FINDS_EVERY = 250
/** What changes by itself, such as how much a log lets through, is kept so often while a page is waited for. */
const KEEP_WAITING_EVERY = 15_000
/** A page that is not there after this does not hold back what was found before it. */
const PATIENT_FOR = 150
/** After so many failures the entries that a head promises may be none that the log has. */
const ENOUGH_FAILURES = 3
const MOST_MALFORMED = 10_000

/** What reading up to a head came to. `finds` and `alerts` are not kept yet: they go with the verdict on `root`. */
export interface ReadEntries {
  readonly state: LogState
  readonly range: CompactRange
  /** What the entries make, up to where they were read: to the head, or to where it was clear that they do not make its tree. */
  readonly root: Buffer
  readonly finds: Finds
  readonly alerts: readonly Alert[]
  /** As many as are kept. */
  readonly hashes: LeafHashes
  /** Entries that could not be read, by index, as many as are kept: what was told of them already is in none of the finds. */
  readonly malformed: readonly number[]
  /** Answers in which there is something wrong, as many as are kept. */
  readonly held: readonly Received[]
}

/**
 * Reads the entries from the state's position to a head. What is found is kept on the way, all but the last. `careful`: they did not make the root
 * before, so they come by the way that the log answers for, answers are kept, and where a log shows how, it ends with the page that is wrong; entries that
 * were found `malformed` then are not found again. Throws LogFailure.
 */
export async function readEntries(
  context: LogContext,
  begin: LogState,
  received: ReceivedHead,
  before?: Pick<ReadEntries, 'malformed'>,
): Promise<ReadEntries> {
  const careful = before !== undefined
  const { ports, log, client, window, signal } = context
  const { clock, report, sift, random } = ports
  // What was kept lately, by a clock that is set back meanwhile, would be for an hour.
  const steady = steadyClock(clock)
  const { size, rootHash } = received.head
  const tree = growTree(rangeOf(begin.position))
  let state = begin
  let finds = emptyFinds()
  let toTell: readonly Alert[] = []
  let keptAt = steady.now()
  // What the requests say of themselves, at any time.
  let failure: LogState['failing'] = begin.failing
  let dirty = false
  // ms spent in waiting for pages since the state was last kept.
  let idle = 0
  const proving = createProving(context, steady, tree, { size, root: rootHash }, rangeOf(begin.verified), careful)
  const hashes = createLeafHashes(begin.position.size)
  const malformed = new Set(before?.malformed)
  let held: readonly Received[] = []

  const causeNow = (): LagCause => {
    const took = Math.max(1, steady.now() - keptAt)
    const lately = context.allowance.limit() !== undefined || context.host.slowed ? 'limited' : undefined
    return failure?.kind ?? lately ?? (ports.bandwidth.short ? 'bandwidth' : idle > took / 2 ? 'slow' : 'cpu')
  }
  const flush = async (isProved = false): Promise<void> => {
    dirty = false
    const cause = causeNow()
    const { failing: _, ...rest } = state
    if (isProved) hashes.beginAt(tree.size)
    state = await context.keep(
      {
        ...rest,
        cause,
        position: storedRange(tree.range()),
        verified: storedRange(proving.verified),
        ...(failure !== undefined && { failing: failure }),
      },
      { sightings: isProved ? finds.sightings.map(asVerified) : finds.sightings, malformed: finds.malformed, alerts: toTell },
    )
    finds = emptyFinds()
    toTell = []
    keptAt = steady.now()
    idle = 0
  }
  // A page that is waited for would hold back the end, too.
  const over = new AbortController()
  const whileReading = AbortSignal.any([signal, over.signal])
  const newestHead = createSecondLook(context, steady, whileReading)
  const beyond = createLookBeyond({ ...context, signal: whileReading })
  const keepBeyond = async (): Promise<void> => {
    const looked = beyond.take()
    if (looked === undefined || looked.end === state.scouted) return
    const { below } = state.malformed
    state = await context.keep({ ...state, scouted: looked.end }, looked.finds)
    // What cannot be read of the places between is not told yet.
    state = { ...state, malformed: { ...state.malformed, below } }
  }
  // A head may promise what is not there: then another, with less, is as good as this one will be. It may take its time, too.
  const lookAgain = async (): Promise<void> => {
    const newest = newestHead()
    if (newest?.valid !== true) return
    if (isHole(failure, clock.now())) beyond.begin(state, tree.size, context.isEnd ? Math.max(size, newest.head.size) : size)
    // How far there is to go is told by the newest.
    if (context.isEnd && newest.head.size > (state.head?.size ?? 0)) state = { ...state, head: { ...storedHead(newest), seenAt: clock.now() } }
    if (newest.head.size >= size || failure === undefined || failure.failures < ENOUGH_FAILURES) return
    if (tree.size > state.position.size || finds.sightings.length + finds.malformed.length + toTell.length > 0) await flush()
    throw new LogFailure(
      'broken',
      `it does not give the entries from ${grouped(tree.size)} to ${grouped(size)} that it signed for (${failure.message}), and shows a head of ${grouped(newest.head.size)} now`,
    )
  }
  const pages = readAhead(begin.position.size, size, size, {
    client: careful ? (client.signed?.client ?? client) : client,
    window,
    clock,
    random,
    signal: whileReading,
    attempts: ports.attempts ?? Infinity,
    patience: ports.patience ?? Infinity,
    keep: careful,
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
    reading: for (;;) {
      const next = pages.next()
      const settled = settling(next)
      const asked = steady.now()
      for (let waiting = asked; !(await settled(clock, PATIENT_FOR, signal)); waiting = steady.now()) {
        idle += steady.now() - waiting
        await lookAgain()
        await keepBeyond()
        const found = finds.sightings.length + finds.malformed.length + toTell.length > 0
        const kept = steady.now() - keptAt
        const changed = dirty || tree.size > state.position.size || (idle >= KEEP_EVERY && causeNow() !== state.cause)
        if (!found && !(changed && kept >= KEEP_EVERY) && kept < KEEP_WAITING_EVERY) continue
        const isProved = await proving.proved(PATIENT_FOR)
        if (isProved === false) break reading
        await flush(isProved)
      }
      idle += Math.min(PATIENT_FOR, steady.now() - asked)
      const { value: page } = await next
      if (page === undefined) break
      const now = new Date(clock.now())
      tree.appendLeaves(page.hashes)
      hashes.add(page.hashes)
      held = holding(held, page.received)
      const judge = (entry: LogEntry): Sifted | undefined => {
        const sifted = sift(log, entry, now)
        if (sifted?.malformed === undefined || !malformed.has(entry.index)) {
          if (sifted?.malformed !== undefined && malformed.size < MOST_MALFORMED) malformed.add(entry.index)
          return sifted
        }
        const { malformed: _, ...rest } = sifted
        return rest
      }
      await addFinds(finds, page, judge, () => steady.now())
      for (const index of page.misplaced) {
        const message = `its entry ${grouped(index)} says that it is at another place. It is read all the same`
        const judged = await context.tell(state, [{ kind: 'leaf-index', about: String(index), message }], received, { index })
        state = judged.state
        toTell = [...toTell, ...judged.alerts]
      }
      if (tree.size >= size) break
      const waited = steady.now() - keptAt
      const due = waited >= KEEP_EVERY || (finds.sightings.length + finds.malformed.length > 0 && waited >= KEEP_FINDS_EVERY)
      if (!due && !careful) continue
      const isProved = await proving.proved(careful ? ports.longestMs : PATIENT_FOR)
      if (isProved === false) break
      if (isProved === true) held = []
      if (due) {
        await lookAgain()
        await flush(isProved)
      }
    }
  } finally {
    over.abort()
    await pages.return(undefined)
  }
  return {
    state,
    range: tree.range(),
    root: tree.root(),
    finds,
    alerts: toTell,
    hashes: hashes.kept(),
    malformed: [...malformed],
    held,
  }
}
