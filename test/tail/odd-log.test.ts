// Logs that are none of the usual kinds of broken: an entry that brings out a fault, a head that hangs, a proof that is spoiled, tiles that are refused.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { rollback, wrongRoot } from '../../src/sandbox/ct-lies.ts'
import { logList } from '../../src/sandbox/ct-list.ts'
import type { CtHost, LogProtocol, ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import type { CtLog } from '../../src/sandbox/ct-log.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import type { LogState } from '../../src/stores/log-state.ts'
import { logOverviews } from '../../src/stores/log-overview.ts'
import { certificate, dns, el, san } from '../ct/der-writer.ts'
import type { TailOptions, TailRun } from './support.ts'
import { startTail } from './support.ts'

const NOW = new Date()
const FILLER = makeFiller({ count: 8, names: (n) => [`n${n}.stranger.test`], notBefore: NOW })

interface Scene {
  readonly place: CtHost
  readonly served: ServedLog
  readonly other: ServedLog
  /** Begins to read both. */
  readonly start: (options?: TailOptions) => Promise<TailRun>
}

/** A log of 300 entries, and a well one beside it. */
async function scene(t: TestContext, protocol: LogProtocol): Promise<Scene> {
  const place = await startCtHost()
  t.after(async () => place.close())
  const [served, other] = [
    place.serve(createCtLog({ name: 'odd' }), { protocol }),
    place.serve(createCtLog({ name: 'well' }), { protocol: 'static-ct' }),
  ]
  for (const { log } of [served, other]) grow(log, 300)
  return {
    place,
    served,
    other,
    start: async (options) => {
      const run = await startTail([served, other], options)
      t.after(async () => run.stop())
      return run
    },
  }
}

function grow(log: CtLog, count: number): void {
  log.addMany(count, FILLER)
  log.publish()
}

function ring(log: CtLog, name: string): string {
  return issueTwins([log], { names: [name], notBefore: NOW }).issuance('1').tbs_sha256
}

const odd = (der: Uint8Array) => ({ certificate: { der: Buffer.from(der) }, chain: [] })
const malformed = (run: TailRun, state: LogState | undefined): readonly number[] =>
  [...run.of('malformed').flatMap((alert) => ('entries' in alert ? (alert.entries ?? []) : [])), ...(state?.malformed.entries ?? [])].map(
    ({ index }) => index,
  )

for (const protocol of ['static-ct', 'rfc6962'] as const)
  describe(`an entry that is odd stops nothing: ${protocol}`, () => {
    it('names that match, and extensions that cannot be read to their end', async (t) => {
      const { served, other, start } = await scene(t, protocol)
      served.log.add(odd(certificate({ extensions: [san(dns('www.watched.example')), el(0x31, 'zz')] })))
      grow(served.log, 10)
      const run = await start({ idle: true })
      assert.ok(await run.pass())
      await run.caughtUp(served, other)
      const [alert, ...more] = run.of('certificate')
      assert.deepEqual([alert?.names, more], [['www.watched.example'], []])
      assert.match(JSON.stringify(alert), /cannot be known for one/)
      assert.deepEqual(malformed(run, await run.state(served)), [300])
    })

    it('a time of which no calendar knows', async (t) => {
      const { served, other, start } = await scene(t, protocol)
      const times = [2 ** 53 - 1, 8_640_000_000_000_001, Date.UTC(9999, 11, 31), Date.UTC(10_000, 0, 1), 2 ** 53, 2 ** 64 - 2048]
      for (const [n, timestamp] of times.entries())
        served.log.add(odd(certificate({ extensions: [san(dns(`t${n}.watched.example`))] })), { timestamp })
      grow(served.log, 10)
      const run = await start({ idle: true })
      assert.ok(await run.pass())
      await run.caughtUp(served, other)
      assert.deepEqual(
        run.of('certificate').map(({ names, logged_at: at }) => [names[0], at]),
        [
          ['t0.watched.example', undefined],
          ['t1.watched.example', undefined],
          ['t2.watched.example', '9999-12-31T00:00:00Z'],
          ['t3.watched.example', undefined],
          ['t4.watched.example', undefined],
          ['t5.watched.example', undefined],
        ],
      )
      assert.deepEqual(malformed(run, await run.state(served)), [])
    })

    it('a fault of ours that it brings out is a failure of its log alone, and is told', async (t) => {
      const { served, other, start } = await scene(t, protocol)
      let broken = true
      const run = await start({
        sift: (sift) => (log, entry, now) => {
          if (broken && log.description.includes('odd')) throw new RangeError('a fault of ours')
          return sift(log, entry, now)
        },
        watch: ['.'],
      })
      await run.caughtUp(other)
      await run.until('it fails', async () => (await run.state(served))?.failing !== undefined)
      assert.match((await run.state(served))?.failing?.message ?? '', /Certbell failed at it \(RangeError: a fault of ours\)/)
      const id = ring(other.log, 'a.watched.example')
      other.log.publish()
      await run.caughtUp(other)
      assert.ok(run.rung().includes(id))
      broken = false
      await run.caughtUp(served)
    })

    it('is not swallowed where the first answer hid it', async (t) => {
      const { place, served, start } = await scene(t, protocol)
      const shown = createCtLog({ name: 'shown' })
      const bad = odd(Buffer.from('no certificate'))
      grow(shown, 300)
      const from = served.log.size
      // Entry 10 of those cannot be read, and does not show the first time; 200 does.
      for (let n = 0; n < 600; n++) {
        if (n === 200 || n === 10) served.log.add(bad)
        else served.log.addMany(1, FILLER)
        if (n === 200) shown.add(bad)
        else shown.addMany(1, FILLER)
      }
      for (const log of [served.log, shown]) log.publish()
      let firsts = 0
      served.show(({ tile, query, kind }) => {
        const start = kind === 'get-entries' ? Number(query.get('start')) : kind === 'data-tile' ? (tile?.index ?? 0) * 256 : undefined
        return start === 256 && firsts++ === 0 ? { log: shown } : undefined
      })
      // What is told of the first reading is kept before it is over.
      place.setFault(({ tile, query }) => ((tile?.index ?? Number(query.get('start')) / 256) === 3 ? { slow: 1500 } : undefined))
      const run = await start({ interval: 500 })
      await run.caughtUp(served)
      assert.ok(firsts > 1)
      assert.deepEqual(
        malformed(run, await run.state(served)).toSorted((a, b) => a - b),
        [from + 10, from + 200],
      )
      assert.equal(run.of('log-misbehaviour').length, 0)
    })
  })

for (const protocol of ['static-ct', 'rfc6962'] as const)
  it(`a head that hangs is a failure, is told after a quarter of an hour, and a pass ends: ${protocol}`, async (t) => {
    const { place, served, other, start } = await scene(t, protocol)
    place.setFault(({ kind, log }) => (log === 'odd' && (kind === 'checkpoint' || kind === 'get-sth') ? 'hang' : undefined))
    // Ten times as fast: the head is asked for again while the first is waited for.
    const began = Date.now()
    let ahead = 0
    const now = (): number => began + (Date.now() - began) * 10 + ahead
    const clock: Clock = { now, sleepUntil: async (time, signal) => systemClock.sleepUntil(Date.now() + Math.max(0, time - now()) / 10, signal) }
    const passing = await start({ idle: true, clock, longestMs: 2500 })
    assert.equal(await passing.pass(), false)
    assert.equal((await passing.state(served))?.failing?.kind, 'slow')
    await passing.stop()
    const run = await start({ clock, longestMs: 2500 })
    await run.until('it fails', async () => (await run.state(served))?.failing !== undefined)
    ahead += 16 * 60_000
    await run.until('it is told', () => run.of('trouble').some(({ component }) => component === "log:Sandbox 'odd' log"))
    await run.caughtUp(other)
    place.setFault(undefined)
    await run.caughtUp(served)
  })

it('what a head did is told though its entries do not come', async (t) => {
  const { place, served, start } = await scene(t, 'static-ct')
  const run = await start({ idle: true })
  assert.ok(await run.pass())
  served.log.addMany(10, FILLER)
  served.log.publish({ timestamp: Date.now() + 3_600_000 })
  place.setFault(({ kind, log }) => (log === 'odd' && kind === 'data-tile' ? { status: 404 } : undefined))
  await run.pass()
  await run.restart()
  place.setFault(undefined)
  assert.ok(await run.pass())
  assert.deepEqual(
    run.of('log-misbehaviour').map(({ misbehaviour }) => misbehaviour),
    ['future-timestamp'],
  )
})

it('a log that was left, and is down when it is chosen again, is shown with that', async (t) => {
  const { place, served, other, start } = await scene(t, 'static-ct')
  const run = await start({ idle: true })
  await run.pass()
  const list = (state: string): void => {
    const text = logList([{ served, state }, other], { madeAt: new Date() })
    run.list = () => ({ text, tag: undefined })
  }
  const pass = async (): Promise<boolean> => {
    await new Promise((resolve) => setTimeout(resolve, 60))
    return run.pass()
  }
  list('rejected')
  await pass()
  assert.equal((await run.state(served))?.watched, false)
  list('usable')
  place.setFault(({ log }) => (log === 'odd' ? { status: 500 } : undefined))
  assert.equal(await pass(), false)
  const shown = logOverviews(await run.states(), Date.now()).find(({ log }) => log.includes('odd'))
  assert.deepEqual([shown?.cause, shown?.lastError], ['down', 'it answers 500'])
})

describe('a consistency proof that is spoiled', () => {
  it('makes no liar of a replica that lags, and holds up nothing', async (t) => {
    const { place, served, start } = await scene(t, 'rfc6962')
    served.log.addMany(300, FILLER)
    // Never seen by us.
    served.log.publish({ size: 450 })
    served.log.publish()
    const run = await start()
    await run.caughtUp(served)
    assert.ok((await run.state(served))?.recent.every(({ size }) => size !== 450))
    place.setFault(({ kind }) => (kind === 'get-sth-consistency' ? { flip: 25 } : undefined))
    served.show(({ kind }) => (kind === 'get-sth' ? rollback(served.log, 450) : undefined))
    const before = place.count('get-sth-consistency')
    await run.until('it is looked at', () => place.count('get-sth-consistency') >= before + 4)
    served.show(undefined)
    const id = ring(served.log, 'a.watched.example')
    served.log.publish()
    await run.caughtUp(served)
    assert.deepEqual(run.rung(), [id])
    assert.deepEqual(run.of('log-misbehaviour'), [])
  })
})

it('entries that differed are those that did, also where reading was taken up again', async (t) => {
  const { place, served, start } = await scene(t, 'rfc6962')
  const run = await start()
  await run.caughtUp(served)
  grow(served.log, 900)
  const wrong = wrongRoot(served.log)
  served.show(({ kind }) => (kind === 'get-sth' ? wrong : undefined))
  // The last pages are not there yet: what was read is kept, not verified.
  place.setFault(({ kind, log, query }) =>
    log === 'odd' && kind === 'get-entries' && Number(query.get('start')) >= 768 ? { status: 503 } : undefined,
  )
  await run.until('it is read on', async () => ((await run.state(served))?.position.size ?? 0) >= 768)
  place.setFault(undefined)
  await run.restart()
  await run.until('it is told', () => run.of('log-misbehaviour').length > 0)
  const about = [...run.evidence].filter(([name]) => name.includes('root-mismatch')).map(([, each]) => each['entries_that_differed'])
  assert.deepEqual(
    about.filter((each) => each !== undefined),
    [[]],
  )
})

for (const status of [403, 410, 500, 'html200'] as const)
  it(`a log of both ways whose tiles are ${status} is read by get-entries`, async (t) => {
    const { place, served, start } = await scene(t, 'hybrid')
    grow(served.log, 600)
    place.setFault(({ kind, log }) => (log === 'odd' && kind === 'data-tile' ? (typeof status === 'number' ? { status } : status) : undefined))
    const run = await start({ isHybrid: (url) => url === served.url })
    await run.caughtUp(served)
    assert.ok(place.count('data-tile', { log: 'odd' }) > 0)
    assert.ok(place.count('data-tile', { log: 'odd' }) < 4)
  })

for (const protocol of ['static-ct', 'rfc6962'] as const)
  it(`what comes after a place that the log does not give rings, not verified; and once: ${protocol}`, async (t) => {
    const { place, served, start } = await scene(t, protocol)
    let ahead = 0
    const now = (): number => Date.now() + ahead
    const clock: Clock = { now, sleepUntil: async (time, signal) => systemClock.sleepUntil(Date.now() + Math.min(time - now(), 300), signal) }
    const run = await start({ clock })
    await run.caughtUp(served)
    const ids: string[] = []
    ids.push(ring(served.log, 'hidden.watched.example'))
    served.log.add(odd(Buffer.from('no certificate')))
    served.log.addMany(512, FILLER)
    // A second place further on.
    served.log.add(odd(Buffer.from('no certificate either')))
    served.log.addMany(511, FILLER)
    ids.push(ring(served.log, 'seen.watched.example'))
    served.log.add(odd(Buffer.from('none as well')))
    const holes = [1, 3]
    place.setFault(({ log, tile, query, kind }) =>
      log === 'odd' && (kind === 'data-tile' || kind === 'get-entries') && holes.includes(tile?.index ?? Math.floor(Number(query.get('start')) / 256))
        ? { status: 404 }
        : undefined,
    )
    served.log.publish()
    await run.until('it fails', async () => (await run.state(served))?.failing !== undefined)
    ahead += 11 * 60_000
    await run.until('what comes after it rings', () => run.rung().length > 0, 30_000)
    assert.deepEqual(
      run.of('certificate').map(({ id, source }) => [id, source.kind === 'log' && source.verified]),
      [[ids[1], false]],
    )
    ids.push(ring(served.log, 'more.watched.example'))
    served.log.publish()
    await run.until('and what is new, too', () => run.rung().length > 1, 30_000)
    assert.equal((await run.state(served))?.verified.size, 300)
    await run.restart()
    place.setFault(undefined)
    await run.caughtUp(served)
    assert.deepEqual(run.rung().toSorted(), ids.toSorted())
    ahead += 61_000
    await run.until('all that cannot be read is told', async () => new Set(malformed(run, await run.state(served))).size === 3)
    assert.deepEqual(run.of('log-misbehaviour'), [])
  })

it('a pass looks into what comes after a place that the log does not give, too', async (t) => {
  const { place, served, start } = await scene(t, 'static-ct')
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const clock: Clock = { now, sleepUntil: async (time, signal) => systemClock.sleepUntil(Date.now() + Math.min(time - now(), 50), signal) }
  const run = await start({ clock, idle: true })
  assert.ok(await run.pass())
  served.log.addMany(600, FILLER)
  const id = ring(served.log, 'a.watched.example')
  served.log.publish()
  place.setFault(({ log, tile, kind }) => (log === 'odd' && kind === 'data-tile' && tile?.index === 1 ? { status: 404 } : undefined))
  for (let n = 0; n < 3; n++) {
    assert.equal(await run.pass(), false)
    ahead += 6 * 60_000
  }
  assert.deepEqual(run.rung(), [id])
  place.setFault(undefined)
  assert.ok(await run.pass())
  assert.deepEqual([run.rung(), (await run.state(served))?.verified.size], [[id], served.log.head.size])
})

it('an RFC 6962 log that has no get-entry-and-proof is begun at its end all the same', async (t) => {
  const { place, served, start } = await scene(t, 'rfc6962')
  place.setFault(({ kind }) => (kind === 'get-entry-and-proof' ? { status: 404 } : undefined))
  const run = await start({ start: 'end' })
  await run.until('it is begun', async () => (await run.state(served))?.begunFrom === 300)
  const id = ring(served.log, 'a.watched.example')
  served.log.publish()
  await run.caughtUp(served)
  assert.deepEqual(run.rung(), [id])
  assert.ok(place.count('get-proof-by-hash') > 0)
})

/** A clock that can be set forward, and does not wait for long. */
function settable() {
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const clock: Clock = { now, sleepUntil: async (time, signal) => systemClock.sleepUntil(Date.now() + Math.min(time - now(), 300), signal) }
  return { clock, forward: (ms: number) => (ahead += ms) }
}

it('what cannot be read is told within a minute or so, though its log is quiet then, and once', async (t) => {
  const { served, start } = await scene(t, 'static-ct')
  const { clock, forward } = settable()
  const run = await start({ clock })
  await run.caughtUp(served)
  const bad = async (): Promise<void> => {
    served.log.add(odd(Buffer.from('no certificate')))
    served.log.publish()
    await run.caughtUp(served)
  }
  await bad()
  assert.equal(run.of('malformed').length, 1)
  forward(10_000)
  await bad()
  await bad()
  assert.equal(run.of('malformed').length, 1)
  forward(51_000)
  await run.until('the others are told', () => run.of('malformed').length === 2)
  await run.restart()
  forward(120_000)
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.deepEqual(
    run.of('malformed').map((alert) => ('count' in alert ? alert.count : 0)),
    [1, 2],
  )
})

it('what was read behind a large log’s end is no trouble hours later', async (t) => {
  const { served, other, start } = await scene(t, 'static-ct')
  const { clock, forward } = settable()
  const run = await start({ clock, large: 200, start: 'end' })
  await run.caughtUp(served, other)
  const third = createCtLog({ name: 'third' })
  grow(third, 300)
  const place = await startCtHost()
  t.after(async () => place.close())
  const large = place.serve(third, { protocol: 'static-ct' })
  run.lists = [served, other, large]
  await run.until(
    'all of it is read',
    async () => (await run.states()).filter(({ description, verified }) => description.includes('third') && verified.size === 300).length === 2,
  )
  for (let n = 0; n < 4; n++) {
    forward(40 * 60_000)
    for (const { log } of [served, other, large]) log.publish({ timestamp: clock.now() })
    for (const { log } of [served, other, large]) grow(log, 1)
    for (const { log } of [served, other, large]) log.publish({ timestamp: clock.now() })
    await run.caughtUp(served, other, large)
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.deepEqual(run.of('trouble'), [])
})

it('a log that takes its time is not said to be slow for want of processor', async (t) => {
  const { place, served, start } = await scene(t, 'rfc6962')
  // Ten times as fast, so that a newer head is seen before what is read is there.
  const began = Date.now()
  const now = (): number => began + (Date.now() - began) * 10
  const clock: Clock = { now, sleepUntil: async (time, signal) => systemClock.sleepUntil(Date.now() + Math.max(0, time - now()) / 10, signal) }
  place.setFault(({ log }) => (log === 'odd' ? { slow: 900 } : undefined))
  const run = await start({ clock, longestMs: 60_000, interval: 1000 })
  const causes = new Set<string | undefined>()
  for (let n = 0; n < 80; n++) {
    served.log.addMany(3, FILLER)
    served.log.publish()
    await new Promise((resolve) => setTimeout(resolve, 100))
    for (const { log, cause, lagEntries } of logOverviews(await run.states(), now())) if (log.includes('odd') && lagEntries > 0) causes.add(cause)
  }
  assert.deepEqual([...causes], ['slow'])
})
