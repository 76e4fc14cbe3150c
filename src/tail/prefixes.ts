// Smaller heads come from replicas and caches that are behind: whether they are of our tree. Each is looked into once.
import type { LogClient, ReceivedHead } from '../sources/log-client.ts'
import type { LogState } from '../stores/log-state.ts'
import { aboutHead, treeOf } from './head.ts'
import { isBeginning } from './lineage.ts'

const MOST = 100

/** Remembers what it found. */
export function createPrefixes(
  client: LogClient,
  signal: AbortSignal,
): {
  /** Whether a head that is smaller than what was verified is the beginning of it; undefined if the log has nothing to show of that any more. */
  isOurs(state: LogState, received: ReceivedHead): Promise<boolean | undefined>
  clear(): void
} {
  const found = new Map<string, boolean>()
  return {
    isOurs: async (state, received) => {
      const about = aboutHead(received)
      const known = found.get(about) ?? (await isBeginning(client, state, treeOf(received), signal))
      if (found.size > MOST) found.clear()
      if (known !== undefined) found.set(about, known)
      // An old head that is shown again is a cache's, whatever it shows. One that was signed since, with nothing to show of what there was before, is not.
      const newest = state.recent.at(-1)
      return known ?? (newest === undefined || received.head.timestamp <= newest.timestamp ? true : undefined)
    },
    clear: () => found.clear(),
  }
}
