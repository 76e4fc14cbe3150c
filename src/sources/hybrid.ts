// An RFC 6962 log that serves its entries as tiles too, much faster than by get-entries, though without a checkpoint: TrustAsia's.
import type { LogClient } from './log-client.ts'
import { LogFailure } from './log-failure.ts'

const WIDTH = 256
const HYBRID = /(?:^|\.)trustasia\.com\/log20\d\d[a-z]?\/$/

/** Whether the log at this URL is one. */
export function isHybrid(url: string): boolean {
  return HYBRID.test(url)
}

/** After a tile that did not come so many more pages are asked for the other way, twice as many each time. */
const FIRST_WITHOUT = 4
const MOST_WITHOUT = 1024

/** Full tiles where there are some, the rest as any RFC 6962 log; a tile that does not come is no failure, unless the log refuses us for asking too often. */
export function createHybrid(classic: LogClient, tiles: LogClient): LogClient {
  let without = 0
  let next = FIRST_WITHOUT
  return {
    ...classic,
    page: async (start, endExclusive, size, signal, keep) => {
      const whole = (Math.floor(start / WIDTH) + 1) * WIDTH <= size
      if (whole && without > 0) without -= 1
      else if (whole) {
        try {
          const page = await tiles.page(start, endExclusive, size, signal, keep)
          next = FIRST_WITHOUT
          return page
        } catch (error) {
          if (!(error instanceof LogFailure) || error.kind === 'limited') throw error
          // No tiles any more, or never any; or they are down, which is no reason to be without the entries.
          without = next
          next = Math.min(MOST_WITHOUT, 2 * next)
        }
      }
      return classic.page(start, endExclusive, size, signal, keep)
    },
    boundary: (start) => (Math.floor(start / WIDTH) + 1) * WIDTH,
  }
}
