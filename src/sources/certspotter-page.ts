// A page of the Cert Spotter API, from bytes to sightings. Pure. The API is trusted to be the API; what it quotes from certificates is not.
import { createHash } from 'node:crypto'
import type { Certificate } from '../ct/certificate.ts'
import { readCertificate } from '../ct/certificate.ts'
import { ParseError } from '../ct/errors.ts'
import { formatIp } from '../ct/ip-address.ts'
import { issuanceId } from '../ct/tbs.ts'
import { cleanNames, namesOf } from '../watch/certificate-names.ts'
import type { Issuance, Issuer, MalformedEntry, Remark, Sighting } from '../watch/issuance.ts'
import type { Matcher } from '../watch/match.ts'
import { printable } from '../watch/printable.ts'
import type { Step } from '../watch/step.ts'
import type { JsonEntry } from './json-entries.ts'
import { readEntries } from './json-entries.ts'

/** The name that was asked for: its key and text, and how it was asked. */
export interface AskedItem {
  readonly key: string
  readonly text: string
  readonly domain: string
  readonly exact: boolean
}

/** The API's error object; every field may be missing. */
export interface ErrorObject {
  readonly code?: string
  readonly message?: string
  readonly field?: string
}

/** The answer as a whole cannot be used: nothing was taken from it, nothing is skipped. */
export class PageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PageError'
  }
}

/** Reads a 200 answer: a page, or the error object that some clients have seen there. Throws PageError. */
export type PageReader = (
  body: Buffer,
  item: AskedItem,
  cursor: string | undefined,
  now: Date,
) => { readonly kind: 'page'; readonly step: Step } | { readonly kind: 'error'; readonly error: ErrorObject }

/** As observed: a page shorter than this is the last for now (apis.md 1.4). Stopping early is always safe, the next poll goes on from the cursor. */
const PAGE_SIZE = 100
const HEX32 = /^[0-9a-f]{64}$/i
// Opaque, but something that comes back as it went: a cursor of broken UTF-8 would be refused for ever after.
const ID = /^(?! )[\x20-\x7e]{1,200}(?<! )$/
const MAX_REPORTING = 1000

/** A reader that tells whose the names are by `matcher`. */
export function createPageReader(matcher: Matcher): PageReader {
  return (body, item, cursor, now) => {
    let last: string | undefined
    let read: ReturnType<typeof readEntries<Sighting | MalformedEntry>>
    try {
      read = readEntries(body, 'cert_der', (entry) => {
        last = idOf(entry.value)
        return readEntry(entry, item, matcher, now)
      })
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause
      throw new PageError(body.length === 0 ? 'it is empty' : 'it is not JSON', { cause })
    }
    if ('other' in read) return { kind: 'error', error: readErrorObject(read.other) }
    const entries = read.taken
    const sightings: Sighting[] = []
    const malformed: MalformedEntry[] = []
    for (const entry of entries) {
      if ('why' in entry) malformed.push(entry)
      else sightings.push(entry)
    }
    if (entries.length > 0 && last === undefined)
      throw new PageError('the last entry of the page has no usable id, so reading cannot go on from there')
    // The API would give us this page for ever.
    if (last !== undefined && last === cursor) throw new PageError('the page ends where it should begin')
    return {
      kind: 'page',
      step: { sightings, malformed, ...(last !== undefined && { cursor: last }), more: entries.length >= PAGE_SIZE, entries: entries.length },
    }
  }
}

/** Takes what is there of an error object out of any value. */
export function readErrorObject(value: unknown): ErrorObject {
  if (typeof value !== 'object' || value === null) return {}
  const fields = value as Record<string, unknown>
  const take = (text: unknown): string | undefined => (typeof text === 'string' && text !== '' ? printable(text, 200) : undefined)
  const code = take(fields['code'])
  const message = take(fields['message'])
  const field = take(fields['field'])
  return { ...(code !== undefined && { code }), ...(message !== undefined && { message }), ...(field !== undefined && { field }) }
}

function idOf(entry: unknown): string | undefined {
  const id: unknown = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>)['id'] : undefined
  if (typeof id === 'number' && Number.isSafeInteger(id)) return String(id)
  return typeof id === 'string' && ID.test(id) ? id : undefined
}

function readEntry({ value: entry, whole }: JsonEntry, item: AskedItem, matcher: Matcher, now: Date): Sighting | MalformedEntry {
  const id = idOf(entry)
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return unreadable('the entry is not an object', whole(), id, item, now)
  if (id === undefined) return unreadable('the entry has no usable id', whole(), id, item, now)
  const fields = entry as Record<string, unknown>
  const listed = fields['dns_names']
  if (listed !== undefined && listed !== null && !isStrings(listed)) return unreadable('dns_names is not a list of strings', whole(), id, item, now)
  let tbs = hexOf(fields['tbs_sha256'])
  let names = isStrings(listed) ? cleanNames(listed) : undefined
  let notBefore = timeOf(fields['not_before'])
  let notAfter = timeOf(fields['not_after'])
  let certificate: Certificate | undefined
  if (tbs === undefined || names === undefined || notBefore === undefined || notAfter === undefined) {
    // The certificate is read at once only where the API leaves out what we cannot do without.
    const read = readDer(whole() as Record<string, unknown>)
    certificate = read.certificate
    tbs ??= read.tbs
    names ??= certificate === undefined ? undefined : cleanNames(namesOf(certificate))
    notBefore ??= certificate?.notBefore
    notAfter ??= certificate?.notAfter
  }
  if (tbs === undefined) return unreadable('tbs_sha256 is missing or no SHA-256 hash', whole(), id, item, now)
  if (names === undefined) return unreadable('dns_names is missing', whole(), id, item, now)
  if (notBefore === undefined || notAfter === undefined) return unreadable('not_before or not_after is missing or no time', whole(), id, item, now)

  let { matched, items, excluded } = matcher.match(names, NONE)
  let remarks: readonly Remark[] = NONE
  if (matched.length === 0) {
    // The API knows why it gave us this; we cannot see it, so it rings rather than hides.
    matched = [{ name: item.domain, item: item.text }]
    items = [item.key]
    excluded = false
    remarks = [
      {
        kind: 'name-by-api-only',
        reason: `the API returned it for ${item.text}, though none of its names matches by our own reading`,
        trouble: false,
      },
    ]
  }
  const sighting: Sighting = {
    issuance: {
      id: tbs,
      names: names.length > 0 ? names : [item.domain],
      ipAddresses: NONE,
      issuer: issuerOf(fields['issuer'], certificate),
      notBefore,
      notAfter,
    },
    source: { kind: 'certspotter', id },
    matched,
    items,
    excluded,
    seenAt: now,
    remarks,
    inspect: () => inspect(sighting, whole(), id),
  }
  return sighting
}

const NONE: readonly never[] = []

function unreadable(why: string, entry: unknown, id: string | undefined, item: AskedItem, now: Date): MalformedEntry {
  return {
    id: createHash('sha256')
      .update(textOfEntry(entry) ?? `${id ?? ''} ${why}`)
      .digest('hex'),
    why: `${why} (asked for ${item.text})`,
    source: { kind: 'certspotter', id: id ?? 'unknown' },
    seenAt: now,
  }
}

// JSON.parse takes any depth; its counterpart goes as deep as the stack.
function textOfEntry(entry: unknown): string | undefined {
  try {
    return JSON.stringify(entry)
  } catch {
    return undefined
  }
}

/** What the DER in an entry says; all undefined if there is none. */
interface DerReading {
  readonly certificate: Certificate | undefined
  readonly tbs: string | undefined
  readonly problem: string | undefined
}

function readDer(fields: Record<string, unknown>): DerReading {
  const der = derOf(fields)
  if (der === undefined) return { certificate: undefined, tbs: undefined, problem: undefined }
  let certificate: Certificate | undefined
  try {
    certificate = readCertificate(der)
    return { certificate, tbs: issuanceId(der), problem: undefined }
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return { certificate, tbs: undefined, problem: error.message }
  }
}

// Everything that an alert shows besides: what the certificate says, and the API's further words.
function inspect(sighting: Sighting, entry: unknown, id: string): Sighting {
  // Its bytes are lent out again with the next query; by then every step was kept.
  if (idOf(entry) !== id) throw new RangeError('an entry was looked into after its page was gone')
  const fields = entry as Record<string, unknown>
  const { certificate, tbs, problem } = readDer(fields)
  const { inspect: _, ...rest } = sighting
  const remarks = [...sighting.remarks]
  if (problem !== undefined) remarks.push({ kind: 'der-unreadable', reason: `its DER cannot be read (${problem})`, trouble: false })
  if (tbs !== undefined && tbs !== sighting.issuance.id) {
    remarks.push({
      kind: 'tbs-differs',
      reason: `the API's tbs_sha256 (${sighting.issuance.id.slice(0, 16)}…) is not the hash of the certificate that it sent (${tbs.slice(0, 16)}…), issuance ${printable(id, 40)}`,
      // A precertificate signing certificate may rightly make the difference (RFC 6962, section 3.2).
      trouble: certificate?.precertificate !== true,
    })
  }
  const issuance: Issuance = {
    ...sighting.issuance,
    issuer: issuerOf(fields['issuer'], certificate),
    ipAddresses: unique((certificate?.ipAddresses ?? []).map(formatIp)),
    ...optional('serial', certificate?.serial),
    ...optional('key', certificate?.key),
    ...optional('revoked', typeof fields['revoked'] === 'boolean' ? fields['revoked'] : undefined),
    ...optional('precertificate', certificate?.precertificate),
    ...optional('certSha256', hexOf(fields['cert_sha256']) ?? hexOf(nested(fields['cert'], 'sha256'))),
    ...optional('pubkeySha256', hexOf(fields['pubkey_sha256'])),
    ...optional('problemReporting', reportingOf(fields['problem_reporting'])),
  }
  return { ...rest, issuance, remarks }
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [k in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [k in K]: V })
}

function derOf(fields: Record<string, unknown>): Buffer | undefined {
  // `cert` is the deprecated form that older answers have.
  const text = fields['cert_der'] ?? nested(fields['cert'], 'data')
  return typeof text === 'string' && text !== '' ? Buffer.from(text, 'base64') : undefined
}

function nested(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
}

function hexOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length === 64 && HEX32.test(value) ? value.toLowerCase() : undefined
}

function timeOf(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined
  const time = new Date(value)
  return Number.isNaN(time.getTime()) ? undefined : time
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string')
}

function unique(names: readonly string[]): readonly string[] {
  return names.length < 2 ? names : [...new Set(names)]
}

function issuerOf(value: unknown, certificate: Certificate | undefined): Issuer {
  const name = textOf(nested(value, 'name')) ?? certificate?.issuer
  const friendlyName = textOf(nested(value, 'friendly_name'))
  const caaDomains = nested(value, 'caa_domains')
  const issuer: { name?: string; friendlyName?: string; caaDomains?: readonly string[] } = {}
  if (name !== undefined) issuer.name = name
  if (friendlyName !== undefined) issuer.friendlyName = friendlyName
  if (isStrings(caaDomains)) issuer.caaDomains = caaDomains
  return issuer
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 1000) : undefined
}

function reportingOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, MAX_REPORTING) : undefined
}
