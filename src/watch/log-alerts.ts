// What logs bring besides certificates, as alerts.
import type { Finding, LogMisbehaviourAlert, MalformedAlert, MalformedLogEntry } from './alert.ts'
import { rfc3339 } from './alert.ts'
import { plural } from './words.ts'

/** Entries of one log that cannot be read, as one alert: they may be anyone's. `entries` are the first of `count`, at least one. */
export function malformedLogAlert(log: string, entries: readonly MalformedLogEntry[], count: number, now: number): MalformedAlert {
  const [first] = entries
  if (first === undefined) throw new RangeError('no entry to tell of')
  const reason = `${plural(count, 'entry', 'entries')} of ${log} cannot be read and may be for any name: ${first.why}`
  const finding: Finding = { kind: 'malformed', severity: 'medium', reason }
  return {
    schema: 'certbell.alert/1',
    kind: 'malformed',
    id: `${first.log_id}/${first.index}`,
    severity: finding.severity,
    reason,
    findings: [finding],
    why: first.why,
    count,
    entries,
    seen_at: rfc3339(new Date(now)),
    source: { kind: 'log', log, log_id: first.log_id, index: first.index, leaf_hash: first.leaf_hash, verified: false },
  }
}

/** What a log did that no log may. */
export interface Misbehaviour {
  readonly kind: string
  /** In words: what it did, and what that means for reading on. */
  readonly message: string
  /** What makes it this one and not another: a size and a root, an index. */
  readonly about: string
}

/** It as an alert of the highest severity. `evidence`: where what it sent is kept. */
export function misbehaviourAlert(
  log: { readonly id: string; readonly description: string },
  { kind, message, about }: Misbehaviour,
  evidence: readonly string[],
  now: number,
): LogMisbehaviourAlert {
  const finding: Finding = { kind, severity: 'high', reason: message }
  return {
    schema: 'certbell.alert/1',
    kind: 'log-misbehaviour',
    id: `${log.id}/${kind}/${about}`,
    severity: finding.severity,
    reason: message,
    findings: [finding],
    log: log.description,
    log_id: log.id,
    misbehaviour: kind,
    message,
    evidence,
    seen_at: rfc3339(new Date(now)),
  }
}
