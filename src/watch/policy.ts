// The policy: what a sighting means to the owner. One pure function from a sighting and what is known to findings, and the alert made of them.
import type { CertificateAlert, Finding, MalformedAlert } from './alert.ts'
import { rfc3339, worst } from './alert.ts'
import { boundedSighting } from './bounds.ts'
import type { MalformedEntry, Sighting } from './issuance.ts'

/** How far the watch of one item has come. */
export type Phase =
  /** Never asked for yet. */
  | { readonly kind: 'new' }
  /** Its first run, walking over what there already is. */
  | { readonly kind: 'baseline'; readonly startedAt: Date }
  | { readonly kind: 'steady' }

/** What is known when the policy is asked. */
export interface Known {
  /** The issuance itself was seen before. */
  readonly seen: boolean
  /** The phases of the items that the sighting matches, in its order. */
  readonly phases: readonly Phase[]
  /** What a baseline sends: `alert` lets every certificate in it ring. */
  readonly baseline: 'inventory' | 'silent' | 'alert'
  readonly now: Date
}

const HOUR = 3_600_000
const DAY = 86_400_000

/** The findings of a sighting, most to the point first. None means silence. */
export function judge(sighting: Sighting, known: Known): readonly Finding[] {
  if (known.seen || sighting.excluded) return []
  if (!known.phases.some((phase) => isNews(sighting.issuance.notBefore, phase, known))) return []
  const items = [...new Set(sighting.matched.map((match) => match.item))]
  const named = items.length > 3 ? `${items.slice(0, 3).join(', ')} and ${items.length - 3} more` : items.join(', ')
  const findings: Finding[] = [{ kind: 'issued', severity: 'info', reason: `${named} ${items.length === 1 ? 'is' : 'are'} watched` }]
  for (const remark of sighting.remarks) findings.push({ kind: remark.kind, severity: remark.trouble ? 'medium' : 'info', reason: remark.reason })
  return findings
}

// One item for which it is news is enough: a certificate found in the first run of one name may be brand-new for another.
function isNews(notBefore: Date, phase: Phase, known: Known): boolean {
  if (phase.kind === 'steady' || known.baseline === 'alert') return true
  const start = phase.kind === 'baseline' ? phase.startedAt.getTime() : known.now.getTime()
  // CAs back-date by up to an hour, and some issue everything at midnight: both may be new though they do not look it.
  return notBefore.getTime() >= start - HOUR || notBefore.getTime() === Math.floor(start / DAY) * DAY
}

/** A sighting with its findings as the alert that is kept and sent: of bounded size, whatever is in the certificate. */
export function certificateAlert(seen: Sighting, findings: readonly Finding[]): CertificateAlert {
  const sighting = boundedSighting(seen)
  const { issuance } = sighting
  const first = worst(findings)
  const { name, friendlyName, caaDomains } = issuance.issuer
  return {
    schema: 'certbell.alert/1',
    kind: 'certificate',
    id: issuance.id,
    severity: first.severity,
    reason: first.reason,
    findings,
    matched: sighting.matched,
    names: issuance.names,
    ip_addresses: issuance.ipAddresses,
    ...(sighting.matchedCount !== undefined && { matched_count: sighting.matchedCount }),
    ...(issuance.namesCount !== undefined && { names_count: issuance.namesCount }),
    ...(issuance.ipAddressesCount !== undefined && { ip_addresses_count: issuance.ipAddressesCount }),
    issuer: {
      ...(name !== undefined && { name }),
      ...(friendlyName !== undefined && { friendly_name: friendlyName }),
      ...(caaDomains !== undefined && { caa_domains: caaDomains }),
    },
    ...(issuance.serial !== undefined && { serial: issuance.serial }),
    ...(issuance.key !== undefined && { key: issuance.key }),
    not_before: rfc3339(issuance.notBefore),
    not_after: rfc3339(issuance.notAfter),
    ...(issuance.revoked !== undefined && { revoked: issuance.revoked }),
    ...(issuance.precertificate !== undefined && { precertificate: issuance.precertificate }),
    tbs_sha256: issuance.id,
    ...(issuance.certSha256 !== undefined && { cert_sha256: issuance.certSha256 }),
    ...(issuance.pubkeySha256 !== undefined && { pubkey_sha256: issuance.pubkeySha256 }),
    ...(issuance.problemReporting !== undefined && { problem_reporting: issuance.problemReporting }),
    ...(sighting.loggedAt !== undefined && { logged_at: rfc3339(sighting.loggedAt) }),
    seen_at: rfc3339(sighting.seenAt),
    source: sighting.source,
  }
}

/** An entry that cannot be read, as an alert: it may be anyone's. */
export function malformedAlert(entry: MalformedEntry): MalformedAlert {
  const finding: Finding = { kind: 'malformed', severity: 'medium', reason: `an entry that cannot be read may be for any name: ${entry.why}` }
  return {
    schema: 'certbell.alert/1',
    kind: 'malformed',
    id: entry.id,
    severity: finding.severity,
    reason: finding.reason,
    findings: [finding],
    why: entry.why,
    seen_at: rfc3339(entry.seenAt),
    source: entry.source,
  }
}
