// The accident grid: logs that fail in every way, processes that die at any store call, clients that race each other's precertificates. Seeded: a
// failure names its seed, and CERTBELL_LOG_SEED runs that one alone. `npm run soak` runs a thousand.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../src/clock.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import type { CtFault } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { rollback } from '../../src/sandbox/ct-lies.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import type { Backend } from '../../src/stores/backend.ts'
import { memoryRoot, openMemory } from '../../src/stores/memory.ts'
import { numbers } from '../watch/simulate.ts'
import { startTail } from './support.ts'

const RUNS = Number(process.env['CERTBELL_LOG_RUNS'] ?? 60)
const ONE = process.env['CERTBELL_LOG_SEED']
const AT_ONCE = 6
const SPEED = 10

const FILLER = makeFiller({ count: 8, names: (n) => [`n${n}.stranger.test`], notBefore: new Date() })

// Everything that waits waits a tenth as long.
const began = performance.now()
const start = Date.now()
const clock: Clock = {
  now: () => Math.floor(start + (performance.now() - began) * SPEED),
  sleepUntil: async (time, signal) => {
    const ms = Math.min(Math.max(1, (time - clock.now()) / SPEED), 10_000)
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    })
  },
}

const FAULTS: readonly CtFault[] = [
  'truncated',
  'reset',
  'hang',
  'html200',
  'empty',
  'badjson',
  'gzipbomb',
  { keep: 0.5 },
  { entries: 1 },
  { entries: 7 },
  { entries: 0 },
  { status: 400 },
  { status: 404 },
  { status: 500 },
  { status: 503 },
  { retryAfter: 1 },
  { slow: 30 },
]

/** A process that dies: its store answers nothing any more, and nothing of it happens. */
class Dead extends Error {}

async function run(seed: number): Promise<void> {
  const random = numbers(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const host = await startCtHost({ clock: () => clock.now() })
  const served = (['static-ct', 'rfc6962', random() < 0.5 ? 'static-ct' : 'rfc6962'] as const).map((protocol, n) =>
    host.serve(createCtLog({ name: `log-${n}`, clock: () => clock.now() }), {
      protocol,
      pageSize: [32, 100, 256][below(3)] ?? 256,
      aligned: random() < 0.5,
      gzip: random() < 0.7,
      partials: random() < 0.5 ? 'kept' : 'deleted',
    }),
  )
  const ids: string[] = []
  const grow = (entries: number): void => {
    for (const { log } of served) log.addMany(below(entries), FILLER)
    for (let n = below(6); n >= 0; n--) {
      const logs = served.filter(() => random() < 0.6).map(({ log }) => log)
      const [first] = served
      if (logs.length === 0 && first !== undefined) logs.push(first.log)
      const twins = issueTwins(logs, { names: [`s${seed}-${ids.length}.watched.example`], notBefore: new Date(clock.now()) })
      if (random() < 0.5) twins.logCertificate(logs)
      ids.push(twins.issuance('1').tbs_sha256)
    }
    for (const { log } of served) log.addMany(below(entries), FILLER)
    for (const { log } of served) if (random() < 0.9) log.publish()
  }
  const share = random() * 0.4
  host.setFault(() => (random() < share ? FAULTS[below(FAULTS.length)] : undefined))

  // A process may die before or after any of its commits.
  const root = memoryRoot()
  let countdown = Infinity
  let died = (): void => undefined
  const backend = async (): Promise<Backend> => {
    const real = openMemory(root)
    let dead = false
    return {
      ...real,
      transact: async (body) => {
        if (dead) throw new Dead('the process has died')
        countdown -= 1
        const after = random() < 0.5
        if (countdown === 0 && !after) {
          dead = true
          died()
          throw new Dead('it dies before it writes')
        }
        const result = await real.transact(body)
        if (countdown === 0) {
          dead = true
          died()
          throw new Dead('it dies after it wrote')
        }
        return result
      },
    }
  }
  grow(400)
  const tail = await startTail(served, { backend, clock, longestMs: 250, interval: 300, start: 'beginning' })
  try {
    for (let round = 0; round < 3; round++) {
      const dies = new Promise<void>((resolve) => (died = resolve))
      if (random() < 0.6) countdown = 1 + below(12)
      if (random() < 0.3) {
        const [one] = served
        const view = one === undefined ? undefined : rollback(one.log, below(one.log.head.size + 1))
        one?.show(() => (random() < 0.5 ? view : undefined))
      }
      grow(300)
      await Promise.race([dies, new Promise((resolve) => setTimeout(resolve, 100 + below(300)))])
      if (countdown <= 0) {
        countdown = Infinity
        await tail.restart()
      }
    }
    countdown = Infinity
    await tail.restart()
    for (const each of served) {
      each.show(undefined)
      each.log.publish()
    }
    // Some faults remain to the end, but not so many that nothing comes through.
    host.setFault(() => (random() < share / 4 ? FAULTS[below(FAULTS.length)] : undefined))
    await tail.caughtUp(...served)
    const rung = (await openMemory(root).reader.alerts({ pending: true })).map(({ alert }) => alert)
    const certificates = rung.filter(({ kind }) => kind === 'certificate').map(({ id }) => id)
    assert.deepEqual(certificates.toSorted(), ids.toSorted(), 'each match rings once')
    assert.deepEqual(
      rung.filter(({ kind }) => kind !== 'certificate').map(({ reason }) => reason),
      [],
    )
    for (const each of served) {
      const state = await tail.state(each)
      assert.equal(state?.position.size, each.log.size)
      assert.equal(state?.verified.size, each.log.size)
    }
  } finally {
    await tail.stop()
    await host.close()
  }
}

const seeds = ONE === undefined ? Array.from({ length: RUNS }, (_, n) => n + 1) : [Number(ONE)]

test(`${seeds.length} seeded runs: every index is read, every match rings once`, async () => {
  const failures: string[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let n = next++; n < seeds.length; n = next++) {
      const seed = seeds[n] ?? 0
      await run(seed).catch((error: unknown) =>
        failures.push(`seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
      )
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  assert.equal(failures.length, 0, `${failures.length} of ${seeds.length} runs failed:\n${failures.slice(0, 3).join('\n')}`)
})
