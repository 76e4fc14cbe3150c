// Which name to ask the API for next, and when. Pure: the state goes in, one decision comes out, so that a week can be simulated in a second.
//
// A credential has a budget for each class of query: `quota` queries in any rolling hour. We count queries by whole seconds and let a second go
// only when all of it is an hour old, so no hour of the API's own reckoning ever holds more than the quota.
// The name that was looked at longest ago comes first. Names with pages still to read (a baseline, or a last page that was full) get a fifth of
// the budget and whatever the others leave; the others share the rest evenly.

/** `full` asks for a name and everything below it, `single` for one host name. The plan gives each a quota of its own. */
export type QueryClass = 'full' | 'single'

/** Queries asked in one second of the clock: `[second, polls, backlog]`, seconds since the epoch. */
export type Spent = readonly [second: number, polls: number, backlog: number]

/** What the plan needs to know of a watched name. Times are ms since the epoch. */
export interface NameState {
  readonly key: string
  readonly queryClass: QueryClass
  /** When it was last asked for; absent if never. */
  readonly polledAt?: number
  /** Its last page was full, or its baseline is not done. */
  readonly backlog: boolean
  /** Its baseline is not done: the name's polls are all backlog. */
  readonly baseline: boolean
  /** It had its turn in this pass: it takes its share of the budget, but is not asked again. */
  readonly done?: boolean
  /** Not before this time, because it was refused. */
  readonly retryAt?: number
}

/** Everything that the decision hangs on. */
export interface PlanInput {
  readonly now: number
  readonly quota: Readonly<Record<QueryClass, number>>
  /** Least time between two polls of one name, ms; `auto` spreads the quota evenly. */
  readonly interval: number | 'auto'
  readonly spent: Readonly<Record<QueryClass, readonly Spent[]>>
  readonly names: readonly NameState[]
  /** The credential may not be used before this time: `Retry-After`, or a pause after a failure. */
  readonly blockedUntil?: number
}

export type Plan =
  | { readonly kind: 'ask'; readonly key: string; readonly queryClass: QueryClass; readonly backlog: boolean }
  | { readonly kind: 'wait'; readonly until: number; readonly why: 'blocked' | 'quota' | 'schedule' | 'nothing' }

const HOUR = 3_600_000
/** Polling one name more often than this buys nothing: the API itself is minutes behind the logs. */
const LEAST_INTERVAL = 1000
const CLASSES: readonly QueryClass[] = ['full', 'single']

/** The entries that still count at `now`: an hour after the last moment of their second they are gone. */
export function live(spent: readonly Spent[], now: number): readonly Spent[] {
  return spent.filter(([second]) => freeAt(second) > now)
}

function freeAt(second: number): number {
  return (second + 1) * 1000 + HOUR
}

/** How many queries of the quota are left at `now`, and when the next one comes free (ms), if any was spent. */
export function budgetLeft(quota: number, spent: readonly Spent[], now: number): { readonly left: number; readonly nextFree?: number } {
  const counted = live(spent, now)
  let used = 0
  let first = Infinity
  for (const [second, polls, backlog] of counted) {
    used += polls + backlog
    first = Math.min(first, second)
  }
  return { left: Math.max(0, quota - used), ...(first < Infinity && { nextFree: freeAt(first) }) }
}

/** The time between two polls of one name that `check` announces: ms, for `count` names of one class. */
export function plannedInterval(count: number, quota: number, interval: number | 'auto'): number {
  const fair = Math.max(LEAST_INTERVAL, (count * HOUR) / quota)
  return interval === 'auto' ? fair : Math.max(interval, fair)
}

/** Decides what to do now. */
export function plan(input: PlanInput): Plan {
  if (input.names.length === 0) return { kind: 'wait', until: Infinity, why: 'nothing' }
  if (input.blockedUntil !== undefined && input.blockedUntil > input.now) return { kind: 'wait', until: input.blockedUntil, why: 'blocked' }
  let best: Offer | undefined
  let wait: { until: number; why: 'quota' | 'schedule' } | undefined
  for (const queryClass of CLASSES) {
    const names = input.names.filter((name) => name.queryClass === queryClass)
    if (names.length === 0) continue
    const offer = planClass(queryClass, names, input)
    if (offer.kind === 'wait') {
      if (wait === undefined || offer.until < wait.until) wait = offer
    } else if (best === undefined || (offer.name.polledAt ?? -1) < (best.name.polledAt ?? -1)) best = offer
  }
  if (best !== undefined) return { kind: 'ask', key: best.name.key, queryClass: best.name.queryClass, backlog: best.backlog }
  return { kind: 'wait', until: wait?.until ?? Infinity, why: wait?.why ?? 'nothing' }
}

interface Offer {
  readonly kind: 'ask'
  readonly name: NameState
  readonly backlog: boolean
}

function planClass(
  queryClass: QueryClass,
  names: readonly NameState[],
  input: PlanInput,
): Offer | { readonly kind: 'wait'; readonly until: number; readonly why: 'quota' | 'schedule' } {
  const { now } = input
  const quota = input.quota[queryClass]
  const counted = live(input.spent[queryClass], now)
  let used = 0
  let usedBacklog = 0
  let firstSecond = Infinity
  for (const [second, polls, backlog] of counted) {
    used += polls + backlog
    usedBacklog += backlog
    firstSecond = Math.min(firstSecond, second)
  }
  const nextFree = firstSecond < Infinity ? freeAt(firstSecond) : Infinity

  // A name never asked for is looked at like any other, and before them all; only its further pages are backlog.
  const polled = names.filter((name) => !name.baseline || name.polledAt === undefined)
  const behind = names.filter((name) => name.backlog && name.polledAt !== undefined)
  // With a single query an hour there is no fifth to set aside: whoever waited longest has it.
  const fifth = quota > 1 ? Math.ceil(quota / 5) : 0
  const reserved = behind.length > 0 ? Math.max(0, fifth - usedBacklog) : 0
  // What backlog has had of this hour is gone; the polls spread what is left over the hour, rather than run dry in the middle of it.
  const share = Math.max(1, quota - (behind.length > 0 ? Math.max(usedBacklog, fifth) : usedBacklog))
  const even = Math.max(LEAST_INTERVAL, (polled.length * HOUR) / share)
  // An interval shorter than the quota allows is kept to for half of the hour's queries; from then on they are spread as without it, or we would be
  // blind for most of each hour.
  const asked = input.interval === 'auto' ? even : used < quota / 2 ? input.interval : Math.max(input.interval, even)
  const spacing = Math.max(LEAST_INTERVAL, asked)
  // Where every name is behind, all of the budget is spare.
  const need = polled.every((name) => name.backlog)
    ? 0
    : input.interval === 'auto'
      ? quota - fifth
      : Math.min(quota - fifth, Math.ceil((polled.length * HOUR) / spacing))
  const backlogMax = Math.max(fifth, quota - need)

  let until = Infinity
  let why: 'quota' | 'schedule' = 'schedule'
  const later = (time: number, because: 'quota' | 'schedule'): void => {
    if (time < until) {
      until = time
      why = because
    }
  }

  const next = leastRecent(polled, now, later)
  const lagging = leastRecent(behind, now, later)
  const laggingFirst = quota === 1 && lagging !== undefined && (lagging.polledAt ?? -1) < (next?.polledAt ?? -1)
  if (next !== undefined && !laggingFirst) {
    const due = next.polledAt === undefined || next.polledAt > now ? now : next.polledAt + spacing
    if (due > now) later(due, 'schedule')
    else if (used < quota - reserved) return { kind: 'ask', name: next, backlog: false }
    else later(nextFree, 'quota')
  }
  if (lagging !== undefined) {
    if (used < quota && (usedBacklog < backlogMax || quota === 1)) return { kind: 'ask', name: lagging, backlog: true }
    later(nextFree, 'quota')
  }
  return { kind: 'wait', until, why }
}

function leastRecent(names: readonly NameState[], now: number, later: (time: number, because: 'schedule') => void): NameState | undefined {
  let found: NameState | undefined
  for (const name of names) {
    if (name.done === true) continue
    if (name.retryAt !== undefined && name.retryAt > now) later(name.retryAt, 'schedule')
    else if (found === undefined || (name.polledAt ?? -1) < (found.polledAt ?? -1)) found = name
  }
  return found
}
