// Hostile text at every border of the real command: nothing of it pings, forges a link, moves the cursor or leaves its line.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import type { CertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import type { ApiIssuance } from '../../src/sandbox/issuance.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import type { Slack } from '../../src/sandbox/slack.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import { HOSTILE_TEXTS, UNSAFE } from '../support/hostile.ts'
import type { Ran } from '../support/run.ts'
import { certbell, WEBHOOK_PATH } from '../support/run.ts'

// The same few files, started hundreds of times.
const COMPILED = join(tmpdir(), 'certbell-test-compile-cache')
// What an environment or a file name of this system can hold at all.
const STORABLE = HOSTILE_TEXTS.filter((text) => !text.includes('\0') && text.isWellFormed())
const LONGEST_LINE = 20_000

interface Scene {
  readonly api: CertSpotterApi
  readonly slack: Slack
  readonly folder: string
  readonly state: string
  run(args: readonly string[], env?: Record<string, string>): Promise<Ran>
}

async function scene(t: TestContext): Promise<Scene> {
  const outer = mkdtempSync(join(tmpdir(), 'certbell-hostile-'))
  // Deep enough that `../../x` stays where we look for it.
  const folder = join(outer, 'a', 'b', 'c')
  mkdirSync(folder, { recursive: true })
  const api = await startCertSpotterApi()
  const slack = await startSlack({ path: WEBHOOK_PATH })
  const before = filesBelow(outer)
  const state = join(folder, 'state')
  t.after(async () => {
    await Promise.all([api.close(), slack.close()])
    const made = filesBelow(outer).filter((file) => !before.includes(file) && !file.startsWith('a/b/c/state/') && !allowed.has(file))
    rmSync(outer, { recursive: true, force: true })
    assert.deepEqual(made, [], 'nothing is written outside of the state directory')
  })
  const allowed = new Set(['a/b/c/certbell.yaml'])
  return {
    api,
    slack,
    folder,
    state,
    run: async (args, env = {}) => {
      const ran = await certbell(args, {
        cwd: folder,
        env: { NODE_COMPILE_CACHE: COMPILED, CERTSPOTTER_API_URL: api.url, CERTBELL_STATE_DIR: state, SLEEP_DELAY: '1', ...env },
      })
      for (const text of [ran.out, ran.err]) held(text, args)
      return ran
    },
  }
}

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))

/** No line of an output obeys, hides, or goes on for ever. */
function held(text: string, args: readonly string[], longest = Infinity): void {
  assert.doesNotMatch(text, UNSAFE, args.join(' '))
  assert.doesNotMatch(text, /\t|\r/, args.join(' '))
  for (const line of text.split('\n')) assert.ok(line.length <= longest, `a line of ${line.length} characters: ${args.join(' ')}`)
  // The newline of the corpus must not have become one of ours.
  assert.doesNotMatch(text, /^ALERT: all is well/m, args.join(' '))
}

function logLines(err: string, count: number): void {
  const lines = err.trimEnd().split('\n')
  for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z (?:debug|info |warn |error) /)
  assert.ok(lines.length >= count, `${lines.length} lines`)
}

function jsonLogLines(err: string, count: number): void {
  const lines = err.trimEnd().split('\n')
  for (const line of lines) assert.equal(typeof (JSON.parse(line) as { message: unknown }).message, 'string', line)
  assert.ok(lines.length >= count, `${lines.length} lines`)
}

const ids = createIds()

/** Certificates that anybody could have made: hostile in every text of theirs. */
function hostileCertificates(): readonly ApiIssuance[] {
  return HOSTILE_TEXTS.map((text) =>
    makeIssuance({
      id: ids(),
      names: ['www.example.com', text, `${text}.example.com`],
      notBefore: new Date(),
      overrides: { issuer: { name: text, friendly_name: text, caa_domains: [text] }, problem_reporting: text, _any: true },
    }),
  )
}

/** What Slack would make of a payload: every string in it. */
function strings(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : []
}

function links(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === 'url' ? [String(inner)] : links(inner)))
}

function inert(slack: Slack): void {
  for (const { payload } of slack.messages) {
    for (const said of strings(payload)) {
      assert.doesNotMatch(said, UNSAFE)
      assert.doesNotMatch(said, /[<>]/, 'no ping and no link of mrkdwn')
    }
    for (const url of links(payload)) assert.match(url, /^https:\/\/crt\.sh\/\?sha256=[0-9a-f]{64}$/)
    const outside = String(payload['text']).replaceAll(/`[^`]*`/g, '')
    assert.doesNotMatch(outside, /:\/\/|\bwww\.|@channel|:rotating_light:/)
  }
  assert.deepEqual(slack.violations, [])
}

describe('hostile text', { concurrency: 2 }, () => {
  it('names and issuers of certificates: log, standard output in both forms, certs, alerts, status', async (t) => {
    const s = await scene(t)
    const sandbox = { MONITOR_DOMAINS: 'example.com' }
    s.api.setPageSize(1000)
    s.api.add(...hostileCertificates())
    const first = await s.run(['poll', '--json', '--verbose'], sandbox)
    assert.equal(first.out.trimEnd().split('\n').length, HOSTILE_TEXTS.length + 1, 'an alert each, and the inventory, each on its line')
    for (const line of first.out.trimEnd().split('\n')) JSON.parse(line)
    logLines(first.err, HOSTILE_TEXTS.length)
    held(first.err, ['poll'], 2200)
    assert.equal(first.code, 0)

    s.api.add(...hostileCertificates())
    writeFileSync(join(s.folder, 'certbell.yaml'), 'stdout: pretty\n')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const second = await s.run(['poll'], { ...sandbox, LOG_FORMAT: 'json', DEBUG: '1' })
    jsonLogLines(second.err, HOSTILE_TEXTS.length)
    held(second.out, ['poll, pretty'], 2200)
    assert.ok(second.out.split('\n').length >= 3 * HOSTILE_TEXTS.length)

    for (const args of [['status'], ['certs', '--limit', '1000'], ['alerts', '--limit', '1000']]) {
      const text = await s.run(args, sandbox)
      held(text.out, args, 600)
      const json = await s.run([...args, '--json'], sandbox)
      for (const line of json.out.trimEnd().split('\n')) JSON.parse(line)
      if (args[0] !== 'status') assert.ok(text.out.split('\n').length > 2 * HOSTILE_TEXTS.length, `${args[0]}: a line each`)
      if (args[0] !== 'status') assert.ok(json.out.split('\n').length > 2 * HOSTILE_TEXTS.length)
      assert.equal(text.err + json.err, '')
    }
  })

  it('names and issuers of certificates: Slack', async (t) => {
    const s = await scene(t)
    s.api.setPageSize(1000)
    s.api.add(...hostileCertificates())
    const ran = await s.run(['poll'], { MONITOR_DOMAINS: 'example.com', SLACK_WEBHOOK: s.slack.url })
    assert.equal(ran.code, 0, ran.err)
    assert.equal(s.slack.messages.length, Math.ceil(HOSTILE_TEXTS.length / 10) + 1)
    inert(s.slack)
  })

  it('error messages of the API, and what the predecessor left: log, alerts, status, Slack', async (t) => {
    const s = await scene(t)
    const names = HOSTILE_TEXTS.map((_, n) => `n${n}.example`)
    for (const [n, message] of HOSTILE_TEXTS.entries()) s.api.refuse(`n${n}.example`, { status: 400, code: message === '' ? 'x' : message, message })
    mkdirSync(join(s.folder, 'state'))
    for (const [n, text] of STORABLE.entries()) writeFileSync(join(s.state, `n${n}.example`), text)
    const env = { MONITOR_DOMAINS: names.join(','), FILESYSTEM_PATH: s.state, CERTBELL_STATE_DIR: '' }
    writeFileSync(join(s.folder, 'certbell.yaml'), 'certspotter: { quota: { full: 1000 } }\n')
    const ran = await s.run(['poll', '--json', '--log-format', 'json'], env)
    assert.equal(ran.code, 1)
    jsonLogLines(ran.err, 2 * names.length)
    assert.equal(ran.out.trimEnd().split('\n').length, names.length, 'a trouble each')
    assert.equal((ran.err.match(/predecessor's state/g) ?? []).length, STORABLE.length)
    for (const [n, args] of [['status'], ['status', '--json'], ['alerts', '--limit', '1000'], ['alerts', '--json']].entries()) {
      const said = await s.run(args, env)
      held(said.out, args, n % 2 === 0 ? 1000 : LONGEST_LINE * 10)
    }
    // A second sink of the same state has what is found from now on: the troubles' ends and beginnings.
    s.api.setFault(() => ({ status: 401, body: JSON.stringify({ code: 'unauthorized', message: HOSTILE_TEXTS.join(' ').slice(0, 5000) }) }))
    await s.run(['poll', 'example.com'], { ...env, SLACK_WEBHOOK: s.slack.url })
    assert.equal(s.slack.messages.length, 1)
    inert(s.slack)
  })

  it('the answers of Slack: log, test-alert, alerts, status', async (t) => {
    const s = await scene(t)
    const sinks = HOSTILE_TEXTS.map((_, n) => `  s${n}: '${s.slack.url}${n}'`)
    writeFileSync(join(s.folder, 'certbell.yaml'), `watch: [example.com]\nslack:\n${sinks.join('\n')}\n`)
    const answers = (): unknown => s.slack.script.push(...HOSTILE_TEXTS.map((body, n) => ({ status: n % 2 === 0 ? 500 : 404, body })))
    for (const args of [['test-alert'], ['test-alert', '--json'], ['poll'], ['status'], ['status', '--json'], ['alerts'], ['alerts', '--json']]) {
      if (args[0] !== 'status' && args[0] !== 'alerts') answers()
      const ran = await s.run(args)
      assert.equal(ran.code, args[0] === 'alerts' ? 0 : 1, args.join(' '))
      if (args[0] === 'poll') logLines(ran.err, HOSTILE_TEXTS.length)
      if (args[0] === 'test-alert') assert.equal(ran.out.trimEnd().split('\n').length, HOSTILE_TEXTS.length)
      s.slack.script.splice(0)
    }
  })

  it('items, names of sinks and of files: every mistake on a line of its own, and nothing else happens', async (t) => {
    const s = await scene(t)
    const list = HOSTILE_TEXTS.map((text) => `  - ${JSON.stringify(text)}`).join('\n')
    writeFileSync(join(s.folder, 'certbell.yaml'), `watch:\n${list}\nexclude:\n${list}\n`)
    const both = await s.run(['check'])
    assert.equal(both.code, 2)
    held(both.err, ['check'], 1200)
    assert.ok(both.err.split('\n').length > HOSTILE_TEXTS.length, both.err)

    for (const key of ['slack', 'stdout', 'listen', 'heartbeat', 'contact', 'state']) {
      writeFileSync(join(s.folder, 'certbell.yaml'), `watch: [example.com]\n${key}: ${JSON.stringify(STORABLE.join(''))}\n`)
      const ran = await s.run(['check'])
      if (key !== 'state') assert.equal(ran.code, 2, key)
      held(ran.err, [key], 1500)
    }
    const keys = HOSTILE_TEXTS.map((text) => `${JSON.stringify(text)}: 1`)
    writeFileSync(join(s.folder, 'certbell.yaml'), `watch: [example.com]\nslack: { ${keys.filter((k) => k.length < 1000).join(', ')} }\n`)
    assert.equal((await s.run(['check'])).code, 2)
    rmSync(join(s.folder, 'certbell.yaml'))

    const whole = STORABLE.join(' ')
    for (const name of ['MONITOR_DOMAINS', 'EXCLUDED_DOMAINS', 'LOG_FORMAT', 'SLEEP_DELAY', 'CERTBELL_LISTEN', 'CERTBELL_CONFIG', 'SLACK_WEBHOOK']) {
      const ran = await s.run(['check'], { MONITOR_DOMAINS: 'example.com', [name]: whole })
      assert.equal(ran.code, 2, name)
      held(ran.err, [name], 1500)
    }
    for (const text of ['@../../x', '@/etc/passwd', '\u001b]0;owned\u0007', `file:${'x'.repeat(5000)}`, 'moc.elpmaxe\u202egro', '--\u001b[2J']) {
      const tries = [['check', '--config', text], ['poll', text], [text], ['certs', text], [`--${text}`]]
      await Promise.all(
        tries.map(async (args) => {
          const ran = await s.run(args)
          assert.equal(ran.code, 2, JSON.stringify(args))
          held(ran.err, args, 1500)
        }),
      )
    }
  })
})
