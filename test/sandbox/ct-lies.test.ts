import assert from 'node:assert/strict'
import { after, beforeEach, before, describe, it } from 'node:test'
import { provesConsistency } from '../../src/ct/proofs.ts'
import { createAuthority } from '../../src/sandbox/ct-authority.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { alteredEntry, brokenSignature, foreignSignature, headAt, inTurn, otherTree, rollback, wrongRoot } from '../../src/sandbox/ct-lies.ts'
import { createCtLog, type CtLog } from '../../src/sandbox/ct-log.ts'
import { startCtHost, type CtHost, type ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { get, leafIndexesOf, readCheckpointOf, readClassic, readStatic, readSthOf, rootFromEdge } from './ct-reader.ts'

const filler = makeFiller({ count: 8 })
const authority = createAuthority()

describe('a log that lies', () => {
  let host: CtHost
  let log: CtLog
  let served: ServedLog
  let now = Date.parse('2026-11-25T12:00:00Z')
  let count = 0

  before(async () => {
    host = await startCtHost()
  })
  after(() => host.close())
  beforeEach(() => {
    log = createCtLog({ name: `liar-${count++}`, clock: () => now })
    served = host.serve(log)
    for (const more of [100, 200]) {
      log.addMany(more, filler)
      now += 1000
      log.publish()
    }
  })

  for (const [what, lie] of [
    ['a bit flipped', brokenSignature],
    ['another key', foreignSignature],
  ] as const)
    it(`wrong signature: ${what}`, async () => {
      served.show(() => lie(log))
      const [sth, checkpoint] = [await readSthOf(served), await readCheckpointOf(served)]
      assert.deepEqual([sth.valid, checkpoint.valid], [false, false])
      assert.deepEqual([sth.head.size, checkpoint.head.size], [300, 300])
      served.show(undefined)
      assert.ok((await readSthOf(served)).valid)
    })

  it('root mismatch: one entry is not what the tree is made of', async () => {
    served.show(() => alteredEntry(123))
    const { root, head, entries } = await readClassic(served)
    assert.notDeepEqual(root, head.rootHash)
    await assert.rejects(readStatic(served), 'a leaf does not fit the level-0 tile')
    assert.deepEqual(await rootFromEdge(served, 300), Buffer.from(head.rootHash))
    served.show(undefined)
    const honest = await readClassic(served)
    assert.deepEqual(honest.root, honest.head.rootHash)
    const differ = entries.flatMap(({ leafInput }, n) => (leafInput.equals(honest.entries[n]!.leafInput) ? [] : [n]))
    assert.deepEqual(differ, [123])
    const [bad, good] = [entries[123]!.entry, honest.entries[123]!.entry]
    assert.deepEqual([bad.timestamp, bad.extensions, bad.der.length], [good.timestamp, good.extensions, good.der.length])
  })

  it('a root of no tree', async () => {
    served.show(() => wrongRoot(log))
    const { head, valid } = await readCheckpointOf(served)
    assert.ok(valid)
    assert.notDeepEqual(await rootFromEdge(served, 300), Buffer.from(head.rootHash))
  })

  it('split view: two trees of one size, each true in itself, and which of them depends on who asks', async () => {
    const lie = otherTree(log, { shared: 150, size: 300, submissions: filler })
    const honest = await readStatic(served)
    served.show((request) => (request.headers['user-agent'] === 'node' ? lie : undefined))
    const other = await readStatic(served)
    assert.deepEqual(other.root, Buffer.from(other.head.rootHash))
    assert.equal(other.head.size, honest.head.size)
    assert.notDeepEqual(other.root, honest.root)
    const same = other.entries.filter(({ leafInput }, n) => leafInput.equals(honest.entries[n]!.leafInput)).length
    assert.equal(same, 150)
    const bytes = (await get(`${served.url}checkpoint`, { 'user-agent': 'another' })).bytes.toString()
    assert.ok(bytes.includes(honest.root.toString('base64')))
  })

  for (const [what, size] of [
    ['a fork that is larger', 400],
    ['a tree that shrank and is no prefix', 250],
  ] as const)
    it(what, async () => {
      const lie = otherTree(log, { shared: 150, size, submissions: filler })
      served.show(() => lie)
      const { head, root } = await readClassic(served)
      assert.equal(head.size, size)
      assert.deepEqual(root, Buffer.from(head.rootHash))
      const [small, large] = [Math.min(size, 300), Math.max(size, 300)]
      const tree = size > 300 ? lie.log!.tree : log.tree
      assert.ok(!provesConsistency(small, large, size > 300 ? log.head.root : root, tree.root(large), tree.consistencyProof(small, large)))
    })

  it('rollback: an earlier head, true in itself, and nothing beyond it', async () => {
    served.show(() => rollback(log, 299))
    const { head, root } = await readClassic(served)
    assert.deepEqual([head.size, head.timestamp], [100, log.heads[1]!.timestamp])
    assert.deepEqual(root, Buffer.from(head.rootHash))
    assert.equal((await get(`${served.url}ct/v1/get-entries?start=100&end=101`)).status, 400)
    assert.equal((await get(`${served.url}tile/data/000`)).status, 404)
  })

  it('a time from the future, or gone back', async () => {
    for (const timestamp of [now + 3_600_000, now - 3_600_000]) {
      served.show(() => headAt(log, timestamp))
      const { head, valid } = await readCheckpointOf(served)
      assert.deepEqual([head.timestamp, valid], [timestamp, true])
      assert.deepEqual(Buffer.from(head.rootHash), log.head.root)
    }
  })

  it('a leaf index in the wrong place', async () => {
    const { precertificate } = authority.issue({ names: ['a.example'], notBefore: new Date(now) })
    log.add({ precertificate, chain: authority.chain }, { leafIndex: 7 })
    log.add({ precertificate, chain: authority.chain })
    log.publish()
    const { entries, root, head } = await readStatic(served)
    assert.deepEqual(leafIndexesOf(entries).slice(299), [299, 7, 301])
    assert.deepEqual(root, Buffer.from(head.rootHash))
  })

  it('frontends out of step', async () => {
    served.show(inTurn(undefined, rollback(log, 100)))
    const sizes = []
    for (let n = 0; n < 4; n++) sizes.push((await readSthOf(served)).head.size)
    assert.deepEqual(sizes, [300, 100, 300, 100])
  })
})
