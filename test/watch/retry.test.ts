import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { backoff, parseRetryAfter } from '../../src/watch/retry.ts'

const now = new Date('2026-11-06T08:00:00.250Z')
const WEEK = 7 * 24 * 3600

describe('parseRetryAfter', () => {
  const table: readonly [string | undefined, number | undefined, string][] = [
    [undefined, undefined, 'no header'],
    ['', undefined, 'empty'],
    ['0', 0, 'at once'],
    ['306', 306, 'seconds'],
    [' 30 ', 30, 'spaces around'],
    ['1.5', 1.5, 'a fraction, as Discord sends'],
    ['-5', undefined, 'negative'],
    ['99999999999', WEEK, 'over a week is a week'],
    ['9'.repeat(400), WEEK, 'infinite is a week'],
    ['Fri, 06 Nov 2026 08:00:30 GMT', 29.75, 'an HTTP date'],
    ['Friday, 06-Nov-26 08:00:30 GMT', 29.75, 'an HTTP date of RFC 850'],
    ['Fri Nov  6 08:00:30 2026', 29.75, 'an asctime date is UTC'],
    ['Fri, 06 Nov 2026 07:00:00 GMT', 0, 'past is now'],
    ['Fri, 06 Nov 2099 07:00:00 GMT', WEEK, 'far is a week'],
    ['Fri, 99 Nov 2026 07:00:00 GMT', undefined, 'no such day'],
    ['2026-11-06T08:00:30Z', undefined, 'not an HTTP date'],
    ['soon', undefined, 'a word'],
    ['10s', undefined, 'with a unit'],
    ['5, 10', undefined, 'two of them'],
    ['0x10', undefined, 'hex'],
    ['1e3', undefined, 'a power'],
    ['Infinity', undefined, 'a word of numbers'],
  ]
  for (const [value, seconds, why] of table)
    it(`${why}: ${value?.slice(0, 40)}`, () => {
      const at = parseRetryAfter(value, now)
      assert.equal(at === undefined ? undefined : (at.getTime() - now.getTime()) / 1000, seconds)
    })

  it('never throws, and is never before now nor after a week', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.nat().map(String)), (value) => {
        const at = parseRetryAfter(value, now)
        assert.ok(at === undefined || (at >= now && at.getTime() <= now.getTime() + WEEK * 1000))
      }),
    )
  })
})

describe('backoff', () => {
  it('is within 2 s first, doubles, and stops at 5 min', () => {
    const most = [1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 5000].map((n) => backoff(n, () => 1))
    assert.deepEqual(most, [2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000, 300_000])
    assert.equal(backoff(1, () => 0), 1000) // prettier-ignore
    assert.equal(backoff(0, () => 1), 2000) // prettier-ignore
  })
  it('keeps half of it, and spreads the other half', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, r) => {
        const ms = backoff(attempt, () => r)
        const most = backoff(attempt, () => 1)
        assert.ok(ms >= most / 2 && ms <= most)
      }),
    )
  })
})
