// How long an alert took from the log to whoever is told.
import type { Alert } from './alert.ts'

/** RFC 6962 is of 2013: no log has an entry of before. */
const FIRST_LOG = Date.UTC(2013, 0)
/** Clocks differ a little: what is logged in so near a future is logged now. */
const SKEW = 5 * 60_000

/**
 * ms from the log's timestamp of a certificate to `now` (ms), never negative. Undefined where no log told us, or it told what cannot be: its word goes
 * into sentences and sums.
 */
export function sinceLogged(alert: Alert, now: number): number | undefined {
  if (alert.kind !== 'certificate' || alert.source.kind !== 'log') return undefined
  const at = Date.parse(alert.logged_at ?? '')
  if (Number.isNaN(at) || at < FIRST_LOG || at > now + SKEW) return undefined
  return Math.max(0, now - at)
}
