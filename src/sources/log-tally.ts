// What came of each request to a log. Whether a whole answer was one is known only when it has been read.
import { NetworkError } from '../http.ts'
import type { LogClient } from './log-client.ts'
import { LogFailure } from './log-failure.ts'
import type { RequestOutcome } from './log-http.ts'

/** Counts the requests of one log. */
export interface LogTally {
  heard(outcome: RequestOutcome): void
  /** The client, whose answers are judged by what it makes of them. */
  judging(client: LogClient): LogClient
}

/** `told` hears of each request once. */
export function createLogTally(told: (outcome: RequestOutcome) => void): LogTally {
  // Whole answers that nobody has read yet.
  let unread = 0
  const flush = (): void => {
    for (; unread > 0; unread--) told('ok')
  }
  const judged = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask()
    } catch (error) {
      // One that was cut off on the way was told of already.
      if (unread > 0 && error instanceof LogFailure && error.kind === 'broken' && !(error.cause instanceof NetworkError)) {
        unread -= 1
        told('broken')
      }
      throw error
    } finally {
      flush()
    }
  }
  const judging = (client: LogClient): LogClient => ({
    ...client,
    head: async (signal) => judged(async () => client.head(signal)),
    page: async (start, endExclusive, size, signal, keep) => judged(async () => client.page(start, endExclusive, size, signal, keep)),
    edge: async (tree, within, signal) => judged(async () => client.edge(tree, within, signal)),
    isPrefix: async (small, large, signal) => judged(async () => client.isPrefix(small, large, signal)),
    proves: async (edge, tree, signal) => judged(async () => client.proves(edge, tree, signal)),
    ...(client.signed !== undefined && { signed: { ...client.signed, client: judging(client.signed.client) } }),
  })
  return {
    heard: (outcome) => {
      if (outcome === 'ok') unread += 1
      else told(outcome)
    },
    judging,
  }
}
