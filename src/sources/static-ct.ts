// A static log (c2sp.org/static-ct-api): a checkpoint, and tiles that never change.
import { readCheckpoint } from '../ct/checkpoint.ts'
import { growTree, rootOf } from '../ct/compact-range.ts'
import type { LogKey } from '../ct/log-key.ts'
import { HASH_SIZE, perfectRoot } from '../ct/merkle.ts'
import { subtreesOf, tileSliceOf } from '../ct/range-nodes.ts'
import type { Tile } from '../ct/tile.ts'
import { edgeTiles, readHashTile, tilePath } from '../ct/tile.ts'
import type { LogClient } from './log-client.ts'
import { broken, LogFailure } from './log-failure.ts'
import type { LogHttp, LogLimits } from './log-http.ts'
import type { ReadPage } from './read-page.ts'
import { release } from './read-page.ts'

const WIDTH = 256
const HEAD = { timeoutMs: 15_000, maxBytes: 512 * 1024 }
const HASHES = { timeoutMs: 30_000, maxBytes: WIDTH * 32 }
// An entry may hold 128 KiB and more; real tiles have half a megabyte.
const DATA = { timeoutMs: 60_000, maxBytes: 64 * 1024 * 1024 }

/** A client of the log with this key. `url` is for evidence; `readPage` keeps what may matter. */
export function createStaticCt({ get, getPacked }: LogHttp, key: LogKey, url: string, readPage: ReadPage): LogClient {
  // The partial tile may be gone once the full one is there: which has the same bytes first.
  const fallingBack = async <T>(which: Tile, ask: (path: string) => Promise<T>): Promise<T> => {
    try {
      return await ask(tilePath(which))
    } catch (error) {
      if (!(error instanceof LogFailure) || error.status !== 404 || which.width === WIDTH) throw error
      return ask(tilePath({ ...which, width: WIDTH }))
    }
  }
  const tile = async (which: Tile, limits: LogLimits, signal: AbortSignal): Promise<Buffer> =>
    fallingBack(which, async (path) => get(path, limits, signal))
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
      const answer = await fallingBack(which, async (path) => getPacked(path, DATA, signal))
      const { hashes, kept, misplaced } = await readPage(answer, { kind: 'data-tile', start: first, width: which.width }, signal)
      release(answer.bytes)
      const end = Math.min(endExclusive, first + which.width)
      const within = (n: number): boolean => n >= start && n < end
      return {
        start,
        hashes: hashes.subarray((start - first) * HASH_SIZE, (end - first) * HASH_SIZE),
        kept: kept.filter(({ index }) => within(index)),
        misplaced: misplaced.filter(within),
      }
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
    isPrefix: async (small, large, signal) => {
      // Both trees from the larger one's tiles: the smaller is its beginning if that gives both roots.
      const parts = [...subtreesOf(0, small.size), ...subtreesOf(small.size, large.size)].map((subtree) => ({
        ...subtree,
        ...tileSliceOf(subtree, large.size),
      }))
      const bodies = new Map<string, Promise<Buffer>>()
      for (const { tile: which } of parts) {
        const path = tilePath(which)
        if (!bodies.has(path)) bodies.set(path, tile(which, HASHES, signal))
      }
      await Promise.all(bodies.values())
      const tree = growTree()
      let before = rootOf(tree.range())
      for (const { level, start, tile: which, first, count } of parts) {
        const body = (await bodies.get(tilePath(which))) ?? Buffer.alloc(0)
        const hashes = broken('hash tile', () => readHashTile(body, which.width))
        tree.appendSubtree(level, perfectRoot(Buffer.concat(hashes.slice(first, first + count))))
        if (start + 2 ** level === small.size) before = tree.root()
      }
      // Tiles that do not make the tree which was verified say nothing of the other.
      return tree.root().equals(large.root) ? before.equals(small.root) : undefined
    },
    boundary: (start) => (Math.floor(start / WIDTH) + 1) * WIDTH,
  }
}
