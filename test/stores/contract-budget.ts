import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Claim } from '../../src/stores/store.ts'
import type { Alert } from '../../src/watch/alert.ts'
import { numbers } from '../watch/simulate.ts'
import type { MakePlace } from './place.ts'
import { on } from './place.ts'
import { DAY, HOUR, MINUTE, SECOND, T0, open, owners, page, setup, settleIn, short, sighting, work } from './support.ts'

const waiting = (claim: Claim, now: number) => (claim.kind === 'wait' ? [claim.why, claim.until - now, claim.failing] : claim.kind)
const claimAt = async (store: { claim(now: number, until: number): Promise<Claim> }, now: number) =>
  waiting(await store.claim(now, now + MINUTE), now)

/** The most of these times (ms, ascending) in any hour. */
const mostInAnHour = (times: readonly number[]): number =>
  Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time < from + HOUR).length))

export function budgetContract(make: MakePlace): void {
  describe('claim and fail', () => {
    it(
      'counts a query before it is asked, over restarts and crashes',
      on(make, async (place) => {
        const owner = owners()
        const given = setup({ quota: { full: 3, single: 1 } })
        for (let n = 0; n < 3; n++) {
          const store = await open(await place(), given, T0 + n, owner(String(n)))
          assert.equal((await work(store, T0 + n)).backlog, n > 0)
        }
        const store = await open(await place(), given, T0 + 3, owner('last'))
        assert.deepEqual(await claimAt(store, T0 + 3), ['quota', HOUR + SECOND - 3, false])
      }),
    )

    it(
      'gives back a query that never reached the API, and no other',
      on(make, async (place) => {
        const backend = await place()
        const store = await open(backend)
        const left = async () => (await backend.reader.control()).credentials['c']?.spent.full.reduce((sum, [, a, b]) => sum + a + b, 0) ?? 0
        const first = await work(store, T0)
        assert.equal(await left(), 1)
        await store.fail(first, { kind: 'api', message: 'refused', spent: false }, T0 + 10)
        assert.equal(await left(), 0)
        await store.fail(await work(store, T0 + MINUTE), { kind: 'api', message: 'reset', spent: true }, T0 + MINUTE)
        assert.equal(await left(), 1)
      }),
    )

    it(
      'never asks more than the quota in an hour by the reckoning of the API, however late queries reach it',
      on(make, async (place) => {
        const random = numbers(11)
        const given = setup({ names: ['example.com', 'example.net'], baseline: 'silent' })
        const store = await open(await place(), given)
        const arrived: number[] = []
        let now = T0
        while (now < T0 + 6 * HOUR) {
          const claim = await store.claim(now, now + MINUTE)
          if (claim.kind === 'wait') {
            now = claim.until
            continue
          }
          const asked = now
          // Every third answer takes long, and its query may have reached the API at any time of it.
          now += random() < 0.3 ? Math.floor(random() * 30_000) : 200
          arrived.push(asked + Math.floor(random() * (now - asked)))
          if (random() < 0.2) await store.fail(claim.work, { kind: 'api', message: 'x', spent: true }, now)
          else await store.commit(claim.work, page([], { more: random() < 0.5 }), now)
        }
        assert.ok(arrived.length > 50)
        assert.ok(mostInAnHour(arrived) <= 10, `${mostInAnHour(arrived)} in an hour`)
      }),
    )

    it(
      'has one query in flight: a living process is waited for, a dead one is not, and a lease ends by itself',
      on(make, async (place) => {
        const owner = owners('a', 'b')
        const [a, b] = [await open(await place(), setup(), T0, owner('a')), await open(await place(), setup(), T0, owner('b'))]
        await work(a, T0, 45 * SECOND)
        assert.deepEqual(await claimAt(b, T0), ['leased', SECOND, false])
        assert.deepEqual(await claimAt(a, T0), ['leased', SECOND, false], 'our own query is in flight as well')
        assert.deepEqual(await claimAt(b, T0 + 44_500), ['leased', 500, false])
        const c = await open(await place(), setup(), T0, { id: 'c', alive: (id) => id !== 'a' })
        assert.equal((await work(c, T0)).key, 'example.com', 'a is dead to it')
        assert.equal((await work(b, T0 + 61 * SECOND)).key, 'example.com')
      }),
    )

    it(
      'obeys Retry-After for the whole credential: no failure, no alert',
      on(make, async (place) => {
        const backend = await place()
        const given = setup({ names: ['example.com', 'example.net'] })
        const store = await open(backend, given)
        assert.deepEqual(await store.fail(await work(store, T0), { kind: 'wait', until: T0 + 306_000, message: '429' }, T0), [])
        assert.deepEqual(await claimAt(store, T0), ['blocked', 306_000, false])
        const late = await open(await place(), given, T0 + 305_999)
        assert.deepEqual(await claimAt(late, T0 + 305_999), ['blocked', 1, false], 'over a restart too')
        const claimed = await work(late, T0 + 306_000)
        assert.deepEqual([claimed.key, claimed.cursor], ['example.net', undefined])
        await late.commit(claimed, page([]), T0 + 306_000, { blockedUntil: T0 + HOUR })
        assert.deepEqual(await claimAt(late, T0 + 306_000), ['blocked', HOUR - 306_000, false], 'with a page as well')
      }),
    )

    it(
      'pauses after failures: 2 s, then no faster than the quota',
      on(make, async (place) => {
        const store = await open(await place())
        let now = T0
        const pauses: number[] = []
        for (let n = 0; n < 4; n++) {
          await store.fail(await work(store, now), { kind: 'api', message: '500', spent: true }, now)
          const claim = await store.claim(now, now + MINUTE)
          assert.ok(claim.kind === 'wait' && claim.failing)
          pauses.push(claim.until - now)
          now = claim.until
        }
        assert.deepEqual(pauses, [2000, 6 * MINUTE, 6 * MINUTE, 6 * MINUTE])
        await store.commit(await work(store, now), page([], { more: true }), now)
        assert.equal((await work(store, now)).backlog, true, 'a success ends it at once')
      }),
    )

    it(
      'leaves out a refused name for an hour, and goes on with the others',
      on(make, async (place) => {
        const given = setup({ names: ['bad.example', 'good.example'], quota: { full: 100, single: 1 } })
        const backend = await place()
        const store = await open(backend, given)
        const refused = await store.fail(await work(store, T0), { kind: 'name', message: 'not_allowed_by_plan', spent: true }, T0)
        assert.deepEqual(refused, [], 'others may follow in this round')
        assert.deepEqual(
          (await store.review(T0, false)).map((alert) => ('component' in alert ? [alert.kind, alert.component] : [])),
          [['trouble', 'certspotter:bad.example']],
        )
        let now = T0
        const asked: string[] = []
        while (now < T0 + HOUR) {
          const claim = await store.claim(now, now + MINUTE)
          if (claim.kind === 'wait') now = claim.until
          else {
            asked.push(claim.work.key)
            await store.commit(claim.work, page([]), now)
          }
        }
        assert.ok(asked.length > 10)
        assert.deepEqual([...new Set(asked)], ['good.example'])
        assert.equal((await work(store, now)).key, 'bad.example')
      }),
    )

    it(
      'keeps budgets apart by credential and by class',
      on(make, async (place) => {
        const given = setup({ names: ['example.com', '=login.example.net'], quota: { full: 1, single: 1 } })
        const store = await open(await place(), given)
        const first = await work(store, T0)
        await store.commit(first, page([]), T0)
        const second = await work(store, T0)
        assert.deepEqual([first.queryClass, second.queryClass], ['full', 'single'])
        await store.commit(second, page([]), T0)
        assert.deepEqual(await claimAt(store, T0), ['schedule', HOUR, false])
        const other = await open(await place(), {
          ...given,
          credential: 'another token',
          items: [...given.items, ...setup({ names: ['new.example'] }).items],
        })
        assert.equal((await work(other, T0)).key, 'new.example')
      }),
    )

    it(
      'outlives a clock that goes back an hour: no overspending, no long blindness',
      on(make, async (place) => {
        const backend = await place()
        const given = setup({ names: ['example.com', 'example.net'] })
        const start = await settleIn(backend, given)
        const store = await open(backend, given)
        let real = start
        const clock = () => (real < start + 2.5 * HOUR ? real : real - HOUR)
        const asked: number[] = []
        let leased = 0
        while (real < start + 8 * HOUR) {
          const claim = await store.claim(clock(), clock() + MINUTE)
          if (claim.kind === 'wait') {
            if (claim.why === 'leased') leased += 1
            // No one sleeps past the moment that the clock is set.
            const span = Math.min(claim.until - clock(), 5 * MINUTE)
            assert.ok(span > 0)
            real += span
            continue
          }
          asked.push(real)
          const span = asked.length === 25 ? HOUR / 60 : 500
          real += span
          await store.commit(claim.work, page([sighting(asked.length)]), clock())
        }
        assert.equal(leased, 0)
        assert.ok(mostInAnHour(asked) <= 10, `${mostInAnHour(asked)} in an hour`)
        const longest = Math.max(...asked.slice(1).map((time, n) => time - asked[n]!))
        assert.ok(longest <= 1.1 * HOUR, `nothing was asked for ${longest / MINUTE} min`)
      }),
    )
  })

  describe('troubles', () => {
    it(
      'an outage of the API is one trouble and one recovery, however many names failed in it',
      on(make, async (place) => {
        const backend = await place()
        const given = setup({ names: ['a.example', 'b.example', 'c.example'] })
        let now = await settleIn(backend, given)
        const store = await open(backend, given)
        const told: string[] = []
        const note = (alerts: readonly { kind: string; id: string }[]) =>
          told.push(...alerts.map(({ kind, id }) => `${kind} ${id.split('/').slice(0, -1).join('/')}`))
        const end = now + 5 * HOUR
        const down = [now + HOUR, now + 3 * HOUR] as const
        while (now < end) {
          note(await store.review(now, now > end - 4.5 * HOUR))
          const claim = await store.claim(now, now + MINUTE)
          if (claim.kind === 'wait') now = Math.min(claim.until, now + MINUTE)
          else if (now >= down[0] && now < down[1]) note(await store.fail(claim.work, { kind: 'api', message: '500', spent: true }, now))
          else note((await store.commit(claim.work, page([]), now)).alerts)
        }
        assert.deepEqual(told, ['trouble certspotter/api', 'recovered certspotter/api'])
      }),
    )

    it(
      'one name that always fails rings while the others go on',
      on(make, async (place) => {
        const backend = await place()
        const given = setup({ names: ['a.example', 'b.example', 'c.example'] })
        let now = await settleIn(backend, given)
        const store = await open(backend, given)
        const told: string[] = []
        const note = (alerts: readonly Alert[]) => told.push(...alerts.map((alert) => `${alert.kind} ${'component' in alert ? alert.component : ''}`))
        const [began, end] = [now, now + 6 * HOUR]
        while (now < end) {
          note(await store.review(now, now > began + HOUR / 2))
          const claim = await store.claim(now, now + MINUTE)
          if (claim.kind === 'wait') now = Math.min(claim.until, now + MINUTE)
          else if (claim.work.key !== 'b.example' || now < began + HOUR / 2) note((await store.commit(claim.work, page([]), now)).alerts)
          else note(await store.fail(claim.work, { kind: 'api', message: '500', spent: true }, now))
        }
        assert.deepEqual(told, ['trouble certspotter:b.example'])
      }),
    )

    it(
      'thirty names that are refused for one reason are one trouble, and one recovery when the last of them is taken',
      on(make, async (place) => {
        const names = Array.from({ length: 30 }, (_, n) => `n${n}.example`)
        const backend = await place()
        const given = setup({ names, quota: { full: 100, single: 1 } })
        const now = await settleIn(backend, given)
        const store = await open(backend, given, now)
        for (const _ of names) {
          const claimed = await work(store, now)
          const failure = { kind: 'name', message: `not ${claimed.key}`, reason: 'not_allowed_by_plan', spent: true } as const
          assert.deepEqual(await store.fail(claimed, failure, now), [])
        }
        const told = await store.review(now, true)
        assert.deepEqual([told.length, told[0]?.kind === 'trouble' ? told[0].items?.length : 0], [1, 30])
        assert.deepEqual(await store.review(now + 2 * HOUR, false), [], 'told once')
        const alerts: string[] = []
        for (const _ of names) alerts.push(...(await store.commit(await work(store, now + 2 * HOUR), page([]), now + 2 * HOUR)).alerts.map(short))
        assert.deepEqual(alerts, ['recovered'])
      }),
    )

    it(
      'names that nobody looks at for three intervals are one trouble, and one recovery',
      on(make, async (place) => {
        const backend = await place()
        const given = setup({ names: ['a.example', 'b.example'] })
        const before = await settleIn(backend, given)
        const store = await open(backend, given, before)
        const now = before + DAY
        const late = await store.review(now, true)
        assert.deepEqual(
          late.map((alert) => ('component' in alert ? [alert.kind, alert.component] : [])),
          [['trouble', 'certspotter/overdue']],
        )
        assert.deepEqual(await store.review(now, true), [], 'told once')
        const first = await store.commit(await work(store, now), page([]), now)
        const second = await store.commit(await work(store, now), page([]), now)
        assert.deepEqual([first.alerts.length, second.alerts.map(({ kind }) => kind)], [0, ['recovered']])
      }),
    )

    it(
      'a gap in the looks is told with the look that ends it, against what was usual',
      on(make, async (place) => {
        const given = setup({ names: ['a.example', 'b.example'], quota: { full: 100, single: 1 } })
        const store = await open(await place(), given)
        const pass = async (now: number): Promise<string[]> => {
          const told: string[] = []
          for (;;) {
            const claim = await store.claim(now, now + MINUTE, now)
            if (claim.kind === 'wait') break
            told.push(...(await store.commit(claim.work, page([]), now)).alerts.map(short))
          }
          return [...told, ...(await store.review(now, true)).map(short)]
        }
        await pass(T0)
        let now = T0
        const after = async (ms: number): Promise<string[]> => pass((now += ms))
        assert.deepEqual(await after(DAY), [], 'nothing says how often it is looked at')
        assert.deepEqual(await after(DAY), [], 'daily, as it seems')
        assert.deepEqual(await after(HOUR), [])
        assert.deepEqual(await after(HOUR), [], 'hourly')
        assert.deepEqual(await after(2 * HOUR), [], 'one was left out')
        assert.deepEqual(await after(HOUR / 12), [])
        assert.deepEqual(await after(DAY), ['trouble', 'recovered'])
        assert.deepEqual(await after(HOUR / 12), [])
        assert.deepEqual(await after(HOUR * 0.9), [], 'less than an hour is none')
      }),
    )
  })
}
