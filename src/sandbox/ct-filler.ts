// Entries that nobody looks for, to make a log large.
import { createAuthority, type Authority } from './ct-authority.ts'
import type { Submission } from './ct-entry.ts'
import { seeded } from './random.ts'

export interface FillerOptions {
  /** How many: as many as a gzip window cannot hold make tiles that pack about as real ones do. Default 64. */
  readonly count?: number
  readonly authority?: Authority
  /** Names of the n-th; default a name under `filler.test`. */
  readonly names?: (n: number) => readonly string[]
  readonly notBefore?: Date
  readonly seed?: string
}

/** Submissions for `addMany`, one in eight a final certificate. The same seed makes the same. */
export function makeFiller(options: FillerOptions = {}): readonly Submission[] {
  const {
    count = 64,
    authority = createAuthority(),
    names = (n) => [`www.host-${n}.filler.test`, `host-${n}.filler.test`],
    seed = 'filler',
  } = options
  const notBefore = options.notBefore ?? new Date('2026-10-05T09:29:27Z')
  return Array.from({ length: count }, (_, n) => {
    const { precertificate, certificate } = authority.issue({ names: names(n), notBefore, random: seeded(`${seed} ${n}`) })
    return { ...(n % 8 === 7 ? { certificate } : { precertificate }), chain: authority.chain }
  })
}
