// The state as the judgement of troubles wants to see it.
import type { Alert } from '../watch/alert.ts'
import { plannedInterval } from '../watch/schedule.ts'
import type { QueryClass } from '../watch/schedule.ts'
import type { Moment, NameHealth, SourceHealth } from '../watch/trouble.ts'
import { judgeSource } from '../watch/trouble.ts'
import type { Control, ItemState } from './control.ts'
import type { Setup } from './store.ts'

/** What the source's troubles are judged from; `status` and `/healthz` look at the same. */
export function sourceHealth(control: Control, setup: Setup, now: number): SourceHealth {
  const counts: Record<QueryClass, number> = { full: 0, single: 0 }
  for (const { queryClass } of setup.items) counts[queryClass] += 1
  const credential = control.credentials[setup.credential]
  const names: NameHealth[] = []
  for (const { key, queryClass } of setup.items) {
    const item = control.items[key]
    if (item === undefined) continue
    names.push({
      key,
      ...(item.failing !== undefined && { failing: item.failing }),
      // After an outage, which was told, each name gets its turn before it counts as overdue.
      lookedAt: Math.max(item.succeededAt ?? item.addedAt, credential?.backAt ?? 0),
      interval: plannedInterval(counts[queryClass], setup.quota[queryClass], setup.interval),
    })
  }
  const blocked = credential?.blocked !== undefined && credential.blocked.until > now
  return {
    now,
    names,
    ...(credential?.failing !== undefined && { failing: credential.failing }),
    ...(blocked && {
      blocked: `the API told us to wait until ${new Date(credential.blocked?.until ?? now).toISOString().slice(11, 16)} UTC (its rate limit)`,
    }),
  }
}

/** Judges, remembers what is open, and returns what is to be told. */
export function reviewTroubles(control: Control, setup: Setup, now: number, moment: Moment): readonly Alert[] {
  const judged = judgeSource(sourceHealth(control, setup, now), control.troubles, moment)
  control.troubles = Object.assign(Object.create(null) as Control['troubles'], judged.open)
  return judged.alerts
}

const HOUR = 3_600_000

/**
 * True if a name that is looked at now was left alone far longer than it used to be: cron was broken, the machine was off. That is over with this look, and would
 * otherwise never be told. Who has it looked at once a day means that, whatever the quota would allow.
 */
export function wasLeftAlone(item: ItemState, now: number): boolean {
  return item.succeededAt !== undefined && item.gap !== undefined && now - item.succeededAt >= Math.max(HOUR, 3 * item.gap)
}
