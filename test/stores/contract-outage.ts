import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { MakePlace } from './place.ts'
import { on } from './place.ts'
import { DAY, HOUR, MINUTE, SECOND, SLACK, compose, drain, open, page, settleIn, setup, short, sighting } from './support.ts'

export function outageContract(make: MakePlace): void {
  it(
    'a sink that is away for a day loses nothing: 41 certificates in order, grouped, and the first newly composed message says so',
    on(make, async (place) => {
      const backend = await place()
      const start = await settleIn(backend, setup())
      const store = await open(backend, setup(), start)
      let now = start
      let found = 0
      let attempts = 0
      const composed: string[] = []
      while (now < start + DAY) {
        const next = await store.nextMessage(SLACK, now, now + MINUTE, compose)
        if (next.kind === 'message') {
          attempts += 1
          if (!composed.includes(next.message.composed)) composed.push(next.message.composed)
          assert.deepEqual(await store.settle(next.message, { kind: 'retry', answer: '503' }, now, 0.5), [])
        }
        const claim = await store.claim(now, now + MINUTE)
        if (claim.kind === 'work') {
          // One every poll until there are 41.
          const sightings = found < 41 ? [sighting(found)] : []
          found += sightings.length
          const done = await store.commit(claim.work, page(sightings), now)
          assert.equal(done.alerts.length, sightings.length, 'finding goes on meanwhile')
        }
        now += 30 * SECOND
      }
      assert.equal(found, 41)
      assert.deepEqual({ ...(await backend.reader.waiting()) }, { slack: { waiting: 41, parked: 0 } })
      assert.ok(attempts > DAY / (6 * MINUTE) && attempts < (2 * DAY) / (4 * MINUTE), `${attempts} attempts in a day`)
      assert.equal(composed.length, 1, 'one message was tried all the time')

      const end = await drain(store, now + HOUR)
      assert.deepEqual(
        end.said.flat(),
        Array.from({ length: 41 }, (_, n) => `id-${n}`),
      )
      assert.deepEqual(
        end.said.map((group) => group.length),
        [1, 10, 10, 10, 10],
      )
      assert.deepEqual(
        end.composed.map((text) => (JSON.parse(text) as { waiting?: number }).waiting),
        [undefined, 40, undefined, undefined, undefined],
      )
      const records = await backend.reader.alerts({ pending: false })
      assert.ok(records.every(({ alert, deliveries }) => short(alert).startsWith('id-') && deliveries[0]?.state === 'delivered'))
    }),
  )
}
