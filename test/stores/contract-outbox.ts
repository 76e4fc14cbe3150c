import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NextMessage, Setup, SinkRules, Store } from '../../src/stores/store.ts'
import type { MakePlace } from './place.ts'
import { on } from './place.ts'
import {
  DELIVERED,
  HOUR,
  MINUTE,
  SECOND,
  SLACK,
  compose,
  drain,
  malformed,
  message,
  open,
  owners,
  page,
  settleIn,
  setup,
  short,
  sighting,
  stdout,
  work,
} from './support.ts'
import type { OpenPlace } from './support.ts'

/** A place with so many certificates waiting in it, and the time. */
export async function filled(place: OpenPlace, count: number, given: Setup = setup()): Promise<{ readonly store: Store; readonly now: number }> {
  const backend = await place()
  const now = await settleIn(backend, given)
  const store = await open(backend, given, now)
  await store.commit(await work(store, now), page(Array.from({ length: count }, (_, n) => sighting(n))), now)
  return { store, now }
}

const ids = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => `id-${from + n}`)
const next = async (store: Store, now: number, sink: SinkRules = SLACK): Promise<unknown> => {
  const found: NextMessage = await store.nextMessage(sink, now, now + MINUTE, compose)
  return found.kind === 'message' ? found.message.alerts.map(short) : [found.why, found.until - now, found.failing]
}

export function outboxContract(make: MakePlace): void {
  describe('nextMessage and settle', () => {
    it(
      'groups certificates up to the batch, in the order of discovery, and mixes no kinds',
      on(make, async (place) => {
        const { store, now } = await filled(place, 12)
        const later = now + HOUR
        await store.commit(await work(store, later), page([sighting(12)], { malformed: [malformed(1), malformed(2)] }), later)
        await store.commit(await work(store, later + HOUR), page([sighting(13)]), later + HOUR)
        assert.deepEqual((await drain(store, later + HOUR)).said, [ids(0, 10), ids(10, 13), ['malformed'], ['malformed'], ['id-13']])
      }),
    )

    it(
      'has a batch and a queue for each sink',
      on(make, async (place) => {
        const { store, now } = await filled(place, 3, setup({ sinks: ['slack', 'stdout'] }))
        assert.deepEqual((await drain(store, now, stdout)).said, [['id-0'], ['id-1'], ['id-2']])
        assert.deepEqual((await drain(store, now)).said, [ids(0, 3)])
      }),
    )

    it(
      'composes once: the same message comes again, unchanged, until it was taken',
      on(make, async (place) => {
        const { store, now } = await filled(place, 2)
        const first = await message(store, now)
        await store.settle(first, { kind: 'retry', answer: 'timeout' }, now, 0)
        // More is found meanwhile, and the message stays as it is.
        await store.commit(await work(store, now + HOUR), page([sighting(7)]), now + HOUR)
        const again = await store.nextMessage(SLACK, now + HOUR, now + HOUR + MINUTE, () => {
          throw new Error('it is composed already')
        })
        assert.ok(again.kind === 'message')
        assert.deepEqual([again.message.id, again.message.composed, again.message.attempts], [first.id, first.composed, 1])
        await store.settle(again.message, DELIVERED, now + HOUR, 0)
        assert.deepEqual((await drain(store, now + HOUR)).said, [['id-7']])
      }),
    )

    it(
      'settles once: what comes late or twice changes nothing',
      on(make, async (place) => {
        const backend = await place()
        const { store, now } = await filled(async () => backend, 1)
        const only = await message(store, now)
        await store.settle(only, DELIVERED, now, 0)
        await store.settle(only, DELIVERED, now + 5, 0)
        await store.settle(only, { kind: 'retry', answer: 'late' }, now + 6, 0)
        assert.equal((await backend.reader.control()).sinks['slack']?.delivered, 1)
        const [record] = await backend.reader.alerts({ pending: false })
        assert.deepEqual(record?.deliveries, [{ sink: 'slack', state: 'delivered', at: now, answer: 'ok' }])
        assert.deepEqual({ ...(await backend.reader.waiting()) }, {})
      }),
    )

    it(
      'is leased: a living sender is waited for, a dead one is not, a late delivery counts',
      on(make, async (place) => {
        const owner = owners('a', 'b', 'c')
        const { now } = await filled(place, 1)
        const [a, b] = [await open(await place(), setup(), now, owner('a')), await open(await place(), setup(), now, owner('b'))]
        const sent = await message(a, now)
        assert.deepEqual(await next(b, now), ['leased', SECOND, false])
        const c = await open(await place(), setup(), now, { id: 'c', alive: (id) => id !== 'a' })
        assert.deepEqual(await next(c, now + SECOND), ['id-0'], 'a is dead to it')
        await a.settle(sent, { kind: 'retry', answer: 'lost its lease' }, now + 2 * SECOND, 0)
        assert.deepEqual(await next(b, now + 2 * SECOND), ['leased', SECOND, false], 'a failure without a lease is no news')
        await a.settle(sent, DELIVERED, now + 3 * SECOND, 0)
        assert.deepEqual(await next(b, now + 2 * MINUTE), ['empty', Infinity, false])
      }),
    )

    it(
      'keeps the spacing, over restarts too',
      on(make, async (place) => {
        const { store, now } = await filled(place, 25)
        await store.settle(await message(store, now), DELIVERED, now + 400, 0)
        assert.deepEqual(await next(store, now + 401), ['spacing', 999, false])
        const other = await open(await place(), setup(), now + 500)
        assert.deepEqual(await next(other, now + 500), ['spacing', 900, false])
        assert.deepEqual(await next(other, now + 1400), ids(10, 20))
      }),
    )

    it(
      'comes again within 2 s, then doubling up to 5 min, or when it was told',
      on(make, async (place) => {
        const { store, now: start } = await filled(place, 1)
        let now = start
        const waits: number[] = []
        for (let n = 0; n < 10; n++) {
          await store.settle(await message(store, now), { kind: 'retry', answer: '500' }, now, 0.999)
          const found = await store.nextMessage(SLACK, now, now + MINUTE, compose)
          assert.ok(found.kind === 'wait' && found.failing && found.why === 'retry')
          waits.push(Math.round((found.until - now) / SECOND))
          now = found.until
        }
        assert.deepEqual(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
        await store.settle(await message(store, now), { kind: 'retry', answer: '429', at: new Date(now + 42 * SECOND) }, now, 0)
        assert.deepEqual(await next(store, now), ['retry', 42 * SECOND, true])
        await store.settle(await message(store, now + 42 * SECOND), DELIVERED, now + 42 * SECOND, 0)
        assert.deepEqual(await next(store, now + HOUR), ['empty', Infinity, false])
      }),
    )

    it(
      'tries a dead sink hourly, tells the others, and delays nothing of theirs',
      on(make, async (place) => {
        const backend = await place()
        const given = setup({ sinks: ['slack', 'slack-2'] })
        const { store, now } = await filled(async () => backend, 25, given)
        const two = { ...SLACK, name: 'slack-2' }
        const told = await store.settle(await message(store, now), { kind: 'dead', answer: '404 no_service' }, now, 0)
        assert.deepEqual(
          told.map((alert) => ('component' in alert ? [alert.kind, alert.component] : [])),
          [['trouble', 'sink:slack']],
        )
        assert.deepEqual(await next(store, now), ['retry', HOUR, true])
        assert.deepEqual((await drain(store, now, two)).said, [ids(0, 10), ids(10, 20), ids(20, 25), ['trouble']])
        const again = await store.settle(await message(store, now + HOUR), { kind: 'dead', answer: '404 no_service' }, now + HOUR, 0)
        assert.deepEqual(again, [], 'told once')
        const well = await store.settle(await message(store, now + 2 * HOUR), DELIVERED, now + 2 * HOUR, 0)
        assert.deepEqual(
          well.map(({ kind }) => kind),
          ['recovered'],
        )
        const rest = await drain(store, now + 2 * HOUR + SECOND)
        assert.deepEqual(rest.said, [ids(10, 20), ids(20, 25)], 'the news of its own death is not told to itself')
      }),
    )

    it(
      'tries a dead sink at once where its address is new, and only then',
      on(make, async (place) => {
        const backend = await place()
        const at = (address: string): Setup => setup({ addresses: { slack: address } })
        const { store, now } = await filled(async () => backend, 1, at('a'))
        await store.settle(await message(store, now), { kind: 'dead', answer: '404 no_service' }, now, 0)
        assert.deepEqual(await next(await open(backend, at('a'), now), now), ['retry', HOUR, true])
        assert.deepEqual(await next(await open(backend, setup(), now), now), ['retry', HOUR, true], 'who knows no address')
        const moved = await open(backend, at('b'), now + SECOND)
        const limited = await message(moved, now + SECOND)
        await moved.settle(limited, { kind: 'retry', answer: '429', at: new Date(now + HOUR), limited: true }, now + SECOND, 0)
        assert.deepEqual(await next(await open(backend, at('b'), now + SECOND), now + SECOND), ['retry', HOUR - SECOND, true])
      }),
    )

    it(
      'parks what is refused in each form: later ones pass, it is tried hourly, and it is one trouble',
      on(make, async (place) => {
        const backend = await place()
        const { store, now } = await filled(async () => backend, 12)
        const refused = await message(store, now)
        const told = await store.settle(refused, { kind: 'parked', answer: '400 invalid_payload' }, now, 0)
        assert.deepEqual(
          told.map((alert) => ('component' in alert ? [alert.kind, alert.component] : [])),
          [['trouble', 'sink:slack/message']],
        )
        assert.deepEqual((await drain(store, now + SECOND)).said, [ids(10, 12), ['trouble']])
        assert.deepEqual({ ...(await backend.reader.waiting()) }, { slack: { waiting: 0, parked: 10 } })
        assert.deepEqual(await next(store, now + MINUTE), ['parked', HOUR - MINUTE, true])
        const second = await message(store, now + HOUR)
        assert.deepEqual([second.id, second.composed], [refused.id, refused.composed])
        assert.deepEqual(await store.settle(second, { kind: 'parked', answer: '400 invalid_payload' }, now + HOUR, 0), [], 'told once')
        // The network fails at the third try: that mends nothing, and is told to nobody.
        assert.deepEqual(await store.settle(await message(store, now + 2 * HOUR), { kind: 'retry', answer: 'timeout' }, now + 2 * HOUR, 0), [])
        const last = await store.settle(await message(store, now + 4 * HOUR), DELIVERED, now + 4 * HOUR, 0)
        assert.deepEqual(
          last.map(({ kind }) => kind),
          ['recovered'],
        )
        assert.deepEqual((await drain(store, now + 5 * HOUR)).said, [['recovered']])
      }),
    )

    it(
      'lets a message that was parked hold back nothing when its sink fails as well',
      on(make, async (place) => {
        const { store, now } = await filled(place, 12)
        await store.settle(await message(store, now), { kind: 'parked', answer: '400 invalid_payload' }, now, 0)
        await drain(store, now + SECOND)
        await store.settle(await message(store, now + HOUR), { kind: 'retry', answer: 'timeout' }, now + HOUR, 0)
        await store.commit(await work(store, now + HOUR), page([sighting(12)]), now + HOUR)
        assert.deepEqual((await drain(store, now + HOUR + MINUTE)).said, [['id-12']])
      }),
    )

    it(
      'tells of a message that is refused before it arrives after all, and that it is over behind it, also to a sink that was away meanwhile',
      on(make, async (place) => {
        const { store, now } = await filled(place, 12)
        await store.settle(await message(store, now), { kind: 'parked', answer: '400 invalid_payload' }, now, 0)
        await store.settle(await message(store, now + SECOND), { kind: 'retry', answer: 'timeout' }, now + SECOND, 0)
        assert.deepEqual((await drain(store, now + 3 * HOUR)).said, [ids(10, 12), ['trouble'], ids(0, 10), ['recovered']])
      }),
    )

    it(
      'gives a new sink what is found from then on, and a sink with a new URL its old queue',
      on(make, async (place) => {
        const { store, now } = await filled(place, 2)
        // A sink is known by its name alone: that is what a rotated webhook keeps.
        const more = await open(await place(), setup({ sinks: ['slack', 'slack-2'] }), now + HOUR)
        await more.commit(await work(more, now + HOUR), page([sighting(2)]), now + HOUR)
        assert.deepEqual((await drain(more, now + HOUR, { ...SLACK, name: 'slack-2' })).said, [['id-2']])
        assert.deepEqual((await drain(store, now + HOUR)).said, [ids(0, 3)])
      }),
    )

    it(
      'outlives a clock that goes back an hour: nothing waits for the old future',
      on(make, async (place) => {
        const { store, now } = await filled(place, 12)
        await store.settle(await message(store, now), { kind: 'retry', answer: '500' }, now, 0)
        const back = now - HOUR
        assert.deepEqual(await next(store, back), ['retry', SECOND, true])
        const parked = await message(store, back + SECOND)
        await store.settle(parked, { kind: 'parked', answer: '400' }, back + SECOND, 0)
        assert.deepEqual((await drain(store, back + 2 * SECOND)).said, [ids(10, 12), ['trouble']])
        // Back by a day: the parked one does not wait for 25 hours.
        const far = back - 24 * HOUR
        const first = await store.nextMessage(SLACK, far, far + MINUTE, compose)
        assert.ok(first.kind === 'message' ? first.message.id === parked.id : first.until <= far + HOUR, JSON.stringify(first))
      }),
    )
  })
}
