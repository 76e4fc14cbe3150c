// An RFC 6962 log's entries, from the JSON of get-entries to the tree and matched names, on real entries: beside what parsing and decoding the same pages
// costs without us.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { growTree } from '../src/ct/compact-range.ts'
import { readPage } from '../src/sources/read-page.ts'
import { createSieve } from '../src/watch/sieve.ts'
import { FIXTURES, itemsOf } from './fixtures.ts'
import { bar, inTurns } from './measure.ts'

const ENTRIES = 256
const PAGES = 8
const ROUNDS = 60

/** The rate of the whole page function. */
export function pages(): void {
  if (!existsSync(FIXTURES)) {
    console.log(`     pages: no fixtures at ${FIXTURES}; set CERTBELL_FIXTURES`)
    return
  }
  const rows = JSON.parse(readFileSync(join(FIXTURES, 'rfc6962-live-entries.json'), 'utf8')) as readonly { leaf_input: string; extra_data: string }[]
  // As a log sends them: nothing else in a row, and a line break at the end.
  const bodies = Array.from({ length: PAGES }, (_, page) => {
    const entries = Array.from({ length: ENTRIES }, (_, n) => rows[(page * 7 + n) % rows.length]!)
    return Buffer.from(`${JSON.stringify({ entries: entries.map(({ leaf_input, extra_data }) => ({ leaf_input, extra_data })) })}\n`)
  })
  const sieve = createSieve(itemsOf(10_000))
  let bytes = 0
  let kept = 0
  const { bare, ours } = inTurns(ROUNDS, {
    bare: () => {
      for (const body of bodies) {
        const { entries } = JSON.parse(body.toString()) as { readonly entries: typeof rows }
        for (const { leaf_input: leaf, extra_data: extra } of entries)
          bytes += Buffer.from(leaf, 'base64').length + Buffer.from(extra, 'base64').length
      }
    },
    ours: () => {
      const tree = growTree()
      for (const body of bodies) {
        const answer = { bytes: body, encoding: undefined, maxBytes: body.length }
        const page = readPage(answer, { kind: 'get-entries', start: tree.size, count: ENTRIES }, sieve)
        tree.appendLeaves(page.hashes)
        kept += page.kept.length
      }
    },
  })
  if (bytes === 0) throw new Error('nothing was read')
  const micros = (ms: number): string => ((ms * 1000) / (PAGES * ENTRIES)).toFixed(2)
  console.log(
    `     µs an entry of ${Math.round((bodies[0]?.length ?? 0) / ENTRIES)} bytes: JSON.parse and base64 ${micros(bare)}, whole page with 10,000 items ${micros(ours)}; let through ${((100 * kept) / (ROUNDS * PAGES * ENTRIES)).toFixed(1)} %`,
  )
  bar('pages: rate of an RFC 6962 page to JSON.parse and base64 alone', bare / ours, { least: 0.7 })
}
