// A log that is new to us and large already: its end is read at once, and what it has from before is read behind that, to the head at which the end began.
import type { CompactRange } from '../ct/compact-range.ts'
import { EMPTY_RANGE, rootOf } from '../ct/compact-range.ts'
import type { ReceivedHead } from '../sources/log-client.ts'
import type { StoredHead, StoredRange } from '../stores/log-state.ts'
import { behindKey, isAtEnd, storedRange } from '../stores/log-state.ts'
import { hasUntold, NO_FINDS } from '../stores/tail.ts'
import type { LogContext } from './context.ts'
import { readTo } from './read-to.ts'
import { emptyState, storedHead } from './state.ts'

/** A log with more entries is large: reading them takes minutes. */
export const LARGE = 200_000

/** Notes that everything from `from` up to this head is to be read behind; what was to be read already stays so. */
export async function beginBehind(context: LogContext, received: ReceivedHead, from: StoredRange = storedRange(EMPTY_RANGE)): Promise<void> {
  const head = storedHead(received)
  const now = context.ports.clock.now()
  const before = context.state()
  const start = before !== undefined && !isAtEnd(before) && before.verified.size < from.size ? before.verified : from
  await context.keep(
    {
      ...emptyState(context.log),
      id: behindKey(context.log.id),
      description: `${context.log.description}, ${start.size === 0 ? 'from its beginning' : 'behind its end'}`,
      begunAt: now,
      begunFrom: start.size,
      position: start,
      verified: start,
      malformed: { toldAt: 0, count: 0, entries: [], below: start.size },
      head: { ...head, seenAt: now },
      behindSince: now,
    },
    NO_FINDS,
  )
}

/** The log keeps to another tree, which has only so much in common with the one that was to be read behind: the rest of that is there no more. */
export async function cutBehind(context: LogContext, shared: CompactRange): Promise<void> {
  const state = context.state()
  const { head } = state ?? {}
  if (state === undefined || head === undefined || isAtEnd(state) || head.size <= shared.size) return
  const end = storedRange(shared)
  const verified = state.verified.size < shared.size ? state.verified : end
  // Its signature was that of a larger tree.
  const cut = { ...head, size: shared.size, root: rootOf(shared).toString('base64'), signature: '' }
  const { failing: _, ...rest } = state
  await context.keep({ ...rest, head: cut, position: verified, verified }, NO_FINDS)
}

/** Reads on behind, to its end. Does nothing if there is nothing. False if it came to nothing: it is to be tried again. */
export async function readBehind(context: LogContext): Promise<boolean> {
  const state = context.state()
  const { head } = state ?? {}
  if (state === undefined || head === undefined) return true
  if (!isAtEnd(state)) return readTo(context, state, receivedAgain(context, head))
  if (hasUntold(state, context.ports.clock.now())) await context.keep(state, NO_FINDS)
  return true
}

// It was verified when the end was begun with it; only its signature was not kept.
function receivedAgain({ log }: LogContext, { size, timestamp, root }: StoredHead): ReceivedHead {
  const head = { size, timestamp, rootHash: Buffer.from(root, 'base64'), signature: new Uint8Array() }
  return { head, valid: true, received: Buffer.from(JSON.stringify({ size, timestamp, root })), url: log.url }
}
