// The state at a glance: is all well, and if not, what and what to do. Pure; status, /healthz, the heartbeat and the metrics say the same.
import { budgetLeft, plannedInterval } from '../watch/schedule.ts'
import type { QueryClass } from '../watch/schedule.ts'
import { causeText } from '../watch/lag.ts'
import { failingAlike, isOfNames, isOverdue } from '../watch/name-trouble.ts'
import type { OpenTrouble } from '../watch/trouble.ts'
import { listed, plural, span } from '../watch/words.ts'
import type { Control } from './control.ts'
import type { LogOverview } from './log-overview.ts'
import { hasMore } from './control.ts'
import { sourceHealth } from './health.ts'
import type { Setup } from './store.ts'

/** One thing that is wrong, in words, and what mends it. */
export interface Reason {
  readonly component: string
  readonly message: string
  readonly since?: number
}

export interface NameOverview {
  readonly key: string
  readonly queryClass: QueryClass
  readonly state: 'new' | 'baseline' | 'steady' | 'failing'
  readonly found: number
  readonly lastSuccess?: number
  /** When it is due, as things are; absent while nothing says when. */
  readonly nextPoll?: number
  /** ms since it should have been looked at; 0 if it is not late. */
  readonly lag: number
  readonly lastError?: string
}

export interface SinkOverview {
  readonly sink: string
  readonly state: 'ok' | 'failing' | 'dead' | 'unused'
  readonly delivered: number
  readonly waiting: number
  readonly parked: number
  readonly failingSince?: number
  readonly nextAttempt?: number
  readonly lastDelivery?: number
  readonly lastAnswer?: string
}

export interface Overview {
  readonly well: boolean
  readonly reasons: readonly Reason[]
  readonly names: readonly NameOverview[]
  readonly sinks: readonly SinkOverview[]
  readonly logs: readonly LogOverview[]
  readonly quota: Readonly<Record<QueryClass, { readonly limit: number; readonly left: number; readonly nextFree?: number }>>
  readonly lastSuccess?: number
  readonly nextPoll?: number
  readonly found: number
  /** Issuances that a log had first. */
  readonly foundInLogs: number
  readonly blockedUntil?: number
  readonly runner?: { readonly startedAt: number; readonly seenAt: number; readonly dueAt: number; readonly overdue: boolean }
}

/** A runner that is this late (ms) has died, or hangs. */
export const RUNNER_GRACE = 90_000

/** Looks at the state with the eyes of a run that watches and rings as `setup` says. */
export function overview(
  control: Control,
  waiting: Readonly<Record<string, { readonly waiting: number; readonly parked: number }>>,
  setup: Setup,
  now: number,
  logs: readonly LogOverview[] = [],
): Overview {
  const health = sourceHealth(control, setup, now)
  const credential = control.credentials[setup.credential]
  const reasons: Reason[] = []

  for (const trouble of Object.values(control.troubles)) {
    if (concerns(trouble, setup)) reasons.push({ component: trouble.component, message: trouble.message, since: trouble.since })
  }
  const told = (component: string): boolean => reasons.some((reason) => reason.component === component)
  const { failing } = health
  if (failing !== undefined && !told('certspotter')) {
    reasons.push({ component: 'certspotter', message: failing.message, since: failing.since })
  }
  // Names whose trouble is not told yet.
  const named = new Set(Object.values(control.troubles).flatMap(({ names = [] }) => names))
  for (const { names, message, since } of failing === undefined ? failingAlike(health.names.filter(({ key }) => !named.has(key))) : []) {
    reasons.push({ component: `certspotter:${names[0]}`, message, since })
  }
  const late = health.names.filter((name) => isOverdue(name, now) && name.failing === undefined)
  if (late.length > 0 && failing === undefined && !told('certspotter/overdue')) {
    const since = Math.min(...late.map((name) => name.lookedAt))
    const why = health.blocked ?? 'start certbell watch, or run certbell poll more often'
    reasons.push({
      component: 'certspotter/overdue',
      message: `${listed(late.map(({ key }) => key))} not looked at for ${span(now - since)}: ${why}`,
      since,
    })
  }
  const everSeen = setup.items.some(({ key }) => control.items[key]?.succeededAt !== undefined)
  if (setup.items.length === 0 && setup.logs === undefined) {
    reasons.push({ component: 'certspotter', message: 'no name is asked for: IP addresses are seen only in the logs. Watch a name' })
  } else if (setup.items.length > 0 && !everSeen && control.runner === undefined && reasons.length === 0) {
    reasons.push({
      component: 'certspotter',
      message: `no name was looked at yet: ${health.blocked ?? 'start certbell watch, or run certbell poll'}`,
    })
  }
  if (setup.logs === true && control.runner === undefined && logs.length === 0 && reasons.length === 0)
    reasons.push({ component: 'logs', message: 'no log was read yet: start certbell watch' })
  // It rang when it was seen, as what the log did. That it cannot be read meanwhile becomes a trouble only when it lasts, but well it is not.
  for (const { log, cause, lastError, lagMs } of logs) {
    if (cause !== 'misbehaves' || told(`log:${log}`)) continue
    const message = `${log} misbehaves: ${lastError ?? causeText(cause)}. It is read on when it shows a head that continues what was verified; certbell alerts has what it did`
    reasons.push({ component: `log:${log}`, message, since: now - lagMs })
  }
  const runnerLate = control.runner !== undefined && now > control.runner.dueAt + RUNNER_GRACE
  if (control.runner !== undefined && runnerLate) {
    reasons.push({
      component: 'runner',
      message: `certbell watch should have come round ${span(now - control.runner.dueAt)} ago: it has died or hangs. Start it again`,
      since: control.runner.dueAt,
    })
  }

  const sinks = setup.sinks.map((sink): SinkOverview => {
    const state = control.sinks[sink]
    const queue = waiting[sink] ?? { waiting: 0, parked: 0 }
    if (state?.failing !== undefined && !told(`sink:${sink}`)) {
      const waits = queue.waiting === 0 ? '' : `. ${plural(queue.waiting, 'alert waits', 'alerts wait')}, none is lost`
      const gone = state.failing.dead ? `${sink} refuses messages` : `${sink} takes no messages`
      reasons.push({ component: `sink:${sink}`, message: `${gone} (${state.failing.answer})${waits}`, since: state.failing.since })
    }
    if (queue.parked > 0 && !told(`sink:${sink}/message`)) {
      reasons.push({
        component: `sink:${sink}/message`,
        message: `${sink} refuses ${plural(queue.parked, 'alert')} in each form that we have; see certbell alerts --pending`,
      })
    }
    return {
      sink,
      state:
        state?.failing?.dead === true
          ? 'dead'
          : state?.failing !== undefined
            ? 'failing'
            : state === undefined || state.delivered === 0
              ? 'unused'
              : 'ok',
      delivered: state?.delivered ?? 0,
      ...queue,
      ...(state?.failing !== undefined && { failingSince: state.failing.since }),
      ...(state?.next !== undefined && { nextAttempt: state.next.until }),
      ...(state?.deliveredAt !== undefined && { lastDelivery: state.deliveredAt }),
      ...(state?.lastAnswer !== undefined && { lastAnswer: state.lastAnswer }),
    }
  })

  const quota = {
    full: { limit: setup.quota.full, ...budgetLeft(setup.quota.full, credential?.spent.full ?? [], now) },
    single: { limit: setup.quota.single, ...budgetLeft(setup.quota.single, credential?.spent.single ?? [], now) },
  }
  const blockedUntil = Math.max(credential?.blocked?.until ?? 0, credential?.pause?.until ?? 0)
  const names = nameOverviews(control, setup, now, blockedUntil, quota)
  const next = names.map((name) => name.nextPoll).filter((time) => time !== undefined)
  return {
    well: reasons.length === 0,
    reasons,
    names,
    sinks,
    logs,
    quota,
    ...(credential?.succeededAt !== undefined && { lastSuccess: credential.succeededAt }),
    ...(next.length > 0 && { nextPoll: Math.min(...next) }),
    found: names.reduce((sum, name) => sum + name.found, 0),
    foundInLogs: control.foundInLogs ?? 0,
    ...(blockedUntil > now && { blockedUntil }),
    ...(control.runner !== undefined && {
      runner: { startedAt: control.runner.startedAt, seenAt: control.runner.seenAt, dueAt: control.runner.dueAt, overdue: runnerLate },
    }),
  }
}

// Troubles of names and sinks that are no longer in the settings are nobody's.
function concerns({ component, names = [] }: OpenTrouble, setup: Setup): boolean {
  if (isOfNames(component)) return setup.items.some(({ key }) => names.includes(key))
  if (component.startsWith('log:') || component.startsWith('log-list:')) return setup.logs === true
  if (component.startsWith('sink:')) return setup.sinks.includes(component.slice('sink:'.length).split('/')[0] ?? '')
  return setup.items.length > 0
}

function nameOverviews(
  control: Control,
  setup: Setup,
  now: number,
  blockedUntil: number,
  quota: Readonly<Record<QueryClass, { readonly left: number; readonly nextFree?: number }>>,
): readonly NameOverview[] {
  const counts: Record<QueryClass, number> = { full: 0, single: 0 }
  for (const { queryClass } of setup.items) counts[queryClass] += 1
  return setup.items.map(({ key, queryClass }): NameOverview => {
    const item = control.items[key]
    const interval = plannedInterval(counts[queryClass], setup.quota[queryClass], setup.interval)
    const asked = item?.polledAt
    const behind = item !== undefined && hasMore(item)
    const budget = quota[queryClass]
    const wanted = asked === undefined || behind ? now : asked + interval
    const nextPoll = Math.max(wanted, item?.retry?.until ?? 0, blockedUntil, budget.left === 0 ? (budget.nextFree ?? 0) : 0)
    const last = item?.succeededAt ?? item?.addedAt
    return {
      key,
      queryClass,
      state: item?.failing !== undefined ? 'failing' : item?.baseline !== undefined ? 'baseline' : item?.succeededAt === undefined ? 'new' : 'steady',
      found: item?.found ?? 0,
      ...(item?.succeededAt !== undefined && { lastSuccess: item.succeededAt }),
      nextPoll,
      lag: last === undefined ? 0 : Math.max(0, now - last - interval),
      ...(item?.failing !== undefined && { lastError: item.failing.message }),
    }
  })
}
