// A tile in one go against the same tile entry by entry.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { growTree } from '../../src/ct/compact-range.ts'
import { ParseError } from '../../src/ct/errors.ts'
import { leafHash } from '../../src/ct/merkle.ts'
import { readDataTile, walkDataTile } from '../../src/ct/tile.ts'
import { afterUnknownLeaf } from '../../src/ct/unknown-leaf.ts'
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
  const proof = { leafHashes: hashes, giveUp: false }
  const sifted = siftTile(bytes, 256, 256, sieve, proof)
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
  assert.equal(siftTile(bytes, 18, 256, sieve, { ...proof, leafHashes: hashes.subarray(0, 18 * 32) }).unreadable.length, 2)
  // What is no tile stays none, and so does one whose entries are others than those that were hashed.
  for (const none of [Buffer.from('<!DOCTYPE html>'.repeat(1000)), Buffer.alloc(40_000), bytes.subarray(0, -1)])
    assert.throws(() => siftTile(none, 256, 256, sieve, proof), ParseError)
  assert.throws(() => siftTile(bytes, 256, 256, sieve, { leafHashes: plain.hashes, giveUp: false }), ParseError)
})

/** A tile as its log would have it: what was hashed of each entry, and what follows that. */
function made(entries: readonly { readonly leaf: Buffer; readonly after: Buffer }[]): { readonly bytes: Buffer; readonly leafHashes: Buffer } {
  return {
    bytes: Buffer.concat(entries.flatMap(({ leaf, after }) => [leaf, after])),
    leafHashes: Buffer.concat(entries.map(({ leaf }) => leafHash(leaf, 2))),
  }
}
const NO_CHAIN = Buffer.alloc(2)
const known = (der: Buffer, after = NO_CHAIN, time?: bigint) => ({
  leaf: Buffer.concat([head(0, time), Buffer.of(0, der.length >> 8, der.length & 255), der, NO_CHAIN]),
  after,
})
const unknown = (content: Buffer, after = NO_CHAIN) => ({ leaf: Buffer.concat([head(7), content]), after })
function head(type: number, time = 1_790_000_000_000n): Buffer {
  const bytes = Buffer.alloc(10)
  bytes.writeBigUInt64BE(time)
  bytes.writeUInt16BE(type, 8)
  return bytes
}
// The sieve keeps what is no certificate.
const ODD = known(Buffer.from('no certificate'))

void test('what looking for the ends of strange entries costs is bounded for each tile', (t) => {
  const sieve = createSieve(ITEMS)
  const copies = t.mock.method(Object.getPrototypeOf(createHash('sha256')) as Hash, 'copy')
  // Wherever one looks there might be an end: a chain of no certificate, and behind it zeros as an entry begins with.
  const dense = made(Array.from({ length: 256 }, () => unknown(Buffer.alloc(65_500))))
  const { hashes, unreadable } = siftTile(dense.bytes, 256, 0, sieve, { leafHashes: dense.leafHashes, giveUp: true })
  assert.deepEqual(hashes, dense.leafHashes)
  assert.equal(unreadable.length, 256)
  assert.ok(copies.mock.callCount() <= 32_768, `${copies.mock.callCount()} hashes`)
  assert.throws(() => siftTile(dense.bytes, 256, 0, sieve, { leafHashes: dense.leafHashes, giveUp: false }), ParseError)
  // Nowhere there is one: all that follows would be looked at for each.
  const empty = { places: 1000, hashes: 1000 }
  assert.equal(afterUnknownLeaf(Buffer.alloc(1_000_000, 1), 0, 0, dense.leafHashes, empty), undefined)
  assert.ok(empty.places >= -1 && empty.hashes > 0)
})

void test('a strange entry of any size costs itself alone', (t) => {
  const sieve = createSieve(ITEMS)
  const copies = t.mock.method(Object.getPrototypeOf(createHash('sha256')) as Hash, 'copy')
  const submitted = Buffer.concat([Buffer.of(0, 1, 0), Buffer.alloc(256, 3), NO_CHAIN])
  const { bytes, leafHashes } = made([
    unknown(Buffer.alloc(200_000, 5)),
    ODD,
    unknown(Buffer.from('short'), Buffer.concat([Buffer.of(0, 64), Buffer.alloc(64, 9)])),
    unknown(Buffer.alloc(70_000, 6), submitted),
    ODD,
    unknown(Buffer.alloc(90_000, 7), submitted),
  ])
  const { kept, unreadable, hashes } = siftTile(bytes, 6, 0, sieve, { leafHashes, giveUp: false })
  assert.deepEqual(
    unreadable.map(({ n }) => n),
    [0, 2, 3, 5],
  )
  assert.deepEqual(
    kept.map(({ n }) => n),
    [1, 4],
  )
  assert.deepEqual(hashes, leafHashes)
  assert.ok(copies.mock.callCount() < 100)
})

void test('a time that no number holds hides no entry, its own and the next as little', () => {
  const sieve = createSieve(ITEMS)
  const der = Buffer.from('no certificate')
  for (const time of [2n ** 53n - 1n, 2n ** 53n, 2n ** 56n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    const late = known(der, NO_CHAIN, time)
    const { bytes, leafHashes } = made([late, late, ODD, unknown(Buffer.from('of another kind')), late, late])
    const { hashes, kept, unreadable } = siftTile(bytes, 6, 0, sieve, { leafHashes, giveUp: false })
    assert.deepEqual(hashes, leafHashes)
    assert.deepEqual(
      kept.map(({ n, entry }) => [n, entry.timestamp]),
      [0, 1, 2, 4, 5].map((n) => [n, n === 2 ? 1_790_000_000_000 : Number.MAX_SAFE_INTEGER]),
      String(time),
    )
    assert.deepEqual(
      unreadable.map(({ n }) => n),
      [3],
    )
    // Without the tile of hashes too.
    const plain = made([late, late, ODD])
    assert.deepEqual(siftTile(plain.bytes, 3, 0, sieve).hashes, plain.leafHashes)
  }
})

void test('what is not signed holds up nothing where the leaf hashes are at hand', () => {
  const sieve = createSieve(ITEMS)
  const oddChain = known(Buffer.from('no certificate'), Buffer.concat([Buffer.of(0, 33), Buffer.alloc(33)]))
  const full = made(Array.from({ length: 256 }, (_, n) => (n === 9 ? oddChain : ODD)))
  for (const bytes of [full.bytes, Buffer.concat([full.bytes, Buffer.from('more')])]) {
    assert.throws(() => siftTile(bytes, 256, 0, sieve), ParseError)
    const { kept, unreadable, hashes } = siftTile(bytes, 256, 0, sieve, { leafHashes: full.leafHashes, giveUp: false })
    assert.equal(kept.length, 256)
    assert.deepEqual(unreadable, [])
    assert.deepEqual(hashes, full.leafHashes)
  }
  const other = Buffer.from(full.leafHashes)
  other[100 * 32] = (other[100 * 32] ?? 0) ^ 1
  const more = Buffer.concat([full.bytes, Buffer.from('more')])
  assert.throws(() => siftTile(more, 256, 0, sieve, { leafHashes: other, giveUp: false }), ParseError, 'it is not what was hashed')
})

void test('what can never be read of a tile is given up, if its beginning shows that it is the tile', () => {
  const sieve = createSieve(ITEMS)
  // Parts that nobody knows, between what was hashed and the next.
  const hole = unknown(Buffer.from('of another kind'), Buffer.alloc(40, 0x55))
  for (const at of [0, 100]) {
    const { bytes, leafHashes } = made(Array.from({ length: 256 }, (_, n) => (n === at ? hole : ODD)))
    assert.throws(() => siftTile(bytes, 256, 0, sieve, { leafHashes, giveUp: false }), ParseError)
    const { kept, unreadable, hashes, misplaced } = siftTile(bytes, 256, 0, sieve, { leafHashes, giveUp: true })
    assert.deepEqual(hashes, leafHashes)
    assert.deepEqual(
      kept.map(({ n }) => n),
      Array.from({ length: at }, (_, n) => n),
    )
    assert.deepEqual(
      unreadable.map(({ n }) => n),
      Array.from({ length: 256 - at }, (_, n) => at + n),
    )
    assert.match(unreadable[0]?.why ?? '', /entry_type: is 7, which nobody knows/)
    assert.deepEqual(misplaced, [])
  }
  // The length of a chain is wrong, and what seems to follow seems to be an entry.
  const astray = known(Buffer.from('no certificate'), Buffer.concat([NO_CHAIN, ODD.leaf, Buffer.of(0, 3)]))
  const { bytes, leafHashes } = made([ODD, astray, ODD, ODD])
  const sifted = siftTile(bytes, 4, 0, sieve, { leafHashes, giveUp: true })
  assert.deepEqual(sifted.hashes, leafHashes)
  const plain = made([ODD, ODD, hole, ODD])
  for (const none of [Buffer.from('<!DOCTYPE html>'.repeat(1000)), plain.bytes.subarray(0, 50)])
    assert.throws(() => siftTile(none, 4, 0, sieve, { leafHashes: plain.leafHashes, giveUp: true }), ParseError)
})
