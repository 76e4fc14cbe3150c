// A CA for the sandbox's logs: certificates of its own for the chain, and issuing for names.
import {
  distinguishedName,
  LETS_ENCRYPT,
  makePair,
  makeAuthorityCertificate,
  type CertificateOptions,
  type DistinguishedName,
  type Pair,
} from './certificate.ts'
import type { ChainCertificate } from './ct-entry.ts'
import { seeded } from './random.ts'

export interface Authority {
  /** The intermediate, then the root. */
  readonly chain: readonly ChainCertificate[]
  /** Precertificate and certificate, of 90 days from `notBefore` if nothing else is said. */
  issue(options: Omit<CertificateOptions, 'precertificate' | 'issuer' | 'notAfter'> & { readonly notAfter?: Date }): Pair
}

/** A CA by this name, Let's Encrypt's if none is given. The same name gives the same certificates. */
export function createAuthority(name: DistinguishedName = LETS_ENCRYPT): Authority {
  const random = seeded(`authority ${distinguishedName(name).toString('hex')}`)
  const root: DistinguishedName = [
    ['O', 'Certbell sandbox'],
    ['CN', 'Sandbox Root'],
  ]
  const chain = [makeAuthorityCertificate(name, root, random), makeAuthorityCertificate(root, root, seeded('sandbox root'))]
  return {
    chain,
    issue: ({ notAfter, ...options }) =>
      makePair({ ...options, issuer: name, notAfter: notAfter ?? new Date(options.notBefore.getTime() + 90 * 86_400_000 - 1000) }),
  }
}
