// What came of each request to a log is counted once, by what the answer was.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { readLogKey } from '../../src/ct/log-key.ts'
import type { Http } from '../../src/http.ts'
import { NetworkError } from '../../src/http.ts'
import { systemClock } from '../../src/clock.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { UNLIMITED } from '../../src/sources/bandwidth.ts'
import { createHosts } from '../../src/sources/hosts.ts'
import { createLogHttp } from '../../src/sources/log-http.ts'
import type { LogClient } from '../../src/sources/log-client.ts'
import type { LogTally } from '../../src/sources/log-tally.ts'
import { createLogTally } from '../../src/sources/log-tally.ts'
import { readPagesHere } from '../../src/sources/read-page.ts'
import { createRfc6962 } from '../../src/sources/rfc6962.ts'
import { parseItem } from '../../src/watch/item.ts'
import { createSieve } from '../../src/watch/sieve.ts'

const log = createCtLog({ name: 'one' })
const item = parseItem('example.com')
const HEAD = {
  tree_size: 0,
  timestamp: log.head.timestamp,
  sha256_root_hash: log.head.root.toString('base64'),
  tree_head_signature: log.head.signature.toString('base64'),
}

/** A client of the log, by this network, whose requests are counted. */
function clientOf(tally: LogTally, http: Http): LogClient {
  assert.ok('item' in item)
  const url = 'https://one.sandbox.test/'
  const get = createLogHttp({
    http,
    clock: systemClock,
    url,
    host: createHosts(systemClock)(url),
    bandwidth: UNLIMITED,
    userAgent: 'test',
    longestMs: 1000,
    heard: (each) => tally.heard(each),
  })
  return tally.judging(createRfc6962(get, readLogKey(log.keys.spki), url, readPagesHere(createSieve([item.item]))))
}

for (const { what, answer, outcome } of [
  { what: 'a head', answer: { status: 200, body: JSON.stringify(HEAD) }, outcome: 'ok' },
  { what: 'a page of HTML', answer: { status: 200, body: '<html>' }, outcome: 'broken' },
  { what: 'an answer that is too large', answer: new NetworkError('too-large', 'it is too large', true), outcome: 'broken' },
  { what: 'an answer that cannot be read', answer: new NetworkError('unreadable', 'it is packed as nobody asked', true), outcome: 'broken' },
  { what: 'no answer in time', answer: new NetworkError('timeout', 'no answer', true), outcome: 'slow' },
  { what: 'no connection', answer: new NetworkError('refused', 'nobody listens', false), outcome: 'down' },
  { what: 'too many requests', answer: { status: 429, body: '' }, outcome: 'limited' },
  { what: 'a redirect', answer: { status: 302, body: '' }, outcome: '3xx' },
  { what: 'not found', answer: { status: 404, body: '' }, outcome: '4xx' },
  { what: 'an error of the server', answer: { status: 503, body: '' }, outcome: '5xx' },
  { what: 'a status that there is not', answer: { status: 799, body: '' }, outcome: 'broken' },
])
  it(`${what}: ${outcome}`, async () => {
    const told: string[] = []
    const tally = createLogTally((each) => told.push(each))
    const client = clientOf(tally, async () => {
      if (answer instanceof NetworkError) throw answer
      return { status: answer.status, headers: {}, body: Buffer.from(answer.body) }
    })
    const asked = client.head(new AbortController().signal)
    if (outcome === 'ok') assert.equal((await asked).valid, true)
    else await assert.rejects(asked, { name: 'LogFailure' })
    assert.deepEqual(told, [outcome])
  })

it('a page that cannot be unpacked: broken', async () => {
  const told: string[] = []
  const tally = createLogTally((each) => told.push(each))
  const client = clientOf(tally, async () => ({ status: 200, headers: {}, body: Buffer.from('{"entries":[]}'), encoding: 'gzip' }))
  await assert.rejects(client.page(0, 10, 10, new AbortController().signal), { kind: 'broken', message: 'the compressed answer is broken' })
  assert.deepEqual(told, ['broken'])
})
