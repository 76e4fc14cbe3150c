// An RFC 6962 log that serves its entries as tiles too, much faster than by get-entries, though without a checkpoint: TrustAsia's. What it signed for are
// its heads and its entries; the tiles are a shorter way to them, by caches that may hang, or have something else, while the log is well.
import type { SteadyClock } from '../clock.ts'
import type { LogClient } from './log-client.ts'
import { LogFailure } from './log-failure.ts'
import type { LogHttp, LogLimits } from './log-http.ts'
import type { TileOutcome } from './tile-trust.ts'
import { createTileTrust } from './tile-trust.ts'

const WIDTH = 256
const HYBRID = /(?:^|\.)trustasia\.com\/log20\d\d[a-z]?\/$/
/** ms from when a tile is asked for to its last byte: an entry is to ring within 10 s, and get-entries wants some of them when it did not come. */
const TILE_MS = 3000

/** Whether the log at this URL is one. */
export function isHybrid(url: string): boolean {
  return HYBRID.test(url)
}

/** The way to its tiles, which need not come. Its time begins when a request is sent: where the log has us wait, get-entries would wait as well. */
export function tilesWay({ get, getPacked }: LogHttp): LogHttp {
  const soon = (limits: LogLimits): LogLimits => ({ ...limits, timeoutMs: Math.min(limits.timeoutMs, TILE_MS) })
  return {
    get: async (path, limits, signal) => get(path, soon(limits), signal),
    getPacked: async (path, limits, signal, read) => getPacked(path, soon(limits), signal, read),
  }
}

/**
 * Full tiles where there are some, the rest as any RFC 6962 log; a tile that does not come is no failure, unless the log refuses us for asking too often.
 * `tiles` is a client that asks by `tilesWay`; only its pages are asked for.
 */
export function createHybrid(classic: LogClient, tiles: LogClient, clock: SteadyClock): LogClient {
  const trust = createTileTrust(clock)
  return {
    ...classic,
    page: async (start, endExclusive, size, signal, keep) => {
      const whole = (Math.floor(start / WIDTH) + 1) * WIDTH <= size
      const settle = whole ? trust.ask() : undefined
      if (settle !== undefined) {
        let outcome: TileOutcome = 'unknown'
        try {
          const page = await tiles.page(start, endExclusive, size, signal, keep)
          // One of another place, or of another log: whether the log says that shows by get-entries.
          outcome = page.misplaced.length > 0 ? 'failed' : 'came'
          if (outcome === 'came') return page
        } catch (error) {
          if (!(error instanceof LogFailure) || error.kind === 'limited') throw error
          // No tiles any more, or never any; or they are down, which is no reason to be without the entries.
          outcome = 'failed'
        } finally {
          settle(outcome)
        }
      }
      return classic.page(start, endExclusive, size, signal, keep)
    },
    boundary: (start) => (Math.floor(start / WIDTH) + 1) * WIDTH,
    signed: { client: classic, differed: () => trust.distrust() },
  }
}
