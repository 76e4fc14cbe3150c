import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Work } from '../../src/stores/store.ts'
import type { Message } from '../../src/stores/store.ts'
import { FencedError } from '../../src/stores/store.ts'
import { numbers } from '../watch/simulate.ts'
import type { MakePlace } from './place.ts'
import { DELIVERED, HOUR, MINUTE, SECOND, SLACK, T0, compose, open, page, settleIn, setup, short, sighting } from './support.ts'

const ROUNDS = 50

/** One process: what it holds, and whether it has just been killed. */
interface Process {
  work?: Work
  message?: Message
}

export function sharedContract(make: MakePlace): void {
  describe('two processes on one place', () => {
    it('neither lose nor double nor spend a query twice, in whatever order they come', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const place = await make()
        const name = `round-${round}.example`
        const given = setup({ names: [name], credential: name, sinks: [name], quota: { full: 50, single: 1 } })
        const sink = { ...SLACK, name, batch: 2, spacingMs: 0 }
        const random = numbers(round)
        const backends = [await place.open(), await place.open()]
        await settleIn(backends[0]!, given, T0 - 3 * HOUR)
        let now = T0
        const stores = [
          await open(backends[0]!, given, now, { id: `${round} 0`, alive: () => true }),
          await open(backends[1]!, given, now, { id: `${round} 1`, alive: () => true }),
        ]
        const processes: [Process, Process] = [{}, {}]
        const all = Array.from({ length: 12 }, (_, n) => `${round}-${n}`)
        let queries = 0
        const said: string[] = []
        const act = async (n: 0 | 1): Promise<void> => {
          const [mine, store] = [processes[n], stores[n]!]
          const luck = random()
          if (mine.work !== undefined) {
            const held = mine.work
            delete mine.work
            if (luck < 0.2) return
            const at = held.cursor === 'start' ? 0 : all.indexOf(held.cursor?.replace('id-', '') ?? '') + 1
            const found = all.slice(at, at + 1 + Math.floor(random() * 3)).map((id) => sighting(id, { items: [name] }))
            await store.commit(held, page(found, { more: at + found.length < all.length }), now).catch((error: unknown) => {
              if (!(error instanceof FencedError)) throw error
            })
          } else if (mine.message !== undefined) {
            const held = mine.message
            delete mine.message
            // Killed before it was sent.
            if (luck < 0.2) return
            // With hours between two looks there are troubles as well.
            const ids = held.alerts.filter(({ kind }) => kind === 'certificate').map(short)
            said.push(...ids)
            await store.settle(held, luck < 0.4 ? { kind: 'retry', answer: 'x', at: new Date(now) } : DELIVERED, now, 0)
            if (luck < 0.4) said.splice(said.length - ids.length)
          } else if (luck < 0.5) {
            const claim = await store.claim(now, now + SECOND)
            if (claim.kind !== 'work') return
            queries += 1
            mine.work = claim.work
          } else {
            const next = await store.nextMessage(sink, now, now + SECOND, compose)
            if (next.kind === 'message') mine.message = next.message
          }
        }
        for (let step = 0; step < 400 && said.length < all.length; step++) {
          // Both at once, as real processes are.
          if (place.atOnce && random() < 0.3) await Promise.all([act(0), act(1)])
          else await act(random() < 0.5 ? 0 : 1)
          if (random() < 0.2) {
            // A lease is longer than the longest send: who holds a message after that is dead. A query may still come late.
            now += random() < 0.2 ? 30 * MINUTE : 2 * SECOND
            for (const process of processes) delete process.message
          }
        }
        assert.deepEqual(
          said,
          all.map((id) => `id-${id}`),
          `round ${round}`,
        )
        const control = await backends[0]!.reader.control()
        assert.equal(control.items[name]?.found, all.length)
        const spent = control.credentials[name]?.spent.full.reduce((sum, [, polls, backlog]) => sum + polls + backlog, 0) ?? 0
        assert.ok(spent <= queries, 'no query was counted twice')
        for (const store of stores) await store.close()
        await place.remove()
      }
    })
  })
}
