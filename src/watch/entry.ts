// What one entry of a log means to the owner, as plainly as it can be said. This is the definition: the sieve, which is fast, may say less often no,
// and never more often.
import type { Certificate } from '../ct/certificate.ts'
import { readCertificate } from '../ct/certificate.ts'
import { ParseError } from '../ct/errors.ts'
import { formatIp } from '../ct/ip-address.ts'
import { cleanNames, hostNamesOf, namesOf } from './certificate-names.ts'
import type { Matcher, MatchResult } from './match.ts'

/** An entry that has a watched name or address in it. */
export interface EntryMatch extends MatchResult {
  readonly kind: 'match'
  readonly certificate: Certificate
  /** For people: lower-case, without blanks around and trailing dots, each once, in the certificate's order, in each reading. Hostile. */
  readonly names: readonly string[]
  /** As text in canonical form, each once. */
  readonly ipAddresses: readonly string[]
  /** Set if there may be further names that could not be read, and says why. Such an entry rings, excluded or not. */
  readonly malformed?: string
}

/** What an entry is: nothing of ours; ours; or, as it cannot be read, perhaps anyone's. */
export type EntryReading = { readonly kind: 'stranger' } | EntryMatch | { readonly kind: 'malformed'; readonly why: string }

const STRANGER: EntryReading = { kind: 'stranger' }

/** Reads the DER of an entry: a Certificate, or the TBSCertificate of a precert entry. Any bytes give an answer, in time linear in them. */
export function readEntry(der: Uint8Array, matcher: Matcher): EntryReading {
  let certificate: Certificate
  try {
    certificate = readCertificate(der)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return { kind: 'malformed', why: error.message }
  }
  const ipAddresses = [...new Set(certificate.ipAddresses.map(formatIp))]
  const result = matcher.match(hostNamesOf(certificate), ipAddresses)
  const hidden = certificate.namesHidden ? certificate.oddities.join('; ') : undefined
  const why = hidden ?? result.unread
  if (result.matched.length > 0) {
    const names = cleanNames(namesOf(certificate))
    return { kind: 'match', ...result, certificate, names, ipAddresses, ...(why !== undefined && { malformed: why }) }
  }
  return why === undefined ? STRANGER : { kind: 'malformed', why }
}
