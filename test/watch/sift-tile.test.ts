// A tile in one go against the same tile entry by entry.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { growTree } from '../../src/ct/compact-range.ts'
import { ParseError } from '../../src/ct/errors.ts'
import { leafHash } from '../../src/ct/merkle.ts'
import { readDataTile } from '../../src/ct/tile.ts'
import { readEntry } from '../../src/watch/entry.ts'
import { createMatcher } from '../../src/watch/match.ts'
import { siftTile } from '../../src/watch/sift-tile.ts'
import { createSieve } from '../../src/watch/sieve.ts'
import { fixture, needsFixtures } from '../ct/fixtures.ts'
import { itemOf } from '../support/items.ts'

const ITEMS = ['acme.example.com', '=h17.globex.example.net', '192.0.2.5'].map(itemOf)
const dataTile = (n: number): Buffer => gunzipSync(fixture(`static-ct-trees/sunlight/size-03300/tile/data/${String(n).padStart(3, '0')}`))

void test("a real log's tiles: hashes, matches and places", needsFixtures, () => {
  const sieve = createSieve(ITEMS)
  const matcher = createMatcher(ITEMS, [])
  for (let tile = 0; tile < 12; tile++) {
    const bytes = dataTile(tile)
    const before = Buffer.from(bytes)
    const { hashes, kept, misplaced } = siftTile(bytes, 256, tile * 256, sieve)
    assert.ok(bytes.equals(before), 'nothing is left written in it')
    assert.deepEqual(hashes, fixture(`static-ct-trees/sunlight/size-03300/tile/0/${String(tile).padStart(3, '0')}`))
    assert.deepEqual(misplaced, [])
    assert.ok(kept.length < 40)
    const keptAt = new Map(kept.map((entry) => [entry.n, entry]))
    readDataTile(bytes, 256, (whole, n) => {
      const { n: _, ...entry } = keptAt.get(n) ?? { n }
      if (keptAt.has(n)) assert.deepEqual(entry, whole)
      else assert.equal(readEntry(whole.entry.der, matcher).kind, 'stranger')
    })
  }
})

void test('a partial width, another place, an index that cannot be read', needsFixtures, () => {
  const sieve = createSieve(ITEMS)
  const bytes = dataTile(1)
  assert.equal(siftTile(bytes, 10, 256, sieve).hashes.length, 320)
  assert.deepEqual(siftTile(bytes, 3, 0, sieve).misplaced, [0, 1, 2])
  assert.throws(() => siftTile(bytes.subarray(0, -1), 256, 256, sieve), ParseError)
  const leaves: Buffer[] = []
  const spoiled = Buffer.from(bytes)
  readDataTile(spoiled, 256, ({ entry, timestamped }, n) => {
    // Its length, so that it ends within itself.
    if (n === 5) entry.extensions[2] = 9
    if (n === 7) entry.extensions[7] = 0
    leaves.push(leafHash(timestamped, 2))
  })
  const { hashes, misplaced } = siftTile(spoiled, 256, 256, sieve)
  assert.deepEqual(misplaced, [5, 7])
  assert.deepEqual(hashes, Buffer.concat(leaves))
  const [together, single] = [growTree(), growTree()]
  together.appendLeaves(hashes)
  for (const leaf of leaves) single.append(leaf)
  assert.deepEqual(together.root(), single.root())
})
