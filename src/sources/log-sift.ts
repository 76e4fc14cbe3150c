// What of a log's entries is the owner's: sightings, and entries that cannot be read. The rest, nearly all of them, leaves nothing behind.
import { createHash } from 'node:crypto'
import { issuanceId } from '../ct/tbs.ts'
import type { MalformedLogEntry } from '../watch/alert.ts'
import type { EntryMatch } from '../watch/entry.ts'
import { readEntry } from '../watch/entry.ts'
import type { Issuance, LogSource, Remark, Sighting } from '../watch/issuance.ts'
import type { Matcher } from '../watch/match.ts'
import type { LogEntry } from './log-entry.ts'

/** What one entry is to the owner; undefined: nothing. An entry may be both: a name that matches, and a place that cannot be read. */
export interface Sifted {
  readonly sighting?: Sighting
  readonly malformed?: MalformedLogEntry
}

/** Judges an entry of a log. `now` is when it came. */
export type Sift = (log: { readonly id: string; readonly description: string }, entry: LogEntry, now: Date) => Sifted | undefined

/** A sift for what `matcher` finds. */
export function createSift(matcher: Matcher): Sift {
  return (log, entry, now) => {
    const malformed = (why: string): MalformedLogEntry => ({
      log: log.description,
      log_id: log.id,
      index: entry.index,
      leaf_hash: hexOf(entry.leafHash),
      why,
    })
    const leaf = entry.entry
    if (leaf === undefined) return { malformed: malformed(entry.why ?? 'it cannot be read') }
    const read = readEntry(leaf.der, matcher)
    if (read.kind === 'stranger') return undefined
    if (read.kind === 'malformed') return { malformed: malformed(read.why) }
    const { certificate, matched, items, excluded } = read
    const source: LogSource = {
      kind: 'log',
      log: log.description,
      log_id: log.id,
      index: entry.index,
      leaf_hash: hexOf(entry.leafHash),
      verified: false,
    }
    const loggedAt = new Date(leaf.timestamp)
    const issuance = issuanceOf(read, entry, loggedAt)
    const remarks: Remark[] =
      certificate.notBefore === undefined || certificate.notAfter === undefined
        ? [{ kind: 'der-unreadable', reason: 'its validity cannot be read; the time at which it was logged stands for it', trouble: false }]
        : []
    const sighting: Sighting = { issuance, source, matched, items, excluded, seenAt: now, loggedAt, remarks }
    return { sighting, ...(read.malformed !== undefined && { malformed: malformed(read.malformed) }) }
  }
}

function issuanceOf({ certificate, names, ipAddresses }: EntryMatch, { entry, precertificate }: LogEntry, loggedAt: Date): Issuance {
  const precert = entry?.type === 'precert'
  const whole = precert ? precertificate : entry?.der
  return {
    // It has been read by now, so it has an id.
    id: issuanceId(entry?.der ?? new Uint8Array()),
    names,
    ipAddresses,
    issuer: { ...(certificate.issuer !== '' && { name: certificate.issuer }) },
    notBefore: certificate.notBefore ?? loggedAt,
    notAfter: certificate.notAfter ?? loggedAt,
    precertificate: precert,
    pubkeySha256: sha256(certificate.spki),
    ...(certificate.serial !== undefined && { serial: certificate.serial }),
    ...(certificate.key !== undefined && { key: certificate.key }),
    ...(whole !== undefined && { certSha256: sha256(whole) }),
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
