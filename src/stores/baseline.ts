// A name's first run: what is counted on the way, and the one message at its end.
import type { InventoryAlert } from '../watch/alert.ts'
import { rfc3339 } from '../watch/alert.ts'
import type { Step } from '../watch/step.ts'
import type { BaselineState } from './control.ts'

// So many different issuers are told apart; a name with more has the rest under one heading. It keeps the control document small.
const MAX_ISSUERS = 50
const OTHERS = 'others'

/** Adds a page to the tally. */
export function tally(baseline: BaselineState, step: Step): void {
  baseline.pages += 1
  baseline.count += step.entries
  for (const { issuance } of step.sightings) {
    const name = (issuance.issuer.friendlyName ?? issuance.issuer.name ?? 'unknown').slice(0, 200)
    const key = Object.hasOwn(baseline.issuers, name) || Object.keys(baseline.issuers).length < MAX_ISSUERS ? name : OTHERS
    const before = Object.hasOwn(baseline.issuers, key) ? (baseline.issuers[key] ?? 0) : 0
    // Not by assignment: `__proto__` is as good a name for an issuer as any.
    if (before === 0) Object.defineProperty(baseline.issuers, key, { value: 1, writable: true, enumerable: true, configurable: true })
    else baseline.issuers[key] = before + 1
    baseline.newest = Math.max(baseline.newest ?? -Infinity, issuance.notBefore.getTime())
  }
}

/** The inventory message of a baseline that is done. `key` is the item, `hostnames` how many different names were found for it. */
export function endBaseline(key: string, baseline: BaselineState, hostnames: number, now: number): InventoryAlert {
  const issuers = Object.entries(baseline.issuers).sort(([, a], [, b]) => b - a)
  const reason = `${key} is watched from now on`
  return {
    schema: 'certbell.alert/1',
    kind: 'inventory',
    id: `${key}/${rfc3339(new Date(baseline.startedAt))}`,
    severity: 'info',
    reason,
    findings: [{ kind: 'inventory', severity: 'info', reason }],
    item: key,
    count: baseline.count,
    hostnames,
    issuers: issuers.map(([name]) => name),
    issuer_counts: issuers.map(([, count]) => count),
    ...(baseline.newest !== undefined && { newest: rfc3339(new Date(baseline.newest)) }),
    seen_at: rfc3339(new Date(now)),
  }
}
