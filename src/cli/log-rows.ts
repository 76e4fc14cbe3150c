// The logs in columns for people, and in JSON for programs.
import type { LogOverview } from '../stores/log-overview.ts'
import type { Limit } from '../watch/lag.ts'
import { causeText, limitText } from '../watch/lag.ts'
import { printable } from '../watch/printable.ts'
import { grouped, span } from '../watch/words.ts'

/** A table of the logs, its heading first. */
export function logRows(logs: readonly LogOverview[], now: number): readonly (readonly string[])[] {
  return [
    ['log', 'entries', 'read', 'verified', 'state'],
    ...logs.map((log) => [printable(log.log, 60), entries(log.size), entries(log.position), entries(log.verified), stateText(log, now)]),
  ]
}

function entries(size: number | undefined): string {
  return size === undefined ? '-' : grouped(size)
}

function stateText({ lagEntries, lagMs, cause, limit, lastError, state, size }: LogOverview, now: number): string {
  if (size === undefined) return lastError === undefined ? 'not reached yet' : printable(lastError, 120)
  if (lagEntries === 0 && lastError === undefined) return state
  const behind = lagEntries > 0 ? `${grouped(lagEntries)} behind for ${span(Math.max(1000, lagMs))}` : `failing for ${span(Math.max(1000, lagMs))}`
  const because = cause === undefined ? '' : `, because ${causeText(cause)}`
  // It says what the error says, and more.
  if (limit !== undefined) return `${behind}${because}: ${limitText(limit, now)}`
  return `${behind}${because}${lastError === undefined ? '' : `: ${printable(lastError, 120)}`}`
}

/** One log in `logs --json` and `status --json`. */
export function logDocument({
  log,
  logId,
  operator,
  type,
  state,
  size,
  position,
  verified,
  lagEntries,
  lagMs,
  cause,
  limit,
  lastError,
  seenAt,
}: LogOverview): Readonly<Record<string, unknown>> {
  return {
    log,
    log_id: logId,
    operator,
    type,
    state,
    ...(size !== undefined && { size }),
    position,
    verified,
    lag: {
      entries: lagEntries,
      seconds: Math.round(lagMs / 1000),
      ...(cause !== undefined && { cause }),
      ...(limit !== undefined && { let_through: letThrough(limit) }),
    },
    ...(seenAt !== undefined && { head_seen_at: new Date(seenAt).toISOString() }),
    ...(lastError !== undefined && { last_error: lastError }),
  }
}

function letThrough({ requests, ms, until }: Limit): Readonly<Record<string, unknown>> {
  return { requests, seconds: Math.round(ms / 1000), ...(until !== undefined && { wait_until: new Date(until).toISOString() }) }
}
