import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { InventoryAlert } from '../../src/watch/alert.ts'
import type { MakePlace } from './place.ts'
import { on } from './place.ts'
import { DAY, HOUR, MINUTE, T0, malformed, open, owners, page, setup, settleIn, short, sighting, work } from './support.ts'

const FULL = { more: true }

export function baselineContract(make: MakePlace): void {
  describe('baseline', () => {
    it(
      'is silent page by page, goes on where it stopped, and ends with one inventory',
      on(make, async (place) => {
        const owner = owners('second')
        const first = await open(await place(), setup(), T0, owner('first'))
        const one = await work(first, T0)
        assert.deepEqual([one.cursor, one.phase], [undefined, { kind: 'baseline', startedAt: new Date(T0) }])
        const step = await first.commit(one, page([sighting(1, { notBefore: T0 - 80 * DAY }), sighting(2)], FULL), T0)
        assert.deepEqual([step.alerts, step.progress.phase, step.progress.count], [[], 'baseline', 2])
        // Killed while it asks for the second page.
        await work(first, T0 + 1000)
        const backend = await place()
        const second = await open(backend, setup(), T0, owner('second'))
        const two = await work(second, T0 + 2000)
        assert.equal(two.cursor, 'id-2')
        assert.deepEqual(two.phase, { kind: 'baseline', startedAt: new Date(T0) })
        const sectigo = sighting(3, { notBefore: T0 - 3 * DAY })
        const last = page(
          [
            {
              ...sectigo,
              issuance: { ...sectigo.issuance, issuer: { name: 'C=GB, O=Sectigo Limited' }, names: ['host-1.example.com', 'elsewhere.example.net'] },
            },
          ],
          { entries: 2, malformed: [malformed(1)] },
        )
        const done = await second.commit(two, last, T0 + HOUR)
        assert.ok(done.progress.baselineDone)
        assert.deepEqual(done.alerts.map(short), ['malformed', 'inventory'])
        const { count, hostnames, issuers, issuer_counts, newest, item } = done.alerts[1] as InventoryAlert
        assert.deepEqual(
          { item, count, hostnames, issuers, issuer_counts, newest },
          {
            item: 'example.com',
            count: 4,
            hostnames: 2,
            issuers: ["Let's Encrypt", 'C=GB, O=Sectigo Limited'],
            issuer_counts: [2, 1],
            newest: new Date(T0 - 3 * DAY).toISOString().replace('.000', ''),
          },
        )
        const after = await work(second, T0 + 3 * HOUR)
        assert.deepEqual([after.phase, after.cursor], [{ kind: 'steady' }, 'id-3'])
        const steady = await second.commit(after, page([sighting(4)]), T0 + 3 * HOUR)
        assert.deepEqual(steady.alerts.map(short), ['id-4'], 'no second inventory, and an old certificate is news now')
      }),
    )

    it(
      'of nothing ends with an inventory of nothing',
      on(make, async (place) => {
        const store = await open(await place())
        const done = await store.commit(await work(store, T0), page([]), T0)
        const [alert] = done.alerts as InventoryAlert[]
        assert.deepEqual([alert?.kind, alert?.count, alert?.hostnames, alert?.issuers], ['inventory', 0, 0, []])
        assert.ok(alert !== undefined && !('newest' in alert))
      }),
    )

    const midnight = Math.floor(T0 / DAY) * DAY
    const dates: readonly (readonly [number, boolean, string])[] = [
      [T0, true, 'issued when it began'],
      [T0 + MINUTE, true, 'issued after'],
      [T0 - HOUR, true, 'an hour before: CAs back-date'],
      [T0 - HOUR - 1, false, 'more than an hour before'],
      [midnight, true, 'at 00:00:00 UTC of its day'],
      [midnight + 1000, false, 'a second after midnight'],
      [midnight - DAY, false, 'at midnight of the day before'],
      [midnight + DAY, true, 'at midnight of the next day'],
    ]
    it(
      'lets what is new in it ring',
      on(make, async (place) => {
        const store = await open(await place())
        await store.commit(await work(store, T0), page([sighting('old')], FULL), T0)
        const late = T0 + 5 * HOUR
        const done = await store.commit(await work(store, late), page(dates.map(([notBefore], n) => sighting(n, { notBefore }))), late)
        const rang = new Set(done.alerts.map(short))
        for (const [n, [, expected, why]] of dates.entries()) assert.equal(rang.has(`id-${n}`), expected, why)
        const inventory = done.alerts.find((alert) => alert.kind === 'inventory')
        assert.equal(inventory?.count, 1 + dates.length, 'those that rang included')
      }),
    )

    it(
      'does not hide what is news for another, steady name',
      on(make, async (place) => {
        const backend = await place()
        await settleIn(backend, setup({ names: ['steady.net'] }))
        const given = setup({ names: ['example.com', 'steady.net'] })
        const store = await open(backend, given)
        const claimed = await work(store, T0 + MINUTE)
        assert.equal(claimed.key, 'example.com')
        const done = await store.commit(claimed, page([sighting(1), sighting(2, { items: ['example.com', 'steady.net'] })], FULL), T0)
        assert.deepEqual(done.alerts.map(short), ['id-2'])
      }),
    )

    for (const [baseline, expected] of [
      ['silent', []],
      ['alert', ['id-1', 'id-2']],
      ['inventory', ['inventory']],
    ] as const) {
      it(
        `${baseline} sends ${expected.join(', ') || 'nothing'}`,
        on(make, async (place) => {
          const store = await open(await place(), setup({ baseline }))
          const done = await store.commit(await work(store, T0), page([sighting(1), sighting(2)]), T0)
          assert.deepEqual(done.alerts.map(short), expected)
        }),
      )
    }

    it(
      "is not needed with the predecessor's cursor, which is used only once",
      on(make, async (place) => {
        const inherited = { ...setup(), items: [{ key: 'example.com', queryClass: 'full' as const, cursor: '17597250121' }] }
        const store = await open(await place(), inherited)
        const claimed = await work(store, T0)
        assert.deepEqual([claimed.cursor, claimed.phase], ['17597250121', { kind: 'steady' }])
        const done = await store.commit(claimed, page([sighting(1)]), T0)
        assert.deepEqual(done.alerts.map(short), ['id-1'], 'no inventory, and what came since rings')
        const again = await open(await place(), inherited, T0 + HOUR)
        assert.equal((await work(again, T0 + HOUR)).cursor, 'id-1')
      }),
    )

    it(
      'has at most 51 issuers in its tally',
      on(make, async (place) => {
        const store = await open(await place())
        const from = (n: number) => {
          const one = sighting(n)
          return { ...one, issuance: { ...one.issuance, issuer: { name: n === 0 ? '__proto__' : `CA ${n}` } } }
        }
        const done = await store.commit(await work(store, T0), page(Array.from({ length: 80 }, (_, n) => from(n))), T0)
        const { issuers, issuer_counts } = done.alerts[0] as InventoryAlert
        assert.deepEqual([issuers.length, issuers[0], issuer_counts[0]], [51, 'others', 30])
        assert.ok(issuers.includes('__proto__'))
      }),
    )
  })
}
