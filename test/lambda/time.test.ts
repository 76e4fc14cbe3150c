// A tick's time, with a clock that is stepped.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createOwners } from '../../src/aws/owners.ts'
import { tickTime, within } from '../../src/aws/time.ts'
import type { Clock } from '../../src/clock.ts'
import type { HttpRequest } from '../../src/http.ts'
import { NetworkError } from '../../src/http.ts'
import { held } from '../../src/stores/lease.ts'

interface Stepped extends Clock {
  to(ms: number): Promise<void>
}

function stepped(): Stepped {
  let now = 0
  const sleepers: { readonly at: number; readonly wake: () => void }[] = []
  return {
    now: () => now,
    sleepUntil: async (at, signal) =>
      new Promise((wake) => {
        sleepers.push({ at, wake })
        signal?.addEventListener('abort', () => wake())
      }),
    to: async (ms) => {
      now = ms
      for (const { at, wake } of sleepers) if (at <= now) wake()
      await Promise.resolve().then(() => undefined)
    },
  }
}

const REQUEST: HttpRequest = { method: 'GET', url: 'http://127.0.0.1/', timeoutMs: 30_000, maxBytes: 1 }

describe('the time of a tick', () => {
  const tick = (total: number, clock = stepped()) => ({ clock, time: tickTime(() => total - clock.now(), clock) })
  const limit = async (time: ReturnType<typeof tickTime>): Promise<number> => {
    let given = 0
    const http = within(async ({ timeoutMs }) => {
      given = timeoutMs
      return { status: 200, headers: {}, body: Buffer.alloc(0) }
    }, time)
    await http(REQUEST)
    return given
  }

  it('a request has its own limit, or what is left before the 10 s that are kept back', async () => {
    const { clock, time } = tick(60_000)
    assert.equal(await limit(time), 30_000)
    await clock.to(20_001)
    assert.equal(await limit(time), 29_999)
    await clock.to(49_000)
    assert.equal(await limit(time), 1000)
    await clock.to(49_001)
    await assert.rejects(limit(time), (error: Error) => error instanceof NetworkError && error.code === 'aborted' && !error.sent)
  })

  it('nothing new is begun once a request would have less than 5 s', async () => {
    const { clock, time } = tick(60_000)
    await clock.to(44_999)
    assert.equal(time.signal.aborted, false)
    await clock.to(45_000)
    assert.equal(time.signal.aborted, true)
    for (const total of [0, 3000, 15_000]) assert.equal(tick(total).time.signal.aborted, true, String(total))
    assert.equal(tick(15_001).time.signal.aborted, false)
  })

  it('storing may take long while there is time, and leaves some to tell that it failed', async () => {
    const { clock, time } = tick(60_000)
    assert.equal(time.forState(), 45_000)
    for (const [left, ms] of [
      [25_000, 10_000],
      [18_000, 5000],
      [10_000, 5000],
      [7000, 2000],
      [5000, 0],
      [0, 0],
    ] as const) {
      await clock.to(60_000 - left)
      assert.equal(time.forState(), ms, `${left} ms left`)
    }
  })

  it('where nothing can be stored, what was kept back is there to say so', async () => {
    const { clock, time } = tick(60_000)
    await clock.to(55_000)
    await assert.rejects(limit(time), /the time of this run is over/)
    time.giveUpStoring()
    assert.equal(await limit(time), 3000)
  })

  it('it ends with the tick: no timer is left', async () => {
    let open = 0
    const clock: Clock = {
      now: () => 0,
      sleepUntil: async (_, signal) => {
        open++
        await new Promise<void>((wake) => signal?.addEventListener('abort', () => wake()))
        open--
      },
    }
    const time = tickTime(() => 60_000, clock)
    assert.equal(open, 1)
    time.end()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([open, time.signal.aborted], [0, true])
  })
})

describe('the invocations of a process as owners of leases', () => {
  const leaseOf = (owner: string) => ({ owner, fence: 1, setAt: 0, until: 45_000 })

  it('a lease of an invocation that ended is void, of one that runs it is not; of other processes nothing is known', () => {
    const owners = createOwners('a')
    const [first, second] = [owners.begin(), owners.begin()]
    assert.notEqual(first.owner.id, second.owner.id)
    assert.equal(held(leaseOf(first.owner.id), second.owner, 1), true)
    first.end()
    assert.equal(held(leaseOf(first.owner.id), second.owner, 1), false)
    const other = createOwners('b').begin()
    assert.equal(held(leaseOf(other.owner.id), second.owner, 1), true)
    other.end()
    assert.equal(held(leaseOf(other.owner.id), second.owner, 1), true, 'until its time is over')
    assert.equal(held(leaseOf(other.owner.id), second.owner, 45_000), false)
  })
})
