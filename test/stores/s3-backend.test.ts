// What is S3's own about the state there: what is written and when, what answers that get lost mean, what is refused, what is cleaned up.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { FakeS3 } from '../../src/sandbox/s3.ts'
import type { Backend } from '../../src/stores/backend.ts'
import { openS3, openS3Reader } from '../../src/stores/s3/backend.ts'
import { OwnerError, StoreError } from '../../src/watch/errors.ts'
import type { S3TestPlace } from './s3-place.ts'
import { s3Place } from './s3-place.ts'
import { DAY, HOUR, MINUTE, SLACK, T0, compose, contents, drain, message, open, page, settleIn, setup, short, sighting, work } from './support.ts'

const ROOT = 'state/certbell.json.gz'
const on = (run: (place: S3TestPlace) => Promise<void>) => async (): Promise<void> => {
  const place = await s3Place()
  try {
    await run(place)
  } finally {
    await place.fake.close()
  }
}
const writes = (fake: FakeS3): string[] => fake.log.filter(({ method }) => method !== 'GET').map(({ method, key }) => `${method} ${key}`)
const segments = (fake: FakeS3): string[] => [...fake.objects.keys()].filter((key) => key.startsWith('state/segments/'))
const root = (fake: FakeS3): Record<string, unknown> => JSON.parse(gunzipSync(fake.objects.get(ROOT)!.body).toString()) as Record<string, unknown>

it(
  'a turn that asked and delivered nothing writes nothing, and reads the root once a transaction, unchanged',
  on(async ({ fake, options }) => {
    const backend = await openS3(options())
    const now = (await settleIn(backend, setup())) - 2 * HOUR + MINUTE
    const store = await open(backend, setup(), now)
    await store.review(now, true)
    fake.log.length = 0
    await open(backend, setup(), now)
    assert.equal((await store.claim(now, now + MINUTE)).kind, 'wait')
    assert.equal((await store.nextMessage(SLACK, now, now + MINUTE, compose)).kind, 'wait')
    await store.review(now + 1, true)
    assert.deepEqual(
      fake.log.map(({ method, key, status }) => [method, key, status]),
      Array.from({ length: 4 }, () => ['GET', ROOT, 304]),
    )
  }),
)

it(
  'a turn that asked and found nothing replaces the root and nothing else',
  on(async ({ fake, options }) => {
    const backend = await openS3(options())
    const now = await settleIn(backend, setup())
    const store = await open(backend, setup(), now)
    const claimed = await work(store, now)
    fake.log.length = 0
    await store.commit(claimed, page([]), now)
    assert.deepEqual(writes(fake), [`PUT ${ROOT}`])
  }),
)

it(
  'segments come before the root that names them, on a condition, and none is ever written again',
  on(async ({ fake, options }) => {
    const backend = await openS3(options())
    let now = await settleIn(backend, setup())
    const store = await open(backend, setup(), now)
    for (let n = 0; n < 40; n++) {
      await store.commit(await work(store, now), page([sighting(n)]), now)
      now += HOUR
      if (n % 5 === 0) await drain(store, now)
    }
    assert.equal(segments(fake).length, 2 * [root(fake)['issuances'], root(fake)['alerts']].flat().length, 'what was merged or delivered is gone')
    const puts = fake.log.filter(({ method }) => method === 'PUT')
    const seen = new Set<string>()
    for (const { key, headers, status } of puts) {
      assert.equal(status, 200)
      if (key === ROOT) continue
      assert.equal(headers['if-none-match'], '*')
      assert.ok(!seen.has(key), key)
      seen.add(key)
    }
    const { issuances, alerts } = root(fake) as { issuances: unknown[][]; alerts: unknown[][] }
    assert.ok(issuances.length <= 12 && alerts.length <= 12, 'merged')
    assert.equal(
      issuances.reduce((sum, ref) => sum + Number(ref[3]), 0),
      40,
    )
    for (const [name] of [...issuances, ...alerts]) assert.ok(fake.objects.has(`state/segments/${String(name)}.json.gz`))
    const ids: string[] = []
    await backend.reader.issuances(({ source }) => ids.push(source.id) > 0)
    assert.deepEqual(
      ids,
      Array.from({ length: 40 }, (_, n) => `id-${39 - n}`),
    )
    assert.deepEqual(
      (await backend.reader.alerts({ pending: false, limit: 3 })).map(({ alert }) => short(alert)),
      ['id-39', 'id-38', 'id-37'],
    )
  }),
)

it(
  'an answer that was lost is recognised, whichever request it was',
  on(async ({ fake, options }) => {
    for (let nth = 0; nth < 12; nth++) {
      fake.objects.clear()
      fake.switches.fault = () => undefined
      const backend = await openS3(options())
      const now = await settleIn(backend, setup())
      const store = await open(backend, setup(), now)
      let left = nth
      fake.switches.fault = () => (left-- === 0 ? 'lost' : undefined)
      const done = await store.commit(await work(store, now), page([sighting(1), sighting(2)]), now)
      assert.deepEqual(done.alerts.map(short), ['id-1', 'id-2'], `request ${nth}`)
      const sent = await message(store, now)
      await store.settle(sent, { kind: 'delivered', answer: 'ok' }, now, 0)
      const control = await backend.reader.control()
      assert.deepEqual([control.items['example.com']?.found, control.sinks['slack']?.delivered, control.alerts['certificate/info']], [2, 2, 2])
      assert.deepEqual({ ...(await backend.reader.waiting()) }, {})
    }
  }),
)

it(
  'an answer that was lost is recognised after patience is over, and under writes of others',
  on(async ({ fake, options }) => {
    const backend = await openS3({ ...options(), patience: { ...options().patience, timeLeft: () => 0 } })
    const now = await settleIn(backend, setup())
    const store = await open(backend, setup(), now)
    const claimed = await work(store, now)
    let once = true
    fake.switches.fault = ({ method, key }) => (method === 'PUT' && key === ROOT && once && !(once = false) ? 'lost' : undefined)
    const done = await store.commit(claimed, page([sighting(1)]), now)
    assert.equal(done.news, 1)
    // Another writes between our write and our look: our stamp is among the last.
    const other = await openS3(options())
    const patient = await openS3(options())
    once = true
    let between = 0
    fake.switches.fault = ({ method, key }) => {
      if (method !== 'PUT' || key !== ROOT) return undefined
      if (once) return ((once = false), 'lost')
      return undefined
    }
    const slow: Backend = patient
    const result = slow.transact(async (tx) => {
      tx.control.prunedAt = 42
      return ++between
    })
    await other.transact(async (tx) => void (tx.control.sortedIn += 0))
    assert.equal(await result, 1)
    assert.equal(between, 1, 'the body ran once')
  }),
)

it(
  'what is damaged or newer stops everything and is left as it is',
  on(async ({ fake, options }) => {
    const backend = await openS3(options())
    await settleIn(backend, setup())
    const whole = root(fake)
    const cases: [Buffer, string][] = [
      [Buffer.from('no gzip'), 'state-damaged'],
      [gzipSync('no json'), 'state-damaged'],
      [gzipSync('[]'), 'state-damaged'],
      [gzipSync('{}'), 'state-damaged'],
      [Buffer.alloc(0), 'state-damaged'],
      [fake.objects.get(ROOT)!.body.subarray(0, 100), 'state-damaged'],
      [gzipSync(JSON.stringify({ ...whole, control: undefined })), 'state-damaged'],
      [gzipSync(JSON.stringify({ ...whole, control: { version: 1 } })), 'state-damaged'],
      [gzipSync(JSON.stringify({ ...whole, sinks: { slack: 1 } })), 'state-damaged'],
      [gzipSync(JSON.stringify({ ...whole, version: 2 })), 'state-newer'],
      [gzipSync(JSON.stringify({ ...whole, control: { version: 2 } })), 'state-newer'],
    ]
    for (const [body, code] of cases) {
      fake.set(ROOT, body)
      fake.log.length = 0
      const refused = (error: unknown): boolean => error instanceof OwnerError && error.code === code
      await assert.rejects(openS3(options()), refused)
      await assert.rejects(openS3Reader(options()), refused)
      await assert.rejects(open(backend), refused)
      assert.deepEqual(writes(fake), [])
      assert.ok(fake.objects.get(ROOT)!.body.equals(body))
    }
  }),
)

it(
  'a segment that is missing or damaged stops what needs it, and is not overwritten',
  on(async ({ fake, options }) => {
    const backend = await openS3(options())
    const now = await settleIn(backend, setup())
    const store = await open(backend, setup(), now)
    await store.commit(await work(store, now), page([sighting(1)]), now)
    const damage: ((key: string) => void)[] = [(key) => void fake.objects.delete(key), (key) => fake.set(key, 'x')]
    for (const act of damage) {
      const kept = new Map(fake.objects)
      for (const key of segments(fake)) act(key)
      const cold = await openS3(options())
      const refused = (error: unknown): boolean => error instanceof OwnerError && error.code === 'state-damaged'
      await assert.rejects(contents(cold), refused)
      const other = await open(cold, setup(), now + 3 * HOUR)
      const claimed = await work(other, now + 3 * HOUR)
      const before = fake.objects.get(ROOT)!.etag
      await assert.rejects(other.commit(claimed, page([sighting(2)]), now + 3 * HOUR), refused)
      assert.equal(fake.objects.get(ROOT)!.etag, before)
      fake.objects.clear()
      for (const [key, object] of kept) fake.objects.set(key, object)
    }
  }),
)

it(
  '403 is never a fresh start, and neither is a root that goes away under us',
  on(async ({ fake, options }) => {
    assert.equal(await openS3Reader(options()), undefined, '404 is a first run')
    fake.switches.noList = true
    const refused = (error: unknown): boolean => error instanceof OwnerError && error.code === 'state-access' && /s3:ListBucket/.test(error.message)
    await assert.rejects(openS3(options()), refused)
    await assert.rejects(openS3Reader(options()), refused)
    fake.switches.noList = false
    const backend = await openS3(options())
    await settleIn(backend, setup())
    fake.objects.delete(ROOT)
    await assert.rejects(open(backend), (error: unknown) => error instanceof StoreError && /removed while it was in use/.test(error.message))
    assert.equal(fake.objects.size, 0)
  }),
)

it(
  'removes what no root names an hour after it was written, and lives without the right to',
  on(async ({ fake, options }) => {
    let now = Date.now()
    const clock = { now: () => now, sleepUntil: async () => undefined }
    const backend = await openS3({ ...options(), patience: { ...options().patience, time: clock } })
    const start = await settleIn(backend, setup(), now)
    now = start
    const store = await open(backend, setup(), now)
    await store.commit(await work(store, now), page([sighting(1)]), now)
    fake.set('state/segments/orphan1234.keys', 'x', now - 2 * HOUR)
    fake.set('state/segments/young12345.json.gz', 'x', now - HOUR / 2)
    fake.set('state/segments/of another', 'x', 0)
    fake.set('state/else', 'x', 0)
    fake.switches.noDelete = true
    await store.review(now, true)
    assert.ok(fake.objects.has('state/segments/orphan1234.keys'))
    fake.switches.noDelete = false
    const named = segments(fake).length - 3
    for (let n = 2; n < 12; n++) {
      now += 3 * HOUR
      await store.commit(await work(store, now), page([sighting(n)]), now)
      await drain(store, now)
    }
    now += DAY
    await store.review(now, true)
    assert.ok(!fake.objects.has('state/segments/orphan1234.keys'))
    assert.ok(!fake.objects.has('state/segments/young12345.json.gz'))
    assert.ok(fake.objects.has('state/segments/of another') && fake.objects.has('state/else'), 'what is not ours stays')
    const { issuances, alerts } = root(fake) as { issuances: unknown[][]; alerts: unknown[][] }
    assert.equal(segments(fake).length, 2 * (issuances.length + alerts.length) + 1)
    assert.ok(named > 0)
    assert.deepEqual(((await contents(await openS3(options()))) as { issuances: unknown[] }).issuances.length, 11)
  }),
)

it(
  'whoever was overtaken takes its segments away and does it again',
  on(async ({ fake, options }) => {
    const [one, two] = [await openS3(options()), await openS3(options())]
    await settleIn(one, setup())
    let runs = 0
    const alert = (n: number) =>
      ({ schema: 'certbell.alert/1', kind: 'test', id: `t${n}`, severity: 'info', reason: 'x', findings: [], seen_at: '', message: 'm' }) as const
    const added = await one.transact(async (tx) => {
      runs += 1
      if (runs === 1) await two.transact(async (other) => other.addAlerts([alert(1)], ['slack'], T0))
      return (await tx.addAlerts([alert(1), alert(2)], ['slack'], T0)).map(({ id }) => id)
    })
    assert.deepEqual([runs, added], [2, ['t2']])
    assert.equal(segments(fake).length, 4, 'two tables of one row each, and nothing left over')
    assert.deepEqual(
      (await one.reader.alerts({ pending: true })).map(({ alert }) => alert.id),
      ['t2', 't1'],
    )
  }),
)
