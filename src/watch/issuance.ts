// One issuance, and one sighting of it: what a source hands to the policy.
import type { Match } from './match.ts'

/** Who issued it. `name` is the distinguished name as text; the others come from the Cert Spotter API and may be missing. */
export interface Issuer {
  readonly name?: string
  readonly friendlyName?: string
  readonly caaDomains?: readonly string[]
}

/** Public key kind: `{type:'rsa', bits:2048}`, `{type:'ec', curve:'P-256'}`, `{type:'ed25519'}`; an unknown algorithm is its OID as `type`. */
export interface KeyInfo {
  readonly type: string
  readonly bits?: number
  readonly curve?: string
}

/**
 * One certificate as issued, whatever number of logs and encodings (precertificate, final) it is seen in.
 * `id` is the SHA-256 of its TBSCertificate without the CT extensions (RFC 6962, section 3.1), 64 lower-case hex digits.
 * Every string here is under the control of whoever had the certificate issued.
 */
export interface Issuance {
  readonly id: string
  /** dNSNames and the CN, lower-case, without trailing dot, each once, in the certificate's order. */
  readonly names: readonly string[]
  readonly ipAddresses: readonly string[]
  /** How many there were, where some are left out (bounds.ts). */
  readonly namesCount?: number
  readonly ipAddressesCount?: number
  readonly issuer: Issuer
  readonly notBefore: Date
  readonly notAfter: Date
  /** Lower-case hex as the DER integer has it, leading zero byte dropped. */
  readonly serial?: string
  readonly key?: KeyInfo
  readonly revoked?: boolean
  readonly precertificate?: boolean
  readonly certSha256?: string
  readonly pubkeySha256?: string
  /** Free text of the CA on how to have the certificate revoked. */
  readonly problemReporting?: string
}

/** The Cert Spotter API. `id`: its own, of the issuance. */
export interface ApiSource {
  readonly kind: 'certspotter'
  readonly id: string
}

/** An entry of a log. Named as in an alert's JSON. */
export interface LogSource {
  readonly kind: 'log'
  /** The log's description. */
  readonly log: string
  /** Base64. */
  readonly log_id: string
  readonly index: number
  /** 64 lower-case hex digits. */
  readonly leaf_hash: string
  /** True if it was hashed into a head that the log signed, before it was told. */
  readonly verified: boolean
}

/** Where a sighting was made. */
export type SightingSource = ApiSource | LogSource

/** The place as one word: the API's id, or the log's id with the entry's index. */
export function placeOf(source: SightingSource): string {
  return source.kind === 'certspotter' ? source.id : `${source.log_id}:${source.index}`
}

/** One issuance seen in one place. `matched` is never empty. */
export interface Sighting {
  readonly issuance: Issuance
  readonly source: SightingSource
  readonly matched: readonly Match[]
  /** How many there were, where some are left out (bounds.ts). */
  readonly matchedCount?: number
  /** Keys of the items that it touches. */
  readonly items: readonly string[]
  /** True if every name that matches is excluded: it is kept, and stays silent. */
  readonly excluded: boolean
  readonly seenAt: Date
  readonly loggedAt?: Date
  /** What the source found odd about it; each becomes a finding of the alert. */
  readonly remarks: readonly Remark[]
  /** The same sighting with what its certificate itself says. Dear, so only those that ring are asked. Absent: that is in it already, or not to be had. */
  readonly inspect?: () => Sighting
}

/** Something odd about a sighting. `tbs-differs`: the TBS hash that we reckon is not the API's. */
export interface Remark {
  readonly kind: 'tbs-differs' | 'der-unreadable' | 'name-by-api-only'
  readonly reason: string
  /** True if it must be a `trouble` alert of its own as well. */
  readonly trouble: boolean
}

/** An entry that cannot be read. It may be anyone's, so it rings. `id` is a hash of its bytes. */
export interface MalformedEntry {
  readonly id: string
  readonly why: string
  readonly source: ApiSource
  readonly seenAt: Date
}
