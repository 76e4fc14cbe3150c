import assert from 'node:assert/strict'
import { it } from 'node:test'
import { memoryRoot, openMemory } from '../../src/stores/memory.ts'
import { StoreError } from '../../src/watch/errors.ts'
import { storeContract } from './contract.ts'
import { HOUR, MINUTE, contents, message, open, page, settleIn, setup, short, sighting, work } from './support.ts'

storeContract('memory', async () => {
  const root = memoryRoot()
  return {
    open: async () => openMemory(root, async () => new Promise((resolve) => setImmediate(resolve))),
    remove: async () => undefined,
    atOnce: true,
  }
})

it('a write that fails keeps nothing, and the same step is taken in once it works again', async () => {
  const root = memoryRoot()
  let broken = false
  const backend = openMemory(root, () => {
    if (broken) throw new StoreError('full', 'the disk is full')
  })
  const now = await settleIn(backend, setup())
  const store = await open(backend, setup(), now)
  const claimed = await work(store, now)
  const before = await contents(backend)
  broken = true
  await assert.rejects(store.commit(claimed, page([sighting(1)]), now), StoreError)
  await assert.rejects(
    store.nextMessage({ name: 'slack', batch: 10, spacingMs: 0 }, now, now + 1, () => 'x').then(() => store.review(now + 1e9, true)),
    StoreError,
  )
  assert.deepEqual(await contents(backend), before)
  broken = false
  const done = await store.commit(claimed, page([sighting(1)]), now)
  assert.deepEqual(done.alerts.map(short), ['id-1'])
  assert.deepEqual((await message(store, now)).alerts.map(short), ['id-1'])
})

it('a transaction that finds nothing to change writes nothing', async () => {
  let writes = 0
  const backend = openMemory(memoryRoot(), () => void (writes += 1))
  const now = (await settleIn(backend, setup())) - HOUR - MINUTE
  const store = await open(backend, setup(), now)
  await store.review(now, true)
  const before = writes
  await store.nextMessage({ name: 'slack', batch: 10, spacingMs: 0 }, now, now + 1, () => 'x')
  await store.review(now + 1, true)
  assert.equal(writes, before)
})

it('what was counted is kept firmly, but not at the pace of a server of one’s own', async () => {
  for (const [full, firm] of [
    [10, true],
    [1_000_000, false],
  ] as const) {
    const backend = openMemory(memoryRoot())
    const asked: boolean[] = []
    const given = setup({ quota: { full, single: 100 } })
    const store = await open({ ...backend, transact: async (body, how) => (asked.push(how === true), backend.transact(body, how)) }, given)
    asked.length = 0
    const claimed = await work(store, 0)
    await store.commit(claimed, page([]), 0)
    await store.review(0, false)
    assert.deepEqual(asked, [firm, firm, false])
  }
})
