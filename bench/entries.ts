// A static log's entries, from gzipped tile to verified tree and matched names, on real tiles: beside what unpacking and hashing the same bytes costs
// without us, and beside reading each certificate with the platform's own parser.
import { hash, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { growTree } from '../src/ct/compact-range.ts'
import { HASH_SIZE, leafHash } from '../src/ct/merkle.ts'
import { walkDataTile } from '../src/ct/tile.ts'
import { itemKey } from '../src/watch/item.ts'
import type { Sieve } from '../src/watch/sieve.ts'
import { createSieve } from '../src/watch/sieve.ts'
import { siftTile } from '../src/watch/sift-tile.ts'
import { FIXTURES, itemsOf } from './fixtures.ts'
import { bar } from './measure.ts'

const WIDTH = 256
const ROUNDS = 60

interface Log {
  /** Full data tiles from the first on, gzipped. */
  readonly tiles: readonly Buffer[]
  readonly root: string
}

/** The first `count` full tiles of a tree, and the root over them by its level-0 hash tiles. */
function readLog(folder: string, count: number): Log {
  const paths = Array.from({ length: count }, (_, n) => String(n).padStart(3, '0'))
  const tree = growTree()
  for (const path of paths) tree.appendLeaves(readFileSync(join(FIXTURES, folder, 'tile', '0', path)))
  const tiles = paths.map((path) => readFileSync(join(FIXTURES, folder, 'tile', 'data', path)))
  return { tiles: tiles.map((tile) => (tile[0] === 0x1f ? tile : gzipSync(tile))), root: tree.root().toString('hex') }
}

// The machine is shared, so it is the processor's time that counts, and of several rounds the least.
function cpuMs(task: () => void): number {
  const before = process.cpuUsage()
  task()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** The least ms of each task, taken in turns so that a disturbance meets them all. */
export function inTurns<const K extends string>(rounds: number, tasks: Readonly<Record<K, () => void>>): Readonly<Record<K, number>> {
  const best: Record<string, number> = {}
  for (let round = 0; round < rounds; round++)
    for (const [name, task] of Object.entries<() => void>(tasks)) best[name] = Math.min(best[name] ?? Infinity, cpuMs(task))
  return best as Record<K, number>
}

/** What a tail does with tiles; the tree must come out right. */
function tail({ tiles, root }: Log, sieve: Sieve): void {
  const tree = growTree()
  for (const tile of tiles) tree.appendLeaves(siftTile(gunzipSync(tile), WIDTH, tree.size, sieve).hashes)
  if (tree.root().toString('hex') !== root) throw new Error('the tree is not that of the log')
}

/** The same work with the platform's parser for each entry: the names and addresses that it gives, looked up among as many items. */
function tailWithX509({ tiles, root }: Log, items: ReadonlySet<string>): void {
  const tree = growTree()
  let [names, found] = [0, 0]
  const look = (name: string): void => {
    names += 1
    for (let at = 0; at >= 0; at = name.indexOf('.', at + 1)) if (items.has(at === 0 ? name : name.slice(at + 1))) found += 1
  }
  for (const tile of tiles) {
    const bytes = gunzipSync(tile)
    const hashes = Buffer.alloc(WIDTH * HASH_SIZE)
    walkDataTile(bytes, WIDTH, ({ type, start, end, der, derEnd, precertificate, precertificateEnd }, n) => {
      leafHash(bytes.subarray(start, end), 2).copy(hashes, n * HASH_SIZE)
      // A TBSCertificate alone is nothing that it could read.
      const whole = type === 'precert' ? bytes.subarray(precertificate, precertificateEnd) : bytes.subarray(der, derEnd)
      const { subject, subjectAltName = '' } = new X509Certificate(whole)
      for (const part of subjectAltName.split(', ')) if (/^(?:DNS|IP Address):/.test(part)) look(part.slice(part.indexOf(':') + 1).toLowerCase())
      for (const [, name = ''] of (subject ?? '').matchAll(/^CN=(.*)$/gm)) look(name.toLowerCase())
    })
    tree.appendLeaves(hashes)
  }
  if (tree.root().toString('hex') !== root || names === 0 || found > names) throw new Error('it was not read as it is')
}

/** Rates of the whole pipeline, and the sieve's cost and memory by the number of items. */
export function entries(): void {
  if (!existsSync(FIXTURES)) {
    console.log(`     entries: no fixtures at ${FIXTURES}; set CERTBELL_FIXTURES`)
    return
  }
  const logs = { navigli: readLog('static-ct/navigli2025h2', 4), sunlight: readLog('static-ct-trees/sunlight/size-03300', 12) }
  const all = Object.values(logs)
  const count = all.reduce((sum, { tiles }) => sum + tiles.length, 0) * WIDTH
  const micros = (ms: number): string => ((ms * 1000) / count).toFixed(2)

  const sieve = createSieve(itemsOf(10_000))
  const { bare, ours } = inTurns(ROUNDS, {
    bare: () => {
      for (const { tiles } of all) for (const tile of tiles) hash('sha256', gunzipSync(tile), 'hex')
    },
    ours: () => {
      for (const log of all) tail(log, sieve)
    },
  })
  const items = new Set(itemsOf(10_000).map((item) => itemKey(item)))
  const { x509 } = inTurns(3, { x509: () => all.forEach((log) => tailWithX509(log, items)) })
  console.log(
    `     µs an entry: gunzip and SHA-256 ${micros(bare)}, whole pipeline with 10,000 items ${micros(ours)}, with X509Certificate ${micros(x509)}`,
  )
  bar('entries: rate of the pipeline to gunzip and SHA-256 alone', bare / ours, { least: 0.6 })
  // The platform's parser takes 25 µs here (OpenSSL 3.5; elsewhere 200 to 400 were measured), and what it gives has to be taken apart: even bare gunzip and
  // SHA-256 are but 20 times as fast.
  bar('entries: rate of the pipeline to an X509Certificate for each', x509 / ours, { least: 9 })

  const inflated = all.flatMap(({ tiles }) => tiles.map((tile) => gunzipSync(tile)))
  const [ten, million] = [createSieve(itemsOf(10)), createSieve(itemsOf(1_000_000))]
  const kept = { ten: 0, million: 0 }
  // What else a process does leaves nothing of a table in the processor's caches.
  const other = new Uint8Array(64 * 1024 * 1024)
  const walk = (sieve: Sieve): number => {
    let kept = 0
    for (const bytes of inflated)
      walkDataTile(bytes, WIDTH, ({ der, derEnd }) => {
        if (sieve.mayMatter(bytes, der, derEnd)) kept += 1
      })
    return kept
  }
  const cost = inTurns(ROUNDS, {
    evict: () => void other.fill(1),
    ten: () => (kept.ten = walk(ten)),
    evictAgain: () => void other.fill(2),
    million: () => (kept.million = walk(million)),
  })
  console.log(`     µs an entry in the sieve: ${micros(cost.ten)} with 10 items, ${micros(cost.million)} with 1,000,000`)
  bar('entries: the sieve with 1,000,000 items to 10', cost.million / cost.ten, { most: 1.5 })
  bar('entries: let through that are nobody’s, of 100', (100 * kept.million) / count, { most: 3 }, '%')
  bar('entries: the sieve’s tables for 1,000,000 items', million.size / 1024 / 1024, { most: 24 }, 'MiB')
}
