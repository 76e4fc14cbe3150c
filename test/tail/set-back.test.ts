// A clock that is set back while logs are read: nothing is held up or kept silent until it gets to where it was.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import type { ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { createBandwidth } from '../../src/sources/bandwidth.ts'
import type { LogState } from '../../src/stores/log-state.ts'
import { rebaseLog } from '../../src/stores/log-state.ts'
import { memoryRoot, openMemory } from '../../src/stores/memory.ts'
import { createTailStore } from '../../src/stores/tail.ts'
import { settableClock } from '../support/settable-clock.ts'
import { startTail } from './support.ts'

const HOUR = 3_600_000
const FILLER = makeFiller({ count: 4, names: (n) => [`n${n}.stranger.test`], notBefore: new Date() })

function grow({ log }: ServedLog): void {
  log.addMany(300, FILLER)
  log.publish()
}

/** Two logs that are read, under a cap. */
async function scene(t: TestContext) {
  const clock = settableClock()
  const host = await startCtHost()
  const served = (['static-ct', 'rfc6962'] as const).map((protocol) => host.serve(createCtLog({ name: protocol }), { protocol }))
  served.forEach(grow)
  const run = await startTail(served, { clock, bandwidth: createBandwidth(10_000_000, clock) })
  t.after(async () => {
    await run.stop()
    await host.close()
  })
  await run.caughtUp(...served)
  return { clock, host, served, run }
}

describe('a clock that is set back by an hour', () => {
  it('holds up no log', async (t) => {
    const { clock, served, run } = await scene(t)
    for (const _ of [1, 2]) {
      clock.set(-HOUR)
      served.forEach(grow)
      const began = performance.now()
      await run.caughtUp(...served)
      assert.ok(performance.now() - began < 5000)
    }
  })

  for (const how of ['while it is read', 'between two runs'] as const)
    it(`${how}: a log that fails rings after 15 min by the new time`, async (t) => {
      const { clock, host, served, run } = await scene(t)
      host.setFault(({ log }) => (log === 'rfc6962' ? { status: 503 } : undefined))
      const state = async () => (await run.states()).find(({ failing }) => failing !== undefined)
      await run.until('it fails', async () => (await state()) !== undefined)
      clock.set(-HOUR)
      if (how === 'between two runs') await run.restart()
      await run.until('since a time that is not to come', async () => ((await state())?.failing?.since ?? Infinity) <= clock.now())
      clock.set(14 * 60_000)
      await new Promise((resolve) => setTimeout(resolve, 200))
      assert.deepEqual(run.of('trouble'), [])
      clock.set(2 * 60_000)
      // A machine that wakes up has some seconds to get its network.
      await run.until('it rings', () => {
        clock.set(500)
        return run.of('trouble').length > 0
      })
      assert.match(run.of('trouble')[0]?.message ?? '', /not read for (?:1[6-9]|2\d) min/)
      assert.equal(served.length, 2)
    })

  it('and what was told an hour ago is told again', async (t) => {
    const { clock, served, run } = await scene(t)
    const [log] = served
    assert.ok(log !== undefined)
    const lie = (): void => {
      log.log.addMany(1, FILLER)
      log.log.publish({ timestamp: clock.now() + HOUR })
    }
    lie()
    const told = (): number => run.of('log-misbehaviour').filter((alert) => alert.log === "Sandbox 'static-ct' log").length
    await run.until('it rings', () => told() === 1)
    clock.set(-HOUR)
    // Time to be noticed.
    await new Promise((resolve) => setTimeout(resolve, 6000))
    assert.equal(told(), 1)
    clock.set(HOUR)
    lie()
    await run.until('it rings again', () => told() === 2)
  })
})

describe('what is kept', () => {
  const NOW = 1_790_000_000_000
  const failing = { since: NOW - 5, failures: 1, kind: 'limited' as const, message: 'it refuses' }
  const state: LogState = {
    version: 1,
    id: 'id',
    description: 'one',
    operator: 'test',
    protocol: 'rfc6962',
    url: 'https://one.sandbox.test/',
    watched: true,
    begunAt: NOW - HOUR,
    begunFrom: 0,
    position: { size: 0, hashes: [] },
    verified: { size: 0, hashes: [] },
    recent: [],
    told: { 'split-view': NOW - 4, 'wrong-signature': NOW - 2 * HOUR },
    malformed: { toldAt: NOW - 3, count: 0, entries: [], below: 0 },
    head: { size: 0, root: '', timestamp: NOW, seenAt: NOW - 1 },
    behindSince: NOW - 2,
    failing,
    stray: { since: NOW - 6, heads: 2 },
    unshown: { since: NOW - 7, looks: 1 },
    unreadable: { since: NOW - 8, message: 'why' },
    limit: { requests: 1, ms: 1000, until: NOW + 60_000 },
  }

  it('has no time that is yet to come, and nobody waits for longer than he was told', () => {
    assert.equal(rebaseLog(state, NOW), state)
    const back = NOW - HOUR
    assert.deepEqual(rebaseLog(state, back), {
      ...state,
      begunAt: back,
      told: { 'split-view': back, 'wrong-signature': NOW - 2 * HOUR },
      malformed: { ...state.malformed, toldAt: back },
      head: { size: 0, root: '', timestamp: NOW, seenAt: back },
      behindSince: back,
      failing: { ...failing, since: back },
      stray: { since: back, heads: 2 },
      unshown: { since: back, looks: 1 },
      unreadable: { since: back, message: 'why' },
      limit: { requests: 1, ms: 1000, until: back + 60_001 },
    })
    const { limit: _, ...rest } = state
    assert.deepEqual(rebaseLog({ ...rest, limit: { requests: 1, ms: 1, until: NOW + 30 * 24 * HOUR } }, NOW).limit?.until, NOW + 7 * 24 * HOUR)
  })

  it('gives the right to read away when it would have ended, though another process took it by the old time', async () => {
    const root = memoryRoot()
    const store = (id: string) => createTailStore(openMemory(root), [], { id, alive: () => true })
    assert.equal(await store('gone').claim(NOW, NOW + 60_000), true)
    const mine = store('mine')
    const back = NOW - HOUR
    assert.equal(await mine.claim(back, back + 60_000), false)
    assert.equal(await mine.claim(back + 59_000, back + 119_000), false)
    assert.equal(await mine.claim(back + 61_000, back + 121_000), true)
  })
})
