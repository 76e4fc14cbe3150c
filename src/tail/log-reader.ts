// One log, turn by turn: its head, whether it may say that, and everything up to it.
import { steadyClock } from '../clock.ts'
import { EMPTY_RANGE } from '../ct/compact-range.ts'
import type { ReceivedHead } from '../sources/log-client.ts'
import { LogFailure } from '../sources/log-failure.ts'
import type { LogState } from '../stores/log-state.ts'
import { rangeOf, storedRange } from '../stores/log-state.ts'
import { hasUntold, NO_FINDS } from '../stores/tail.ts'
import type { Alert } from '../watch/alert.ts'
import type { Misbehaviour } from '../watch/log-alerts.ts'
import { judgeHead, otherEnd, shrunkenTree } from '../watch/heads.ts'
import { isHole, lookBeyond } from './beyond.ts'
import type { LogContext } from './context.ts'
import { hedged } from './hedged.ts'
import { aboutHead, edgeAt, treeOf } from './head.ts'
import { continues, holds, unshownAgain } from './lineage.ts'
import { followOtherTree } from './other-tree.ts'
import { createPrefixes } from './prefixes.ts'
import { readTo } from './read-to.ts'
import { scout } from './scout.ts'
import { behindHead, emptyState, failingAfter, isBegun, listed, storedHead } from './state.ts'

/** One log, read turn by turn. */
export interface LogReader {
  /** One look at the head, and everything up to it. Throws LogFailure. */
  turn(): Promise<void>
  /** A turn came to nothing. */
  failed(failure: LogFailure): Promise<void>
}

/** A log whose heads do not continue is read again after so long, and twice as long each time. */
const FIRST_WAIT = 2000
const LONGEST_WAIT = 300_000
const SOON = 8000
const FEW = 8192
const NOT_SIGNED = 'its tree head is not signed by its key'
/** Heads that say nothing new are kept so often. */
const HEARD_EVERY = 600_000
/** A head that takes longer is asked for once more. */
const HEAD_AGAIN = 10_000

/** Where a log is begun whose state is not known yet: at its first entry, or at its end. */
export type Begin = (received: ReceivedHead) => Promise<'beginning' | 'end'>

/** The reader of a log. `behind`: where what was not read before its end is noted. */
export function createLogReader(context: LogContext, behind: LogContext, begin: Begin): LogReader {
  const { ports, log, client, signal } = context
  const { store, clock, report } = ports
  const final = log.finalTreeHead === undefined ? undefined : { size: log.finalTreeHead.size, root: log.finalTreeHead.rootHash.toString('base64') }
  const closedSince = log.state === 'readonly' ? log.stateSince : undefined
  // A head whose entries do not make its root is not read again, and its like ever more rarely.
  let refused: string | undefined
  let refusals = 0
  // It continues what was verified by the log's own proof, and its entries do not make it.
  let isSpoiled = false
  const steady = steadyClock(clock)
  let readAgainAt = 0
  const prefixes = createPrefixes(client, signal)
  let heardAt = steady.now()
  // What was told of a log that was never begun, which nothing is kept of.
  let unbegun = emptyState(log)

  const current = async (received: ReceivedHead): Promise<LogState> => {
    const known = context.state()
    if (known !== undefined && isBegun(known)) return { ...known, ...listed(log) }
    const fromStart = (await begin(received)) === 'beginning'
    const range = fromStart ? EMPTY_RANGE : await edgeAt(client, received, signal)
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

  // The entries of a head that cannot be verified may be ours all the same. Each is looked into once, and what is found rings as not verified.
  const lookInto = async (begun: LogState, received: ReceivedHead, alerts: readonly Alert[]): Promise<void> => {
    const { size } = received.head
    const from = Math.max(begun.scouted ?? 0, begun.verified.size)
    const { finds, end } = size > from ? await scout(context, from, size) : { finds: NO_FINDS, end: from }
    await context.keep({ ...behindHead(begun, received, clock.now()), scouted: end, cause: 'misbehaves' }, { ...finds, alerts })
  }

  // Reads up to a head that should continue what was verified. `parted`: it does not, as far as is known.
  const read = async (begun: LogState, received: ReceivedHead, alerts: readonly Alert[]): Promise<'read' | 'broken' | 'parted'> => {
    const about = aboutHead(received)
    const now = clock.now()
    const proof = async (): Promise<boolean | undefined> => continues(client, rangeOf(begun.verified), treeOf(received), signal)
    // After one that came to nothing, reading all of it twice for each new head would be a burden on both sides.
    if (refusals > 0 || begun.stray !== undefined) {
      const early = steady.now() < readAgainAt
      const goesOn = early && (isSpoiled || about === refused) ? undefined : await proof()
      if (goesOn === false || (goesOn === undefined && early)) {
        await lookInto(begun, received, alerts)
        return isSpoiled ? 'broken' : 'parted'
      }
    }
    // What was looked into of other trees says nothing of the places in ours.
    const below = begun.scouted === undefined ? begun.malformed.below : Math.min(begun.malformed.below, begun.verified.size)
    const behindIt = behindHead({ ...begun, malformed: { ...begun.malformed, below } }, received, now)
    // What it did is told before it is read: that it was told must not be kept without, should reading come to nothing.
    const state = alerts.length > 0 ? await context.keep(behindIt, { ...NO_FINDS, alerts }) : behindIt
    context.show(state)
    if (await readTo(context, state, received)) {
      refused = undefined
      refusals = 0
      isSpoiled = false
      return 'read'
    }
    refused = about
    refusals += 1
    isSpoiled = (await proof()) === true
    // Entries that were spoiled on their way may be mended at any time, and few of them cost little.
    const longest = isSpoiled && received.head.size - begun.verified.size <= FEW ? SOON : LONGEST_WAIT
    readAgainAt = steady.now() + Math.min(longest, FIRST_WAIT * 2 ** Math.min(20, refusals))
    const after = context.state()
    if (after !== undefined) await lookInto(after, received, [])
    return isSpoiled ? 'broken' : 'parted'
  }

  // A head that cannot be reconciled. If the log keeps to its like, it is read on from what both trees share: true.
  const refuse = async (received: ReceivedHead): Promise<boolean> => {
    const moved = await followOtherTree(context, behind, received)
    if (moved === undefined) return false
    refused = undefined
    refusals = 0
    isSpoiled = false
    prefixes.clear()
    await readTo(context, moved, received)
    return true
  }

  // The last head of a closed log that has grown since shows in the larger tree alone: looked for once.
  let isFinalSeen = false
  const unlikeFinal = async (received: ReceivedHead): Promise<readonly Misbehaviour[]> => {
    if (log.finalTreeHead === undefined || isFinalSeen || received.head.size <= log.finalTreeHead.size) return []
    const { size, rootHash } = log.finalTreeHead
    const isHeld = await holds(client, { size, root: rootHash }, treeOf(received), signal)
    isFinalSeen = isHeld !== undefined
    return isHeld === false ? [otherEnd(storedHead(received), size)] : []
  }

  const turn = async (): Promise<void> => {
    const received = await hedged(async (asked) => client.head(asked), HEAD_AGAIN, clock, signal)
    const head = storedHead(received)
    const now = clock.now()
    if (!received.valid && !isBegun(context.state())) {
      const { state, alerts } = await context.tell(unbegun, judgeHead(head, false, { recent: [], verified: 0, final }, now).misbehaviour, received)
      unbegun = state
      report({ kind: 'alerts', alerts: await store.tell(alerts, now) })
      throw new LogFailure('misbehaves', NOT_SIGNED)
    }
    let state = await current(received)
    const { verdict, misbehaviour, unproved } = judgeHead(
      head,
      received.valid,
      { recent: state.recent, verified: state.verified.size, final, closedSince },
      now,
    )
    const shown = unproved ? await prefixes.isOurs(state, received) : true
    let isLost = false
    if (shown === undefined) ({ state, isLost } = unshownAgain(state, now))
    const shrunken = shown === false || isLost ? [shrunkenTree(head, state.verified.size, isLost ? 'unshown' : 'proved')] : []
    // Two heads of one size, or one that is no beginning of the other: each is evidence only beside the other.
    const other = state.recent.findLast(({ size }) => size === head.size) ?? state.recent.at(-1)
    const ends = received.valid ? await unlikeFinal(received) : []
    const judged = await context.tell(state, [...misbehaviour, ...shrunken, ...ends], received, other === undefined ? {} : { verified_head: other })
    state = judged.state
    if (verdict === 'read') {
      try {
        if ((await read(state, received, judged.alerts)) === 'parted') await refuse(received)
      } catch (error) {
        // Where reading does not wait for what does not come.
        const after = context.state()
        if (!(error instanceof LogFailure) || after === undefined || !isHole(after.failing, now)) throw error
        const { finds, end } = await lookBeyond(context, after, after.position.size, received.head.size)
        if (end !== after.scouted) await context.keep({ ...after, scouted: end }, finds)
        throw error
      }
      return
    }
    if (verdict === 'refused' || shrunken.length > 0) {
      if (received.valid && head.size > state.verified.size) await lookInto(state, received, judged.alerts)
      else if (judged.alerts.length > 0) state = await context.keep(state, { ...NO_FINDS, alerts: judged.alerts })
      const parted = misbehaviour.every(({ kind }) => kind !== 'final-head-differs') && received.valid
      if (parted && (await refuse(received))) return
      throw new LogFailure('misbehaves', received.valid ? 'its tree head cannot be reconciled with what it signed before' : NOT_SIGNED)
    }
    // A head that is no larger says at least that the log is there; our newest one, that it keeps to our tree.
    const { failing: _, stray, unshown, ...well } = state
    const isNewest = head.size === state.verified.size
    const kept = {
      ...well,
      ...(stray !== undefined && !isNewest && { stray }),
      ...(unshown !== undefined && !isNewest && { unshown }),
      ...(head.size >= (state.head?.size ?? 0) && { head: { ...head, seenAt: now } }),
    }
    const before = context.state()
    const changed =
      !isBegun(before) ||
      before?.watched !== true ||
      before.state !== state.state ||
      kept.stray !== stray ||
      kept.unshown !== before.unshown ||
      hasUntold(state, now)
    const isNews = judged.alerts.length > 0 || changed || state.failing !== undefined || kept.head?.size !== state.head?.size
    // A log in which nothing happens signs new heads all the same: that it does is kept now and then.
    if (!isNews && steady.now() - heardAt < HEARD_EVERY) {
      context.show(kept)
      return
    }
    heardAt = steady.now()
    await context.keep(kept, { ...NO_FINDS, alerts: judged.alerts })
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
