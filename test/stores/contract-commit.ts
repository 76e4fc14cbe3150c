import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CertRecord } from '../../src/stores/store.ts'
import { FencedError } from '../../src/stores/store.ts'
import type { Sighting } from '../../src/watch/issuance.ts'
import type { MakePlace } from './place.ts'
import { on } from './place.ts'
import { DAY, MINUTE, T0, contents, idOf, malformed, message, open, page, setup, settleIn, short, sighting, work } from './support.ts'

export function commitContract(make: MakePlace): void {
  describe('commit', () => {
    it(
      'keeps cursor, issuances and alerts together',
      on(make, async (place) => {
        const backend = await place()
        const now = await settleIn(backend, setup())
        const store = await open(backend)
        const claimed = await work(store, now)
        assert.equal(claimed.cursor, 'start')
        assert.deepEqual(claimed.phase, { kind: 'steady' })
        const done = await store.commit(claimed, page([sighting(1), sighting(2)], { malformed: [malformed(1)], entries: 3 }), now)
        assert.deepEqual(done.alerts.map(short), ['id-1', 'id-2', 'malformed'])
        assert.equal(done.news, 2)
        const control = await backend.reader.control()
        assert.equal(control.items['example.com']?.cursor, 'id-2')
        assert.equal(control.items['example.com']?.found, 3)
        assert.deepEqual({ ...control.alerts }, { 'certificate/info': 2, 'malformed/medium': 1 })
        const alerts = await backend.reader.alerts({ pending: true })
        assert.deepEqual(
          alerts.map(({ alert }) => short(alert)),
          ['malformed', 'id-2', 'id-1'],
          'newest first',
        )
        const ids: string[] = []
        await backend.reader.issuances(({ id, rang, source }) => {
          ids.push(`${id === idOf(1) ? 1 : 2} ${rang} ${source.id}`)
          return true
        })
        assert.deepEqual(ids, ['2 true id-2', '1 true id-1'])
      }),
    )

    it(
      'keeps of a certificate of any size a bounded part, and how much there was',
      on(make, async (place) => {
        const backend = await place()
        const now = await settleIn(backend, setup())
        const store = await open(backend)
        const names = Array.from({ length: 5000 }, (_, n) => `n${n}.example.com`)
        const many = sighting(1)
        const large: Sighting = {
          ...many,
          issuance: { ...many.issuance, names, ipAddresses: names.map((_, n) => `10.0.${n >> 8}.${n & 255}`) },
          matched: names.map((name) => ({ name, item: 'example.com' })),
        }
        const { alerts } = await store.commit(await work(store, now), page([large, sighting(2)]), now)
        assert.ok(JSON.stringify(alerts).length < 300_000)
        assert.partialDeepStrictEqual(alerts[0], { matched_count: 5000, names_count: 5000, ip_addresses_count: 5000 })
        const kept = await contents(backend)
        assert.ok(JSON.stringify(kept).length < 600_000)
        const records: CertRecord[] = []
        await backend.reader.issuances((record) => {
          records.push(record)
          return true
        })
        assert.deepEqual(
          records.map(({ names: listed, namesCount, ipAddressesCount }) => [listed.length, namesCount, ipAddressesCount]),
          [
            [1, undefined, undefined],
            [1000, 5000, 5000],
          ],
        )
      }),
    )

    it(
      'keeps nothing of a step whose judgement throws',
      on(make, async (place) => {
        const backend = await place()
        const now = await settleIn(backend, setup())
        const store = await open(backend)
        const claimed = await work(store, now)
        const before = await contents(backend)
        const broken = { ...sighting(2), remarks: [null as never] }
        await assert.rejects(store.commit(claimed, page([sighting(1), broken]), now), TypeError)
        assert.deepEqual(await contents(backend), before)
        // The same step without the fault is taken in as if nothing had been.
        const done = await store.commit(claimed, page([sighting(1), sighting(2)]), now)
        assert.deepEqual(done.alerts.map(short), ['id-1', 'id-2'])
      }),
    )

    it(
      'keeps nothing once the lease was lost',
      on(make, async (place) => {
        const [first, second] = [await place(), await place()]
        const given = setup({ quota: { full: 100, single: 100 } })
        const now = await settleIn(first, given)
        const slow = await open(first, given, now, { id: 'slow', alive: () => true })
        const quick = await open(second, given, now, { id: 'quick', alive: () => true })
        const lost = await work(slow, now, 1000)
        const won = await work(quick, now + MINUTE, MINUTE)
        assert.ok(won.fence > lost.fence)
        const before = await contents(first)
        await assert.rejects(slow.commit(lost, page([sighting(1)]), now + MINUTE), FencedError)
        await assert.rejects(slow.fail(lost, { kind: 'api', message: 'x', spent: true }, now + MINUTE), FencedError)
        assert.deepEqual(await contents(first), before)
        const done = await quick.commit(won, page([sighting(1)]), now + MINUTE)
        assert.deepEqual(done.alerts.map(short), ['id-1'])
        await assert.rejects(quick.commit(won, page([sighting(2)]), now + MINUTE), FencedError, 'a step is kept once')
      }),
    )

    it(
      'rings once for one issuance, in one step, in another, by another name, of another process',
      on(make, async (place) => {
        const backend = await place()
        const given = setup({ names: ['example.com', 'example.net'] })
        let now = await settleIn(backend, given)
        const store = await open(backend, given)
        const both = ['example.com', 'example.net']
        const first = await store.commit(await work(store, now), page([sighting(1, { items: both }), sighting(1, { items: both })]), now)
        assert.deepEqual(first.alerts.map(short), ['id-1'])
        assert.equal(first.news, 1)
        const again = await store.commit(await work(store, now), page([sighting(1, { items: both })]), now)
        assert.deepEqual(again.alerts, [])
        now += DAY
        const other = await open(await place(), given, now, { id: 'other', alive: () => true })
        const late = await other.commit(await work(other, now), page([sighting(1), sighting(2)]), now)
        assert.deepEqual(late.alerts.filter(({ kind }) => kind === 'certificate').map(short), ['id-2'])
        assert.equal((await backend.reader.control()).alerts['certificate/info'], 2)
      }),
    )

    it(
      'keeps an excluded issuance in the inventory, silently',
      on(make, async (place) => {
        const backend = await place()
        const now = await settleIn(backend, setup())
        const store = await open(backend)
        const done = await store.commit(await work(store, now), page([sighting(1, { excluded: true })]), now)
        assert.deepEqual([done.alerts, done.news], [[], 1])
        const rang: boolean[] = []
        await backend.reader.issuances((record) => rang.push(record.rang) > 0)
        assert.deepEqual(rang, [false])
      }),
    )

    it(
      'claims the next page with a full one, in the same transaction, unless it may not be asked yet',
      on(make, async (place) => {
        const backend = await place()
        const given = setup({ quota: { full: 3, single: 1 } })
        const store = await open(backend, given)
        const until = T0 + MINUTE
        const first = await store.commit(await work(store, T0), page([sighting(1)], { more: true }), T0, { until })
        assert.deepEqual([first.next?.key, first.next?.cursor, first.next?.backlog], ['example.com', 'id-1', true])
        assert.ok(first.next !== undefined)
        const other = await open(await place(), given, T0, { id: 'other', alive: () => true })
        assert.equal((await other.claim(T0, until)).kind, 'wait', 'it is leased')
        const second = await store.commit(first.next, page([sighting(2)], { more: true }), T0, { until, blockedUntil: T0 + 1000 })
        assert.equal(second.next, undefined, 'Retry-After')
        const third = await store.commit(await work(store, T0 + 1000), page([sighting(3)], { more: true }), T0 + 1000, { until })
        assert.equal(third.next, undefined, 'the quota is used')
        assert.equal((await backend.reader.control()).credentials['c']?.lease, undefined)
      }),
    )

    it(
      'makes a trouble of a TBS mismatch, beside the certificate',
      on(make, async (place) => {
        const backend = await place()
        const now = await settleIn(backend, setup())
        const store = await open(backend)
        const odd = (n: number, trouble: boolean) => sighting(n, { remarks: [{ kind: 'tbs-differs', reason: `differs ${n}`, trouble }] })
        const done = await store.commit(await work(store, now), page([odd(1, true), odd(2, false)]), now)
        assert.deepEqual(
          done.alerts.map((alert) => [alert.kind, alert.severity]),
          [
            ['certificate', 'medium'],
            ['trouble', 'high'],
            ['certificate', 'info'],
          ],
        )
      }),
    )

    it(
      'keeps hostile text as it is',
      on(make, async (place) => {
        const backend = await place()
        const now = await settleIn(backend, setup())
        const store = await open(backend)
        const names = ['__proto__', "'; drop table issuances; --", '\u0000', '\ud800', '<!channel>', 'x'.repeat(10_000)]
        const hostile = sighting(1, { source: { kind: 'certspotter', id: 'an id with blanks' } })
        await store.commit(await work(store, now), page([{ ...hostile, issuance: { ...hostile.issuance, names } }]), now)
        let seen: unknown
        await backend.reader.issuances(({ names, source }) => {
          seen = [names, source]
          return true
        })
        assert.deepEqual(seen, [names, { kind: 'certspotter', id: 'an id with blanks' }])
        assert.deepEqual(
          (await message(store, now)).alerts.map((alert) => (alert.kind === 'certificate' ? alert.names : [])),
          [names],
        )
      }),
    )
  })
}
