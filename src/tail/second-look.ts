// The head once more while it takes long to read up to it: it may promise less by now, and how far there is to go is told by the newest.
import type { SteadyClock } from '../clock.ts'
import type { ReceivedHead } from '../sources/log-client.ts'
import type { LogContext } from './context.ts'

const HEAD_AGAIN = 6000

/** Each call sees to it that the head is asked for anew when it is time, and gives the newest that came. Nothing is waited for. */
export function createSecondLook({ client }: LogContext, steady: SteadyClock, signal: AbortSignal): () => ReceivedHead | undefined {
  let lookedAt = steady.now()
  let isLooking = false
  let newest: ReceivedHead | undefined
  const look = async (): Promise<void> => {
    try {
      newest = await client.head(signal)
    } catch {
      // What goes wrong with that shows at the next turn.
    } finally {
      lookedAt = steady.now()
      isLooking = false
    }
  }
  return () => {
    if (!isLooking && steady.now() - lookedAt >= HEAD_AGAIN) {
      isLooking = true
      void look()
    }
    return newest
  }
}
