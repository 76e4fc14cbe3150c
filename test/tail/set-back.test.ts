// A clock that is set back while logs are read: nothing is held up or kept silent until it gets to where it was.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import type { ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { createBandwidth } from '../../src/sources/bandwidth.ts'
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
      await run.until('it rings', () => run.of('trouble').length > 0)
      assert.match(run.of('trouble')[0]?.message ?? '', /not read for 16 min/)
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
    await new Promise((resolve) => setTimeout(resolve, 2500))
    assert.equal(told(), 1)
    clock.set(HOUR)
    lie()
    await run.until('it rings again', () => told() === 2)
  })
})
