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
