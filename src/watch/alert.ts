// The alert: what is said, once and for ever, to every sink. docs/alert.md describes its JSON form field by field.
import type { ApiSource, LogSource, SightingSource } from './issuance.ts'
import type { Match } from './match.ts'

export type Severity = 'info' | 'low' | 'medium' | 'high'

/** One thing that was found out about an issuance, with the reason in words. */
export interface Finding {
  readonly kind: string
  readonly severity: Severity
  readonly reason: string
}

interface AlertBase {
  readonly schema: 'certbell.alert/1'
  /** Opaque; for a certificate its TBS hash. Together with `kind` it is unique for ever. */
  readonly id: string
  readonly severity: Severity
  /** The worst finding's reason, in words. */
  readonly reason: string
  readonly findings: readonly Finding[]
  /** RFC 3339, UTC. */
  readonly seen_at: string
}

/** A certificate was issued for a watched name. Keys are absent where a thing is not known. */
export interface CertificateAlert extends AlertBase {
  readonly kind: 'certificate'
  readonly matched: readonly Match[]
  readonly names: readonly string[]
  readonly ip_addresses: readonly string[]
  /** How many of them there were; only where some are left out. */
  readonly matched_count?: number
  readonly names_count?: number
  readonly ip_addresses_count?: number
  readonly issuer: { readonly name?: string; readonly friendly_name?: string; readonly caa_domains?: readonly string[] }
  readonly serial?: string
  readonly key?: { readonly type: string; readonly bits?: number; readonly curve?: string }
  readonly not_before: string
  readonly not_after: string
  readonly revoked?: boolean
  readonly precertificate?: boolean
  readonly tbs_sha256: string
  readonly cert_sha256?: string
  readonly pubkey_sha256?: string
  readonly problem_reporting?: string
  readonly logged_at?: string
  readonly source: SightingSource
}

/** A baseline is done. `count` is all issuances found, those that rang included. */
export interface InventoryAlert extends AlertBase {
  readonly kind: 'inventory'
  readonly item: string
  readonly count: number
  readonly hostnames: number
  /** Names, commonest first. */
  readonly issuers: readonly string[]
  /** How many certificates each of `issuers` has, in the same order. */
  readonly issuer_counts: readonly number[]
  /** When the newest of them was issued; absent if there is none. */
  readonly newest?: string
}

/** An entry of the API that cannot be read, or some entries of one log: then with how many there were, and the first hundred of them. */
export type MalformedAlert = AlertBase & { readonly kind: 'malformed'; readonly why: string } & (
    | { readonly source: ApiSource }
    | { readonly source: LogSource; readonly count: number; readonly entries: readonly MalformedLogEntry[] }
  )

/** One of them. */
export interface MalformedLogEntry {
  readonly log: string
  readonly log_id: string
  readonly index: number
  readonly leaf_hash: string
  readonly why: string
}

/** A log did what no log may. What it sent is kept as it came, in the files that `evidence` names. */
export interface LogMisbehaviourAlert extends AlertBase {
  readonly kind: 'log-misbehaviour'
  readonly log: string
  readonly log_id: string
  /** As a word: `wrong-signature`, `root-mismatch`, `split-view`, … */
  readonly misbehaviour: string
  readonly message: string
  readonly evidence: readonly string[]
}

/** A source or the owner's settings need a look. */
export interface TroubleAlert extends AlertBase {
  readonly kind: 'trouble'
  /** What is in trouble: `certspotter`, `certspotter:example.com`, `sink:slack`, `state`. */
  readonly component: string
  /** The watched items it is about, where it is about some and not about the source. */
  readonly items?: readonly string[]
  readonly message: string
  readonly since: string
}

/** What was in trouble works again. */
export interface RecoveredAlert extends AlertBase {
  readonly kind: 'recovered'
  readonly component: string
  /** The watched items it is about, where it is about some and not about the source. */
  readonly items?: readonly string[]
  readonly message: string
  readonly since: string
}

/** A sample, sent by `test-alert`. It says that it is a test wherever it is shown. */
export interface TestAlert extends AlertBase {
  readonly kind: 'test'
  readonly message: string
}

export type Alert = CertificateAlert | InventoryAlert | MalformedAlert | LogMisbehaviourAlert | TroubleAlert | RecoveredAlert | TestAlert

const RANK: Record<Severity, number> = { info: 0, low: 1, medium: 2, high: 3 }

/** The worst of some findings, the first of equals. Throws RangeError on none: an alert without a finding has no reason to be. */
export function worst(findings: readonly Finding[]): Finding {
  let found = findings[0]
  if (found === undefined) throw new RangeError('an alert needs a finding')
  for (const finding of findings) if (RANK[finding.severity] > RANK[found.severity]) found = finding
  return found
}

/** RFC 3339 in UTC to the second, or to the millisecond where there is one. */
export function rfc3339(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z')
}
