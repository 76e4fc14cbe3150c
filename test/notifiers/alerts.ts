// Alerts for the tests of the sinks: plain ones, and arbitrary ones of any kind with any text in any place.
import * as fc from 'fast-check'
import type {
  Alert,
  CertificateAlert,
  InventoryAlert,
  LogMisbehaviourAlert,
  MalformedAlert,
  RecoveredAlert,
  TestAlert,
  TroubleAlert,
} from '../../src/watch/alert.ts'
import { malformedLogAlert, misbehaviourAlert } from '../../src/watch/log-alerts.ts'
import { HOSTILE_TEXTS } from '../support/hostile.ts'

export const NOW = new Date('2026-10-05T09:32:30Z')

const base = (reason: string) => ({
  schema: 'certbell.alert/1' as const,
  severity: 'info' as const,
  reason,
  findings: [{ kind: 'issued', severity: 'info' as const, reason }],
  seen_at: '2026-10-05T09:32:27Z',
})

const hex = (i: number) => i.toString(16).padStart(64, '0')

export function certificate(i = 1, more: Partial<CertificateAlert> = {}): CertificateAlert {
  const name = `host-${i}.example.com`
  return {
    ...base('example.com is watched'),
    kind: 'certificate',
    id: hex(i),
    matched: [{ name, item: 'example.com' }],
    names: [name],
    ip_addresses: [],
    issuer: { name: "C=US, O=Let's Encrypt, CN=YR2", friendly_name: "Let's Encrypt", caa_domains: ['letsencrypt.org'] },
    serial: `03a1${i.toString(16).padStart(32, '0')}`,
    key: { type: 'ec', curve: 'P-256' },
    not_before: '2026-10-05T09:29:27Z',
    not_after: '2027-01-03T09:29:26Z',
    revoked: false,
    precertificate: true,
    tbs_sha256: hex(i),
    cert_sha256: hex(i + 1_000_000),
    pubkey_sha256: hex(i + 2_000_000),
    problem_reporting: 'To report abuse:\n  ?? https://letsencrypt.org/contact/\n\nor write to cert-prob-reports[at]letsencrypt[dot]org',
    source: { kind: 'certspotter', id: String(17_597_250_121 + i) },
    ...more,
  }
}

/** A certificate of these names, of which those below `watched` match. */
export function certificateOf(names: readonly string[], watched = 'example.com', more: Partial<CertificateAlert> = {}): CertificateAlert {
  const matched = names.filter((n) => n === watched || n.endsWith(`.${watched}`)).map((name) => ({ name, item: watched }))
  return certificate(1, { names, matched, reason: `${watched} is watched`, ...more })
}

/** 253 characters, the longest that DNS allows. */
export const LONGEST = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(49)}.example.com`

export const INVENTORY: InventoryAlert = {
  ...base('the first look at example.com is done'),
  kind: 'inventory',
  id: 'inventory/example.com/1',
  item: 'example.com',
  count: 3214,
  hostnames: 61,
  issuers: ["Let's Encrypt", 'DigiCert'],
  issuer_counts: [3200, 14],
  newest: '2026-10-05T07:30:00Z',
}

export const MALFORMED: MalformedAlert = {
  ...base('an entry that cannot be read may be for any name: dns_names is missing'),
  kind: 'malformed',
  id: hex(7),
  severity: 'medium',
  why: 'dns_names is missing',
  source: { kind: 'certspotter', id: '17597250121' },
}

const LOG = { id: Buffer.alloc(32, 7).toString('base64'), description: "Google 'Argon2027h1' log" }
const inLog = (index: number) => ({ log: LOG.description, log_id: LOG.id, index, leaf_hash: hex(index) })

/** A certificate that a log had, rather than the API: no words of SSLMate's are in it. */
export function logged(i = 1, verified = true, more: Partial<CertificateAlert> = {}): CertificateAlert {
  const { revoked: _revoked, problem_reporting: _reporting, issuer, ...rest } = certificate(i)
  const source = { kind: 'log' as const, ...inLog(4_354_630_040 + i), verified }
  return { ...rest, issuer: { name: issuer.name ?? '' }, logged_at: '2026-10-05T09:32:24.118Z', source, ...more }
}

/** Entries of a log that cannot be read, of which three are told. */
export const MALFORMED_LOG: MalformedAlert = malformedLogAlert(
  LOG.description,
  [0, 1, 5].map((n) => ({ ...inLog(4_354_630_040 + n), why: 'subjectAltName at byte 412: ends early' })),
  1234,
  NOW.getTime(),
)

export const MISBEHAVIOUR: LogMisbehaviourAlert = misbehaviourAlert(
  LOG,
  {
    kind: 'split-view',
    about: '4354630040/iq3/ywgVzsux',
    message:
      'it signed two different trees of 4,354,630,040 entries: it shows different logs to different people. What was verified stays; reading goes on when a head continues it',
  },
  [
    'evidence/Google-Argon2027h1-log-split-view-4354630040-5f1b0f4d3c9a.bin',
    'evidence/Google-Argon2027h1-log-split-view-4354630040-5f1b0f4d3c9a.json',
  ],
  NOW.getTime(),
)

const behind =
  "Google 'Argon2027h1' log: 41,200 entries behind for 16 min, because the log refuses requests that come faster (429). Nothing is lost: reading goes on where it stopped."
export const TROUBLE_LOG: TroubleAlert = {
  ...base(behind),
  kind: 'trouble',
  id: 'log/1',
  severity: 'high',
  component: `log:${LOG.description}`,
  message: behind,
  since: '2026-10-05T09:16:30Z',
}

const trouble =
  'The Cert Spotter API refuses the token (401). Nothing is lost: reading goes on where it stopped. Check CERTSPOTTER_API_TOKEN, then run certbell doctor.'
export const TROUBLE: TroubleAlert = {
  ...base(trouble),
  kind: 'trouble',
  id: 'certspotter:example.com/name/1',
  severity: 'high',
  component: 'certspotter:example.com',
  items: ['example.com'],
  message: trouble,
  since: '2026-10-05T09:04:00Z',
}

const recovered = 'Certbell sees example.com again, after 2 h 10 min. What was found meanwhile follows.'
export const RECOVERED: RecoveredAlert = { ...base(recovered), kind: 'recovered', id: 'x', component: 'certspotter:example.com', items: ['example.com'], message: recovered, since: '2026-10-05T07:22:00Z' } // prettier-ignore

export const TEST: TestAlert = {
  ...base('certbell test-alert was run'),
  kind: 'test',
  id: 'test/1',
  message: 'certbell test-alert was run on host1.',
}

/** Any text: short, hostile, long, empty, or one with the characters that matter. */
export const anyText = fc.oneof(
  { arbitrary: fc.string({ maxLength: 40 }), weight: 3 },
  { arbitrary: fc.constantFrom(...HOSTILE_TEXTS), weight: 3 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 60 }), weight: 1 },
  {
    arbitrary: fc.string({ unit: fc.constantFrom('<', '>', '&', '`', '*', '!', '@', '|', '\n', '\0', '\u202e', 'a', ' '), maxLength: 400 }),
    weight: 1,
  },
)
const anyName = fc.oneof({ arbitrary: fc.domain(), weight: 2 }, anyText)
const anyNames = fc.oneof({ arbitrary: fc.array(anyName, { maxLength: 12 }), weight: 9 }, { arbitrary: fc.integer({ min: 50, max: 2000 }).map((n) => Array.from({ length: n }, (_, i) => `h${i}.example.com`)), weight: 1 }) // prettier-ignore
const anyTime = fc.oneof(
  fc.date({ noInvalidDate: true }).map((d) => d.toISOString()),
  anyText,
)
const severity = fc.constantFrom('info' as const, 'low' as const, 'medium' as const, 'high' as const)
const anyBase = {
  schema: fc.constant('certbell.alert/1' as const),
  id: anyText,
  severity,
  reason: anyText,
  findings: fc.array(fc.record({ kind: anyText, severity, reason: anyText }), { maxLength: 6 }),
  seen_at: anyTime,
}
const apiSource = fc.record({ kind: fc.constant('certspotter' as const), id: anyText })
const anyInLog = { log: anyText, log_id: anyText, index: fc.nat(), leaf_hash: anyText }
const logSource = fc.record({ kind: fc.constant('log' as const), ...anyInLog, verified: fc.boolean() })
const source = fc.oneof(apiSource, logSource)
const maybeHash = fc.oneof(fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 64, maxLength: 64 }), anyText)

const optional = [
  'serial',
  'key',
  'revoked',
  'precertificate',
  'cert_sha256',
  'pubkey_sha256',
  'problem_reporting',
  'logged_at',
  'matched_count',
  'names_count',
  'ip_addresses_count',
] as const
type Required = Exclude<keyof CertificateAlert, (typeof optional)[number]>
const required: Required[] = ['schema', 'id', 'severity', 'reason', 'findings', 'seen_at', 'kind', 'matched', 'names', 'ip_addresses', 'issuer', 'not_before', 'not_after', 'tbs_sha256', 'source'] // prettier-ignore

export const anyCertificate: fc.Arbitrary<CertificateAlert> = anyNames.chain((names) =>
  fc.record(
    {
      ...anyBase,
      kind: fc.constant('certificate' as const),
      names: fc.constant(names),
      matched: fc
        .tuple(fc.nat({ max: 100 }), anyText)
        .map(([part, item]) => names.slice(0, Math.ceil((names.length * part) / 100)).map((name) => ({ name, item }))),
      ip_addresses: fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), anyText), { maxLength: 3 }),
      issuer: fc.record({ name: anyText, friendly_name: anyText, caa_domains: fc.array(anyText, { maxLength: 2 }) }, { requiredKeys: [] }),
      serial: anyText,
      key: fc.oneof(fc.record({ type: anyText, bits: fc.nat() }), fc.record({ type: anyText, curve: anyText }), fc.record({ type: anyText })),
      not_before: anyTime,
      not_after: anyTime,
      revoked: fc.boolean(),
      precertificate: fc.boolean(),
      tbs_sha256: maybeHash,
      cert_sha256: maybeHash,
      pubkey_sha256: maybeHash,
      problem_reporting: anyText,
      logged_at: anyTime,
      matched_count: fc.nat(),
      names_count: fc.nat(),
      ip_addresses_count: fc.nat(),
      source,
    },
    { requiredKeys: required },
  ),
)

const anyState = { component: fc.oneof(anyText, fc.constantFrom('certspotter', 'state', 'certspotter/overdue'), anyText.map((t) => `certspotter:${t}`), anyText.map((t) => `sink:${t}`)), items: fc.array(anyText, { maxLength: 5 }), message: anyText, since: anyTime } // prettier-ignore

export const anyOther: fc.Arbitrary<Exclude<Alert, CertificateAlert>> = fc.oneof(
  fc.record({ ...anyBase, kind: fc.constant('inventory' as const), item: anyText, count: fc.nat(), hostnames: fc.nat(), issuers: fc.array(anyText, { maxLength: 20 }), issuer_counts: fc.array(fc.nat(), { maxLength: 20 }), newest: anyTime }), // prettier-ignore
  fc.record({ ...anyBase, kind: fc.constant('malformed' as const), why: anyText, source: apiSource }),
  fc.record({ ...anyBase, kind: fc.constant('malformed' as const), why: anyText, source: logSource, count: fc.nat(), entries: fc.array(fc.record({ ...anyInLog, why: anyText }), { maxLength: 100 }) }), // prettier-ignore
  fc.record({ ...anyBase, kind: fc.constant('log-misbehaviour' as const), log: anyText, log_id: anyText, misbehaviour: anyText, message: anyText, evidence: fc.array(anyText, { maxLength: 4 }) }), // prettier-ignore
  fc.record({ ...anyBase, kind: fc.constant('trouble' as const), ...anyState }),
  fc.record({ ...anyBase, kind: fc.constant('recovered' as const), ...anyState }),
  fc.record({ ...anyBase, kind: fc.constant('test' as const), message: anyText }),
)
