// How each log stands, for logs, status, /metrics and /healthz alike. Pure.
import type { LagCause } from '../watch/lag.ts'
import type { LogState } from './log-state.ts'

export interface LogOverview {
  readonly log: string
  /** Base64. */
  readonly logId: string
  readonly operator: string
  readonly type: 'rfc6962' | 'static-ct'
  /** As the list has it; `reading`, where the list says nothing. */
  readonly state: string
  /** Entries of the newest head that it signed; undefined until it was reached. */
  readonly size: number | undefined
  readonly position: number
  readonly verified: number
  /** ms since we were at its end; 0 if we are. */
  readonly lagMs: number
  readonly lagEntries: number
  /** Why we are behind, if we are. */
  readonly cause: LagCause | undefined
  readonly lastError: string | undefined
  /** ms: when its newest head came. */
  readonly seenAt: number | undefined
}

/** The logs, by operator and name. */
export function logOverviews(states: Iterable<LogState>, now: number): readonly LogOverview[] {
  return [...states]
    .filter(({ watched }) => watched)
    .map((each) => {
      const { head, position, behindSince, failing, cause } = each
      const lagEntries = Math.max(0, (head?.size ?? position.size) - position.size)
      const since = Math.min(lagEntries > 0 ? (behindSince ?? now) : Infinity, failing?.since ?? Infinity)
      return {
        log: each.description,
        // What is read behind is of the same log.
        logId: each.id.replace(/#.*$/, ''),
        operator: each.operator,
        type: each.protocol,
        state: each.state ?? 'reading',
        size: head?.size,
        position: position.size,
        verified: each.verified.size,
        lagMs: Number.isFinite(since) ? Math.max(0, now - since) : 0,
        lagEntries,
        cause: failing?.kind ?? (lagEntries > 0 ? (cause ?? 'cpu') : undefined),
        lastError: failing?.message,
        seenAt: head?.seenAt,
      }
    })
    .sort((a, b) => a.operator.localeCompare(b.operator) || a.log.localeCompare(b.log))
}
