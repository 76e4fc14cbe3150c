// An RFC 6962 log that serves its entries as tiles too, much faster than by get-entries, though without a checkpoint: TrustAsia's.
import type { LogClient } from './log-client.ts'
import { LogFailure } from './log-failure.ts'

const WIDTH = 256
const HYBRID = /(?:^|\.)trustasia\.com\/log20\d\d[a-z]?\/$/

/** Whether the log at this URL is one. */
export function isHybrid(url: string): boolean {
  return HYBRID.test(url)
}

/** Full tiles where there are some, the rest as any RFC 6962 log; a tile that is not there is no failure. */
export function createHybrid(classic: LogClient, tiles: LogClient): LogClient {
  let without = false
  return {
    ...classic,
    page: async (start, endExclusive, size, signal, keep) => {
      const whole = (Math.floor(start / WIDTH) + 1) * WIDTH <= size
      if (whole && !without) {
        try {
          return await tiles.page(start, endExclusive, size, signal, keep)
        } catch (error) {
          if (!(error instanceof LogFailure) || error.status !== 404) throw error
          // No tiles any more, or never any: not asked for again by this process.
          without = true
        }
      }
      return classic.page(start, endExclusive, size, signal, keep)
    },
    boundary: (start) => (Math.floor(start / WIDTH) + 1) * WIDTH,
  }
}
