import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { MakePlace } from './place.ts'
import { on } from './place.ts'
import { DAY, HOUR, SECOND, drain, open, page, settleIn, setup, sighting, work } from './support.ts'

export function pruneContract(make: MakePlace): void {
  it(
    'review drops issuances 30 days after they expired and alerts 90 days after every sink had them, and nothing else',
    on(make, async (place) => {
      const backend = await place()
      const given = setup({ sinks: ['slack', 'other'] })
      const start = await settleIn(backend, given)
      const store = await open(backend, given, start)
      const day = (n: number) => start + n * DAY
      const keep = async () => {
        let issuances = 0
        await backend.reader.issuances(() => (issuances += 1) > 0)
        const alerts = (await backend.reader.alerts({ pending: false })).filter(({ alert }) => alert.kind === 'certificate')
        return [issuances, alerts.length]
      }
      const other = { name: 'other', batch: 10, spacingMs: 0 }
      await store.commit(await work(store, start), page([sighting(1, { notAfter: day(10) }), sighting(2, { notAfter: day(200) })]), start)
      await drain(store, start)
      await drain(store, day(1), other)
      // Found late; the second sink never has it.
      await store.commit(await work(store, day(2)), page([sighting(3, { notAfter: day(200) })]), day(2))
      await drain(store, day(2))

      await store.review(day(39), true)
      assert.deepEqual(await keep(), [3, 3], 'expired for 29 days')
      await store.review(day(41), true)
      assert.deepEqual(await keep(), [2, 3], 'expired for 31 days')
      await store.review(day(90.5), true)
      assert.deepEqual(await keep(), [2, 3], 'the second sink had it on the second day')
      await store.review(day(92), true)
      assert.deepEqual(await keep(), [2, 1], 'what one sink still waits for stays')
      await store.review(day(150), true)
      assert.deepEqual(await keep(), [2, 1])
      // After the trouble that it was left alone for two days.
      assert.deepEqual((await drain(store, day(150), other)).said.slice(0, 3), [['trouble'], ['recovered'], ['id-3']])
      await store.review(day(150) + HOUR, true)
      await store.review(day(242), true)
      assert.deepEqual(await keep(), [0, 0])
      const known = await store.commit(await work(store, day(242)), page([sighting(4)]), day(242) + SECOND)
      assert.equal(known.news, 1)
    }),
  )
}
