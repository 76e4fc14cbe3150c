// The logs in columns for people, and in JSON for programs.
import type { LogOverview } from '../stores/log-overview.ts'
import type { LagCause, Limit } from '../watch/lag.ts'
import { causeText, limitText } from '../watch/lag.ts'
import { printable } from '../watch/printable.ts'
import { grouped, plural, span } from '../watch/words.ts'

/** A table of the logs, its heading first. */
export function logRows(logs: readonly LogOverview[], now: number): readonly (readonly string[])[] {
  return [
    ['log', 'entries', 'read', 'verified', 'state'],
    ...logs.map((log) => [printable(log.log, 60), entries(log.size), entries(log.position), entries(log.verified), stateText(log, now)]),
  ]
}

/** How they stand, in one line: how many are read to their end, and what becomes of the others. */
export function logsText(logs: readonly LogOverview[]): string {
  const others = new Map<string, { count: number; lagMs: number }>()
  for (const log of logs) {
    const how = shortOf(log)
    if (how === undefined) continue
    const { count, lagMs } = others.get(how) ?? { count: 0, lagMs: 0 }
    others.set(how, { count: count + 1, lagMs: Math.max(lagMs, log.lagMs) })
  }
  const short = [...others.values()].reduce((sum, { count }) => sum + count, 0)
  if (short === 0) return `${plural(logs.length, 'log')} read to ${logs.length === 1 ? 'its' : 'their'} end`
  const parts = [...others].map(([how, { count, lagMs }]) => `${grouped(count)} ${how}${lagMs === 0 ? '' : ` for ${span(Math.max(1000, lagMs))}`}`)
  return [`${grouped(logs.length - short)} of ${plural(logs.length, 'log')} read to the end`, ...parts].join(', ')
}

// Undefined for one that is read to its end.
function shortOf({ size, lagEntries, lastError, cause }: LogOverview): string | undefined {
  if (lastError === undefined && lagEntries === 0) return size === undefined ? 'not reached yet' : undefined
  return cause === undefined ? 'not read' : SHORT[cause]
}

const SHORT: Readonly<Record<LagCause, string>> = {
  down: 'down (no answer, or errors)',
  limited: 'refusing us (429)',
  broken: 'sending what cannot be read',
  misbehaves: 'misbehaving',
  slow: 'behind',
  bandwidth: 'behind',
  cpu: 'behind',
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
