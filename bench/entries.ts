// A static log's entries, from gzipped tile to verified tree and matched names, on real tiles: beside what unpacking and hashing the same bytes costs
// without us, and beside reading each certificate with the platform's own parser.
import { existsSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { walkDataTile } from '../src/ct/tile.ts'
import type { Sieve } from '../src/watch/sieve.ts'
import { createSieve } from '../src/watch/sieve.ts'
import { FIXTURES, itemsOf } from './fixtures.ts'
import { bar, inTurns } from './measure.ts'
import { underOlderNode } from './older-node.ts'
import type { Rates } from './rates.ts'
import { countOf, rates, realLogs, ROUNDS, WIDTH } from './rates.ts'

function show(where: string, { bare, ours, x509 }: Rates): void {
  console.log(
    `     µs an entry${where}: gunzip and SHA-256 ${bare.toFixed(2)}, whole pipeline with 10,000 items ${ours.toFixed(2)}, with X509Certificate ${x509.toFixed(2)}`,
  )
}

/** Rates of the whole pipeline, and the sieve's cost and memory by the number of items. */
export async function entries(): Promise<void> {
  if (!existsSync(FIXTURES)) {
    console.log(`     entries: no fixtures at ${FIXTURES}; set CERTBELL_FIXTURES`)
    return
  }
  const here = rates()
  show('', here)
  bar('entries: rate of the pipeline to gunzip and SHA-256 alone', here.bare / here.ours, { least: 0.6 })
  // OpenSSL 3.5 takes 25 µs for a certificate, and what it gives has to be taken apart: even bare gunzip and SHA-256 are but 20 times as fast.
  bar('entries: rate of the pipeline to an X509Certificate for each', here.x509 / here.ours, { least: 9 })
  // OpenSSL 3.0, of Node 20, takes four times as long: that is what who warns of it has measured.
  const older = await underOlderNode('rates-alone.ts')
  if (older === undefined) console.log('     entries: no Node before 22 on this machine to measure with')
  else {
    const there = older.result as Rates
    show(` under Node ${older.version}`, there)
    bar(`entries: the same to X509Certificate under Node ${older.version}`, there.x509 / there.ours, { least: 20 })
  }

  const all = realLogs()
  const count = countOf(all)
  const micros = (ms: number): string => ((ms * 1000) / count).toFixed(2)
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
