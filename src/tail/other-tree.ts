// A log that keeps to another tree than ours is read on from the last size that both share: lineage.ts judges, and here it is done.
import type { ReceivedHead } from '../sources/log-client.ts'
import type { LogState } from '../stores/log-state.ts'
import { rangeOf, storedRange } from '../stores/log-state.ts'
import { NO_FINDS } from '../stores/tail.ts'
import { grouped, plural } from '../watch/words.ts'
import { beginBehind, cutBehind } from './behind.ts'
import type { LogContext } from './context.ts'
import { aboutHead, edgeAt, treeOf } from './head.ts'
import { continues, lastShared, strayed } from './lineage.ts'
import { isBegun, storedHead } from './state.ts'

/**
 * One more head that cannot be reconciled. If the log keeps to its like, that is told, and its state is that of the other tree from then on: where there is
 * much to read, at its end, the rest behind it. Undefined if it is left at what was verified. Throws LogFailure.
 */
export async function followOtherTree(context: LogContext, behind: LogContext, received: ReceivedHead): Promise<LogState | undefined> {
  const { client, ports, signal } = context
  const known = context.state()
  if (known === undefined || !isBegun(known)) return undefined
  const now = ports.clock.now()
  const tree = treeOf(received)
  const { state, keepsTo } = strayed(known, now)
  if (!keepsTo) {
    if (state.stray?.heads !== known.stray?.heads) await context.keep(state, NO_FINDS)
    return undefined
  }
  const verified = rangeOf(state.verified)
  const isOurs = tree.size >= verified.size && (await continues(client, verified, tree, signal)) === true
  const shared = isOurs ? undefined : await lastShared(client, state, tree, signal)
  if (shared === undefined) {
    // It is our tree after all, or nothing can be shown that both share: perhaps in an hour.
    await context.keep({ ...state, stray: { since: now, heads: 1 } }, NO_FINDS)
    return undefined
  }
  const isFar = tree.size - shared.size > ports.large
  const range = isFar ? await edgeAt(client, received, signal) : shared
  const message = `it has kept to another tree for over an hour, now of ${plural(tree.size, 'entry', 'entries')}, which has the first ${grouped(shared.size)} in common with the ${grouped(verified.size)} that were verified. It is read on from there; both heads are kept`
  const misbehaviour = { kind: 'other-lineage', about: aboutHead(received), message }
  const { state: told, alerts } = await context.tell(state, [misbehaviour], received, {
    shared_size: shared.size,
    verified_head: state.recent.at(-1),
  })
  if (isFar) await beginBehind(behind, received, storedRange(shared))
  else await cutBehind(behind, shared)
  const { stray: _, failing: _f, scouted: _s, unshown: _u, ...rest } = told
  const next: LogState = {
    ...rest,
    position: storedRange(range),
    verified: storedRange(range),
    recent: isFar ? [] : state.recent.filter(({ size }) => size <= shared.size),
    malformed: { ...told.malformed, below: Math.min(told.malformed.below, range.size) },
    head: { ...storedHead(received), seenAt: now },
    behindSince: now,
  }
  return context.keep(next, { ...NO_FINDS, alerts })
}
