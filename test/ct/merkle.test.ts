// The tree of RFC 6962 against other people's vectors, and against the recursive definition.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { EMPTY_RANGE, growTree, rootOf } from '../../src/ct/compact-range.ts'
import { ParseError } from '../../src/ct/errors.ts'
import { EMPTY_ROOT, leafHash } from '../../src/ct/merkle.ts'
import { edgeBefore, provesConsistency, provesInclusion } from '../../src/ct/proofs.ts'
import { tilePath } from '../../src/ct/tile.ts'
import { edgeTiles } from './edge-tiles.ts'
import { subtreesOf, tileSliceOf } from '../../src/ct/range-nodes.ts'
import { fixture, needsFixtures } from './fixtures.ts'

const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()

// MTH as the RFC writes it, section 2.1.
function mth(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha256()
  const [only] = leaves
  if (leaves.length === 1 && only !== undefined) return sha256(Buffer.of(0), only)
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return sha256(Buffer.of(1), mth(leaves.slice(0, k)), mth(leaves.slice(k)))
}

// PATH and SUBPROOF, sections 2.1.1 and 2.1.2.
function path(m: number, leaves: readonly Uint8Array[]): Buffer[] {
  if (leaves.length <= 1) return []
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return m < k ? [...path(m, leaves.slice(0, k)), mth(leaves.slice(k))] : [...path(m - k, leaves.slice(k)), mth(leaves.slice(0, k))]
}

function subproof(m: number, leaves: readonly Uint8Array[], whole: boolean): Buffer[] {
  if (m === leaves.length) return whole ? [] : [mth(leaves)]
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return m <= k
    ? [...subproof(m, leaves.slice(0, k), whole), mth(leaves.slice(k))]
    : [...subproof(m - k, leaves.slice(k), false), mth(leaves.slice(0, k))]
}

const leaves = (count: number): Buffer[] => Array.from({ length: count }, (_, n) => Buffer.from(`leaf ${n}`))

describe('compact range', () => {
  test('its root is MTH at every size', () => {
    const all = leaves(300)
    const tree = growTree()
    assert.deepEqual(tree.root(), mth([]))
    for (const [n, leaf] of all.entries()) {
      tree.append(leafHash(leaf))
      assert.equal(tree.size, n + 1)
      assert.deepEqual(tree.root(), mth(all.slice(0, n + 1)), `size ${n + 1}`)
    }
  })

  test('it goes on from where it was kept, and what was kept does not change', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), (first, more) => {
        const all = leaves(first + more)
        const tree = growTree()
        for (const leaf of all.slice(0, first)) tree.append(leafHash(leaf))
        const kept = tree.range()
        const again = growTree(kept)
        for (const leaf of all.slice(first)) again.append(leafHash(leaf))
        assert.deepEqual(again.root(), mth(all))
        assert.deepEqual(rootOf(kept), mth(all.slice(0, first)))
      }),
      { numRuns: 60 },
    )
  })

  test('a perfect subtree is appended at once, where one may begin', () => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(5), fc.integer({ min: 1, max: 3 }), (level, before, count) => {
        const width = 2 ** level
        const all = leaves((before + count) * width)
        const tree = growTree()
        for (const leaf of all.slice(0, before * width)) tree.append(leafHash(leaf))
        for (let n = before; n < before + count; n++) tree.appendSubtree(level, mth(all.slice(n * width, (n + 1) * width)))
        assert.deepEqual(tree.root(), mth(all))
        assert.equal(tree.size, all.length)
      }),
      { numRuns: 60 },
    )
    const tree = growTree()
    tree.append(leafHash(Buffer.of(1)))
    assert.throws(() => tree.appendSubtree(1, EMPTY_ROOT), RangeError)
  })

  test('leaves appended together are leaves appended one by one', () => {
    const all = leaves(1200).map((leaf) => leafHash(leaf))
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(20), fc.nat(600), fc.constant(256)), { maxLength: 4 }), (counts) => {
        const [together, single] = [growTree(), growTree()]
        for (const count of counts) {
          const some = all.slice(together.size, together.size + count)
          together.appendLeaves(Buffer.concat(some))
          for (const leaf of some) single.append(leaf)
          assert.deepEqual(together.range(), single.range())
        }
      }),
      { numRuns: 60 },
    )
    assert.throws(() => growTree().appendLeaves(Buffer.alloc(33)), RangeError)
  })

  test('it counts beyond 2^32 without losing a bit', () => {
    const size = 2 ** 40 + 2 ** 32 + 1
    const hashes = [1, 2, 3].map((n) => Buffer.alloc(32, n))
    const tree = growTree({ size, hashes })
    tree.append(Buffer.alloc(32, 4))
    assert.equal(tree.size, size + 1)
    assert.equal(tree.range().hashes.length, 3, 'two leaves became one subtree')
  })

  for (const [why, size, count, length] of [
    ['too few', 3, 1, 32],
    ['too many', 4, 2, 32],
    ['of another length', 1, 1, 31],
    ['of no size', -1, 0, 32],
    ['of half a size', 0.5, 1, 32],
  ] as const) {
    test(`hashes that do not make a tree: ${why}`, () => {
      assert.throws(() => growTree({ size, hashes: Array.from({ length: count }, () => Buffer.alloc(length)) }), ParseError)
    })
  }

  test('eight leaves and nine roots of transparency-dev', needsFixtures, () => {
    const { tree } = JSON.parse(fixture('ct-vectors.json').toString()) as { tree: { leaf_inputs_hex: string[]; roots_hex_by_size: string[] } }
    const growing = growTree(EMPTY_RANGE)
    assert.equal(growing.root().toString('hex'), tree.roots_hex_by_size[0])
    for (const [n, hex] of tree.leaf_inputs_hex.entries()) {
      growing.append(leafHash(Buffer.from(hex, 'hex')))
      assert.equal(growing.root().toString('hex'), tree.roots_hex_by_size[n + 1])
    }
    assert.equal(tree.leaf_inputs_hex.length, 8)
  })
})

interface ConsistencyCase {
  readonly size1: number
  readonly size2: number
  readonly root1: string
  readonly root2: string
  readonly proof: readonly string[] | null
  readonly wantErr: boolean
  readonly case: string
}

interface InclusionCase {
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string
  readonly leafHash: string
  readonly proof: readonly string[] | null
  readonly wantErr: boolean
  readonly case: string
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64')

describe('proofs', () => {
  test('98 of consistency, good and tampered', needsFixtures, () => {
    const cases = JSON.parse(fixture('merkle-consistency-proofs.json').toString()) as readonly ConsistencyCase[]
    assert.equal(cases.length, 98)
    for (const { size1, size2, root1, root2, proof, wantErr, case: name } of cases) {
      // Of a tree without leaves nothing is to be proved: there we differ from the library, which has it an error.
      const expected = size1 === 0 ? undefined : !wantErr
      const actual = provesConsistency(size1, size2, bytes(root1), bytes(root2), (proof ?? []).map(bytes))
      if (expected !== undefined) assert.equal(actual, expected, name)
    }
  })

  test('98 of inclusion, good and tampered', needsFixtures, () => {
    const cases = JSON.parse(fixture('merkle-inclusion-proofs.json').toString()) as readonly InclusionCase[]
    assert.equal(cases.length, 98)
    for (const { leafIdx, treeSize, root, leafHash: leaf, proof, wantErr, case: name } of cases)
      assert.equal(provesInclusion(leafIdx, treeSize, bytes(leaf), (proof ?? []).map(bytes), bytes(root)), !wantErr, name)
  })

  test('Argon2020: an entry among 961,984,011, and the tree from 3,654,490', needsFixtures, () => {
    const { rfc6962 } = JSON.parse(fixture('ct-vectors.json').toString()) as {
      rfc6962: {
        name: string
        sth: { tree_size: number; sha256_root_hash: string }
        consistency_first: number
        consistency_first_root: string
        consistency: string[]
        leaf_index: number
        entry: { leaf_input: string }
        leaf_hash: string
        audit_path: string[]
      }[]
    }
    const argon = rfc6962.find(({ name }) => name === 'argon2020')
    assert.ok(argon)
    const { sth } = argon
    const leaf = leafHash(bytes(argon.entry.leaf_input))
    assert.equal(leaf.toString('base64'), argon.leaf_hash)
    const audit = argon.audit_path.map(bytes)
    assert.ok(provesInclusion(argon.leaf_index, sth.tree_size, leaf, audit, bytes(sth.sha256_root_hash)))
    assert.ok(!provesInclusion(argon.leaf_index + 1, sth.tree_size, leaf, audit, bytes(sth.sha256_root_hash)))
    assert.ok(
      provesConsistency(
        argon.consistency_first,
        sth.tree_size,
        bytes(argon.consistency_first_root),
        bytes(sth.sha256_root_hash),
        argon.consistency.map(bytes),
      ),
    )
  })

  test('those of the definition hold, and with one bit changed they do not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), fc.nat(), (size, a, b, bit) => {
        const all = leaves(size)
        const [index, first] = [a % size, 1 + (b % size)]
        const [root, leaf] = [mth(all), leafHash(all[index] ?? Buffer.alloc(0))]
        const audit = path(index, all)
        assert.ok(provesInclusion(index, size, leaf, audit, root))
        const proof = subproof(first, all, true)
        const before = mth(all.slice(0, first))
        assert.ok(provesConsistency(first, size, before, root, proof))
        for (const nodes of [audit, proof]) {
          if (nodes.length === 0) continue
          const changed = nodes.map((each) => Buffer.from(each))
          const node = changed[bit % changed.length] ?? Buffer.alloc(32)
          node.writeUInt8((node[bit % 32] ?? 0) ^ 1, bit % 32)
          if (nodes === audit) assert.ok(!provesInclusion(index, size, leaf, changed, root))
          else assert.ok(!provesConsistency(first, size, before, root, changed))
          if (nodes === audit) assert.ok(!provesInclusion(index, size, leaf, nodes.slice(1), root))
          else assert.ok(!provesConsistency(first, size, before, root, [...nodes, Buffer.alloc(32)]))
        }
      }),
    )
  })

  test('the audit path of the last leaf is the edge before it', () => {
    for (let size = 1; size <= 70; size++) {
      const all = leaves(size)
      const last = leafHash(all.at(-1) ?? Buffer.alloc(0))
      const edge = edgeBefore(size - 1, last, path(size - 1, all), mth(all))
      assert.ok(edge)
      const tree = growTree({ size: size - 1, hashes: edge })
      assert.deepEqual(tree.root(), mth(all.slice(0, -1)))
      tree.append(last)
      assert.deepEqual(tree.root(), mth(all))
    }
  })
})

describe('tiles', () => {
  test('paths', needsFixtures, () => {
    const { tile_paths: paths } = JSON.parse(fixture('ct-vectors.json').toString()) as { tile_paths: [number, string][] }
    for (const [index, expected] of paths) assert.equal(tilePath({ level: 0, index, width: 256 }), `tile/0/${expected}`)
    assert.equal(tilePath({ level: 'data', index: 1_234_067, width: 17 }), 'tile/data/x001/x234/067.p/17')
    assert.equal(tilePath({ level: 1, index: 2 ** 32, width: 256 }), 'tile/1/x004/x294/x967/296')
  })

  test('the edge of a tree: its partial tiles make its compact range', () => {
    const size = 256 * 256 + 3 * 256 + 5
    assert.deepEqual(edgeTiles(70_000).map(tilePath), ['tile/2/000.p/1', 'tile/1/001.p/17', 'tile/0/273.p/112'])
    assert.deepEqual(edgeTiles(256).map(tilePath), ['tile/1/000.p/1'])
    assert.deepEqual(edgeTiles(0), [])
    for (const each of [0, 1, 5, 256, 70_000, size, 2 ** 33 + 2 ** 20 + 7]) {
      const tiles = subtreesOf(0, each).map((subtree) => tilePath(tileSliceOf(subtree, each).tile))
      assert.deepEqual([...new Set(tiles)], edgeTiles(each).map(tilePath), String(each))
    }
    const all = leaves(size)
    const tree = growTree()
    for (const leaf of all) tree.append(leafHash(leaf))
    const edge = growTree()
    for (const { level, index, width } of edgeTiles(size)) {
      for (let n = 0; n < width; n++) {
        const span = 256 ** level
        const from = (index * 256 + n) * span
        const part = growTree()
        for (const leaf of all.slice(from, from + span)) part.append(leafHash(leaf))
        edge.appendSubtree(8 * level, part.root())
      }
    }
    assert.deepEqual(edge.range(), tree.range())
  })
})
