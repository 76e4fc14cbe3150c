// A static log (c2sp.org/static-ct-api): a checkpoint, and tiles that never change.
import { readCheckpoint } from '../ct/checkpoint.ts'
import type { CompactRange } from '../ct/compact-range.ts'
import { growTree, rootOf } from '../ct/compact-range.ts'
import type { LogKey } from '../ct/log-key.ts'
import { HASH_SIZE, perfectRoot } from '../ct/merkle.ts'
import type { Subtree } from '../ct/range-nodes.ts'
import { subtreesOf, tileSliceOf } from '../ct/range-nodes.ts'
import type { Tile } from '../ct/tile.ts'
import { readHashTile, tilePath } from '../ct/tile.ts'
import type { TileProof } from '../watch/sift-tile.ts'
import type { LogClient } from './log-client.ts'
import { broken, LogFailure } from './log-failure.ts'
import type { LogPage } from './log-entry.ts'
import { receivedOf } from './log-entry.ts'
import type { LogHttp, LogLimits } from './log-http.ts'
import type { ReadPage } from './read-page.ts'

const WIDTH = 256
// Some logs take half a minute for anything.
const HEAD = { timeoutMs: 60_000, maxBytes: 512 * 1024 }
const HASHES = { timeoutMs: 60_000, maxBytes: WIDTH * 32 }
/** Hash tiles that are kept, of a tree that is read from far behind. */
const MOST_TILES = 64
/** So often a tile that cannot be read is asked for again, with pauses that grow. */
const GIVE_UP_AFTER = 2
// An entry may hold 128 KiB and more; real tiles have half a megabyte.
const DATA = { timeoutMs: 60_000, maxBytes: 64 * 1024 * 1024 }

/** A client of the log with this key. `url` is for evidence; `readPage` keeps what may matter. */
export function createStaticCt({ get, getPacked }: LogHttp, key: LogKey, url: string, readPage: ReadPage): LogClient {
  // The partial tile may be gone once the full one is there, which has the same bytes first. Where a store does not let its objects be listed, what is gone is
  // forbidden (403), and some say 410 or 400.
  const fallingBack = async <T>(which: Tile, ask: (path: string) => Promise<T>): Promise<T> => {
    try {
      return await ask(tilePath(which))
    } catch (error) {
      if (!(error instanceof LogFailure) || !isGone(error) || which.width === WIDTH) throw error
      return ask(tilePath({ ...which, width: WIDTH }))
    }
  }
  const tile = async (which: Tile, limits: LogLimits, signal: AbortSignal): Promise<Buffer> =>
    fallingBack(which, async (path) => get(path, limits, signal))
  // The hash tiles of a tree of this size, each fetched once; one that could not be had is asked for again.
  const tiles = (size: number, signal: AbortSignal): ShownTiles => {
    const bodies = new Map<string, Promise<readonly Uint8Array[]>>()
    return async (subtree) => {
      const { tile: which, first, count } = tileSliceOf(subtree, size)
      const path = tilePath(which)
      let hashes = bodies.get(path)
      if (hashes === undefined) {
        hashes = tile(which, HASHES, signal).then((body) => broken('hash tile', () => readHashTile(body, which.width)))
        hashes.catch(() => bodies.delete(path))
        if (bodies.size >= MOST_TILES) bodies.clear()
        bodies.set(path, hashes)
      }
      return perfectRoot(Buffer.concat((await hashes).slice(first, first + count)))
    }
  }
  // Entries of a kind that is not known yet would hold up the log for ever: what they are hashed to says where they end. Where even that does not help, the
  // tile may have come wrong, so it is asked for some times; after that, what cannot be read of it will never be, and the log is read on behind it.
  const unread = new Map<number, number>()
  // The tile is not kept while its hashes are fetched: it may be large, and this log decides how long they take.
  const dataTile = async (which: Tile, start: number, signal: AbortSignal, keep: boolean): Promise<LogPage> => {
    const kind = { kind: 'data-tile', start, width: which.width } as const
    const as = async (more: { readonly proof?: TileProof }): Promise<LogPage> =>
      fallingBack(which, async (path) =>
        getPacked(path, DATA, signal, async (answer) => {
          const received = keep ? [receivedOf(url + tilePath(which), answer.bytes)] : undefined
          const page = await readPage(answer, { ...kind, ...more }, signal)
          return received === undefined ? page : { ...page, received }
        }),
      )
    try {
      return await as({})
    } catch (error) {
      if (!(error instanceof LogFailure) || !error.strange) throw error
      const leafHashes = await tile({ ...which, level: 0 }, HASHES, signal)
      if (leafHashes.length < which.width * HASH_SIZE) throw error
      const failures = unread.get(which.index) ?? 0
      const giveUp = failures >= GIVE_UP_AFTER
      try {
        const page = await as({ proof: { leafHashes: leafHashes.subarray(0, which.width * HASH_SIZE), giveUp } })
        // What was given up once is so at once while its tile grows.
        if (!giveUp) unread.delete(which.index)
        return page
      } catch (again) {
        if (again instanceof LogFailure && again.strange) {
          if (unread.size >= MOST_TILES) unread.clear()
          unread.set(which.index, failures + 1)
        }
        throw again
      }
    }
  }
  let shown: { readonly key: string; readonly tiles: ShownTiles } | undefined
  return {
    head: async (signal) => {
      const received = await get('checkpoint', HEAD, signal)
      const { head, valid } = broken('checkpoint', () => readCheckpoint(received, key))
      return { head, valid, received, url: `${url}checkpoint` }
    },
    page: async (start, endExclusive, size, signal, keep) => {
      const index = Math.floor(start / WIDTH)
      const first = index * WIDTH
      const which: Tile = { level: 'data', index, width: Math.min(WIDTH, size - first) }
      const { hashes, kept, misplaced, received } = await dataTile(which, first, signal, keep === true)
      const end = Math.min(endExclusive, first + which.width)
      const within = (n: number): boolean => n >= start && n < end
      return {
        start,
        hashes: hashes.subarray((start - first) * HASH_SIZE, (end - first) * HASH_SIZE),
        kept: kept.filter(({ index }) => within(index)),
        misplaced: misplaced.filter(within),
        ...(received !== undefined && { received }),
      }
    },
    edge: async ({ size }, within, signal) => {
      const { before } = await rebuilt(size, within.size, tiles(within.size, signal))
      return before
    },
    isPrefix: async (small, large, signal) => {
      const { before, root } = await rebuilt(small.size, large.size, tiles(large.size, signal))
      // Tiles that do not make the tree which was verified say nothing of the other.
      return root.equals(large.root) ? rootOf(before).equals(small.root) : undefined
    },
    proves: async (edge, tree, signal) => {
      if (edge.size % WIDTH !== 0) return undefined
      const key = `${tree.size} ${Buffer.from(tree.root).toString('base64')}`
      // One tile of hashes covers 65,536 entries: it is not fetched again for each place in them.
      if (shown?.key !== key) shown = { key, tiles: tiles(tree.size, signal) }
      const { before, root } = await rebuilt(edge.size, tree.size, shown.tiles)
      return root.equals(tree.root) ? rootOf(before).equals(rootOf(edge)) : undefined
    },
    proofEvery: 0,
    boundary: (start) => (Math.floor(start / WIDTH) + 1) * WIDTH,
  }
}

function isGone({ status = 0 }: LogFailure): boolean {
  return status >= 400 && status < 500 && status !== 429
}

/** The root of a subtree, by the log's tiles. */
type ShownTiles = (subtree: Subtree) => Promise<Buffer>

/** A tree of `size` by its tiles, and what it was up to `at`. */
async function rebuilt(at: number, size: number, shown: ShownTiles): Promise<{ readonly before: CompactRange; readonly root: Buffer }> {
  const left = subtreesOf(0, at)
  const right = subtreesOf(at, size)
  const hashes = await Promise.all([...left, ...right].map(shown))
  const tree = growTree()
  let before = tree.range()
  for (const [n, { level }] of [...left, ...right].entries()) {
    tree.appendSubtree(level, hashes[n] ?? Buffer.alloc(0))
    if (n === left.length - 1) before = tree.range()
  }
  return { before, root: tree.root() }
}
