// Logs that ask to be left alone, and what is said of those that wait: contract, sections 2 and 7.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import type { ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { logList } from '../../src/sandbox/ct-list.ts'
import type { CtHost } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { logOverviews } from '../../src/stores/log-overview.ts'
import { startTail } from './support.ts'

const NOW = new Date()
const LONG_AGO = new Date(1_760_000_000_000)
const FILLER = makeFiller({ count: 8, names: (n) => [`n${n}.stranger.test`], notBefore: NOW })

async function log(t: TestContext, protocol: 'rfc6962' | 'static-ct'): Promise<{ readonly place: CtHost; readonly served: ServedLog }> {
  const place = await startCtHost()
  t.after(async () => place.close())
  const served = place.serve(createCtLog({ name: 'waits' }), { protocol })
  served.log.addMany(300, FILLER)
  served.log.publish()
  return { place, served }
}

for (const protocol of ['static-ct', 'rfc6962'] as const) {
  describe(`a log that asks to be left alone: ${protocol}`, () => {
    for (const what of ['its head', 'its entries'] as const) {
      it(`for ${what}: a pass ends, and has not failed`, async (t) => {
        const { place, served } = await log(t, protocol)
        const isHead = (kind: string): boolean => kind === 'checkpoint' || kind === 'get-sth'
        place.setFault(({ kind }) => (isHead(kind) === (what === 'its head') ? { retryAfter: 600 } : undefined))
        const run = await startTail([served], { idle: true })
        t.after(async () => run.stop())
        const began = Date.now()
        assert.equal(await run.pass(), true)
        assert.equal(await run.pass(), true)
        assert.ok(Date.now() - began < 5000)
        assert.equal((await run.state(served))?.failing?.kind, 'limited')
      })
    }

    it('nothing is asked of its host by the next process, though it is another log there that asked for it', async (t) => {
      const { place, served } = await log(t, protocol)
      const beside = place.serve(createCtLog({ name: 'beside' }), { protocol })
      const run = await startTail([served, beside])
      t.after(async () => run.stop())
      await run.caughtUp(served, beside)
      place.setFault(({ log: name }) => (name === 'waits' ? { retryAfter: 3600 } : undefined))
      for (const _ of [1, 2]) {
        await run.until('it is told to wait', async () => ((await run.state(served))?.limit?.until ?? 0) > Date.now() + 3_500_000)
        const asked = place.requests.length
        await run.restart()
        await new Promise((resolve) => setTimeout(resolve, 500))
        assert.equal(place.requests.length, asked)
      }
    })

    it('a log beside it on its host is shown as waiting, too', async (t) => {
      const { place, served } = await log(t, protocol)
      const beside = place.serve(createCtLog({ name: 'beside' }), { protocol })
      beside.log.addMany(10, FILLER)
      beside.log.publish()
      const run = await startTail([served, beside])
      t.after(async () => run.stop())
      await run.caughtUp(served, beside)
      place.setFault(({ log: name }) => (name === 'waits' ? { retryAfter: 3600 } : undefined))
      await run.until('both are limited', async () => logOverviews(await run.states(), Date.now()).every(({ cause }) => cause === 'limited'))
    })
  })
}

describe('how far there is to go', () => {
  it('is told by the newest head, though nothing can be read', async (t) => {
    const { place, served } = await log(t, 'static-ct')
    const run = await startTail([served])
    t.after(async () => run.stop())
    await run.caughtUp(served)
    place.setFault(({ kind }) => (kind === 'data-tile' ? { status: 503, retryAfter: 1 } : undefined))
    served.log.addMany(10, FILLER)
    served.log.publish()
    await run.until('it is behind', async () => (await run.state(served))?.head?.size === 310)
    served.log.addMany(500, FILLER)
    served.log.publish()
    await run.until('it is known to be further behind', async () => logOverviews(await run.states(), Date.now())[0]?.lagEntries === 510)
    place.setFault(undefined)
    await run.caughtUp(served)
  })
})

describe('a log that is closed', () => {
  it('and grows, rings, though its list has no last head of it', async (t) => {
    const { served } = await log(t, 'static-ct')
    const run = await startTail([served], { listText: logList([{ served, state: 'readonly' }], { madeAt: LONG_AGO }) })
    t.after(async () => run.stop())
    await run.caughtUp(served)
    assert.deepEqual(run.of('log-misbehaviour'), [])
    const id = issueTwins([served.log], { names: ['a.watched.example'], notBefore: NOW }).issuance('1').tbs_sha256
    served.log.publish()
    await run.caughtUp(served)
    assert.deepEqual(
      run.of('log-misbehaviour').map(({ misbehaviour }) => misbehaviour),
      ['read-only-grew'],
    )
    assert.deepEqual(run.rung(), [id])
  })

  it('with another last head than the list has, is looked into from the first look on', async (t) => {
    const { served } = await log(t, 'static-ct')
    const id = issueTwins([served.log], { names: ['a.watched.example'], notBefore: NOW }).issuance('1').tbs_sha256
    served.log.publish()
    const run = await startTail([served], {
      listText: logList([{ served, state: 'readonly', finalTreeHead: { size: 301, root: Buffer.alloc(32, 5) } }], { madeAt: LONG_AGO }),
    })
    t.after(async () => run.stop())
    await run.until('it rings', () => run.rung().length > 0)
    assert.deepEqual(run.rung(), [id])
    const [alert] = run.of('certificate')
    assert.ok(alert?.source.kind === 'log' && !alert.source.verified)
    const state = await run.state(served)
    assert.deepEqual([state?.verified.size, state?.head?.size], [0, 301])
  })
})
