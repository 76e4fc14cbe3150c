// A credential's budget in the control document: what was spent, what may be asked, and how long to leave it alone after a failure.
import type { PlanInput } from '../watch/schedule.ts'
import { live } from '../watch/schedule.ts'
import type { Control, CredentialState, SpentRow } from './control.ts'
import { hasMore } from './control.ts'
import type { Setup, Work } from './store.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** The state of the run's credential, made if there is none. */
export function credentialOf(control: Control, setup: Setup): CredentialState {
  return (control.credentials[setup.credential] ??= { spent: { full: [], single: [] }, fence: 0 })
}

/** What the plan needs to know. A name that was asked at or after `since` (ms), and has nothing left to read, had its turn. */
export function planInput(control: Control, setup: Setup, now: number, since = Infinity): PlanInput {
  const credential = credentialOf(control, setup)
  const blockedUntil = Math.max(credential.blocked?.until ?? 0, credential.pause?.until ?? 0)
  return {
    now,
    quota: setup.quota,
    interval: setup.interval,
    spent: credential.spent,
    blockedUntil,
    names: setup.items.map(({ key, queryClass }) => {
      const item = control.items[key]
      return {
        key,
        queryClass,
        backlog: item !== undefined && hasMore(item),
        baseline: item?.baseline !== undefined,
        ...(item?.polledAt !== undefined && {
          polledAt: item.polledAt,
          done: item.polledAt >= since && item.failing === undefined && !hasMore(item),
        }),
        ...(item?.retry !== undefined && { retryAt: item.retry.until }),
      }
    }),
  }
}

/** Adds to what was spent in a second: `[polls, backlog]`, negative to take back. Drops what no longer counts. */
export function count(
  credential: CredentialState,
  queryClass: Work['queryClass'],
  second: number,
  add: readonly [number, number],
  now: number,
): void {
  const rows = live(credential.spent[queryClass], now).map(([at, polls, backlog]): SpentRow => [at, polls, backlog])
  const row = rows.find(([at]) => at === second)
  if (row === undefined) rows.push([second, Math.max(0, add[0]), Math.max(0, add[1])])
  else {
    row[1] = Math.max(0, row[1] + add[0])
    row[2] = Math.max(0, row[2] + add[1])
  }
  credential.spent[queryClass] = rows.filter(([, polls, backlog]) => polls + backlog > 0)
}

/**
 * A query counts before it is asked, and once it was answered at the time of the answer: the API may have got it at any time between.
 * `spent` false: it surely never got it.
 */
export function recount(credential: CredentialState, work: Work, now: number, spent = true): void {
  const second = Math.floor(now / 1000)
  if (spent && second === work.second) return
  count(credential, work.queryClass, work.second, work.backlog ? [0, -1] : [-1, 0], now)
  if (spent) count(credential, work.queryClass, second, work.backlog ? [0, 1] : [1, 0], now)
}

/**
 * ms to leave a credential alone after so many failures in a row. One quick try again, for the blip; then no faster than the quota would allow,
 * so that an hour of outage does not eat the hour after it.
 */
export function pauseAfter(failures: number, quota: number): number {
  const doubled = Math.min(5 * MINUTE, 1000 * 2 ** Math.min(failures, 10))
  return failures === 1 ? 2000 : Math.max(doubled, HOUR / quota)
}
