import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { NetworkError, type Http, type NetworkFailure } from '../../src/http.ts'
import type { Outcome } from '../../src/notifiers/notifier.ts'
import { createSlack } from '../../src/notifiers/slack.ts'
import { startReceiver } from '../../src/sandbox/receiver.ts'
import { startSlack, type Slack, type SlackFault } from '../../src/sandbox/slack.ts'
import { HOSTILE, UNSAFE } from '../support/hostile.ts'
import { certificate, NOW } from './alerts.ts'

/** The port over the platform's fetch, as far as these tests need it. */
const http: Http = async ({ url, method, headers, body, timeoutMs }) => {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: timeout,
      ...(headers !== undefined && { headers: { ...headers } }),
      ...(body !== undefined && { body }),
    })
    return { status: response.status, headers: Object.fromEntries(response.headers), body: Buffer.from(await response.arrayBuffer()) }
  } catch (error) {
    const code: NetworkFailure = timeout.aborted ? 'timeout' : 'reset'
    throw new NetworkError(code, code === 'timeout' ? `no whole answer within ${timeoutMs} ms` : 'the connection broke', true, { cause: error })
  }
}

describe('createSlack', () => {
  let slack: Slack
  let pauses: number[]
  let composed: string
  before(async () => {
    slack = await startSlack()
    composed = notifier().compose([certificate(1)], { now: NOW })
  })
  after(() => slack.close())
  beforeEach(() => {
    pauses = []
    slack.setMode(undefined)
    slack.script.length = 0
  })
  const notifier = (timeoutMs?: number) =>
    createSlack({
      name: 'slack',
      url: slack.url,
      http,
      userAgent: 'certbell/0 (test)',
      ...(timeoutMs !== undefined && { timeoutMs }),
      pause: async (ms) => void pauses.push(ms),
    })
  const send = (...faults: (SlackFault | undefined)[]) => {
    slack.script.push(...faults)
    return notifier().send(composed, () => NOW)
  }

  it('posts the blocks as JSON and takes `ok` for delivered', async () => {
    const before = slack.messages.length
    assert.deepEqual(await send(), { kind: 'delivered', answer: 'ok' })
    assert.deepEqual(slack.messages.at(-1)?.payload, JSON.parse(composed).full)
    assert.equal(slack.messages.length, before + 1)
    const headers = slack.attempts.at(-1)?.headers ?? {}
    assert.equal(headers['content-type'], 'application/json; charset=utf-8')
    assert.equal(headers['user-agent'], 'certbell/0 (test)')
    assert.deepEqual(await send({ status: 200, body: ' ok\n' }), { kind: 'delivered', answer: 'ok' })
    assert.deepEqual([notifier().batch, notifier().spacingMs, notifier().name], [10, 1000, 'slack'])
  })

  const dead = (status: number, body: string) => [status, body, { kind: 'dead', answer: `${status} ${body}`.trim() }] as const
  const retry = (status: number, body: string) =>
    [status, body, { kind: 'retry', answer: status === 200 ? body : `${status} ${body}`.trim() }] as const
  const table: readonly (readonly [number, string, Outcome])[] = [
    dead(403, 'invalid_token'),
    dead(403, 'action_prohibited'),
    dead(403, 'posting_to_general_channel_denied'),
    dead(404, 'channel_not_found'),
    dead(404, 'no_service'),
    dead(404, 'no_service_id'),
    dead(404, 'no_active_hooks'),
    dead(404, 'no_team'),
    dead(410, 'channel_is_archived'),
    dead(403, 'team_disabled'),
    // The text is authoritative, not the status.
    dead(400, 'no_service'),
    dead(500, 'invalid_token'),
    [200, 'no_service', { kind: 'dead', answer: 'no_service' }],
    [200, '{"ok":false,"error":"channel_not_found"}', { kind: 'dead', answer: '{"ok":false,"error":"channel_not_found"}' }],
    // Unknown texts go by the status.
    dead(401, 'who are you'),
    dead(403, 'a new word'),
    dead(404, ''),
    dead(410, 'gone'),
    retry(500, 'rollup_error'),
    retry(400, 'rollup_error'),
    retry(500, ''),
    retry(503, 'Service Unavailable'),
    retry(408, 'timeout'),
    retry(200, 'Please sign in'),
    [200, '', { kind: 'retry', answer: 'an empty answer' }],
    retry(204, ''),
    retry(304, ''),
  ]
  for (const [status, body, outcome] of table)
    it(`${status} ${body}: ${outcome.kind}`, async () => {
      const before = slack.attempts.length
      assert.deepEqual(await send({ status, body: status === 204 || status === 304 ? '' : body }), outcome)
      assert.equal(slack.attempts.length, before + 1)
    })

  const refusals = [
    'invalid_payload',
    'invalid_blocks',
    'no_text',
    'too_many_attachments',
    'msg_blocks_too_long',
    'user_not_found',
    'msg_too_long',
    'some_new_word',
    '',
  ]
  for (const body of refusals) {
    it(`400 ${body}: the plain form follows a second later, and is taken`, async () => {
      assert.deepEqual(await send({ status: 400, body }), { kind: 'delivered', answer: 'ok' })
      assert.deepEqual(slack.messages.at(-1)?.payload, JSON.parse(composed).plain)
      assert.deepEqual(pauses, [1000])
    })
    it(`400 ${body} for both forms: parked`, async () => {
      const before = slack.attempts.length
      assert.deepEqual(await send({ status: 400, body }, { status: 400, body }), { kind: 'parked', answer: `400 ${body}`.trim() })
      assert.equal(slack.attempts.length, before + 2)
    })
  }

  it('what becomes of the plain form is what counts', async () => {
    const refused = { status: 400, body: 'invalid_blocks' }
    assert.equal((await send(refused, { status: 404, body: 'no_service' })).kind, 'dead')
    assert.equal((await send(refused, { status: 503 })).kind, 'retry')
    assert.equal((await send(refused, 'reset')).kind, 'retry')
  })

  it('429 comes back when Slack says, in seconds or by date, and after 30 s if it does not say', async () => {
    const at = async (headers: Record<string, string>, status = 429) => {
      const outcome = await send({ status, body: 'rate_limited', headers })
      assert.equal(outcome.kind, 'retry')
      return outcome.kind === 'retry' ? outcome.at?.toISOString() : undefined
    }
    assert.equal(await at({ 'retry-after': '7' }), '2026-10-05T09:32:37.000Z')
    assert.equal(await at({ 'retry-after': 'Mon, 05 Oct 2026 10:00:00 GMT' }), '2026-10-05T10:00:00.000Z')
    assert.equal(await at({}), '2026-10-05T09:33:00.000Z')
    assert.equal(await at({ 'retry-after': 'later' }), '2026-10-05T09:33:00.000Z')
    assert.equal(await at({ 'retry-after': '120' }, 503), '2026-10-05T09:34:30.000Z')
  })

  for (const fault of ['hang', 'reset', 'accept-hang', 'accept-reset', { slow: 500 }] as const)
    it(`no whole answer is a retry: ${JSON.stringify(fault)}`, async () => {
      slack.script.push(fault)
      const outcome = await notifier(100).send(composed, () => NOW)
      assert.equal(outcome.kind, 'retry')
      assert.match(outcome.answer, /^no answer \((timeout|reset)\)/)
    })

  it('never follows a redirect', async () => {
    const trap = await startReceiver()
    for (const status of [301, 302, 303, 307, 308]) assert.equal((await send({ status, body: '', headers: { location: trap.url } })).kind, 'retry')
    assert.equal(trap.requests.length, 0)
    await trap.close()
  })

  it('waits a true second by itself', async () => {
    const own = createSlack({ name: 'slack', url: slack.url, http, userAgent: 'x' })
    slack.script.push({ status: 400, body: 'invalid_blocks' })
    assert.equal((await own.send(composed, () => NOW)).kind, 'delivered')
    const [first, second] = slack.attempts.slice(-2)
    assert.ok(second!.time - first!.time >= 990)
  })

  it('parks what was stored and cannot be read', async () => {
    for (const text of ['', '{', '[]', '{"full":{}}']) assert.equal((await notifier().send(text, () => NOW)).kind, 'parked')
  })

  it('keeps the webhook out of every answer, whole or in part', async () => {
    const secret = new URL(slack.url).pathname
    const parts = secret.split('/').filter((part) => part.length > 6 && part !== 'services')
    const says = [
      slack.url,
      `not found: ${secret}`,
      `<a href="${slack.url}">x</a>`,
      `token ${parts.at(-1)!.toUpperCase()}!`,
      `half of it: ${parts.at(-1)!.slice(3, 14)} and ${parts.at(-1)!.slice(0, 9)}`,
      `${'x'.repeat(190)}${secret}`,
      `\u0130\u0130\u0130 ${secret}`,
      encodeURIComponent(slack.url),
      secret.replaceAll('/', String.raw`\/`),
      parts.map((part) => `${part}${part}`).join(','),
    ]
    const failing: Http = () => Promise.reject(new NetworkError('other', `request to ${slack.url} failed`, false))
    const throwing: Http = () => Promise.reject(new Error(`Invalid URL: ${slack.url}`))
    const answers = [
      await createSlack({ name: 's', url: slack.url, http: failing, userAgent: 'x' }).send(composed, () => NOW),
      await createSlack({ name: 's', url: slack.url, http: throwing, userAgent: 'x' }).send(composed, () => NOW),
    ]
    for (const body of says) for (const status of [200, 404, 500]) answers.push(await send({ status, body }))
    for (const { kind, answer } of answers) {
      assert.notEqual(kind, 'delivered')
      assert.ok(answer.length <= 200, String(answer.length))
      for (const part of parts)
        for (let i = 0; i + 7 <= part.length; i++) assert.ok(!answer.toLowerCase().includes(part.slice(i, i + 7).toLowerCase()), answer)
    }
  })

  it('shows hostile answers harmlessly', async () => {
    for (const body of Object.values(HOSTILE)) {
      const { answer } = await send({ status: 500, body })
      assert.doesNotMatch(answer, UNSAFE)
      assert.ok(answer.length <= 200 && !answer.includes('\n'))
    }
  })
})
