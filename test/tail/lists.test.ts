// The logs that are read follow the lists: what vanishes is read on for a while, what is rejected is left, what cannot be read is told.
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import type { Clock } from '../../src/clock.ts'
import { logList } from '../../src/sandbox/ct-list.ts'
import type { LogRow } from '../../src/sandbox/ct-list.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import type { ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { logOverviews } from '../../src/stores/log-overview.ts'
import { memoryRoot, openMemory } from '../../src/stores/memory.ts'
import { createTailStore } from '../../src/stores/tail.ts'
import type { TailOptions, TailRun } from './support.ts'
import { startTail } from './support.ts'

const HOUR = 3_600_000
const FILLER = makeFiller({ count: 4, names: (n) => [`n${n}.stranger.test`], notBefore: new Date() })

/** Two logs that are read, and a clock that may be set forward. */
async function scene(t: TestContext, options: TailOptions = {}) {
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const sleepUntil: Clock['sleepUntil'] = async (time, signal) => {
    while (now() < time && signal?.aborted !== true) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const [host, other] = [await startCtHost(), await startCtHost()]
  const [stays, goes] = ['stays', 'goes'].map((name) => host.serve(createCtLog({ name }), { protocol: 'static-ct' })) as [ServedLog, ServedLog]
  for (const { log } of [stays, goes]) {
    log.addMany(20, FILLER)
    log.publish()
  }
  const run = await startTail([stays, goes], { clock: { now, sleepUntil }, ...options })
  t.after(async () => {
    await run.stop()
    await Promise.all([host.close(), other.close()])
  })
  return {
    run,
    host,
    stays,
    goes,
    now,
    /** The same log at another host; the old one answers no more. */
    move: ({ log }: ServedLog): ServedLog => {
      host.setFault((request) => (request.log === log.name ? { status: 410 } : undefined))
      return other.serve(log, { protocol: 'static-ct' })
    },
    list: (rows: readonly (ServedLog | LogRow)[], madeAt = new Date(1_760_000_000_000)): void => {
      run.list = () => ({ text: logList(rows, { madeAt }), tag: undefined })
    },
    /** So much later, and everything has come round. */
    pass: async (ms: number): Promise<void> => {
      ahead += ms
      for (let round = 0; round < 2; round++) {
        ahead += 16_000
        await new Promise((resolve) => setTimeout(resolve, 150))
      }
    },
  }
}

const said = ({ events }: TailRun): readonly string[] => events.flatMap((event) => (event.kind === 'log-skipped' ? [event.message] : []))

describe('a log that is on the list no more', () => {
  it('is read on for 72 h, also by the next process, and is left then', async (t) => {
    const { run, stays, goes, list, pass } = await scene(t)
    await run.caughtUp(stays, goes)
    list([stays])
    await pass(0)
    assert.deepEqual(said(run), ["Sandbox 'goes' log has vanished from the log list list: it is read on for 3 days, since a list may be wrong"])
    const grow = (): void => {
      for (const { log } of [stays, goes]) {
        log.addMany(10, FILLER)
        log.publish()
      }
    }
    grow()
    await run.caughtUp(stays, goes)
    await run.restart()
    grow()
    await run.caughtUp(stays, goes)
    await pass(71 * HOUR)
    assert.equal((await run.state(goes))?.watched, true)
    await pass(2 * HOUR)
    await run.until('it is left', async () => (await run.state(goes))?.watched === false)
    assert.equal(said(run).at(-1), "Sandbox 'goes' log is read no more: it is on no log list")
    const { size } = goes.log.head
    grow()
    await run.caughtUp(stays)
    assert.equal((await run.state(goes))?.verified.size, size)
    // And back again, from where it was.
    list([stays, goes])
    await pass(0)
    await run.caughtUp(goes)
    assert.equal((await run.state(goes))?.watched, true)
  })

  it('is left at once where the list says that it is rejected, and shown again when it is not', async (t) => {
    const { run, stays, goes, list, pass } = await scene(t)
    await run.caughtUp(stays, goes)
    list([stays, { served: goes, state: 'rejected' }])
    await pass(0)
    await run.until('it is left', async () => (await run.state(goes))?.watched === false)
    assert.deepEqual(said(run), ["Sandbox 'goes' log is read no more: the log list list says that it is rejected"])
    list([stays, goes])
    // Nothing is new in it.
    await run.until('it is read again', async () => (await run.state(goes))?.watched === true)
  })
})

it('a row that changes counts without a restart: another address, and a last head', async (t) => {
  const { run, stays, goes, list, pass, move } = await scene(t)
  await run.caughtUp(stays, goes)
  const moved = move(goes)
  list([stays, { served: moved, state: 'readonly', finalTreeHead: { size: 20, root: goes.log.tree.root(20) } }])
  await pass(0)
  goes.log.addMany(10, FILLER)
  goes.log.publish()
  await run.until('it rings', () => run.of('log-misbehaviour').length > 0)
  assert.equal(run.of('log-misbehaviour')[0]?.misbehaviour, 'read-only-grew')
  await run.caughtUp(goes)
  assert.deepEqual([(await run.state(goes))?.url, (await run.state(goes))?.state], [moved.url, 'readonly'])
})

it('a log whose key cannot be used is a trouble, is shown with the reason, and is over when it is off the list', async (t) => {
  const { run, stays, goes, list, pass, now } = await scene(t)
  await run.caughtUp(stays)
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
  const key = publicKey.export({ format: 'der', type: 'spki' })
  const id = createHash('sha256').update(key).digest('base64')
  list([stays, goes, { served: goes, description: 'Odd', overrides: { key: key.toString('base64'), log_id: id } }])
  await pass(0)
  await run.until('it rings', () => run.of('trouble').length > 0)
  const [trouble, ...more] = run.of('trouble')
  assert.deepEqual([trouble?.component, more], ['log:Odd', []])
  assert.match(trouble?.message ?? '', /^Odd: it is not read, because its key is neither ECDSA on P-256 nor RSA of 2048 bits/)
  assert.ok(said(run).some((text) => text.startsWith('Odd is not read: its key')))
  const shown = logOverviews(await run.states(), now()).find(({ log }) => log === 'Odd')
  assert.deepEqual([shown?.size, shown?.position, shown?.logId], [undefined, 0, id])
  assert.match(shown?.lastError ?? '', /^it is not read: its key/)
  list([stays, goes])
  await pass(0)
  await run.until('it is over', () => run.of('recovered').length > 0)
  assert.deepEqual(
    run.of('recovered').map(({ component, message }) => [component, message.replace(/after .*?:/, 'after …:')]),
    [['log:Odd', 'This is no trouble any more, after …: Odd is read no more: it is on no log list.']],
  )
})

it('what is left while it is in trouble is not said to be well', async (t) => {
  const { run, host, stays, goes, list, pass } = await scene(t)
  await run.caughtUp(stays, goes)
  host.setFault(({ log }) => (log === 'goes' ? { status: 503 } : undefined))
  await pass(0)
  await pass(20 * 60_000)
  await run.until('it rings', async () => {
    await pass(1000)
    return run.of('trouble').length > 0
  })
  list([stays, { served: goes, state: 'rejected' }])
  await pass(0)
  await run.until('it is over', () => run.of('recovered').length > 0)
  const [{ component, message } = assert.fail()] = run.of('recovered')
  assert.equal(component, "log:Sandbox 'goes' log")
  assert.match(
    message,
    /^This is no trouble any more, after \d+ min: Sandbox 'goes' log is read no more: the log list list says that it is rejected\.$/,
  )
})

it('a signed list that is two weeks old is told once, stays in use, and is well again with a newer one', async (t) => {
  const { run, stays, goes, list, pass, now } = await scene(t, { signed: true, madeAt: new Date() })
  await run.caughtUp(stays)
  await pass(13 * 24 * HOUR)
  assert.deepEqual(
    run
      .of('trouble')
      .map(({ component }) => component)
      .filter((each) => each.startsWith('log-list')),
    [],
  )
  await pass(2 * 24 * HOUR)
  await pass(24 * HOUR)
  const told = run.of('trouble').filter(({ component }) => component === 'log-list:list')
  assert.equal(told.length, 1)
  assert.match(told[0]?.message ?? '', /It may be frozen: .* It stays in use/)
  stays.log.addMany(10, FILLER)
  stays.log.publish()
  await run.caughtUp(stays)
  list([stays, goes], new Date(now()))
  await pass(0)
  await run.until('it is well', () => run.of('recovered').some(({ component }) => component === 'log-list:list'))
})

describe('a list whose server does not answer', () => {
  /** As long as whoever asks waits for it. */
  const hang = async (signal?: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped')), { once: true }))

  it('holds up neither reading, nor what is told, nor the right to read, nor an end; and its old one stays well', async (t) => {
    const root = memoryRoot()
    const { run, host, stays, goes, pass, now } = await scene(t, { backend: async () => openMemory(root) })
    await run.caughtUp(stays, goes)
    run.list = hang
    await pass(0)
    // Longer than the right to read lasts.
    for (let n = 0; n < 4; n++) await pass(0)
    const other = createTailStore(openMemory(root), ['sink'], { id: 'other', alive: () => true })
    assert.equal(await other.claim(now(), now() + 60_000), false)
    host.setFault(({ log }) => (log === 'goes' ? { status: 503 } : undefined))
    stays.log.addMany(10, FILLER)
    stays.log.publish()
    await run.caughtUp(stays)
    await run.until('it fails', async () => (await run.state(goes))?.failing !== undefined)
    await pass(16 * 60_000)
    await run.until('it rings', async () => {
      await pass(1000)
      return run.of('trouble').length > 0
    })
    assert.deepEqual(
      run.of('trouble').map(({ component }) => component),
      ["log:Sandbox 'goes' log"],
    )
    const began = performance.now()
    await run.stop()
    assert.ok(performance.now() - began < 1000)
  })

  it('does not hold up a start', async (t) => {
    const { run, stays } = await scene(t)
    await run.caughtUp(stays)
    run.list = hang
    stays.log.addMany(10, FILLER)
    stays.log.publish()
    await run.restart()
    await run.caughtUp(stays)
  })
})
