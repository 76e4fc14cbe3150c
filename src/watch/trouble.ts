// When to tell the owner that something is wrong, and when that it is well again. Pure: what fails goes in, alerts and the list of open troubles come out.
import type { Alert, Finding, RecoveredAlert, TroubleAlert } from './alert.ts'
import { rfc3339 } from './alert.ts'
import { span } from './words.ts'

/** Something that has failed since `since` (ms), `failures` times in a row. */
export interface Failing {
  readonly since: number
  readonly failures: number
  /** `credential`: refused as a whole; `name`: this name is refused; `api`: anything else. */
  readonly kind: 'credential' | 'name' | 'api'
  readonly message: string
}

/** A trouble that was told and is not over. */
export interface OpenTrouble {
  readonly component: string
  readonly kind: string
  readonly since: number
  readonly message: string
}

/** What the Cert Spotter source looks like at `now` (ms). */
export interface SourceHealth {
  readonly now: number
  /** The credential or the API as a whole; absent after any success. */
  readonly failing?: Failing
  readonly names: readonly NameHealth[]
  /** Why nothing can be asked just now, for the words of an overdue name. */
  readonly blocked?: string
}

export interface NameHealth {
  readonly key: string
  readonly failing?: Failing
  /** When it was last looked at with success, or first watched. */
  readonly lookedAt: number
  /** The planned time between two looks, ms. */
  readonly interval: number
}

/** Failures last this long before they ring: shorter ones are the world's noise. */
const PATIENCE = 15 * 60_000
const HOUR = 3_600_000
const API = 'certspotter'

/** True for a name that was not looked at for three planned intervals, and at least an hour. */
export function isOverdue(name: NameHealth, now: number): boolean {
  return now - name.lookedAt >= Math.max(HOUR, 3 * name.interval)
}

/**
 * Compares what fails with what was told. Returns the troubles that are open from now on, and the alerts to send.
 * `late`: whether a name that was not looked at for long may ring now. In the middle of a round it may not: its turn is about to come.
 */
export function judgeSource(
  health: SourceHealth,
  open: Readonly<Record<string, OpenTrouble>>,
  late: boolean,
): { readonly open: Record<string, OpenTrouble>; readonly alerts: readonly Alert[] } {
  const wanted = new Map<string, OpenTrouble>()
  const { now, failing } = health
  if (failing !== undefined && (failing.kind === 'credential' || now - failing.since >= PATIENCE)) {
    wanted.set(API, { component: API, kind: failing.kind, since: failing.since, message: failing.message })
  }
  // While the source as a whole fails, its names say nothing new: keep what was told of them, add nothing.
  const whole = failing !== undefined
  for (const name of health.names) {
    const component = `${API}:${name.key}`
    const known = open[component]
    if (name.failing === undefined) continue
    const lasting = name.failing.failures >= 3 && now - name.failing.since >= PATIENCE
    if (known !== undefined) wanted.set(component, { ...known, kind: name.failing.kind })
    else if (!whole && (name.failing.kind === 'name' || lasting)) {
      wanted.set(component, { component, kind: name.failing.kind, since: name.failing.since, message: name.failing.message })
    }
  }
  const overdue = health.names.filter((name) => isOverdue(name, now) && !wanted.has(`${API}:${name.key}`))
  if (overdue.length > 0 && (open[OVERDUE] !== undefined || (late && !wanted.has(API)))) {
    const since = Math.min(...overdue.map((name) => name.lookedAt))
    wanted.set(OVERDUE, open[OVERDUE] ?? { component: OVERDUE, kind: 'overdue', since, message: overdueMessage(overdue, since, health) })
  }
  return compare(wanted, open, now, (component) => component === API || component.startsWith(`${API}:`) || component === OVERDUE)
}

const OVERDUE = 'certspotter/overdue'

function overdueMessage(late: readonly NameHealth[], since: number, health: SourceHealth): string {
  const named =
    late.length > 3
      ? `${late
          .slice(0, 3)
          .map((name) => name.key)
          .join(', ')} and ${late.length - 3} more`
      : late.map((name) => name.key).join(', ')
  const because = health.blocked ?? health.failing?.message ?? 'the quota does not reach, or nothing was running'
  return `${named}: not looked at for ${span(health.now - since)}, because ${because}. Nothing is lost: reading goes on where it stopped. Run certbell doctor.`
}

/** Raises what is new, takes back what is over. `mine` says which open troubles this judgement is about. */
export function compare(
  wanted: ReadonlyMap<string, OpenTrouble>,
  open: Readonly<Record<string, OpenTrouble>>,
  now: number,
  mine: (component: string) => boolean,
): { readonly open: Record<string, OpenTrouble>; readonly alerts: readonly Alert[] } {
  const next: Record<string, OpenTrouble> = {}
  const alerts: Alert[] = []
  for (const [component, trouble] of Object.entries(open)) {
    if (!mine(component)) next[component] = trouble
    else if (!wanted.has(component)) alerts.push(recoveredAlert(trouble, now))
  }
  for (const [component, trouble] of wanted) {
    const before = open[component]
    if (before?.kind === trouble.kind) next[component] = before
    else {
      next[component] = trouble
      alerts.push(troubleAlert(trouble, now))
    }
  }
  return { open: next, alerts }
}

/** A trouble as an alert. Its id is its component, kind and beginning: the same trouble never rings twice. */
export function troubleAlert(trouble: OpenTrouble, now: number): TroubleAlert {
  const finding: Finding = { kind: 'trouble', severity: 'high', reason: trouble.message }
  return {
    schema: 'certbell.alert/1',
    kind: 'trouble',
    id: `${trouble.component}/${trouble.kind}/${rfc3339(new Date(trouble.since))}`,
    severity: finding.severity,
    reason: finding.reason,
    findings: [finding],
    component: trouble.component,
    message: trouble.message,
    since: rfc3339(new Date(trouble.since)),
    seen_at: rfc3339(new Date(now)),
  }
}

function recoveredAlert(trouble: OpenTrouble, now: number): RecoveredAlert {
  const message = `${subject(trouble.component)} again, after ${span(now - trouble.since)}. What was found meanwhile follows.`
  const finding: Finding = { kind: 'recovered', severity: 'info', reason: message }
  return {
    schema: 'certbell.alert/1',
    kind: 'recovered',
    id: `${trouble.component}/${trouble.kind}/${rfc3339(new Date(trouble.since))}`,
    severity: finding.severity,
    reason: finding.reason,
    findings: [finding],
    component: trouble.component,
    message,
    since: rfc3339(new Date(trouble.since)),
    seen_at: rfc3339(new Date(now)),
  }
}

function subject(component: string): string {
  if (component === OVERDUE) return 'Every watched name is looked at'
  if (component.startsWith(`${API}:`)) return `Certbell sees ${component.slice(API.length + 1)}`
  if (component.startsWith('sink:')) return `Alerts reach ${component.slice('sink:'.length).split('/')[0] ?? 'the sink'}`
  if (component.startsWith('log:')) return `${component.slice('log:'.length)} is read to its end`
  if (component.startsWith('log-list:')) return `The log list ${component.slice('log-list:'.length)} is used`
  return 'The Cert Spotter API answers'
}
