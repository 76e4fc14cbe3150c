// Off, asleep, closed, quiet: what is no trouble of a log, however long ago it was heard, and what is.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { headAt } from '../../src/sandbox/ct-lies.ts'
import type { LogRow } from '../../src/sandbox/ct-list.ts'
import { logList } from '../../src/sandbox/ct-list.ts'
import type { ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { logOverviews } from '../../src/stores/log-overview.ts'
import { settableClock } from '../support/settable-clock.ts'
import { startTail } from './support.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const FILLER = makeFiller({ count: 4, names: (n) => [`n${n}.stranger.test`], notBefore: new Date() })
const LONG_AGO = new Date(1_760_000_000_000)

/** Two logs of each protocol, read to their end; heads are dated by the clock that can be set. `rows`: what the list says of them. */
async function scene(t: TestContext, rows?: (served: readonly ServedLog[]) => readonly LogRow[]) {
  const clock = settableClock()
  const host = await startCtHost()
  const served = (['static-ct', 'rfc6962'] as const).map((protocol) => host.serve(createCtLog({ name: protocol }), { protocol }))
  const grow = ({ log }: ServedLog): void => {
    log.addMany(30, FILLER)
    log.publish()
  }
  served.forEach(grow)
  for (const each of served) each.show(() => headAt(each.log, clock.now()))
  const run = await startTail(served, { clock, ...(rows !== undefined && { listText: logList(rows(served), { madeAt: LONG_AGO }) }) })
  t.after(async () => {
    await run.stop()
    await host.close()
  })
  await run.caughtUp(...served)
  /** So much time goes by while we are there; fewer seconds than make us think that the machine slept. */
  const pass = async (ms: number): Promise<void> => {
    for (let gone = 0; gone < ms; gone += 50_000) {
      clock.set(50_000)
      const before = host.requests.length
      await run.until('it goes on', () => host.requests.length > before)
    }
  }
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 10; n++) {
      clock.set(8000)
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
  }
  /** The process does not run, or the machine sleeps, for so long. */
  const away = async (how: 'off' | 'asleep', ms: number, meanwhile = (): void => undefined): Promise<void> => {
    const goesBy = (): void => {
      clock.set(ms)
      meanwhile()
    }
    if (how === 'off') await run.restart(goesBy)
    else goesBy()
  }
  return { clock, host, served, run, grow, pass, settle, away }
}

describe('after three hours away', () => {
  for (const how of ['off', 'asleep'] as const) {
    it(`${how}: logs that are well ring nothing`, async (t) => {
      const { away, served, run, grow, settle } = await scene(t)
      await away(how, 30 * HOUR)
      served.forEach(grow)
      await settle()
      await run.caughtUp(...served)
      assert.deepEqual([run.of('trouble'), run.of('recovered')], [[], []])
    })

    it(`${how}: nor do those that failed when it began, and answer now`, async (t) => {
      const { away, host, served, run, grow, settle } = await scene(t)
      host.setFault(() => ({ status: 503 }))
      await run.until('both fail', async () => (await run.states()).every(({ failing }) => failing !== undefined))
      await away(how, 3 * HOUR, () => host.setFault(undefined))
      served.forEach(grow)
      await settle()
      await run.caughtUp(...served)
      assert.deepEqual([run.of('trouble'), run.of('recovered')], [[], []])
    })

    it(`${how}: nor where the network comes back some seconds later`, async (t) => {
      const { away, clock, host, served, run, grow, settle } = await scene(t)
      await away(how, 3 * HOUR, () => host.setFault(() => 'reset'))
      for (let n = 0; n < 8; n++) {
        clock.set(3000)
        await new Promise((resolve) => setTimeout(resolve, 60))
      }
      assert.ok((await run.states()).every(({ failing }) => failing !== undefined))
      host.setFault(undefined)
      served.forEach(grow)
      await settle()
      await run.caughtUp(...served)
      assert.deepEqual([run.of('trouble'), run.of('recovered')], [[], []])
    })

    it(`${how}: those that go on failing ring, once each, and what rang before is not over`, async (t) => {
      const { away, host, run, settle } = await scene(t)
      host.setFault(() => ({ status: 503 }))
      await run.until('both fail', async () => (await run.states()).every(({ failing }) => failing !== undefined))
      for (let n = 0; n < 2; n++) {
        await away(how, 3 * HOUR)
        await run.until('they ring', async () => {
          await settle()
          return run.of('trouble').length >= 2
        })
      }
      await settle()
      assert.deepEqual(
        run
          .of('trouble')
          .map(({ component }) => component)
          .toSorted(),
        ["log:Sandbox 'rfc6962' log", "log:Sandbox 'static-ct' log"],
      )
      assert.match(run.of('trouble')[0]?.message ?? '', /not read for 3 h/)
      assert.deepEqual(run.of('recovered'), [])
    })
  }
})

it('a log in which nothing happens signs new heads all the same, and is well', async (t) => {
  const { run, pass } = await scene(t)
  await pass(90 * MINUTE)
  assert.deepEqual(run.of('trouble'), [])
})

it('and one that shows the same head for an hour has stopped', async (t) => {
  const { clock, served, run, pass } = await scene(t)
  const [tiled] = served
  const then = clock.now()
  tiled?.show(() => headAt(tiled.log, then))
  await pass(50 * MINUTE)
  assert.deepEqual(run.of('trouble'), [])
  await pass(15 * MINUTE)
  await run.until('it rings', () => run.of('trouble').length > 0)
  assert.match(run.of('trouble')[0]?.message ?? '', /^Sandbox 'static-ct' log: its newest tree head is 1 h/)
})

describe('a closed log', () => {
  const final = ({ log }: ServedLog, size: number) => ({ size, root: size <= log.head.size ? log.tree.root(size) : Buffer.alloc(32, 5) })

  it('that was read to its last head may be shut down', async (t) => {
    const { clock, host, served, run, pass } = await scene(t, (logs) =>
      logs.map((each, n) => (n === 0 ? { served: each, state: 'readonly', finalTreeHead: final(each, 30) } : { served: each, state: 'usable' })),
    )
    run.lists = served
    host.setFault(({ log }) => (log === 'static-ct' ? { status: 410 } : undefined))
    await pass(20 * MINUTE)
    assert.deepEqual(run.of('trouble'), [])
    const shown = logOverviews(await run.states(), clock.now()).find(({ log }) => log.includes('static-ct'))
    assert.deepEqual([shown?.lastError, shown?.lagMs, shown?.cause, shown?.state], [undefined, 0, undefined, 'readonly'], 'nor does it look like one')
  })

  it('whose server was gone before the list closed it is no trouble any more, and nobody says that it is read', async (t) => {
    const { host, served, run, pass } = await scene(t)
    host.setFault(({ log }) => (log === 'static-ct' ? { status: 410 } : undefined))
    await run.until('it rings', async () => {
      await pass(MINUTE)
      return run.of('trouble').length > 0
    })
    const text = logList(
      served.map((each, n) => (n === 0 ? { served: each, state: 'readonly', finalTreeHead: final(each, 30) } : { served: each })),
      { madeAt: new Date(LONG_AGO.getTime() + MINUTE) },
    )
    run.list = () => ({ text, tag: undefined })
    await run.until('it is over', async () => {
      await pass(MINUTE)
      return run.of('recovered').length > 0
    })
    assert.match(
      run.of('recovered')[0]?.message ?? '',
      /: Sandbox 'static-ct' log is closed and was read to its last head, so its server may be gone\.$/,
    )
  })

  it('rings where it is shut down before, or shows less for long', async (t) => {
    const { host, run, pass } = await scene(t, (logs) => logs.map((each) => ({ served: each, state: 'readonly', finalTreeHead: final(each, 40) })))
    assert.deepEqual(run.of('trouble'), [])
    host.setFault(({ log }) => (log === 'rfc6962' ? { status: 410 } : undefined))
    await pass(20 * MINUTE)
    await run.until('it rings', () => run.of('trouble').length > 0)
    assert.deepEqual(
      run.of('trouble').map(({ component, message }) => [component, /not read for 1\d min, because it answers 410/.test(message)]),
      [["log:Sandbox 'rfc6962' log", true]],
    )
  })

  it('rings where it shows less than its last head has, a day and more after', async (t) => {
    const { clock, run, pass, served, grow } = await scene(t, (logs) =>
      logs.map((each) => ({ served: each, state: 'readonly', finalTreeHead: final(each, 60) })),
    )
    const rings = async (count: number): Promise<boolean> => {
      await pass(2 * MINUTE)
      return run.of('trouble').length === count
    }
    clock.set(25 * HOUR)
    assert.equal(await rings(0), true)
    clock.set(2 * HOUR)
    await run.until('both ring', async () => rings(2))
    assert.match(run.of('trouble')[0]?.message ?? '', /it is closed with 60 entries by its log list, and shows 30 alone/)
    served.forEach(grow)
    await run.until('it is over', async () => {
      await pass(MINUTE)
      return run.of('recovered').length === 2
    })
  })

  it('that has grown from another tree than its last head rings, and is read on', async (t) => {
    const { served, run } = await scene(t, (logs) =>
      logs.map((each) => ({ served: each, state: 'readonly', finalTreeHead: { size: 20, root: Buffer.alloc(32, 5) } })),
    )
    await run.until('all of it rings', () => run.of('log-misbehaviour').length === 4)
    assert.deepEqual(new Set(run.of('log-misbehaviour').map(({ misbehaviour }) => misbehaviour)), new Set(['read-only-grew', 'final-head-differs']))
    await run.caughtUp(...served)
  })
})

it('a log that is renamed while it does not answer has its new name, and its trouble too; what is said of it is as of now', async (t) => {
  const { host, served, run, pass } = await scene(t)
  host.setFault(({ log }) => (log === 'rfc6962' ? { status: 503 } : undefined))
  const wordsOf = async (): Promise<readonly string[]> => Object.values((await run.control()).troubles).map(({ message }) => message)
  await run.until('it rings', async () => {
    await pass(MINUTE)
    return run.of('trouble').length > 0
  })
  await pass(60 * MINUTE)
  await run.until('for how long is as of now', async () => {
    await pass(MINUTE)
    return /^Sandbox 'rfc6962' log: not read for 1 h 1\d min, because it answers 503/.test((await wordsOf())[0] ?? '')
  })
  assert.equal(run.of('trouble').length, 1)
  const text = logList(
    served.map((each, n) => ({ served: each, ...(n === 1 && { description: 'Renamed', overrides: { url: each.url } }) })),
    { madeAt: new Date(LONG_AGO.getTime() + MINUTE) },
  )
  run.list = () => ({ text, tag: undefined })
  await run.until('it rings by its new name', async () => {
    await pass(MINUTE)
    return run.of('trouble').length > 1
  })
  assert.equal((await run.states()).find(({ protocol }) => protocol === 'rfc6962')?.description, 'Renamed')
  assert.deepEqual(
    run.of('trouble').map(({ component }) => component),
    ["log:Sandbox 'rfc6962' log", 'log:Renamed'],
  )
  assert.match(run.of('recovered')[0]?.message ?? '', /: no log of the name Sandbox 'rfc6962' log is read any more\.$/)
})

it('a pass that meets one failure an hour later says nothing of heads from before', async (t) => {
  const { clock, host, run } = await scene(t)
  await run.stop()
  const later = await startTail(run.lists, { clock, idle: true, backend: async () => run.backend() })
  t.after(async () => later.stop())
  clock.set(70 * MINUTE)
  host.setFault(() => ({ status: 503 }))
  assert.equal(await later.pass(), false)
  assert.deepEqual(later.of('trouble'), [])
  host.setFault(undefined)
  assert.equal(await later.pass(), true)
  assert.deepEqual([later.of('trouble'), later.of('recovered')], [[], []])
})
