// When to tell the owner that something is wrong, and when that it is well again. Pure: what fails goes in, alerts and the list of open troubles come out.
import type { Alert, Finding, RecoveredAlert, TroubleAlert } from './alert.ts'
import { rfc3339 } from './alert.ts'
import { API, isOfNames, isOverdue, isWorthTelling, PATIENCE, troublesOfNames } from './name-trouble.ts'
import { listed, span } from './words.ts'

/** Something that has failed since `since` (ms), `failures` times in a row. */
export interface Failing {
  readonly since: number
  readonly failures: number
  /** `credential`: refused as a whole; `name`: this name is refused; `api`: anything else. */
  readonly kind: 'credential' | 'name' | 'api'
  readonly message: string
  /** What names that are refused have in common, where the message speaks of the name itself. */
  readonly reason?: string
}

/** A trouble that was told and is not over. */
export interface OpenTrouble {
  readonly component: string
  readonly kind: string
  readonly since: number
  readonly message: string
  /** Of names that fail alike: which they are, why, and when it was told (ms). */
  readonly names?: readonly string[]
  readonly reason?: string
  readonly toldAt?: number
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

/**
 * When troubles are judged. In a `step` what is told is what cannot wait; a `review` gathers what the steps before it found of single names;
 * `late` is a review at which each name has had its turn, so that one not looked at for long may ring.
 */
export type Moment = 'step' | 'review' | 'late'

/** Compares what fails with what was told. Returns the troubles that are open from now on, and the alerts to send. */
export function judgeSource(
  health: SourceHealth,
  open: Readonly<Record<string, OpenTrouble>>,
  moment: Moment,
): { readonly open: Record<string, OpenTrouble>; readonly alerts: readonly Alert[] } {
  const wanted = new Map<string, OpenTrouble>()
  const { now, failing } = health
  if (failing !== undefined && (failing.kind === 'credential' || now - failing.since >= PATIENCE)) {
    wanted.set(API, { component: API, kind: failing.kind, since: failing.since, message: failing.message })
  }
  // While the source as a whole fails, its names say nothing new: keep what was told of them, add nothing.
  const ofNames = troublesOfNames(health, open, failing === undefined && moment !== 'step')
  for (const trouble of ofNames) wanted.set(trouble.component, trouble)
  const told = new Set(ofNames.flatMap(({ names = [] }) => names))
  const late = health.names.filter((name) => isOverdue(name, now))
  const overdue = late.filter((name) => !told.has(name.key) && !isWorthTelling(name, now))
  const before = open[OVERDUE]
  if (before !== undefined && late.length > 0) wanted.set(OVERDUE, before)
  else if (overdue.length > 0 && moment === 'late' && !wanted.has(API)) {
    const since = Math.min(...overdue.map((name) => name.lookedAt))
    wanted.set(OVERDUE, { component: OVERDUE, kind: 'overdue', since, message: overdueMessage(overdue, since, health) })
  }
  const mine = (component: string): boolean => component === API || isOfNames(component) || component === OVERDUE
  return compare(wanted, open, now, mine, (trouble) => unwatched(trouble, health.names))
}

// A name that was taken out of the settings is not well for that.
function unwatched({ names = [] }: OpenTrouble, watched: readonly NameHealth[]): string | undefined {
  if (watched.length === 0) return 'the Cert Spotter API is not asked for anything any more'
  if (names.length === 0 || watched.some(({ key }) => names.includes(key))) return undefined
  return `${listed(names)} ${names.length === 1 ? 'is' : 'are'} not watched any more`
}

const OVERDUE = 'certspotter/overdue'

function overdueMessage(late: readonly NameHealth[], since: number, health: SourceHealth): string {
  const named = listed(late.map(({ key }) => key))
  const because = health.blocked ?? health.failing?.message ?? 'the quota does not reach, or nothing was running'
  return `${named}: not looked at for ${span(health.now - since)}, because ${because}. Nothing is lost: reading goes on where it stopped. Run certbell doctor.`
}

/**
 * Raises what is new, takes back what is over. `mine` says which open troubles this judgement is about; `gone` of one that is over only because nobody looks at
 * its subject any more, why: a sentence without its end.
 */
export function compare(
  wanted: ReadonlyMap<string, OpenTrouble>,
  open: Readonly<Record<string, OpenTrouble>>,
  now: number,
  mine: (component: string) => boolean,
  gone: (trouble: OpenTrouble) => string | undefined,
): { readonly open: Record<string, OpenTrouble>; readonly alerts: readonly Alert[] } {
  const next: Record<string, OpenTrouble> = {}
  const alerts: Alert[] = []
  for (const [component, trouble] of Object.entries(open)) {
    if (!mine(component)) next[component] = trouble
    else if (!wanted.has(component)) alerts.push(recoveredAlert(trouble, gone(trouble), now))
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
    ...(trouble.names !== undefined && { items: trouble.names }),
    message: trouble.message,
    since: rfc3339(new Date(trouble.since)),
    seen_at: rfc3339(new Date(now)),
  }
}

function recoveredAlert(trouble: OpenTrouble, gone: string | undefined, now: number): RecoveredAlert {
  const after = span(now - trouble.since)
  const message =
    gone === undefined
      ? `${subject(trouble)} again, after ${after}. What was found meanwhile follows.`
      : `This is no trouble any more, after ${after}: ${gone}.`
  const finding: Finding = { kind: 'recovered', severity: 'info', reason: message }
  return {
    schema: 'certbell.alert/1',
    kind: 'recovered',
    id: `${trouble.component}/${trouble.kind}/${rfc3339(new Date(trouble.since))}`,
    severity: finding.severity,
    reason: finding.reason,
    findings: [finding],
    component: trouble.component,
    ...(trouble.names !== undefined && { items: trouble.names }),
    message,
    since: rfc3339(new Date(trouble.since)),
    seen_at: rfc3339(new Date(now)),
  }
}

function subject({ component, kind, names = [] }: OpenTrouble): string {
  if (component === OVERDUE) return 'Every watched name is looked at'
  if (isOfNames(component)) return `Certbell sees ${listed(names)}`
  if (component.startsWith('sink:')) return `Alerts reach ${component.slice('sink:'.length).split('/')[0] ?? 'the sink'}`
  if (component.startsWith('log:')) return `${component.slice('log:'.length)} ${kind === 'unreadable' ? 'can be read' : 'is read to its end'}`
  if (component.startsWith('log-list:')) return `The log list ${component.slice('log-list:'.length)} is well`
  return 'The Cert Spotter API answers'
}
