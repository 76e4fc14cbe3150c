import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startReceiver } from '../../src/sandbox/receiver.ts'
import { startSlack, type Slack } from '../../src/sandbox/slack.ts'
import { judge } from '../../src/sandbox/slack-limits.ts'

const base = { text: 'hello', unfurl_links: false, unfurl_media: false }
const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } })

describe('judge', () => {
  const many = (n: number, length: number) => Array.from({ length: n }, () => section('x'.repeat(length)))
  const table: readonly [string, unknown, string | undefined, number][] = [
    ['a good one', { ...base, blocks: [section('x')] }, undefined, 0],
    ['not an object', 'x', 'invalid_payload', 1],
    ['no text at all', { unfurl_links: false, unfurl_media: false }, 'no_text', 1],
    ['blocks without text', { ...base, text: undefined, blocks: [section('x')] }, undefined, 1],
    ['51 blocks', { ...base, blocks: many(51, 1) }, 'invalid_blocks', 1],
    ['an empty text', { ...base, blocks: [section('')] }, 'invalid_blocks', 1],
    ['a text of 3,001', { ...base, blocks: [section('x'.repeat(3001))] }, 'invalid_blocks', 1],
    ['12,000 in sum', { ...base, blocks: many(6, 2000) }, undefined, 0],
    ['12,001 in sum', { ...base, blocks: [...many(6, 2000), section('x')] }, undefined, 1],
    ['13,201 in sum', { ...base, blocks: [...many(6, 2200), section('x')] }, 'msg_blocks_too_long', 1],
    ['a header of 151', { ...base, blocks: [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }] }, 'invalid_blocks', 1],
    ['a mrkdwn header', { ...base, blocks: [{ type: 'header', text: { type: 'mrkdwn', text: 'x' } }] }, 'invalid_blocks', 1],
    [
      '11 fields',
      { ...base, blocks: [{ type: 'section', fields: Array.from({ length: 11 }, () => ({ type: 'mrkdwn', text: 'x' })) }] },
      'invalid_blocks',
      1,
    ],
    ['the same block_id twice', { ...base, blocks: [{ ...section('x'), block_id: 'a' }, { ...section('x'), block_id: 'a' }] }, 'invalid_blocks', 1], // prettier-ignore
    ['an empty rich_text', { ...base, blocks: [{ type: 'rich_text', elements: [] }] }, 'invalid_blocks', 1],
    ['unfurling', { text: 'x' }, undefined, 2],
    ['link_names', { ...base, link_names: true }, undefined, 1],
  ]
  for (const [what, payload, refused, violations] of table)
    it(what, () => {
      const verdict = judge(payload)
      assert.deepEqual([verdict.refused, verdict.violations.length], [refused, violations], verdict.violations.join('; '))
    })
})

describe('the sandbox Slack', () => {
  let slack: Slack
  before(async () => {
    slack = await startSlack()
  })
  after(() => slack.close())
  const post = async (payload: unknown, url = slack.url) => {
    const response = await fetch(url, {
      method: 'POST',
      body: typeof payload === 'string' ? payload : JSON.stringify(payload),
      signal: AbortSignal.timeout(200),
    })
    return [response.status, await response.text()]
  }

  it('takes a good payload and refuses others with the words of Slack', async () => {
    assert.deepEqual(await post(base), [200, 'ok'])
    assert.deepEqual(await post('{'), [400, 'invalid_payload'])
    assert.deepEqual(await post({ blocks: [] }), [400, 'no_text'])
    assert.deepEqual(await post(base, slack.url.replace(/[^/]*$/, 'other')), [404, 'no_service'])
    assert.equal(slack.messages.length, 1)
    assert.ok(slack.violations.length > 0)
    assert.deepEqual(slack.attempts.map((a) => a.outcome), ['ok', 'invalid_payload', 'no_text', 'no_service']) // prettier-ignore
  })

  it('fails as told: before and after having taken the message', async () => {
    const taken = slack.messages.length
    slack.script.push({ status: 429, body: 'rate_limited', headers: { 'retry-after': '3' } }, 'hang', 'reset', 'accept-hang', 'accept-reset', {
      slow: 20,
    })
    assert.deepEqual(await post(base), [429, 'rate_limited'])
    await assert.rejects(post(base))
    await assert.rejects(post(base))
    assert.equal(slack.messages.length, taken)
    await assert.rejects(post(base))
    await assert.rejects(post(base))
    assert.equal(slack.messages.length, taken + 2)
    assert.deepEqual(await post(base), [200, 'ok'])
    slack.setMode({ status: 410, body: 'channel_is_archived' })
    assert.deepEqual(await post(base), [410, 'channel_is_archived'])
    assert.deepEqual(await post(base), [410, 'channel_is_archived'])
    slack.setMode(undefined)
  })
})

describe('the receiver', () => {
  it('remembers every request', async () => {
    const receiver = await startReceiver()
    assert.equal(await (await fetch(`${receiver.url}/ping?x=1`)).text(), 'ok')
    receiver.answer(500, 'no')
    assert.equal((await fetch(`${receiver.url}/fail`, { method: 'POST', body: 'b' })).status, 500)
    assert.deepEqual(receiver.requests.map((r) => [r.method, r.path, r.body]), [['GET', '/ping?x=1', ''], ['POST', '/fail', 'b']]) // prettier-ignore
    await receiver.close()
  })
})
