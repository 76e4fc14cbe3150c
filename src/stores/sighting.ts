// A sighting as it is kept, and the trouble that it may be.
import type { Alert } from '../watch/alert.ts'
import { boundedSighting } from '../watch/bounds.ts'
import type { Sighting } from '../watch/issuance.ts'
import { placeOf } from '../watch/issuance.ts'
import type { CertRecord } from './store.ts'

/** The row of the inventory. `now` in ms. */
export function issuanceRow(sighting: Sighting, rang: boolean, now: number): CertRecord {
  const { issuance, source } = boundedSighting(sighting)
  const issuer = issuance.issuer.friendlyName ?? issuance.issuer.name
  return {
    id: issuance.id,
    names: issuance.names,
    ipAddresses: issuance.ipAddresses,
    ...(issuance.namesCount !== undefined && { namesCount: issuance.namesCount }),
    ...(issuance.ipAddressesCount !== undefined && { ipAddressesCount: issuance.ipAddressesCount }),
    ...(issuer !== undefined && { issuer }),
    notBefore: issuance.notBefore.getTime(),
    notAfter: issuance.notAfter.getTime(),
    seenAt: now,
    source: { kind: source.kind, id: placeOf(source) },
    rang,
  }
}

/** The API and the certificate that it sent do not agree. `now` in ms. */
export function remarkTrouble(sighting: Sighting, now: number): Alert {
  const reason = sighting.remarks
    .filter((remark) => remark.trouble)
    .map((remark) => remark.reason)
    .join('; ')
  const at = new Date(now).toISOString()
  return {
    schema: 'certbell.alert/1',
    kind: 'trouble',
    id: `certspotter/tbs/${sighting.issuance.id}`,
    severity: 'high',
    reason,
    findings: [{ kind: 'tbs-differs', severity: 'high', reason }],
    component: 'certspotter/tbs',
    message: reason,
    since: at,
    seen_at: at,
  }
}
