// How fast a host is asked that refuses some of it without a word: a limit that stays is learned, a storm that passes is forgotten.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHosts } from '../../src/sources/hosts.ts'
import { steppedTime } from '../support/stepped-time.ts'

const MINUTE = 60_000

interface Minute {
  readonly sent: number
  readonly refused: number
}

/** Minute by minute, what becomes of the requests of so many who ask again and again, each after `idle` ms. `refuses` is asked at the ms since the beginning. */
async function asked(minutes: number, refuses: (at: number) => boolean, { askers = 8, idle = 0, takes = 200 } = {}): Promise<readonly Minute[]> {
  const clock = steppedTime()
  const began = clock.now()
  const host = createHosts(clock)('https://one.sandbox.test/log/')
  const over = new AbortController()
  let sent = 0
  let refused = 0
  const ask = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await host.run(host, over.signal, async () => {
        const sentAt = clock.now()
        sent += 1
        const isRefused = refuses(sentAt - began)
        await clock.sleepUntil(sentAt + takes, over.signal)
        if (!isRefused) host.well()
        else {
          refused += 1
          host.refused(sentAt, undefined)
        }
      })
      await clock.sleepUntil(clock.now() + idle, over.signal)
    }
  }
  const asking = Array.from({ length: askers }, async () => ask().catch(() => undefined))
  const all: Minute[] = []
  for (let minute = 1; minute <= minutes; minute++) {
    ;[sent, refused] = [0, 0]
    await clock.run(began + minute * MINUTE)
    all.push({ sent, refused })
  }
  over.abort()
  await Promise.all(asking)
  return all
}

/** Lets through one request each so many ms on average, and so many at once. */
function bucket(every: number, burst: number): (at: number) => boolean {
  let left = burst
  let filledAt = 0
  return (at) => {
    left = Math.min(burst, left + (at - filledAt) / every)
    filledAt = at
    if (left < 1) return true
    left -= 1
    return false
  }
}

const sum = (minutes: readonly Minute[], what: keyof Minute): number => minutes.reduce((all, each) => all + each[what], 0)

describe('a limit that stays', () => {
  for (const { every, burst, minutes: most } of [
    { every: 150, burst: 1, minutes: 4 },
    { every: 500, burst: 5, minutes: 10 },
    { every: 500, burst: 60, minutes: 10 },
    { every: 3000, burst: 1, minutes: 60 },
    { every: 6500, burst: 3, minutes: 90 },
  ])
    it(`of a request each ${every} ms, ${burst} at once: few are refused, and most of what is allowed is had`, async () => {
      const minutes = (await asked(10 + most, bucket(every, burst))).slice(10)
      const share = sum(minutes, 'refused') / sum(minutes, 'sent')
      assert.ok(share < 1 / 20, `${share} of them are refused`)
      const had = (sum(minutes, 'sent') - sum(minutes, 'refused')) / ((most * MINUTE) / every)
      assert.ok(had > 0.65, `${had} of what is allowed is had`)
    })

  it('is learned within minutes', async () => {
    const minutes = (await asked(10, bucket(1000, 1))).slice(4)
    assert.ok(sum(minutes, 'refused') < sum(minutes, 'sent') / 10)
    assert.ok(sum(minutes, 'sent') > 6 * 35)
  })
})

describe('a storm of six minutes', () => {
  const stormy = (at: number): boolean => at >= 10 * MINUTE && at < 16 * MINUTE
  let turn = 0
  for (const { what, refuses, options } of [
    { what: 'that refuses everything, while logs are followed', refuses: stormy, options: { askers: 5, idle: 5000 } },
    { what: 'that refuses everything, while logs are caught up with', refuses: stormy, options: { takes: 2000 } },
    {
      what: 'that refuses nine of ten, while logs are followed',
      refuses: (at: number) => stormy(at) && ++turn % 10 !== 0,
      options: { askers: 5, idle: 5000 },
    },
  ])
    it(`${what}: some minutes after it everything is as before`, async () => {
      const minutes = await asked(25, refuses, options)
      const before = minutes[8]?.sent ?? 0
      const after = minutes.slice(20).map(({ sent }) => sent)
      for (const sent of after)
        assert.ok(
          sent >= 0.9 * before,
          `${before} a minute before, ${minutes
            .slice(10)
            .map((each) => each.sent)
            .join()} from then on`,
        )
      assert.ok(sum(minutes.slice(11, 16), 'sent') < 100, 'and little is asked meanwhile')
    })
})
