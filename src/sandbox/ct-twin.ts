// One issuance as a CA brings it about: its precertificate in several logs, the certificate with their SCTs in as many, and the same in the Cert Spotter API.
import type { MadeCertificate } from './certificate.ts'
import { createAuthority } from './ct-authority.ts'
import type { CtLog, Sct } from './ct-log.ts'
import { makeIssuance, type ApiIssuance, type IssuanceOptions } from './issuance.ts'

export interface Twins {
  readonly precertificate: MadeCertificate
  /** With the SCTs of the logs. */
  readonly certificate: MadeCertificate
  /** Of the precertificate, one of each log. */
  readonly scts: readonly Sct[]
  /** Logs the certificate too, in these or other logs. */
  logCertificate(logs: readonly CtLog[]): void
  /** As the API has it, as long as it knows the precertificate alone or later. `tbs_sha256` is the same. */
  issuance(id: string, knows?: 'precertificate' | 'certificate'): ApiIssuance
}

/** Issues, and logs the precertificate. It is found when the logs publish. */
export function issueTwins(
  logs: readonly CtLog[],
  options: Omit<IssuanceOptions, 'id' | 'precertificate' | 'made' | 'revoked' | 'overrides'>,
): Twins {
  const { issuer, ...rest } = options
  const authority = createAuthority(issuer?.name)
  const pair = authority.issue(rest)
  const { precertificate } = pair
  const scts = logs.map((log) => log.add({ precertificate, chain: authority.chain }))
  const certificate = pair.withScts(scts.map(({ bytes }) => bytes))
  return {
    precertificate,
    certificate,
    scts,
    logCertificate(into) {
      for (const log of into) log.add({ certificate, chain: authority.chain })
    },
    issuance: (id, knows = 'precertificate') =>
      makeIssuance({ ...options, id, made: knows === 'certificate' ? certificate : precertificate, precertificate: knows === 'precertificate' }),
  }
}
