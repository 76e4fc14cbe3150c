// How each log stands, for logs, status, /metrics and /healthz alike. Pure.
import type { LagCause, Limit } from '../watch/lag.ts'
import type { LogState } from './log-state.ts'
import { behindKey, isAtEnd, isBehindKey, isFinished } from './log-state.ts'

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
  /** Of one that refuses us: what it lets through. */
  readonly limit?: Limit
  readonly lastError: string | undefined
  /** ms: when its newest head came. */
  readonly seenAt: number | undefined
}

/** The logs, by operator and name. What is read of one behind its end counts as its lag. */
export function logOverviews(states: Iterable<LogState>, now: number): readonly LogOverview[] {
  const watched = [...states].filter((each) => each.watched)
  return watched
    .filter(({ id }) => !isBehindKey(id))
    .map(withoutEnd)
    .map((each) => {
      const behind = watched.find(({ id }) => id === behindKey(each.id))
      const unread = behind === undefined || isAtEnd(behind) ? undefined : behind
      const { head, position, failing, unreadable } = each
      const lags = [each, ...(behind === undefined ? [] : [behind])].map((part) => lagOf(part, now))
      const worst = lags.reduce((a, b) => (b.ms > a.ms ? b : a))
      const late = failing ?? behind?.failing
      return {
        log: each.description,
        logId: each.id,
        operator: each.operator,
        type: each.protocol,
        state: each.state ?? 'reading',
        size: head?.size,
        // What is read behind the end is not read yet, though the end is.
        position: unread?.position.size ?? position.size,
        verified: unread?.verified.size ?? each.verified.size,
        lagMs: worst.ms,
        lagEntries: lags.reduce((sum, { entries }) => sum + entries, 0),
        cause: worst.cause,
        ...(worst.cause === 'limited' && worst.limit !== undefined && { limit: worst.limit }),
        lastError: unreadable === undefined ? late?.message : `it is not read: ${unreadable.message}`,
        seenAt: head?.seenAt,
      }
    })
    .sort((a, b) => a.operator.localeCompare(b.operator) || a.log.localeCompare(b.log))
}

// That a log does not answer which has nothing any more is no failure.
function withoutEnd(each: LogState): LogState {
  if (!isFinished(each)) return each
  const { failing: _f, behindSince: _b, cause: _c, ...rest } = each
  return rest
}

interface Lag {
  readonly ms: number
  readonly entries: number
  readonly cause: LagCause | undefined
  readonly limit: Limit | undefined
}

function lagOf({ head, position, behindSince, failing, cause, limit }: LogState, now: number): Lag {
  const entries = Math.max(0, (head?.size ?? position.size) - position.size)
  const since = Math.min(entries > 0 ? (behindSince ?? now) : Infinity, failing?.since ?? Infinity)
  return {
    ms: Number.isFinite(since) ? Math.max(0, now - since) : 0,
    entries,
    // Not known yet: what is asked for has not come.
    cause: failing?.kind ?? (entries > 0 ? (cause ?? 'slow') : undefined),
    limit,
  }
}
