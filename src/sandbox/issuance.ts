// Issuances as the Cert Spotter API shows them when everything is expanded; the server leaves out what was not asked for.
import { createHash } from 'node:crypto'
import { LETS_ENCRYPT, distinguishedName, makeCertificate, nameText, type DistinguishedName, type MadeCertificate } from './certificate.ts'
import { systemRandom, type RandomBytes } from './random.ts'

/** Who issues: the name in the certificate, and what SSLMate knows of its owner. */
export interface SandboxIssuer {
  readonly name: DistinguishedName
  readonly friendlyName: string
  readonly caaDomains: readonly string[]
  readonly website: string
  readonly problemReporting: string
}

/** The object of the API, snake_case as it is there. Keys of `overrides` replace these and may be of any shape. */
export interface ApiIssuance {
  readonly id: string
  readonly tbs_sha256: string
  readonly cert_sha256: string
  readonly pubkey_sha256: string
  readonly dns_names: readonly string[]
  readonly not_before: string
  readonly not_after: string
  readonly [key: string]: unknown
}

export interface IssuanceOptions {
  /** Opaque to clients; see createIds. */
  readonly id: string
  readonly names: readonly string[]
  readonly ips?: readonly string[]
  readonly notBefore: Date
  /** Default: 90 days less a second after `notBefore`, as Let's Encrypt's. */
  readonly notAfter?: Date
  readonly issuer?: SandboxIssuer
  readonly key?: 'p256' | 'rsa'
  /** True if the API knows only the precertificate yet. */
  readonly precertificate?: boolean
  readonly serial?: bigint
  readonly revoked?: boolean
  /** The certificate or precertificate itself, made elsewhere with the same names, times and issuer: the twin of an entry in a log. */
  readonly made?: MadeCertificate
  readonly random?: RandomBytes
  /** Replaces or adds fields of the object; `undefined` takes one away. */
  readonly overrides?: Readonly<Record<string, unknown>>
}

const LETS_ENCRYPT_ISSUER: SandboxIssuer = {
  name: LETS_ENCRYPT,
  friendlyName: "Let's Encrypt",
  caaDomains: ['letsencrypt.org'],
  website: 'https://letsencrypt.org/',
  problemReporting:
    'To revoke one or more certificates issued by this CA, use the ACME revokeCert method at this endpoint:\n  ?? https://acme-v02.api.letsencrypt.org/directory\n\nTo report any other abuse, write to cert-prob-reports[at]letsencrypt[dot]org',
}

export const SECTIGO_ISSUER: SandboxIssuer = {
  name: [
    ['C', 'GB'],
    ['O', 'Sectigo Limited'],
    ['CN', 'Sectigo Public Server Authentication CA DV R36'],
  ],
  friendlyName: 'Sectigo',
  caaDomains: ['sectigo.com', 'comodoca.com', 'usertrust.com'],
  website: 'https://sectigo.com/',
  problemReporting:
    'To revoke one or more certificates issued by Sectigo, you may use the Revocation Portal here:\n  ?? https://secure.sectigo.com/products/RevocationPortal\n\nFor other certificates: sslabuse[at]sectigo[dot]com',
}

/** One issuance with a certificate of its own, every field that `expand` can show in its true shape. */
export function makeIssuance(options: IssuanceOptions): ApiIssuance {
  const issuer = options.issuer ?? LETS_ENCRYPT_ISSUER
  const notAfter = options.notAfter ?? new Date(options.notBefore.getTime() + 90 * 86_400_000 - 1000)
  const { id: _id, issuer: _issuer, revoked: _revoked, overrides: _overrides, ...rest } = options
  const made = options.made ?? makeCertificate({ ...rest, notAfter, issuer: issuer.name, random: options.random ?? systemRandom })
  // No CA key exists here; its hash has to be the same for the same CA, that is all.
  const sha256 = createHash('sha256').update(nameText(issuer.name)).digest('hex')
  const checked = rfc3339(new Date(options.notBefore.getTime() + 3_600_000))
  const object: ApiIssuance = {
    id: options.id,
    tbs_sha256: made.tbsSha256,
    cert_sha256: made.certSha256,
    dns_names: [...options.names],
    pubkey_sha256: made.pubkeySha256,
    pubkey_der: made.pubkeyDer.toString('base64'),
    pubkey: options.key === 'rsa' ? { type: 'rsa', bit_length: 2048 } : { type: 'ecdsa', curve: 'P-256' },
    issuer: {
      friendly_name: issuer.friendlyName,
      website: issuer.website,
      caa_domains: [...issuer.caaDomains],
      operator: { name: issuer.friendlyName, website: issuer.website },
      pubkey_sha256: sha256,
      pubkey_der: Buffer.from(sha256, 'hex').toString('base64'),
      name: nameText(issuer.name),
      name_der: distinguishedName(issuer.name).toString('base64'),
    },
    not_before: rfc3339(options.notBefore),
    not_after: rfc3339(notAfter),
    revoked: options.revoked ?? false,
    revocation: options.revoked === true ? { time: checked, reason: 1, checked_at: checked } : { time: null, reason: null, checked_at: checked },
    problem_reporting: issuer.problemReporting,
    cert_der: made.der.toString('base64'),
    cert: { type: options.precertificate === true ? 'precert' : 'cert', sha256: made.certSha256, data: made.der.toString('base64') },
  }
  return Object.assign(object, options.overrides)
}

/** Gives ids as the API does: digits, growing, with gaps. */
export function createIds(first = 17_597_250_121): () => string {
  let next = first
  return () => {
    const id = String(next)
    next += 7
    return id
  }
}

function rfc3339(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z')
}
