// How much a log lets through while it refuses more: nothing else tells what its operator allows.
import type { Clock } from '../clock.ts'
import { steadyClock } from '../clock.ts'
import type { Limit } from '../watch/lag.ts'
import type { RequestOutcome } from './log-http.ts'

/** The requests of one log, counted. */
export interface Allowance {
  /** What came of one request. `until` (ms): it was told when to come back. */
  heard(outcome: RequestOutcome, until?: number): void
  /** What it lets through; undefined: it refused nothing lately. */
  limit(): Limit | undefined
}

const SLOT = 10_000
/** What came through is counted from a minute before the log began to refuse, but over so long at most. */
const LONGEST = 600_000
const BEFORE = 60_000
/** A log that refused nothing for so long, after the time that it asked for, refuses no more. */
const LATELY = 60_000

/** Nothing was asked yet. `before`: what was known of it when it was asked last. */
export function createAllowance(given: Clock, before?: Limit): Allowance {
  const clock = steadyClock(given)
  const kept = before?.until === undefined ? undefined : { ...before, until: clock.at(before.until) }
  // Answers by the time at which their slot begins.
  const slots = new Map<number, number>()
  let firstAt: number | undefined
  let refusedSince: number | undefined
  // Until when it counts as refusing, and until when it asked to be left alone.
  let refusing = -Infinity
  let wait: number | undefined
  return {
    heard: (outcome, told) => {
      const now = clock.now()
      const until = told === undefined ? undefined : clock.at(told)
      firstAt ??= now
      if (outcome === 'limited') {
        if (refusing < now) refusedSince = now
        refusing = Math.max(refusing, (until ?? now) + LATELY)
        wait = until
      } else if (outcome === 'ok') {
        const slot = Math.floor(now / SLOT) * SLOT
        slots.set(slot, (slots.get(slot) ?? 0) + 1)
        for (const at of slots.keys()) if (at < now - LONGEST - SLOT) slots.delete(at)
      }
    },
    limit: () => {
      const now = clock.now()
      // Who was told to wait, and waits, knows no more than that.
      if (firstAt === undefined) return kept === undefined || kept.until <= now ? undefined : { ...kept, until: clock.shown(kept.until) }
      if (now > refusing) return undefined
      // A whole number of slots, so that what is counted is what came in that time.
      const wanted = Math.max((refusedSince ?? now) - BEFORE, now - LONGEST)
      const start = Math.floor(wanted / SLOT) * SLOT
      let requests = 0
      for (const [at, count] of slots) if (at >= start && at <= now) requests += count
      const ms = Math.max(0, now - Math.max(start, firstAt))
      return { requests, ms, ...(wait !== undefined && wait > now && { until: clock.shown(wait) }) }
    },
  }
}
