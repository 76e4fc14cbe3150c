// A static log (c2sp.org/static-ct-api): a checkpoint, and tiles that never change.
import { readCheckpoint } from '../ct/checkpoint.ts'
import { growTree } from '../ct/compact-range.ts'
import { ParseError } from '../ct/errors.ts'
import type { LogKey } from '../ct/log-key.ts'
import { leafHash } from '../ct/merkle.ts'
import type { Tile } from '../ct/tile.ts'
import { edgeTiles, readDataTile, readHashTile, tilePath } from '../ct/tile.ts'
import type { LogClient } from './log-client.ts'
import type { LogEntry } from './log-entry.ts'
import { isMisplaced } from './log-entry.ts'
import { LogFailure } from './log-failure.ts'
import type { LogGet } from './log-http.ts'

const WIDTH = 256
const HEAD = { timeoutMs: 15_000, maxBytes: 512 * 1024 }
const HASHES = { timeoutMs: 30_000, maxBytes: WIDTH * 32 }
// An entry may hold 128 KiB and more; real tiles have half a megabyte.
const DATA = { timeoutMs: 60_000, maxBytes: 64 * 1024 * 1024 }

/** A client of the log with this key. `url` is for evidence. */
export function createStaticCt(get: LogGet, key: LogKey, url: string): LogClient {
  // The partial tile may be gone once the full one is there: which has the same bytes first.
  const tile = async (which: Tile, limits: typeof DATA, signal: AbortSignal): Promise<Buffer> => {
    try {
      return await get(tilePath(which), limits, signal)
    } catch (error) {
      if (!(error instanceof LogFailure) || error.status !== 404 || which.width === WIDTH) throw error
      return get(tilePath({ ...which, width: WIDTH }), limits, signal)
    }
  }
  return {
    head: async (signal) => {
      const received = await get('checkpoint', HEAD, signal)
      const { head, valid } = broken('checkpoint', () => readCheckpoint(received, key))
      return { head, valid, received, url: `${url}checkpoint` }
    },
    page: async (start, endExclusive, size, signal) => {
      const index = Math.floor(start / WIDTH)
      const first = index * WIDTH
      const which: Tile = { level: 'data', index, width: Math.min(WIDTH, size - first) }
      const body = await tile(which, DATA, signal)
      const entries: LogEntry[] = []
      broken('data tile', () =>
        readDataTile(body, which.width, ({ entry, timestamped, precertificate }, n) => {
          const at = first + n
          if (at < start || at >= endExclusive) return
          entries.push({ index: at, leafHash: leafHash(timestamped, 2), entry, why: undefined, precertificate, misplaced: isMisplaced(entry, at) })
        }),
      )
      return { start, entries }
    },
    edge: async ({ size }, signal) => {
      const tiles = edgeTiles(size)
      const bodies = await Promise.all(tiles.map(async (which) => tile(which, HASHES, signal)))
      const tree = growTree()
      for (const [n, which] of tiles.entries()) {
        const hashes = broken('hash tile', () => readHashTile(bodies[n] ?? Buffer.alloc(0), which.width))
        for (const hash of hashes) tree.appendSubtree(8 * which.level, hash)
      }
      return tree.range()
    },
    boundary: (start) => (Math.floor(start / WIDTH) + 1) * WIDTH,
  }
}

/** What cannot be read is an answer that is none: it is asked for again. */
export function broken<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    throw new LogFailure('broken', `its ${what} cannot be read: ${error.message}`, { cause: error })
  }
}
