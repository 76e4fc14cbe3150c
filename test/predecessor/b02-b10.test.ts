// Each fault of "Certificate Transparency to Slack", our predecessor, and that we do not have it. B1 and B12 are of its AWS half.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiFault } from '../../src/sandbox/certspotter-api.ts'
import type { SlackFault } from '../../src/sandbox/slack.ts'
import { DAY, HOUR, MINUTE, SECOND, start, times } from './run.ts'

const FREE = { full: 10, single: 100 }

test('B2: without a setting, one name is asked for as often as the free plan allows, and no more', async (t) => {
  const run = await start(t, { domains: 'example.com', quota: FREE })
  await run.goOn(DAY)
  assert.ok(
    run.api.requests.every(({ status }) => status === 200),
    'the API never says 429',
  )
  assert.ok(run.api.requests.length > 200 && run.api.requests.length <= 241, `${run.api.requests.length} queries in a day`)
})

const slackFaults: readonly (readonly [string, readonly SlackFault[]])[] = [
  ['500', [{ status: 500 }]],
  ['503 five times', Array.from({ length: 5 }, () => ({ status: 503 }))],
  ['429 with Retry-After', [{ status: 429, headers: { 'retry-after': '30' } }]],
  ['a connection that is cut', ['reset']],
  ['404 no_service', [{ status: 404, body: 'no_service' }]],
  ['403 invalid_token', [{ status: 403, body: 'invalid_token' }]],
  [
    '400 invalid_payload in both forms',
    [
      { status: 400, body: 'invalid_payload' },
      { status: 400, body: 'invalid_payload' },
    ],
  ],
  ['a 200 that is no ok', [{ status: 200, body: '<html>captive portal</html>' }]],
  ['a redirect', [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }]],
]
for (const [why, faults] of slackFaults) {
  test(`B3: an alert that Slack does not take (${why}) is sent again until it does`, async (t) => {
    const run = await start(t, { domains: 'example.com' })
    await run.goOn(MINUTE)
    run.issue(['login.example.com'])
    run.slack.script.push(...faults)
    await run.goOn(10 * MINUTE)
    run.issue(['later.example.com'])
    await run.goOn(2 * HOUR)
    assert.equal(run.slack.script.length, 0)
    assert.equal(times(run, 'login.example.com'), 1)
    assert.equal(times(run, 'later.example.com'), 1)
    assert.deepEqual(run.slack.violations, [])
  })
}

test('B4: one excluded name does not hide another', async (t) => {
  const run = await start(t, { domains: 'example.com', env: { EXCLUDED_DOMAINS: 'www.example.com' } })
  await run.goOn(MINUTE)
  run.issue(['www.example.com'])
  run.issue(['www.example.com', 'login.example.com'])
  run.issue(['*.example.com'])
  await run.goOn(10 * MINUTE)
  const certificates = run.events.flatMap((event) => (event.kind === 'alerts' ? event.alerts : [])).filter((alert) => alert.kind === 'certificate')
  assert.deepEqual(
    certificates.map((alert) => (alert.kind === 'certificate' ? alert.names : [])),
    [['www.example.com', 'login.example.com'], ['*.example.com']],
  )
  assert.equal(times(run, 'login.example.com'), 1)
})

const refusals: readonly (readonly [number, string, RegExp])[] = [
  [400, JSON.stringify({ code: 'invalid_parameter', message: 'Invalid domain', field: 'domain' }), /refuses the query|refuses this name/],
  [401, JSON.stringify({ code: 'unauthorized', message: 'The API key is invalid' }), /refuses the token/],
  [403, JSON.stringify({ code: 'not_allowed_by_plan', message: 'Cannot search' }), /refuses this name/],
  [500, JSON.stringify({ code: 'internal_error', message: 'Oops' }), /answers 500/],
]
for (const [status, body, words] of refusals) {
  test(`B5: ${status} is told in Slack, seen in the result, and its end is told as well`, async (t) => {
    const run = await start(t, { domains: 'example.com', env: { CERTSPOTTER_API_TOKEN: 'k_token' } })
    await run.goOn(MINUTE)
    run.api.setFault(() => ({ status, body }))
    await run.goOn(30 * MINUTE)
    assert.equal(await run.pass(), true)
    assert.equal(run.said().filter((text) => words.test(text)).length, 1)
    run.api.setFault(undefined)
    run.issue(['meanwhile.example.com'])
    await run.goOn(2 * HOUR)
    const after = run.slack.messages.slice(-2).map(({ payload }) => String(payload['text']))
    assert.match(after[0] ?? '', /again: After .*What was found meanwhile follows/)
    assert.match(after[1] ?? '', /meanwhile\.example\.com/, 'nothing was lost meanwhile')
    assert.equal(run.slack.messages.length, 4)
    assert.equal(await run.pass(), false)
  })
}

const nonsense: readonly (readonly [string, ApiFault])[] = [
  ['502 with HTML', { status: 502, body: '<html>Bad Gateway</html>' }],
  ['500 with nothing', { status: 500, body: '' }],
  ['429 with HTML', { status: 429, headers: { 'retry-after': '60' }, body: '<html>Too many</html>' }],
  ['429 with nothing', { status: 429, body: '' }],
  ['200 with HTML', 'html200'],
  ['200 with nothing', 'empty'],
]
test('B6: an answer that is no JSON ends nothing', async (t) => {
  const run = await start(t, { domains: 'example.com' })
  await run.goOn(MINUTE)
  for (const [why, fault] of nonsense) {
    const name = `${why.replaceAll(/\W/g, '-').toLowerCase()}.example.com`
    run.issue([name])
    run.api.script.push(fault)
    await run.goOn(2 * HOUR)
    assert.equal(run.api.script.length, 0)
    assert.equal(times(run, name), 1, why)
  }
})

test('B7: a connection that fails ends nothing', async (t) => {
  const run = await start(t, { domains: 'example.com' })
  await run.goOn(MINUTE)
  for (const fault of ['reset', 'truncated'] as const) {
    run.issue([`${fault}.example.com`])
    run.api.script.push(fault)
    await run.goOn(HOUR)
    assert.equal(run.api.script.length, 0)
    assert.equal(times(run, `${fault}.example.com`), 1)
  }
})

test('B8: a socket that hangs stops no other name', async (t) => {
  const run = await start(t, { domains: 'a.example,b.example,c.example', askMs: 200 })
  run.api.setFault(({ domain }) => (domain === 'a.example' ? 'hang' : undefined))
  const began = performance.now()
  await run.goOn(HOUR)
  assert.ok(performance.now() - began < 10_000)
  const answered = new Set(run.api.requests.filter(({ status }) => status === 200).map(({ domain }) => domain))
  assert.deepEqual([...answered].sort(), ['b.example', 'c.example'])
})

test('B9: 429 is obeyed to the second, and then every name has its turn', async (t) => {
  const run = await start(t, { domains: 'a.example b.example c.example' })
  run.api.script.push(undefined, { status: 429, headers: { 'retry-after': '306' }, body: JSON.stringify({ code: 'rate_limited' }) })
  const began = run.now()
  await run.goOn(HOUR)
  const asked = run.api.requests.map(({ domain, time }) => [domain, (time - began) / SECOND] as const)
  assert.equal(asked[2]?.[1], 306, 'no query before')
  assert.deepEqual(
    asked.slice(0, 4).map(([domain]) => domain),
    ['a.example', 'b.example', 'c.example', 'b.example'],
  )
  assert.ok(!run.said().some((text) => /rate limit|429/.test(text)), 'a rate limit is no alert')
})

test('B10: a baseline asks for each page once, and goes on after 429 and a restart where it stopped', async (t) => {
  const run = await start(t, { domains: 'example.com', quota: { full: 2, single: 1 } })
  for (let n = 0; n < 450; n++) run.issue([`host-${n}.example.com`], { notBefore: new Date(run.now() - 30 * DAY) })
  await run.pass()
  await run.killAndRestart()
  await run.goOn(4 * HOUR)
  const pages = run.api.requests.filter(({ served }) => (served ?? 0) > 0)
  assert.deepEqual(
    pages.map(({ served }) => served),
    [100, 100, 100, 100, 50],
  )
  assert.equal(new Set(pages.map(({ after }) => after)).size, 5, 'no page twice')
  assert.equal(run.slack.messages.length, 1, 'one message at the end')
  assert.match(run.said()[0] ?? '', /450 unexpired certificates/)
})
