// One log, turn by turn: its head, whether it may say that, and everything up to it.
import { EMPTY_RANGE, rootOf } from '../ct/compact-range.ts'
import type { ReceivedHead } from '../sources/log-client.ts'
import { LogFailure } from '../sources/log-failure.ts'
import type { LogState } from '../stores/log-state.ts'
import { rangeOf, storedRange } from '../stores/log-state.ts'
import { NO_FINDS } from '../stores/tail.ts'
import { judgeHead, shrunkenTree } from '../watch/heads.ts'
import type { LogContext } from './context.ts'
import { readTo } from './read-to.ts'
import { emptyState, failingAfter, isBegun, listed, storedHead } from './state.ts'

/** One log, read turn by turn. */
export interface LogReader {
  /** One look at the head, and everything up to it. Throws LogFailure. */
  turn(): Promise<void>
  /** A turn came to nothing. */
  failed(failure: LogFailure): Promise<void>
}

/** Where a log is begun whose state is not known yet: at its first entry, or at its end. */
export type Begin = (received: ReceivedHead) => Promise<'beginning' | 'end'>

/** The reader of a log. */
export function createLogReader(context: LogContext, begin: Begin): LogReader {
  const { ports, log, client, signal } = context
  const { store, clock, report } = ports
  const final = log.finalTreeHead === undefined ? undefined : { size: log.finalTreeHead.size, root: log.finalTreeHead.rootHash.toString('base64') }
  // A head whose entries do not make its root is not tried again and again.
  let refused: string | undefined
  // What was told of a log that was never begun, which nothing is kept of.
  let unbegun = emptyState(log)

  const current = async (received: ReceivedHead): Promise<LogState> => {
    const known = context.state()
    if (known !== undefined && isBegun(known)) return { ...known, ...listed(log) }
    const fromStart = (await begin(received)) === 'beginning'
    const range = fromStart ? EMPTY_RANGE : await client.edge(received.head, signal)
    if (!fromStart && !rootOf(range).equals(Buffer.from(received.head.rootHash)))
      throw new LogFailure('broken', 'its right edge does not make the root that it signed')
    report({ kind: 'log-begun', log: log.description, at: range.size })
    return {
      ...emptyState(log),
      begunAt: clock.now(),
      begunFrom: range.size,
      position: storedRange(range),
      verified: storedRange(range),
      recent: fromStart ? [] : [storedHead(received)],
      malformed: { toldAt: 0, count: 0, entries: [], below: range.size },
    }
  }

  const turn = async (): Promise<void> => {
    const received = await client.head(signal)
    const head = storedHead(received)
    const now = clock.now()
    if (!received.valid && !isBegun(context.state())) {
      const { state, alerts } = await context.tell(unbegun, judgeHead(head, false, { recent: [], verified: 0, final }, now).misbehaviour, received)
      unbegun = state
      report({ kind: 'alerts', alerts: await store.tell(alerts, now) })
      throw new LogFailure('misbehaves', 'its tree head is not signed by its key')
    }
    let state = await current(received)
    const { verdict, misbehaviour, unproved } = judgeHead(head, received.valid, { recent: state.recent, verified: state.verified.size, final }, now)
    const shrunken = unproved && (await isShrunken(state, received)) ? [shrunkenTree(head, state.verified.size)] : []
    // Two heads of one size, or one that is no beginning of the other: each is evidence only beside the other.
    const other = state.recent.findLast(({ size }) => size === head.size) ?? state.recent.at(-1)
    const judged = await context.tell(state, [...misbehaviour, ...shrunken], received, other === undefined ? {} : { verified_head: other })
    state = judged.state
    const about = `${head.size} ${head.root}`
    if (verdict === 'read' && about !== refused) {
      state = { ...state, head: { ...head, seenAt: now }, behindSince: state.behindSince ?? now }
      context.show(state)
      refused = (await readTo(context, state, received, judged.alerts)) ? undefined : about
      return
    }
    if (verdict === 'refused' || shrunken.length > 0) {
      if (judged.alerts.length > 0) state = await context.keep(state, { ...NO_FINDS, alerts: judged.alerts })
      throw new LogFailure('misbehaves', 'its tree head cannot be reconciled with what it signed before')
    }
    if (about === refused) return
    // A head that is no larger says at least that the log is there.
    const { failing: _, ...well } = state
    const kept = { ...well, ...(head.size >= (state.head?.size ?? 0) && { head: { ...head, seenAt: now } }) }
    const before = context.state()
    const changed = !isBegun(before) || before?.watched !== true || before.state !== state.state
    if (judged.alerts.length > 0 || changed || state.failing !== undefined || kept.head?.size !== state.head?.size)
      await context.keep(kept, { ...NO_FINDS, alerts: judged.alerts })
  }

  // Smaller heads come from replicas and caches that are behind; each is looked into once.
  const looked = new Map<string, boolean>()
  const isShrunken = async (state: LogState, { head }: ReceivedHead): Promise<boolean> => {
    const about = `${head.size} ${Buffer.from(head.rootHash).toString('base64')}`
    const known = looked.get(about)
    if (known !== undefined) return known
    const large = rangeOf(state.verified)
    const proved = await client.isPrefix({ size: head.size, root: head.rootHash }, { size: large.size, root: rootOf(large) }, signal)
    if (looked.size > 100) looked.clear()
    looked.set(about, proved === false)
    return proved === false
  }

  return {
    turn,
    failed: async (failure) => {
      report({ kind: 'log-failed', log: log.description, message: failure.message })
      const state = context.state() ?? unbegun
      await context.keep({ ...state, cause: failure.kind, failing: failingAfter(state.failing, failure, clock.now()) }, NO_FINDS)
    },
  }
}
