// The facts of a certificate in words, for every sink. Whatever comes from a certificate or an API is made inert here: no text returned holds a character that
// moves, hides or turns anything, or that a sink could take for markup.
import type { Alert, CertificateAlert } from '../watch/alert.ts'
import { sinceLogged } from '../watch/delay.ts'
import type { SightingSource } from '../watch/issuance.ts'
import { ago, grouped, plural, span } from '../watch/words.ts'
import { inert } from './names-text.ts'

const DAY = 86_400_000
/** Who issued it, as people know it: SSLMate's name for the CA, else the organisation or common name of the distinguished name. */
export function issuerText(issuer: CertificateAlert['issuer'], max = 100): string {
  const friendly = issuer.friendly_name?.trim() ?? ''
  if (friendly !== '') return inert(friendly, max)
  const dn = issuer.name?.trim() ?? ''
  const part = dnPart(dn, 'O') ?? dnPart(dn, 'CN') ?? dn
  return part.trim() === '' ? 'An unnamed CA' : inert(part, max)
}

// The DN's text is the issuer's, who may be anyone: no more is asked of it than the first value of one kind, quoted or not.
function dnPart(dn: string, kind: string): string | undefined {
  const match = new RegExp(String.raw`(?:^|[,+/]\s*)${kind}=(?:"((?:[^"\\]|\\.){0,500})"|((?:[^,+"\\]|\\.){1,500}))`).exec(dn.slice(0, 4000))
  const value = (match?.[1] ?? match?.[2])?.replaceAll(/\\(.)/g, '$1').trim()
  return value === undefined || value === '' ? undefined : value
}

/** `EC P-256`, `RSA 2048`, `Ed25519`; undefined if not known. */
export function keyText(key: CertificateAlert['key']): string | undefined {
  if (key === undefined) return undefined
  const type = inert(key.type, 40)
  const kind =
    type === 'ed25519' ? 'Ed25519' : type === 'ed448' ? 'Ed448' : type === 'ecdsa' ? 'EC' : /^(?:rsa|dsa|ec)$/.test(type) ? type.toUpperCase() : type
  const more = key.curve === undefined ? (key.bits === undefined ? '' : ` ${Math.trunc(key.bits)}`) : ` ${inert(key.curve, 40)}`
  return `${kind}${more}`.trim() === '' ? undefined : `${kind}${more}`
}

/** The serial number, whole up to 42 digits (RFC 5280 allows 40), else its two ends; undefined if not known. */
export function serialText(serial: string | undefined): string | undefined {
  if (serial === undefined || serial === '') return undefined
  return /^[0-9a-f]{43,}$/i.test(serial) ? `${serial.slice(0, 24)}…${serial.slice(-16)}` : inert(serial, 42)
}

/** How long it is valid: `90 days`, `6 h`; undefined if its times make no sense. */
export function lifetimeText(alert: CertificateAlert): string | undefined {
  const ms = Date.parse(alert.not_after) - Date.parse(alert.not_before)
  if (Number.isNaN(ms) || ms < 0) return undefined
  // The last second counts as well: 90 days are written as 90 days less a second.
  return ms + 1000 < DAY ? span(ms + 1000) : plural(Math.round((ms + 1000) / DAY), 'day')
}

/** A day: `5 Oct 2026`. What is no time is shown as it is. */
export function dayText(time: string, timeZone = 'UTC'): string {
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return inert(time, 40)
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone }).format(at).replace('Sept', 'Sep')
}

/** When it says that it begins, reckoned from `now`: CAs back-date by an hour or to midnight, so it is "dated", not "issued". And when a log took it in. */
export function datedText(alert: CertificateAlert, now: Date): string | undefined {
  const from = Date.parse(alert.not_before)
  const parts = [Number.isNaN(from) ? undefined : `dated ${ago(from, now.getTime())}`, loggedText(alert, now)].filter((x) => x !== undefined)
  return parts.length === 0 ? undefined : parts.join(', ')
}

/**
 * How long it took from the log to the sending at `now`, by the log's word: `logged 4 s before this was sent`. That stays true whenever it is read.
 * Undefined where no log told us, or it told what cannot be.
 */
export function loggedText(alert: CertificateAlert, now: Date): string | undefined {
  const ms = sinceLogged(alert, now.getTime())
  return ms === undefined ? undefined : `logged ${ms < 1000 ? 'less than 1 s' : span(ms)} before this was sent`
}

/** Where it was learned of: `Cert Spotter 17597250121`, `Google 'Argon2026h2' log, entry 1,111,014,090`. */
export function sourceText(source: SightingSource): string {
  if (source.kind === 'certspotter') return `Cert Spotter ${inert(source.id, 60)}`.trim()
  return `${inert(source.log, 60)}, entry ${grouped(source.index)}${source.verified ? '' : ' (not verified yet)'}`
}

/** Precertificate or certificate; undefined if not known. */
export function formText(alert: CertificateAlert): string | undefined {
  return alert.precertificate === undefined ? undefined : alert.precertificate ? 'precertificate' : 'certificate'
}

/** The findings' reasons, the alert's own first, each once. */
export function reasons(alert: Alert, max = 300): readonly string[] {
  const all = [alert.reason, ...alert.findings.map((f) => f.reason)]
  return [...new Set(all.filter((r) => r.trim() !== ''))].map((r) => inert(r, max))
}

/** The CA's own words on how to have it revoked, on one line; undefined if it gave none. */
export function revokeText(alert: CertificateAlert, max = 400): string | undefined {
  // `??` is what the API makes of bullets that it could not decode.
  const text = (alert.problem_reporting ?? '')
    .slice(0, 4 * max)
    .replaceAll(/\s+(?:\?\?\s*)?/g, ' ')
    .trim()
  return text === '' ? undefined : inert(text, max)
}

/** The certificate's page on crt.sh; undefined without a well-formed SHA-256, for the address is built of nothing else. */
export function crtShUrl(alert: CertificateAlert): string | undefined {
  return /^[0-9a-f]{64}$/.test(alert.cert_sha256 ?? '') ? `https://crt.sh/?sha256=${alert.cert_sha256}` : undefined
}

/** What the owner watches that it touches, as the owner wrote it, each once. */
export function itemsOf(alerts: readonly CertificateAlert[]): readonly string[] {
  return [...new Set(alerts.flatMap((a) => a.matched.map((m) => m.item)))].map((i) => inert(i, 80))
}
