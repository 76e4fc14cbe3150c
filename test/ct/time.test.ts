import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTime } from '../../src/ct/time.ts'
import { el } from './der-writer.ts'

void test('times, rightly and wrongly written', () => {
  const cases: readonly { tag: number; in: string; out: string | undefined; odd: boolean; why: string }[] = [
    { tag: 23, in: '260701120000Z', out: '2026-07-01T12:00:00.000Z', odd: false, why: 'UTCTime' },
    { tag: 23, in: '500101000000Z', out: '1950-01-01T00:00:00.000Z', odd: false, why: '50 is 1950' },
    { tag: 23, in: '491231235959Z', out: '2049-12-31T23:59:59.000Z', odd: false, why: '49 is 2049' },
    { tag: 23, in: '2607011200Z', out: '2026-07-01T12:00:00.000Z', odd: true, why: 'no seconds' },
    { tag: 23, in: '260701120000+0200', out: '2026-07-01T10:00:00.000Z', odd: true, why: 'an offset' },
    { tag: 23, in: '260701120000', out: '2026-07-01T12:00:00.000Z', odd: true, why: 'no zone' },
    { tag: 23, in: '260230000000Z', out: undefined, odd: true, why: '30 February' },
    { tag: 23, in: '261301000000Z', out: undefined, odd: true, why: 'month 13' },
    { tag: 23, in: '26070112000Z', out: undefined, odd: true, why: 'a digit short' },
    { tag: 23, in: '', out: undefined, odd: true, why: 'empty' },
    { tag: 23, in: '1'.repeat(1000), out: undefined, odd: true, why: 'long' },
    { tag: 24, in: '20500101000000Z', out: '2050-01-01T00:00:00.000Z', odd: false, why: 'GeneralizedTime' },
    { tag: 24, in: '99991231235959Z', out: '9999-12-31T23:59:59.000Z', odd: false, why: 'no end' },
    { tag: 24, in: '20260701120000.25Z', out: '2026-07-01T12:00:00.250Z', odd: true, why: 'a fraction' },
    { tag: 24, in: '20260701120000,5-0130', out: '2026-07-01T13:30:00.500Z', odd: true, why: 'comma and offset' },
    { tag: 24, in: '2026070112', out: '2026-07-01T12:00:00.000Z', odd: true, why: 'hours only' },
    { tag: 24, in: '00500101000000Z', out: '0050-01-01T00:00:00.000Z', odd: false, why: 'year 50 is not 1950' },
    { tag: 24, in: '20161231235960Z', out: '2017-01-01T00:00:00.000Z', odd: false, why: 'a leap second' },
    { tag: 24, in: '99991231235960Z', out: undefined, odd: true, why: 'a leap second into the year 10000' },
    { tag: 24, in: '99991231235959-0100', out: undefined, odd: true, why: 'an offset into it' },
    { tag: 24, in: '00000101000000+0100', out: undefined, odd: true, why: 'an offset before the year 0' },
    { tag: 12, in: '260701120000Z', out: undefined, odd: true, why: 'no time type' },
  ]
  for (const c of cases) {
    const bytes = el(c.tag, c.in)
    const header = bytes.length - c.in.length
    const got = readTime(bytes, { tag: c.tag, start: 0, content: header, end: bytes.length })
    assert.equal(got.time?.toISOString(), c.out === undefined ? undefined : new Date(c.out).toISOString(), c.why)
    assert.equal(got.odd !== undefined, c.odd, c.why)
  }
})
