// What a log's answers mean for when it is asked again.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { steadyClock } from '../../src/clock.ts'
import { UNLIMITED } from '../../src/sources/bandwidth.ts'
import { createHosts } from '../../src/sources/hosts.ts'
import { LogFailure } from '../../src/sources/log-failure.ts'
import { createLogHttp } from '../../src/sources/log-http.ts'

const NOW = 1_780_000_000_000
const URL = 'https://log.test/'
const LIMITS = { timeoutMs: 1000, maxBytes: 1000 }

for (const { status, after, kind, until, message } of [
  { status: 429, after: '120', kind: 'limited', until: 120_000, message: 'it refuses requests for now (429, Retry-After 2 min)' },
  { status: 503, after: '120', kind: 'down', until: 120_000, message: 'it answers 503, Retry-After 2 min' },
  { status: 503, after: '86400', kind: 'down', until: 600_000, message: 'it answers 503, Retry-After 1 day' },
  { status: 503, after: undefined, kind: 'down', until: undefined, message: 'it answers 503' },
  { status: 302, after: '86400', kind: 'down', until: undefined, message: 'it answers 302' },
  { status: 404, after: '3600', kind: 'down', until: undefined, message: 'it answers 404' },
])
  it(`${status} with Retry-After ${after}`, async () => {
    const clock = { now: () => NOW, sleepUntil: async () => undefined }
    const told: (number | undefined)[] = []
    const way = createLogHttp({
      http: async () => ({ status, headers: after === undefined ? {} : { 'retry-after': after }, body: Buffer.alloc(0) }),
      clock,
      url: URL,
      host: createHosts(clock, steadyClock(clock))(URL),
      bandwidth: UNLIMITED,
      userAgent: 'test',
      longestMs: 1000,
      heard: (_outcome, until) => void told.push(until === undefined ? undefined : until - NOW),
    })
    await assert.rejects(way.get('checkpoint', LIMITS, new AbortController().signal), (error) => {
      assert.ok(error instanceof LogFailure)
      assert.deepEqual([error.kind, error.status, error.message], [kind, status, message])
      if (status !== 429) assert.equal(error.until === undefined ? undefined : error.until - NOW, until)
      return true
    })
    assert.deepEqual(told, [until])
  })
