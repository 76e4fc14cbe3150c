// Places at a host: who gives up waiting for one holds up nobody.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { createHosts } from '../../src/sources/hosts.ts'

it('waiting for a place ends with its signal, and the next that waits gets the place', async () => {
  const host = createHosts(systemClock)('https://one.sandbox.test/log/')
  const forever = new AbortController()
  const letGo: (() => void)[] = []
  const held = Array.from({ length: 48 }, async () => host.run(forever.signal, async () => new Promise<void>((resolve) => letGo.push(resolve))))
  await new Promise((resolve) => setTimeout(resolve, 10))
  const impatient = new AbortController()
  const left = host.run(impatient.signal, async () => 'sent')
  const stays = host.run(forever.signal, async () => 'sent')
  impatient.abort()
  await assert.rejects(left, { name: 'AbortError' })
  letGo.shift()?.()
  assert.equal(await stays, 'sent')
  for (const done of letGo) done()
  await Promise.all(held)
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
  await host.run(new AbortController().signal, async () => undefined)
  assert.equal(now, began + 40_000)
})
