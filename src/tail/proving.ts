// Whether what was read so far is the beginning of the tree that a head promises, as the log itself shows it: asked for beside the reading.
import type { SteadyClock } from '../clock.ts'
import type { CompactRange, GrowingTree } from '../ct/compact-range.ts'
import type { TreeRoot } from '../sources/log-client.ts'
import { LogFailure } from '../sources/log-failure.ts'
import type { LogContext } from './context.ts'
import { settling } from './settling.ts'

/** With more entries to come, what was read is proved on the way where a log shows how. */
const FAR = 2048

export interface Proving {
  /** What was proved last, or what it began with. */
  readonly verified: CompactRange
  /**
   * Whether what was read so far is the beginning of the tree; undefined if that does not show, or not yet: a proof may take longer than `patience` (ms),
   * and is then looked at the next time. Throws what is no LogFailure.
   */
  proved(patience: number): Promise<boolean | undefined>
}

interface Asked {
  readonly range: CompactRange
  /** Never rejects. */
  readonly answer: Promise<void>
  /** Undefined until it is there; an error is what was thrown. */
  said: 'yes' | 'no' | 'unclear' | { readonly error: unknown } | undefined
}

/** Proofs for a tree that grows from `verified` to `whole`. `careful`: each is worth its time. */
export function createProving(
  { client, ports: { clock }, signal }: LogContext,
  steady: SteadyClock,
  tree: GrowingTree,
  whole: TreeRoot,
  begin: CompactRange,
  careful: boolean,
): Proving {
  let verified = begin
  let provable = careful || whole.size - tree.size >= FAR
  let provedAt = -Infinity
  let asked: Asked | undefined
  return {
    get verified() {
      return verified
    },
    proved: async (patience) => {
      const begins = asked === undefined
      if (asked === undefined) {
        const hasMore = tree.size > verified.size && tree.size < whole.size
        if (!provable || !hasMore || steady.now() - provedAt < client.proofEvery) return undefined
        provedAt = steady.now()
        asked = askFor(tree.range(), async (range) => client.proves(range, whole, signal))
      }
      if (begins || careful) await settling(asked.answer)(clock, patience, signal)
      if (asked.said === undefined) return undefined
      const { said, range } = asked
      asked = undefined
      if (said === 'yes') verified = range
      if (typeof said === 'object') {
        if (!(said.error instanceof LogFailure)) throw said.error
        // Without a proof it shows at the end.
        provable = false
      }
      return said === 'no' ? false : said === 'yes' && range.size === tree.size ? true : undefined
    },
  }
}

function askFor(range: CompactRange, proves: (range: CompactRange) => Promise<boolean | undefined>): Asked {
  const ask = async (): Promise<void> => {
    try {
      const proof = await proves(range)
      asked.said = proof === undefined ? 'unclear' : proof ? 'yes' : 'no'
    } catch (error) {
      asked.said = { error }
    }
  }
  const asked: { -readonly [K in keyof Asked]: Asked[K] } = { range, said: undefined, answer: Promise.resolve() }
  asked.answer = ask()
  return asked
}
