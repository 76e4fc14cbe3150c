// A log that parts from the tree that was verified, and keeps to another: contract, section 7.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { alteredEntry, otherTree } from '../../src/sandbox/ct-lies.ts'
import type { CtHost, ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import type { CtLog } from '../../src/sandbox/ct-log.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { keepHeads } from '../../src/tail/lineage.ts'
import type { TailOptions, TailRun } from './support.ts'
import { startTail } from './support.ts'

const NOW = new Date()
const MINUTE = 60_000
const FILLER = makeFiller({ count: 8, names: (n) => [`n${n}.stranger.test`], notBefore: NOW })

interface Stepped {
  readonly place: CtHost
  readonly served: ServedLog
  readonly run: TailRun
  readonly step: (ms: number) => void
}

/** A log of 300 entries, verified at 200 and at 300, on a clock that can be set forward. */
async function verified(t: TestContext, protocol: 'rfc6962' | 'static-ct', options: TailOptions = {}): Promise<Stepped> {
  const place = await startCtHost()
  t.after(async () => place.close())
  const served = place.serve(createCtLog({ name: 'parted' }), { protocol })
  let ahead = 0
  const clock: Clock = {
    now: () => systemClock.now() + ahead,
    sleepUntil: async (time, signal) => systemClock.sleepUntil(time - ahead, signal),
  }
  served.log.addMany(200, FILLER)
  served.log.publish()
  const run = await startTail([served], { idle: true, clock, ...options })
  t.after(async () => run.stop())
  assert.ok(await run.pass())
  served.log.addMany(100, FILLER)
  served.log.publish()
  assert.ok(await run.pass())
  assert.equal((await run.state(served))?.verified.size, 300)
  return { place, served, run, step: (ms) => (ahead += ms) }
}

const ring = (log: CtLog, name: string): string => issueTwins([log], { names: [name], notBefore: NOW }).issuance('1').tbs_sha256
const kinds = (run: TailRun): readonly string[] => run.of('log-misbehaviour').map(({ misbehaviour }) => misbehaviour)

for (const protocol of ['static-ct', 'rfc6962'] as const) {
  describe(`another lineage: ${protocol}`, () => {
    it('a log that keeps to it for an hour is read on from the last size that both share', async (t) => {
      const { place, served, run, step } = await verified(t, protocol)
      const view = otherTree(served.log, { shared: 220, size: 400, submissions: FILLER })
      const fork = view.log
      assert.ok(fork)
      const ids = [ring(fork, 'a.watched.example')]
      fork.publish()
      served.show(() => view)
      await run.pass()
      assert.deepEqual([kinds(run), (await run.state(served))?.verified.size], [['root-mismatch'], 300])
      assert.deepEqual(run.rung(), ids, 'what is among its entries rings')
      assert.deepEqual(
        run.of('certificate').map(({ source }) => source.kind === 'log' && source.verified),
        [false],
      )

      step(30 * MINUTE)
      const before = place.requests.filter(({ kind }) => kind === 'data-tile' || kind === 'get-entries').length
      ids.push(ring(fork, 'b.watched.example'))
      fork.publish()
      await run.pass()
      await run.pass()
      await run.restart()
      assert.deepEqual(run.rung(), ids, 'what it takes in rings at once')
      assert.deepEqual([kinds(run), (await run.state(served))?.verified.size], [['root-mismatch'], 300])
      assert.equal(
        place.requests.filter(({ kind }) => kind === 'data-tile' || kind === 'get-entries').length,
        before + 1,
        'what is new in a head of which the log itself shows that it does not continue is looked into once',
      )

      step(31 * MINUTE)
      ids.push(ring(fork, 'c.watched.example'))
      fork.publish()
      await run.pass()
      const state = await run.state(served)
      assert.deepEqual([state?.verified.size, state?.position.size, state?.stray], [fork.head.size, fork.head.size, undefined])
      assert.deepEqual(kinds(run), ['root-mismatch', 'other-lineage'])
      assert.deepEqual(run.rung(), ids)
      const evidence = [...run.evidence.entries()].find(([name]) => name.includes('other-lineage'))?.[1]
      assert.equal(evidence?.['shared_size'], 200)
      assert.equal((evidence?.['verified_head'] as { size: number } | undefined)?.size, 300)

      ids.push(ring(fork, 'd.watched.example'))
      fork.publish()
      assert.ok(await run.pass())
      assert.deepEqual([run.rung(), (await run.state(served))?.verified.size], [ids, fork.head.size])
    })

    it('one that is smaller than what was verified, too', async (t) => {
      const { served, run, step } = await verified(t, protocol)
      const view = otherTree(served.log, { shared: 210, size: 270, submissions: FILLER })
      const fork = view.log
      assert.ok(fork)
      served.show(() => view)
      for (let n = 0; n < 3; n++) {
        await run.pass()
        step(31 * MINUTE)
        fork.addMany(3, FILLER)
        fork.publish()
      }
      await run.pass()
      assert.deepEqual((await run.state(served))?.verified.size, fork.head.size)
      assert.ok(kinds(run).includes('other-lineage'), kinds(run).join())
    })

    it('a single head of ours within the hour, and the log is where it was', async (t) => {
      const { served, run, step } = await verified(t, protocol)
      const view = otherTree(served.log, { shared: 220, size: 400, submissions: FILLER })
      for (let n = 0; n < 4; n++) {
        served.show(() => view)
        await run.pass()
        step(40 * MINUTE)
        served.show(undefined)
        await run.pass()
        assert.equal((await run.state(served))?.stray, undefined)
      }
      assert.ok(!kinds(run).includes('other-lineage'))
      assert.equal((await run.state(served))?.verified.size, 300)
      const id = ring(served.log, 'a.watched.example')
      served.log.publish()
      assert.ok(await run.pass())
      assert.deepEqual([run.rung(), (await run.state(served))?.verified.size], [[id], served.log.head.size])
    })

    it('entries that are not what was hashed are no lineage, and are read once they are mended, under the same head', async (t) => {
      const { served, run, step } = await verified(t, protocol)
      const id = ring(served.log, 'a.watched.example')
      served.log.addMany(20, FILLER)
      served.log.publish()
      served.show(() => alteredEntry(310))
      for (let n = 0; n < 4; n++) {
        await run.pass()
        step(40 * MINUTE)
      }
      assert.deepEqual([...new Set(kinds(run))], ['root-mismatch'])
      assert.equal((await run.state(served))?.verified.size, 300)
      served.show(undefined)
      assert.ok(await run.pass())
      assert.deepEqual([run.rung(), (await run.state(served))?.verified.size], [[id], served.log.head.size])
    })

    it('with much to read, its end comes first and the rest behind that', async (t) => {
      const { served, run, step } = await verified(t, protocol, { large: 100 })
      const view = otherTree(served.log, { shared: 220, size: 400, submissions: FILLER })
      const fork = view.log
      assert.ok(fork)
      const ids = [ring(fork, 'a.watched.example')]
      fork.addMany(300, FILLER)
      fork.publish()
      served.show(() => view)
      for (let n = 0; n < 3; n++) {
        await run.pass()
        step(31 * MINUTE)
      }
      const state = await run.state(served)
      assert.deepEqual([state?.verified.size, state?.behindSince], [fork.head.size, undefined], 'it is at its end, and not behind')
      assert.deepEqual(run.rung(), ids)
      assert.ok(run.events.some((event) => event.kind === 'log-read' && event.entries === fork.head.size - 200))
    })
  })

  it(`another lineage while a log is read behind its end, too: ${protocol}`, async (t) => {
    const place = await startCtHost()
    t.after(async () => place.close())
    const [known, served] = ['known', 'parted'].map((name) => place.serve(createCtLog({ name }), { protocol })) as [ServedLog, ServedLog]
    known.log.publish()
    served.log.addMany(100, FILLER)
    const ids = [ring(served.log, 'old.watched.example')]
    served.log.addMany(499, FILLER)
    served.log.publish()
    let ahead = 0
    const clock: Clock = {
      now: () => systemClock.now() + ahead,
      sleepUntil: async (time, signal) => systemClock.sleepUntil(time - ahead, signal),
    }
    const run = await startTail([known], { idle: true, clock, large: 500, start: 'end', longestMs: 500 })
    t.after(async () => run.stop())
    await run.pass()
    run.lists = [known, served]
    // Of what it has from before nothing can be had for now.
    place.setFault(({ log, kind, tile, query }) => {
      const page = kind === 'data-tile' ? tile?.index : kind === 'get-entries' ? Math.floor(Number(query.get('start')) / 256) : undefined
      return log === 'parted' && page === 0 ? { status: 503 } : undefined
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    await run.pass()
    assert.equal((await run.state(served))?.verified.size, 600)
    const view = otherTree(served.log, { shared: 520, size: 700, submissions: FILLER })
    const fork = view.log ?? assert.fail()
    ids.push(ring(fork, 'new.watched.example'))
    fork.publish()
    served.show(() => view)
    for (let n = 0; n < 3; n++) {
      await run.pass()
      ahead += 31 * MINUTE
    }
    assert.equal((await run.state(served))?.verified.size, fork.head.size)
    place.setFault(undefined)
    assert.ok(await run.pass())
    const parts = (await run.states()).filter(({ description }) => description.includes('parted'))
    assert.deepEqual(
      parts.map(({ verified: { size } }) => size).toSorted((a, b) => a - b),
      [512, fork.head.size],
    )
    assert.deepEqual(run.rung().toSorted(), ids.toSorted())
    assert.deepEqual([...new Set(kinds(run))], ['root-mismatch', 'other-lineage'])
    assert.equal(run.of('certificate').find(({ id }) => id === ids[0])?.source.kind, 'log')
  })

  describe(`a log that lost its tree: ${protocol}`, () => {
    it('signs less than before, anew, and shows nothing of it: that rings, if it stays so', async (t) => {
      const { served, run, step } = await verified(t, protocol)
      // Nothing of what was verified has its size or less, but for the beginning.
      const view = otherTree(served.log, { shared: 0, size: 150, submissions: FILLER })
      served.show(() => view)
      for (let n = 0; n < 3; n++) {
        assert.deepEqual(kinds(run), [], String(n))
        step(11_000)
        view.log?.publish()
        await run.pass()
        step(5000)
      }
      assert.deepEqual(kinds(run), ['shrunken-tree'])
      assert.equal((await run.state(served))?.failing?.kind, 'misbehaves')
      served.show(undefined)
      const id = ring(served.log, 'a.watched.example')
      served.log.publish()
      assert.ok(await run.pass())
      assert.deepEqual([run.rung(), (await run.state(served))?.verified.size, kinds(run).length], [[id], served.log.head.size, 1])
    })
  })

  describe(`a head promises what is not there: ${protocol}`, () => {
    it('the log goes on with the next one that does not', async (t) => {
      const place = await startCtHost()
      t.after(async () => place.close())
      const served = place.serve(createCtLog({ name: 'promising' }), { protocol })
      served.log.addMany(300, FILLER)
      served.log.publish()
      const run = await startTail([served])
      t.after(async () => run.stop())
      await run.caughtUp(served)
      const id = ring(served.log, 'a.watched.example')
      served.log.publish()
      const promise = { head: served.log.sign({ size: 5_000_000, root: Buffer.alloc(32, 7) }) }
      served.show(() => promise)
      await run.until('it is tried', () => run.events.filter(({ kind }) => kind === 'log-failed').length >= 3)
      served.show(undefined)
      await run.caughtUp(served)
      assert.deepEqual(run.rung(), [id])
    })
  })
}

describe('heads that are kept', () => {
  it('are all of the last ones, and older ones ever further apart', () => {
    let heads: Parameters<typeof keepHeads>[0] = []
    for (let n = 1; n <= 100_000; n++) heads = keepHeads(heads, { size: n * 7, root: '', timestamp: 0 })
    const away = heads.map(({ size }) => 700_000 - size).reverse()
    assert.deepEqual(
      away.slice(0, 24),
      Array.from({ length: 24 }, (_, n) => 7 * n),
    )
    assert.ok(away.length < 60, String(away.length))
    assert.equal(away.at(-1), 700_000 - 7, 'the first')
    for (let n = 25; n < away.length; n++) assert.ok((away[n] ?? 0) <= 2 * (away[n - 1] ?? 0) + 7, `${away[n - 1]} ${away[n]}`)
  })
})
