// A place in a log that it does not give, for long, though it answers: what comes after it is looked into meanwhile. A certificate is no less issued for that a
// tile before it is lost.
import type { LogState } from '../stores/log-state.ts'
import type { LogFinds } from '../stores/tail.ts'
import type { LogContext } from './context.ts'
import type { Finds } from './state.ts'
import { emptyFinds } from './state.ts'
import { MOST_SCOUTED, scout } from './scout.ts'

/** Nobody waits longer for a place before what comes after it is looked into. */
const HOLE_AFTER = 600_000
/** So many more such places are passed over at once. */
const MOST_HOLES = 16

/** Whether it has failed for so long, and not for want of manners or of an answer in time. `now` in ms. */
export function isHole(failing: LogState['failing'], now: number): boolean {
  return failing !== undefined && (failing.kind === 'down' || failing.kind === 'broken') && now - failing.since >= HOLE_AFTER
}

/** What is the owner's from the page after the one at `position` up to `size`, each looked into once: up to before `end`. */
export async function lookBeyond(
  context: LogContext,
  { scouted = 0 }: Pick<LogState, 'scouted'>,
  position: number,
  size: number,
): Promise<{ readonly finds: LogFinds; readonly end: number }> {
  const finds: Finds = emptyFinds()
  let at = Math.min(size, Math.max(scouted, context.client.boundary(position), size - MOST_SCOUTED))
  for (let holes = 0; at < size && holes <= MOST_HOLES; holes++) {
    const { finds: more, end } = await scout(context, at, size)
    finds.sightings.push(...more.sightings)
    finds.malformed.push(...more.malformed)
    at = end < size ? Math.min(size, context.client.boundary(end)) : size
  }
  return { finds: { ...finds, alerts: [] }, end: at }
}

/** The same beside the reading: one look at a time. */
export function createLookBeyond(context: LogContext): {
  /** Begins it, if none is under way or waits to be taken. */
  begin(state: Pick<LogState, 'scouted'>, position: number, size: number): void
  /** What it came to, once. */
  take(): Awaited<ReturnType<typeof lookBeyond>> | undefined
} {
  let isLooking = false
  let found: Awaited<ReturnType<typeof lookBeyond>> | undefined
  const look = async (...where: [Pick<LogState, 'scouted'>, number, number]): Promise<void> => {
    try {
      found = await lookBeyond(context, ...where)
    } catch {
      // It is not there either: the turn after this one looks again.
    }
  }
  return {
    begin: (...where) => {
      if (isLooking) return
      isLooking = true
      void look(...where)
    },
    take: () => {
      const looked = found
      if (looked !== undefined) isLooking = false
      found = undefined
      return looked
    },
  }
}
