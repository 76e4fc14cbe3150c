// Names that fail while others are looked at. Those that fail for one and the same reason are one trouble: thirty names that a plan does not cover are one
// fault of one plan. An alert is fixed once it is made, so whoever fails later is not in it: such names are gathered, and are the next one.
import type { NameHealth, OpenTrouble, SourceHealth } from './trouble.ts'
import { grouped, listed } from './words.ts'

/** The component that is the API as a whole; those of its names begin with it. */
export const API = 'certspotter'
/** Failures last this long (ms) before they ring: shorter ones are the world's noise. */
export const PATIENCE = 15 * 60_000
const HOUR = 3_600_000

/** Names that fail for one and the same reason; the one that failed first comes first. */
export interface FailingAlike {
  /** Told names of a trouble and those that are to be told have the same. */
  readonly reason: string
  readonly kind: string
  readonly names: readonly string[]
  readonly since: number
  readonly message: string
}

/** True for a component that is about single names. */
export function isOfNames(component: string): boolean {
  return component.startsWith(`${API}:`)
}

/** True for a name that was not looked at for three planned intervals, and at least an hour. */
export function isOverdue(name: NameHealth, now: number): boolean {
  return now - name.lookedAt >= Math.max(HOUR, 3 * name.interval)
}

/** True for a name that is refused, or fails for long: it is told with its cause rather than as overdue, if perhaps a little later. */
export function isWorthTelling(name: NameHealth, now: number): boolean {
  const { failing } = name
  if (failing === undefined) return false
  return failing.kind === 'name' || ((failing.failures >= 3 || isOverdue(name, now)) && now - failing.since >= PATIENCE)
}

/** The failing ones of these names, by reason. */
export function failingAlike(names: readonly NameHealth[]): readonly FailingAlike[] {
  const groups = new Map<string, NameHealth[]>()
  for (const name of names) {
    if (name.failing === undefined) continue
    const reason = `${name.failing.kind}/${name.failing.reason ?? name.failing.message}`
    const group = groups.get(reason)
    if (group === undefined) groups.set(reason, [name])
    else group.push(name)
  }
  return [...groups].map(([reason, group]) => alike(reason, group))
}

function alike(reason: string, group: readonly NameHealth[]): FailingAlike {
  const failures = group.flatMap(({ key, failing }) => (failing === undefined ? [] : [{ key, failing }]))
  failures.sort((a, b) => a.failing.since - b.failing.since)
  const keys = failures.map(({ key }) => key)
  const first = failures[0]
  const said = first?.failing.message ?? ''
  return {
    reason,
    kind: first?.failing.kind ?? '',
    names: keys,
    since: first?.failing.since ?? 0,
    message: keys.length === 1 ? said : `${grouped(keys.length)} names fail alike: ${listed(keys)}. The first: ${said}`,
  }
}

/** Which of these are open from now on. `tell` false: nothing new, only what was told and is not over. */
export function troublesOfNames(health: SourceHealth, open: Readonly<Record<string, OpenTrouble>>, tell: boolean): readonly OpenTrouble[] {
  const { now } = health
  const failing = new Map(health.names.filter((name) => name.failing !== undefined).map((name) => [name.key, name]))
  const told = Object.values(open).filter(({ component, names = [] }) => isOfNames(component) && names.some((name) => failing.has(name)))
  if (!tell) return told
  const known = new Set(told.flatMap(({ names = [] }) => names))
  const untold = [...failing.values()].filter((name) => !known.has(name.key) && isWorthTelling(name, now))
  const fresh: OpenTrouble[] = []
  for (const { reason, kind, names, since, message } of failingAlike(untold)) {
    const [first = ''] = names
    const component = `${API}:${first}`
    // While a trouble is open, names that come to fail for its reason as well are told after an hour, together. A time to come was told by a clock that has been turned back since.
    const gathering = told.some(
      (trouble) =>
        trouble.component === component || (trouble.reason === reason && trouble.toldAt !== undefined && Math.abs(now - trouble.toldAt) < HOUR),
    )
    if (!gathering) fresh.push({ component, kind, since, message, names, reason, toldAt: now })
  }
  return [...told, ...fresh]
}
