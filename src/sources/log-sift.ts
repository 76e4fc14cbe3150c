// What of a log's entries is the owner's: sightings, and entries that cannot be read. The rest, nearly all of them, leaves nothing behind.
import { createHash } from 'node:crypto'
import { ParseError } from '../ct/errors.ts'
import { issuanceId } from '../ct/tbs.ts'
import type { Certificate } from '../ct/certificate.ts'
import { boundedSighting } from '../watch/bounds.ts'
import type { MalformedLogEntry } from '../watch/alert.ts'
import type { EntryMatch } from '../watch/entry.ts'
import { faultOfOurs } from '../watch/errors.ts'
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

/** A sift for what `matcher` finds. It never throws. */
export function createSift(matcher: Matcher): Sift {
  const judge = createJudge(matcher)
  return (log, entry, now) => {
    const malformed = (why: string): MalformedLogEntry => ({
      log: log.description,
      log_id: log.id,
      index: entry.index,
      leaf_hash: hexOf(entry.leafHash),
      why,
    })
    try {
      return judge(log, entry, now, malformed)
    } catch (error) {
      // A fault of ours that one entry brings out must not end the reading of all logs, for ever: it would come again after each restart.
      return { malformed: malformed(faultOfOurs(error)) }
    }
  }
}

type Judge = (...args: [...Parameters<Sift>, malformed: (why: string) => MalformedLogEntry]) => Sifted | undefined

function createJudge(matcher: Matcher): Judge {
  return (log, entry, now, malformed) => {
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
    const loggedAt = leaf.timestamp > LAST_TIME ? undefined : new Date(leaf.timestamp)
    const { id, isWhole } = idOf(leaf.der, certificate)
    const issuance = issuanceOf(read, entry, id, loggedAt ?? now)
    const remark = (reason: string): Remark => ({ kind: 'der-unreadable', reason, trouble: false })
    const remarks: Remark[] = []
    const untold = [...(certificate.notBefore === undefined ? ['beginning'] : []), ...(certificate.notAfter === undefined ? ['end'] : [])]
    if (untold.length > 0) {
      const validity = untold.length === 2 ? 'its validity' : `the ${untold[0]} of its validity`
      remarks.push(remark(`${validity} cannot be read; the time at which it was ${loggedAt === undefined ? 'seen' : 'logged'} stands for it`))
    }
    if (!isWhole)
      remarks.push(
        remark('its extensions cannot be read to their end, so its precertificate and its certificate cannot be known for one, and ring as two'),
      )
    const sighting: Sighting = {
      issuance,
      source,
      matched,
      items,
      excluded,
      seenAt: now,
      ...(loggedAt !== undefined && { loggedAt }),
      remarks,
    }
    return { sighting: boundedSighting(sighting), ...(read.malformed !== undefined && { malformed: malformed(read.malformed) }) }
  }
}

/** The end of the year 9999: RFC 3339 has no later times, and a log may claim any. */
const LAST_TIME = Date.UTC(10_000, 0, 1) - 1

// Where the CT extensions cannot be told from the rest, nothing is cut out.
function idOf(der: Uint8Array, { tbs }: Certificate): { readonly id: string; readonly isWhole: boolean } {
  try {
    return { id: issuanceId(der), isWhole: true }
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return { id: sha256(tbs), isWhole: false }
  }
}

function issuanceOf({ certificate, names, ipAddresses }: EntryMatch, { entry, precertificate }: LogEntry, id: string, at: Date): Issuance {
  const precert = entry?.type === 'precert'
  const whole = precert ? precertificate : entry?.der
  return {
    id,
    names,
    ipAddresses,
    issuer: { ...(certificate.issuer !== '' && { name: certificate.issuer }) },
    notBefore: certificate.notBefore ?? at,
    notAfter: certificate.notAfter ?? at,
    // One that was logged as if it were a certificate is none all the same.
    precertificate: precert || certificate.precertificate,
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
