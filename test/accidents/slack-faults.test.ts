// What Slack can do to a running process: no message is lost, none is changed, and only one whose answer never came may come twice.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import { startReceiver } from '../../src/sandbox/receiver.ts'
import type { Slack, SlackFault } from '../../src/sandbox/slack.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import type { EntryOptions } from '../support/entry.ts'
import type { Ran } from '../support/run.ts'
import { certbell, until, WEBHOOK_PATH } from '../support/run.ts'

// The same few files, started hundreds of times.
const COMPILED = join(tmpdir(), 'certbell-test-compile-cache')
const ENTRY = join(import.meta.dirname, '..', 'support', 'entry.ts')
const CLOCK = join(import.meta.dirname, '..', 'support', 'shift-clock.cjs')
const MINUTE = 60_000

interface Scene {
  readonly slack: Slack
  /** A second webhook, used where `two` is given. */
  readonly other: Slack
  readonly api: string
  readonly state: string
  add(...names: readonly string[]): void
  /** `certbell ARGS`, so many minutes after the start. */
  run(args: readonly string[], minutes: number, look?: (child: ChildProcess) => Promise<void>): Promise<Ran>
}

/** A baseline is done, at minute 0. */
async function scene(t: TestContext, two = false): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-slack-'))
  const api = await startCertSpotterApi()
  const slack = await startSlack({ path: WEBHOOK_PATH })
  const other = await startSlack()
  t.after(async () => {
    await Promise.all([api.close(), slack.close(), other.close()])
    rmSync(folder, { recursive: true, force: true })
  })
  const state = join(folder, 'state')
  const sinks = two ? `{ ops: '${slack.url}', other: '${other.url}' }` : slack.url
  writeFileSync(join(folder, 'certbell.yaml'), `slack: ${sinks}\nwatch: [example.com]\nstate: ${state}\ncertspotter: { url: '${api.url}', interval: 1s, quota: { full: 1000 } }\n`) // prettier-ignore
  const ids = createIds()
  const run: Scene['run'] = async (args, minutes, look) =>
    certbell(args, {
      cwd: folder,
      env: { NODE_COMPILE_CACHE: COMPILED, NODE_OPTIONS: `--require ${CLOCK}`, CLOCK_SHIFT_MS: String(minutes * MINUTE) },
      ...(look !== undefined && { with: look }),
    })
  assert.equal((await run(['poll'], 0)).code, 0)
  assert.equal(slack.messages.length, 1, 'the inventory')
  return {
    slack,
    other,
    api: api.url,
    state,
    add: (...names) => api.add(...names.map((name) => makeIssuance({ id: ids(), names: [name], notBefore: new Date() }))),
    run,
  }
}

/** The attempts after the inventory's: what was sent, to the letter, and what became of it. */
const attempts = (slack: Slack): readonly { readonly body: string; readonly outcome: string }[] =>
  slack.attempts.slice(1).map(({ payload, outcome }) => ({ body: JSON.stringify(payload), outcome }))

const times = (slack: Slack, text: string): number => slack.messages.filter(({ payload }) => JSON.stringify(payload).includes(text)).length

describe('Slack takes no message just now', { concurrency: 2 }, () => {
  const faults: Readonly<Record<string, () => SlackFault>> = {
    '500': () => ({ status: 500, body: 'rollup_error' }),
    '429, in seconds': () => ({ status: 429, body: 'rate_limited', headers: { 'retry-after': '540' } }),
    '429, a date': () => ({ status: 429, body: 'rate_limited', headers: { 'retry-after': new Date(Date.now() + 29 * MINUTE).toUTCString() } }),
    'the connection is reset': () => 'reset',
    '200 without ok': () => ({ status: 200, body: '<html>log in to the wireless network</html>' }),
  }
  for (const [what, fault] of Object.entries(faults)) {
    it(what, async (t) => {
      const s = await scene(t)
      s.add('a.example.com')
      s.slack.script.push(fault())
      await s.run(['poll'], 20)
      assert.equal(attempts(s.slack).length, 1)
      if (!what.startsWith('429')) assert.equal((await s.run(['status'], 20)).code, 1)
      // Between the attempt and the time that a 429 names, nothing is sent.
      if (what.startsWith('429')) {
        await s.run(['poll'], 28)
        assert.equal(attempts(s.slack).length, 1, 'Retry-After is obeyed')
      }
      assert.equal((await s.run(['poll'], 30)).code, 0)
      const [first, second, ...more] = attempts(s.slack)
      assert.deepEqual([second?.body, second?.outcome, more], [first?.body, 'ok', []], 'the same, once more')
      assert.equal(times(s.slack, 'a.example.com'), 1)
      assert.equal((await s.run(['status'], 30)).code, 0)
    })
  }

  it('a redirect: the message is handed to nobody else', async (t) => {
    const s = await scene(t)
    const trap = await startReceiver()
    t.after(() => trap.close())
    s.add('a.example.com')
    s.slack.script.push({ status: 307, headers: { location: `${trap.url}/services` }, body: '' })
    assert.equal((await s.run(['poll'], 20)).code, 1)
    assert.equal((await s.run(['poll'], 30)).code, 0)
    assert.deepEqual([trap.requests, times(s.slack, 'a.example.com')], [[], 1])
  })

  it('taken, but the connection is reset before the answer: the one that comes twice is unchanged', async (t) => {
    const s = await scene(t)
    s.add('a.example.com')
    s.slack.script.push('accept-reset')
    assert.equal((await s.run(['poll'], 20)).code, 1)
    s.add('b.example.com')
    assert.equal((await s.run(['poll'], 30)).code, 0)
    const bodies = s.slack.messages.slice(1).map(({ payload }) => JSON.stringify(payload))
    assert.deepEqual([bodies.length, bodies[0]], [3, bodies[1]], 'what was found meanwhile is a message of its own')
    assert.equal(times(s.slack, 'b.example.com'), 1)
  })

  for (const fault of ['hang', 'accept-hang'] as const) {
    it(`it hangs (${fault}): the timeout ends it, and the same is sent again`, async (t) => {
      const s = await scene(t)
      s.add('a.example.com')
      s.slack.script.push(fault, fault)
      const options: EntryOptions = {
        api: s.api,
        slack: s.slack.url,
        state: s.state,
        names: ['example.com'],
        startAt: Date.now() + 20 * MINUTE,
        sendMs: 300,
      }
      const child = spawn(process.execPath, [ENTRY, JSON.stringify(options)], { stdio: 'ignore' })
      assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0)
      assert.deepEqual(attempts(s.slack).map(({ outcome }) => outcome), [fault, fault, 'ok']) // prettier-ignore
      assert.equal(new Set(attempts(s.slack).map(({ body }) => body)).size, 1)
      assert.equal(times(s.slack, 'a.example.com'), fault === 'hang' ? 1 : 3)
    })
  }
})

describe('Slack refuses', { concurrency: 2 }, () => {
  it('invalid_payload: the same in plain text, a second later', async (t) => {
    const s = await scene(t)
    s.add('a.example.com')
    s.slack.script.push({ status: 400, body: 'invalid_payload' })
    const ran = await s.run(['poll'], 20)
    assert.equal(ran.code, 0, ran.err)
    const [first, second] = s.slack.attempts.slice(1)
    assert.ok(second !== undefined && first !== undefined && second.time - first.time >= 950)
    const plain = s.slack.messages[1]?.payload ?? {}
    assert.ok(!('blocks' in plain) && String(plain['text']).includes('a.example.com'))
    assert.deepEqual(s.slack.violations, [])
  })

  it('no_service: tried hourly, said through the other webhook, which is not delayed', async (t) => {
    const s = await scene(t, true)
    s.add('a.example.com')
    s.slack.setMode({ status: 404, body: 'no_service' })
    assert.equal((await s.run(['poll'], 20)).code, 1)
    assert.equal(times(s.other, 'a.example.com'), 1)
    s.add('b.example.com')
    assert.equal((await s.run(['poll'], 40)).code, 1, 'it still waits')
    assert.equal(times(s.other, 'b.example.com'), 1)
    assert.equal(s.other.messages.filter(({ payload }) => /ops refuses messages/.test(JSON.stringify(payload))).length, 1, 'one trouble')
    assert.equal((await s.run(['poll'], 79)).code, 1)
    assert.equal(attempts(s.slack).length, 1, 'not before the hour')
    assert.equal((await s.run(['poll'], 81)).code, 1)
    assert.equal(attempts(s.slack).length, 2)
    s.slack.setMode(undefined)
    assert.equal((await s.run(['poll'], 142)).code, 0)
    for (const name of ['a.example.com', 'b.example.com']) assert.deepEqual([times(s.slack, name), times(s.other, name)], [1, 1], name)
    assert.equal((await s.run(['status'], 142)).code, 0)
  })

  it('a message in both forms: parked with one trouble, later ones pass it, tried again hourly', async (t) => {
    const s = await scene(t)
    s.slack.setMode((payload) => (JSON.stringify(payload).includes('poison.example.com') ? { status: 400, body: 'invalid_payload' } : undefined))
    s.add('poison.example.com')
    assert.equal((await s.run(['poll'], 20)).code, 1)
    s.add('later.example.com')
    assert.equal((await s.run(['poll'], 22)).code, 1, 'it is pending')
    assert.equal(times(s.slack, 'later.example.com'), 1)
    assert.equal(times(s.slack, 'refuses a message in each form'), 1)
    const pending = await s.run(['alerts', '--pending'], 22)
    assert.match(pending.out, /poison\.example\.com.*parked/)
    const before = s.slack.attempts.length
    await s.run(['poll'], 70)
    assert.equal(s.slack.attempts.length, before, 'not before the hour')
    await s.run(['poll'], 82)
    assert.equal(s.slack.attempts.length, before + 2, 'both forms once more')
    s.slack.setMode(undefined)
    assert.equal((await s.run(['poll'], 144)).code, 0)
    assert.equal(times(s.slack, 'poison.example.com'), 1)
    assert.equal((await s.run(['alerts', '--pending'], 144)).out, 'Nothing waits: every sink has every alert.\n')
  })
})

describe('watch', { concurrency: 2 }, () => {
  it('SIGTERM in the middle of a delivery: it is finished and noted', async (t) => {
    const s = await scene(t)
    let begun = false
    s.slack.setMode(() => ((begun = true), { slow: 1000 }))
    s.add('a.example.com')
    const ran = await s.run(['watch'], 20, async (child) => {
      await until(() => begun, 'a delivery is under way')
      child.kill('SIGTERM')
    })
    assert.equal(ran.code, 0, ran.err)
    assert.equal(times(s.slack, 'a.example.com'), 1)
    s.slack.setMode(undefined)
    assert.equal((await s.run(['poll'], 30)).code, 0)
    assert.equal(s.slack.messages.length, 2, 'it was noted: nothing is sent again')
  })

  it('one webhook hangs, the other rings within seconds', async (t) => {
    const s = await scene(t, true)
    s.slack.setMode('hang')
    s.add('a.example.com')
    await s.run(['watch'], 20, async (child) => {
      await until(() => times(s.other, 'a.example.com') === 1, 'the other webhook has it', 5000)
      s.add('b.example.com')
      await until(() => times(s.other, 'b.example.com') === 1, 'and the next', 5000)
      // The second ends it at once. Not the same: two equal signals may become one.
      child.kill('SIGTERM')
      child.kill('SIGINT')
    })
    s.slack.setMode(undefined)
    assert.equal((await s.run(['poll'], 30)).code, 0)
    assert.deepEqual([times(s.slack, 'a.example.com'), times(s.slack, 'b.example.com')], [1, 1], 'an attempt without an answer repeats')
  })
})
