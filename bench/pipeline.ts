// Catching up without the network, in a process of its own: real tiles, packed, through the pool to the tree and the matcher. argv: workers at most. Prints
// entries a second.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { growTree } from '../src/ct/compact-range.ts'
import { release } from '../src/release.ts'
import type { LogPage } from '../src/sources/log-entry.ts'
import { createSift } from '../src/sources/log-sift.ts'
import { createPagePool } from '../src/sources/page-pool.ts'
import { createMatcher } from '../src/watch/match.ts'
import { createSieve } from '../src/watch/sieve.ts'
import { FIXTURES, itemsOf } from './fixtures.ts'

const [WIDTH, WARM, TILES, AT_ONCE] = [256, 3000, 12_000, 16]
const LOG = { id: 'log', description: 'log' }

const read = (folder: string, count: number): readonly Buffer[] =>
  Array.from({ length: count }, (_, n) => {
    const tile = readFileSync(join(FIXTURES, folder, 'tile', 'data', String(n).padStart(3, '0')))
    return tile[0] === 0x1f ? tile : gzipSync(tile)
  })
const tiles = [...read('static-ct/navigli2025h2', 4), ...read('static-ct-trees/sunlight/size-03300', 12)]
const items = itemsOf(10_000)
const sieve = createSieve(items)
const sift = createSift(createMatcher(items, []))
const pool = createPagePool({ sieve, most: Number(process.argv[2]), now: () => performance.now() })
const { signal } = new AbortController()

// As from a socket: each in memory of its own, in a turn of the event loop of its own.
const page = async (n: number): Promise<LogPage> => {
  await new Promise((resolve) => setImmediate(resolve))
  const bytes = Buffer.from(tiles[n % tiles.length]!)
  const page = await pool.read({ bytes, encoding: 'gzip', maxBytes: 64 * 1024 * 1024 }, { kind: 'data-tile', start: n * WIDTH, width: WIDTH }, signal)
  release(bytes)
  return page
}

const tree = growTree()
const ahead: Promise<LogPage>[] = []
let began = 0
for (let n = 0; n < WARM + TILES; n++) {
  if (n === WARM) began = performance.now()
  while (n + ahead.length < WARM + TILES && ahead.length < AT_ONCE) ahead.push(page(n + ahead.length))
  const { hashes, kept } = await ahead.shift()!
  tree.appendLeaves(hashes)
  for (const entry of kept) sift(LOG, entry, new Date(began))
}
console.log(JSON.stringify({ rate: (TILES * WIDTH) / ((performance.now() - began) / 1000), root: tree.root().toString('hex') }))
await pool.end()
