// A tile in one go against the same tile entry by entry.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { growTree } from '../../src/ct/compact-range.ts'
import { ParseError } from '../../src/ct/errors.ts'
import { leafHash } from '../../src/ct/merkle.ts'
import { readDataTile, walkDataTile } from '../../src/ct/tile.ts'
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

void test('entries of kinds that nobody knows are passed over where their hashes prove them', needsFixtures, () => {
  const sieve = createSieve(ITEMS)
  const plain = siftTile(dataTile(1), 256, 256, sieve)
  const bytes = dataTile(1)
  const changed = [0, 17, 18, 255]
  const starts: number[] = []
  walkDataTile(bytes, 256, ({ start }) => void starts.push(start))
  for (const n of changed) bytes.writeUInt16BE(9, (starts[n] ?? 0) + 8)
  assert.throws(() => siftTile(bytes, 256, 256, sieve), ParseError)
  // What the log hashed: the leaves with their strange type.
  const hashes = Buffer.from(plain.hashes)
  const lengths: number[] = []
  walkDataTile(dataTile(1), 256, ({ start, end }) => void lengths.push(end - start))
  for (const n of changed) leafHash(bytes.subarray(starts[n], (starts[n] ?? 0) + (lengths[n] ?? 0)), 2).copy(hashes, n * 32)
  const sifted = siftTile(bytes, 256, 256, sieve, hashes)
  assert.deepEqual(sifted.hashes, hashes)
  assert.deepEqual(
    sifted.unreadable.map(({ n }) => n),
    changed,
  )
  assert.deepEqual(
    sifted.kept.map(({ n }) => n),
    plain.kept.map(({ n }) => n).filter((n) => !changed.includes(n)),
  )
  // As the first entries of a full tile that stands for a partial one.
  assert.equal(siftTile(bytes, 18, 256, sieve, hashes.subarray(0, 18 * 32)).unreadable.length, 2)
  // What is no tile stays none, and so does one whose entries are others than those that were hashed.
  for (const none of [Buffer.from('<!DOCTYPE html>'.repeat(1000)), Buffer.alloc(40_000), bytes.subarray(0, -1)])
    assert.throws(() => siftTile(none, 256, 256, sieve, hashes), ParseError)
  assert.throws(() => siftTile(bytes, 256, 256, sieve, plain.hashes), ParseError)
})
