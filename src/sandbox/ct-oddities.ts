// Certificates that break rules, as logs hold them: each is for the name given, or cannot be read and may be.
import type { Authority } from './ct-authority.ts'
import type { Submission } from './ct-entry.ts'
import type { CertificateOptions } from './certificate.ts'
import { systemRandom } from './random.ts'

/** What is odd, and the precertificate that is. `readable` is false where its names cannot be told. */
export interface OddSubmission {
  readonly what: string
  readonly submission: Submission
  readonly readable: boolean
}

/** Every oddity once. `ip` is what the one without names is for. */
export function oddSubmissions(authority: Authority, name: string, ip: string, notBefore: Date): readonly OddSubmission[] {
  const { chain } = authority
  const odd = (what: string, options: Omit<CertificateOptions, 'notBefore' | 'notAfter'>): OddSubmission => ({
    what,
    submission: { precertificate: authority.issue({ ...options, notBefore }).precertificate, chain },
    readable: true,
  })
  const broken = (what: string, der: Buffer, tbs: Buffer): OddSubmission => ({
    what,
    submission: { precertificate: { der, tbs }, chain },
    readable: false,
  })
  const { der, tbs } = authority.issue({ names: [name], notBefore }).precertificate
  return [
    odd('no SAN, the name as CN', { names: [], commonNames: [name], san: 'absent' }),
    odd('several CNs', { names: ['other.test'], commonNames: ['other.test', name, 'third.test'] }),
    odd('an IP address alone', { names: [], ips: [ip] }),
    odd('repeated SAN extension', { names: ['other.test', name], san: 'repeated' }),
    odd('a stray byte after the SAN', { names: [name], san: 'stray-byte' }),
    odd('a NUL after the name', { names: [`${name}\0.other.test`] }),
    odd('a URL', { names: [`https://${name}/login`] }),
    odd('upper case, white space and a dot', { names: [` ${name.toUpperCase()}. `] }),
    broken('garbage', systemRandom(300), systemRandom(300)),
    broken('cut off', der.subarray(0, 200), tbs.subarray(0, 200)),
    broken('nothing', Buffer.alloc(0), Buffer.alloc(0)),
  ]
}
