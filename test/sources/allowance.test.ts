// What a log lets through that refuses more, counted on a clock that is stepped.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createAllowance } from '../../src/sources/allowance.ts'
import { limitText } from '../../src/watch/lag.ts'

const START = Date.UTC(2026, 10, 1)
const MINUTE = 60_000

function counted() {
  let now = START
  const clock = { now: () => now, sleepUntil: async () => undefined }
  const allowance = createAllowance(clock)
  return {
    /** So many answers, evenly over so many ms. */
    pass: (requests: number, ms: number): void => {
      for (let n = 0; n < requests; n++) {
        allowance.heard('ok')
        now += ms / requests
      }
    },
    refuse: (forMs?: number): void => allowance.heard('limited', forMs === undefined ? undefined : now + forMs),
    wait: (ms: number): number => (now += ms),
    limit: () => allowance.limit(),
    text: (): string | undefined => {
      const limit = allowance.limit()
      return limit === undefined ? undefined : limitText(limit, now)
    },
  }
}

describe('what a log lets through', () => {
  it('is nothing to tell of where it refuses nothing', () => {
    const log = counted()
    assert.equal(log.limit(), undefined)
    log.pass(600, 10 * MINUTE)
    assert.equal(log.limit(), undefined)
  })

  it('is counted from a minute before it began to refuse', () => {
    const log = counted()
    log.pass(120, 5 * MINUTE)
    log.refuse()
    assert.deepEqual(log.limit(), { requests: 24, ms: MINUTE })
    assert.equal(log.text(), 'it let 24 requests through in 1 min')
  })

  it('of a log that was just begun, over the time since', () => {
    const log = counted()
    log.pass(5, 5000)
    log.refuse()
    assert.equal(log.text(), 'it let 5 requests through in 5 s')
  })

  it('and over 10 min at most', () => {
    const log = counted()
    // 60 a minute went well; then 10 a minute do, and what comes faster is refused.
    log.pass(600, 10 * MINUTE)
    for (let n = 0; n < 4; n++) {
      log.refuse()
      log.pass(10, MINUTE)
    }
    log.refuse()
    assert.deepEqual(log.limit(), { requests: 100, ms: 5 * MINUTE })
    for (let n = 0; n < 20; n++) {
      log.pass(10, MINUTE)
      log.refuse()
    }
    assert.deepEqual(log.limit(), { requests: 100, ms: 10 * MINUTE })
  })

  it('says how long it asks to be left alone, as long as that is so', () => {
    const log = counted()
    log.pass(60, MINUTE)
    log.refuse(2 * MINUTE)
    assert.equal(log.text(), 'it let 60 requests through in 1 min, and asks to be left alone for 2 min')
    log.wait(90_000)
    assert.equal(log.text(), 'it let 60 requests through in 2 min, and asks to be left alone for 30 s')
    log.wait(31_000)
    assert.doesNotMatch(log.text() ?? '', /left alone/)
  })

  it('is no reason any more a minute after it last refused, or asked to wait', () => {
    const log = counted()
    log.pass(10, 10_000)
    log.refuse(2 * MINUTE)
    log.wait(2 * MINUTE + 50_000)
    assert.ok(log.limit() !== undefined)
    log.wait(20_000)
    assert.equal(log.limit(), undefined)
    // And what it refuses later is a story of its own.
    log.pass(100, 10 * MINUTE)
    log.refuse()
    assert.deepEqual(log.limit(), { requests: 10, ms: MINUTE })
  })
})
