// Places at a host: who gives up waiting for one holds up nobody.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import type { Http } from '../../src/http.ts'
import { createBandwidth, UNLIMITED } from '../../src/sources/bandwidth.ts'
import type { Host } from '../../src/sources/hosts.ts'
import { createHosts } from '../../src/sources/hosts.ts'
import { LogFailure } from '../../src/sources/log-failure.ts'
import { createLogHttp } from '../../src/sources/log-http.ts'
import { steppedTime } from '../support/stepped-time.ts'

/** So many requests of a log that hang, and what lets them go. */
function hang(host: Host, who: object, count: number) {
  const letGo: (() => void)[] = []
  const all = Promise.all(
    Array.from({ length: count }, async () => host.run(who, FOREVER, async () => new Promise<void>((resolve) => letGo.push(resolve)))),
  )
  return { letGo, all, under: () => letGo.length }
}
const FOREVER = new AbortController().signal
const settled = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10))

it('waiting for a place ends with its signal, and the next that waits gets the place', async () => {
  const host = createHosts(systemClock)('https://one.sandbox.test/log/')
  const log = {}
  const { letGo, all } = hang(host, log, 42)
  await settled()
  const impatient = new AbortController()
  const left = host.run(log, impatient.signal, async () => 'sent')
  const stays = host.run(log, FOREVER, async () => 'sent')
  impatient.abort()
  await assert.rejects(left, { name: 'AbortError' })
  letGo.shift()?.()
  assert.equal(await stays, 'sent')
  for (const done of letGo) done()
  await all
})

it('logs that hang leave places at their host to one that does not', async () => {
  const host = createHosts(systemClock)('https://one.sandbox.test/log/')
  const [one, two] = [hang(host, {}, 60), hang(host, {}, 60)]
  await settled()
  // What all share is taken; each has what it may have in any case.
  assert.deepEqual([one.under(), two.under()], [42, 2])
  const well = {}
  for (let n = 0; n < 3; n++) assert.equal(await host.run(well, FOREVER, async () => n), n)
  const own = hang(host, well, 3)
  await settled()
  assert.equal(own.under(), 2)
  one.letGo.shift()?.()
  await settled()
  // Who came first gets the place.
  assert.deepEqual([one.under(), two.under(), own.under()], [42, 2, 2])
  for (const each of [one, two, own]) {
    const ended = each.all.then(() => true)
    while (!(await Promise.race([ended, settled().then(() => false)]))) each.letGo.shift()?.()
  }
})

it('a host that asked to be left alone for a minute is left alone for a minute, whatever the clock is set to', async () => {
  let now = Date.UTC(2026, 10, 1)
  const clock = {
    now: () => now,
    sleepUntil: async (time: number) => {
      now = Math.max(now, time)
    },
  }
  const host = createHosts(clock)('https://one.sandbox.test/log/')
  assert.equal(host.refused(now, now + 60_000), now + 60_000)
  now += 20_000
  assert.equal(host.blockedUntil, now + 40_000)
  now -= 3_600_000
  assert.equal(host.blockedUntil, now + 40_000)
  const began = now
  await host.run(host, new AbortController().signal, async () => undefined)
  assert.equal(now, began + 40_000)
})

for (const waits of ['its turn', 'our own cap'] as const)
  it(`what waits for ${waits} is not sent while the host is to be left alone`, async () => {
    const clock = steppedTime()
    const began = clock.now()
    const url = 'https://one.sandbox.test/log/'
    const hosts = createHosts(clock)
    const sent: number[] = []
    const http: Http = async () => {
      sent.push(clock.now() - began)
      return { status: sent.length === 2 ? 429 : 200, headers: { 'retry-after': '3600' }, body: Buffer.alloc(1000) }
    }
    // One that is slow, or answers that are paid for with ten seconds each.
    if (waits === 'its turn') hosts(url).refused(began, undefined)
    const bandwidth = waits === 'our own cap' ? createBandwidth(100, clock) : UNLIMITED
    const log = createLogHttp({ http, clock, url, host: hosts(url), bandwidth, userAgent: 'test', longestMs: 1000 })
    const failed: unknown[] = []
    const ask = async (): Promise<unknown> =>
      log.get('x', { timeoutMs: 1000, maxBytes: 1000 }, new AbortController().signal).catch((error: unknown) => failed.push(error))
    const asking = Promise.all([ask(), clock.sleepUntil(began + 1500).then(async () => Promise.all([1, 2].map(ask)))])
    await clock.run(began + 3_590_000)
    assert.equal(sent.length, 2)
    await clock.run(began + 3_700_000)
    await asking
    assert.ok(sent.slice(2).every((at) => at >= 3_600_000))
    assert.equal(sent.length + failed.length - 1, 3)
    assert.ok(failed.every((error) => error instanceof LogFailure && error.kind === 'limited' && (error.until ?? 0) >= began + 3_600_000))
  })
