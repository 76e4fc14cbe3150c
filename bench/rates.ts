// What an entry of a static log costs from gzipped tile to verified tree and matched names: in our pipeline, and in others that do as much or less.
import { hash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
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
import { inTurns } from './measure.ts'

export const WIDTH = 256
export const ROUNDS = 60

/** A log's first entries. */
export interface Log {
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

/** The logs that are measured with. */
export function realLogs(): readonly Log[] {
  return [readLog('static-ct/navigli2025h2', 4), readLog('static-ct-trees/sunlight/size-03300', 12)]
}

/** How many entries they have. */
export function countOf(logs: readonly Log[]): number {
  return logs.reduce((sum, { tiles }) => sum + tiles.length, 0) * WIDTH
}

/** µs an entry: gunzip and SHA-256 alone, our pipeline with 10,000 items, one that builds an X509Certificate for each. */
export interface Rates {
  readonly bare: number
  readonly ours: number
  readonly x509: number
}

/** Measures them in one run. */
export function rates(): Rates {
  const all = realLogs()
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
  const each = 1000 / countOf(all)
  return { bare: bare * each, ours: ours * each, x509: x509 * each }
}
