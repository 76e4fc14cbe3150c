import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { growTree } from '../../src/ct/compact-range.ts'
import { leafHash } from '../../src/ct/merkle.ts'
import { isPowerOfTwo, provesConsistency, provesInclusion, refutesConsistency } from '../../src/ct/proofs.ts'
import { createTree, hashLeaf } from '../../src/sandbox/ct-tree.ts'

describe("the sandbox's tree, held to src/ct", () => {
  const SIZE = 300
  const tree = createTree()
  const grown = growTree()
  const roots = [grown.root()]
  for (let n = 0; n < SIZE; n++) {
    const leaf = Buffer.from(`leaf ${n}`)
    tree.append(hashLeaf(leaf))
    grown.append(leafHash(leaf))
    roots.push(grown.root())
  }

  it('has the root of every size', () => {
    for (let n = 0; n <= SIZE; n++) assert.deepEqual(tree.root(n), roots[n], `size ${n}`)
  })

  it('proves every leaf of some sizes', () => {
    for (const size of [1, 2, 3, 7, 64, 100, 255, 256, 257, 300])
      for (let index = 0; index < size; index++)
        assert.ok(
          provesInclusion(index, size, tree.nodes(0, index, index + 1), tree.inclusionProof(index, size), roots[size]!),
          `${index} of ${size}`,
        )
  })

  it('proves that every tree is a prefix of some larger ones', () => {
    for (const second of [1, 2, 3, 7, 64, 100, 255, 256, 257, 300])
      for (let first = 0; first <= second; first++)
        assert.ok(provesConsistency(first, second, roots[first]!, roots[second]!, tree.consistencyProof(first, second)), `${first} to ${second}`)
  })

  it('refutes with the same proof what is no prefix, and neither proves nor refutes with a spoiled one', () => {
    const [second, other] = [300, Buffer.alloc(32, 7)]
    for (let first = 1; first < second; first++) {
      const path = tree.consistencyProof(first, second)
      assert.equal(refutesConsistency(first, second, other, roots[second]!, path), !isPowerOfTwo(first), `${first}`)
      assert.ok(!provesConsistency(first, second, other, roots[second]!, path))
      assert.ok(!refutesConsistency(first, second, roots[first]!, roots[second]!, path))
      assert.ok(!refutesConsistency(first, second, other, other, path), 'it leads to neither')
      for (const n of path.keys()) {
        const spoiled = path.map((hash, at) => (at === n ? other : hash))
        for (const said of [spoiled, path.slice(1), [...path, other]]) {
          assert.ok(!provesConsistency(first, second, roots[first]!, roots[second]!, said))
          assert.ok(!refutesConsistency(first, second, roots[first]!, roots[second]!, said), `${first}, ${n} spoiled`)
        }
      }
    }
  })

  it('finds a leaf by its hash, within a size', () => {
    assert.equal(tree.indexOf(hashLeaf(Buffer.from('leaf 200')), 300), 200)
    assert.equal(tree.indexOf(hashLeaf(Buffer.from('leaf 200')), 200), undefined)
    assert.equal(tree.indexOf(Buffer.alloc(32), 300), undefined)
  })

  it('forks: both go on by themselves', () => {
    const fork = tree.fork(200)
    fork.append(hashLeaf(Buffer.from('another')))
    assert.deepEqual(fork.root(200), roots[200])
    assert.notDeepEqual(fork.root(201), roots[201])
    assert.deepEqual(tree.root(300), roots[300])
  })

  it('refuses what it does not have', () => {
    assert.throws(() => tree.root(301), RangeError)
    assert.throws(() => tree.inclusionProof(5, 5), RangeError)
    assert.throws(() => tree.consistencyProof(6, 5), RangeError)
    assert.throws(() => tree.nodes(1, 149, 151), RangeError)
  })
})
