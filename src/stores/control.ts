// The control document: all that decides what is done next, as one plain value. It is small (a few hundred bytes a watched name), so that
// every store can read, change and replace it as a whole: one row in SQLite, the root object in S3, a variable in memory.
// What grows (issuances, alerts, messages) is kept beside it. All times are ms since the epoch.
import { OwnerError } from '../watch/errors.ts'
import type { QueryClass } from '../watch/schedule.ts'
import type { Failing, OpenTrouble } from '../watch/trouble.ts'

/** A time that was fixed at another time. If `setAt` lies in the future, the clock was turned back meanwhile. */
export interface Appointment {
  setAt: number
  until: number
}

/** Says who works on something until when. The fence grows with each lease: a late word of an earlier holder is told by it. */
export interface Lease extends Appointment {
  owner: string
  fence: number
}

/** How far a baseline has come. */
export interface BaselineState {
  startedAt: number
  pages: number
  count: number
  issuers: Record<string, number>
  /** The latest notBefore. */
  newest?: number
}

export interface ItemState {
  queryClass: QueryClass
  addedAt: number
  /** The API's id of the last issuance that was taken in; absent: from the beginning. Opaque. */
  cursor?: string
  /** Absent once it is done. */
  baseline?: BaselineState
  /** The last page was full: there is more. */
  full: boolean
  polledAt?: number
  succeededAt?: number
  /** ms between its last two looks. */
  gap?: number
  retry?: Appointment
  failing?: Failing
  /** Issuances taken in, those of the baseline included. */
  found: number
}

/** True if there are pages of it left to read: its first run is not done, or its last page was full. */
export function hasMore(item: ItemState): boolean {
  return item.baseline !== undefined || item.full
}

/** A credential's spending: `[second, polls, backlog]` rows of the last hour. */
export type SpentRow = [second: number, polls: number, backlog: number]

export interface CredentialState {
  spent: Record<QueryClass, SpentRow[]>
  /** `Retry-After`: an order, not a failure. */
  blocked?: Appointment
  /** Our own pause after a failure. */
  pause?: Appointment
  failing?: Failing
  succeededAt?: number
  /** When it came back from an outage that was told. */
  backAt?: number
  lease?: Lease
  fence: number
}

export interface SinkState {
  fence: number
  /** A hash of where it was last found. */
  address?: string
  lease?: Lease
  /** When the last attempt began: the sink's spacing is kept over restarts. */
  attemptAt?: number
  next?: Appointment
  failing?: { since: number; attempts: number; answer: string; dead: boolean }
  /** It has just come back; the next message that is composed says so. */
  outage?: { since: number }
  delivered: number
  lastAnswer?: string
  deliveredAt?: number
}

/** The `watch` that runs, or ran last: when it means to come round again. */
export interface RunnerState {
  owner: string
  startedAt: number
  seenAt: number
  dueAt: number
}

export interface Control {
  version: 1
  items: Record<string, ItemState>
  credentials: Record<string, CredentialState>
  sinks: Record<string, SinkState>
  troubles: Record<string, OpenTrouble>
  runner?: RunnerState
  /** Who reads the logs. */
  tail?: Lease
  /** Issuances that a log had first. */
  foundInLogs?: number
  prunedAt?: number
  /** Number of the last issuance that was kept; it only grows. */
  lastIssuance: number
  /** Every issuance up to this number is in the unique key; those after it may not be yet. */
  sortedIn: number
  /** Alerts ever made, by kind and severity: `certificate/info`. */
  alerts: Record<string, number>
}

/** The state of a first run. */
export function emptyControl(): Control {
  return { version: 1, items: record(), credentials: record(), sinks: record(), troubles: record(), alerts: record(), lastIssuance: 0, sortedIn: 0 }
}

// Keys are names from a configuration: `__proto__` must be as good as any.
function record<T>(from: Record<string, T> = {}): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, from)
}

/** Reads a stored document. Throws OwnerError for one that is damaged or of a newer version: it must not be touched. */
export function parseControl(text: string, place: string): Control {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw damaged(place, cause)
  }
  if (typeof value !== 'object' || value === null || !('version' in value)) throw damaged(place)
  if (typeof value.version === 'number' && value.version > 1) {
    throw new OwnerError(
      'state-newer',
      `the state at ${place} was written by a newer Certbell (version ${value.version}, this one knows 1). Install that version again, or use another state place`,
    )
  }
  if (value.version !== 1) throw damaged(place)
  const control = value as Control
  for (const key of ['items', 'credentials', 'sinks', 'troubles', 'alerts'] as const) {
    if (!isRecord(control[key])) throw damaged(place)
    if (key !== 'alerts' && !Object.values(control[key]).every(isRecord)) throw damaged(place)
    Object.assign(control, { [key]: record(control[key] as Record<string, unknown>) })
  }
  return control
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The error for state that cannot be read: it is never overwritten by a fresh start. */
export function damaged(place: string, cause?: unknown): OwnerError {
  return new OwnerError(
    'state-damaged',
    `the state at ${place} is damaged and was left as it is. Restore it from a backup, or move it away: then every name gets a new baseline, and certificates issued meanwhile do not ring`,
    { cause },
  )
}

/**
 * Mends what a clock that was turned back left in the future: every appointment keeps its length from now on, what was spent counts as spent now,
 * and nothing waits for a moment that may be hours away. Returns whether anything had to be mended.
 */
export function rebase(control: Control, now: number): boolean {
  let mended = false
  const mend = (appointment: Appointment | undefined): void => {
    if (appointment === undefined || appointment.setAt <= now) return
    appointment.until = now + Math.max(0, appointment.until - appointment.setAt)
    appointment.setAt = now
    mended = true
  }
  const second = Math.floor(now / 1000)
  for (const credential of Object.values(control.credentials)) {
    mend(credential.blocked)
    mend(credential.pause)
    mend(credential.lease)
    for (const rows of Object.values(credential.spent)) {
      for (const row of rows) {
        if (row[0] <= second) continue
        row[0] = second
        mended = true
      }
    }
    if (credential.backAt !== undefined && credential.backAt > now) credential.backAt = now
    if (credential.failing !== undefined && credential.failing.since > now) credential.failing = { ...credential.failing, since: now }
  }
  for (const item of Object.values(control.items)) {
    mend(item.retry)
    if (item.polledAt !== undefined && item.polledAt > now) {
      // Due at once, and no later in line than it was.
      item.polledAt = 0
      mended = true
    }
    if (item.failing !== undefined && item.failing.since > now) item.failing = { ...item.failing, since: now }
    if (item.succeededAt !== undefined && item.succeededAt > now) item.succeededAt = now
    if (item.addedAt > now) item.addedAt = now
    if (item.baseline !== undefined && item.baseline.startedAt > now) item.baseline.startedAt = now
  }
  mend(control.tail)
  for (const sink of Object.values(control.sinks)) {
    mend(sink.next)
    mend(sink.lease)
    if (sink.attemptAt !== undefined && sink.attemptAt > now) {
      sink.attemptAt = now
      mended = true
    }
  }
  for (const trouble of Object.values(control.troubles)) if (trouble.since > now) Object.assign(trouble, { since: now })
  for (const { failing } of Object.values(control.sinks)) if (failing !== undefined && failing.since > now) failing.since = now
  if (control.prunedAt !== undefined && control.prunedAt > now) control.prunedAt = now
  return mended
}
