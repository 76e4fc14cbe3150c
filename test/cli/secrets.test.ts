// When everything goes wrong at once, nothing of a webhook, a token or a heartbeat's address is in any output, message or file.
// certbell() itself fails if a part of one is printed; here everything is made to try.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import type { CertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import type { Slack } from '../../src/sandbox/slack.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import type { Ran } from '../support/run.ts'
import { certbell, holdOutput, shiftedEnv, TOKEN, until, WEBHOOK_PATH } from '../support/run.ts'

// The same few files, started hundreds of times.
const MINUTE = 60_000
// Its own part is a secret that certbell() looks for.
const BEAT_PATH = `/ping/${TOKEN}-beat`
const LOUD: readonly (readonly [env: Record<string, string>, flags: readonly string[]])[] = [
  [{ DEBUG: '1', LOG_FORMAT: 'json' }, ['--json']],
  [{ DEBUG: '1', LOG_FORMAT: 'text' }, []],
]

/** Whole or in part: a text that was cut may end in the first half of one. */
function clean(text: string, where: string): void {
  holdOutput([where], text.replaceAll(/[^\x20-\x7e\n]/g, '.'))
  for (const part of [TOKEN.slice(0, 12), WEBHOOK_PATH.slice(0, 24)]) assert.ok(!text.includes(part), `${where} holds a part of a secret`)
}

interface Scene {
  readonly api: CertSpotterApi
  readonly slack: Slack
  readonly folder: string
  readonly state: string
  readonly webhook: string
  /** Every flag and variable that makes it talk, with the clock moved so far. */
  run(
    args: readonly string[],
    options?: { env?: Record<string, string>; minutes?: number; look?: (child: ChildProcess) => Promise<void> },
  ): Promise<Ran>
}

async function scene(t: TestContext): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-secrets-'))
  const api = await startCertSpotterApi()
  const slack = await startSlack({ path: WEBHOOK_PATH })
  const state = join(folder, 'state')
  t.after(async () => {
    await Promise.all([api.close(), slack.close()])
    try {
      for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.startsWith('state/')))
        clean(readFileSync(join(folder, name), 'latin1'), name)
      for (const { payload } of slack.messages) clean(JSON.stringify(payload), 'a message to Slack')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
  return {
    api,
    slack,
    folder,
    state,
    webhook: slack.url,
    run: async (args, { env = {}, minutes = 0, look } = {}) =>
      certbell(args, {
        cwd: folder,
        env: {
          ...shiftedEnv({ api: api.url, slack: slack.url, state }, minutes * MINUTE),
          ...env,
        },
        ...(look !== undefined && { with: look }),
      }),
  }
}

const COMMANDS = [['check'], ['doctor'], ['test-alert'], ['poll'], ['status'], ['certs'], ['alerts'], ['alerts', '--pending'], ['logs']] as const

/** Every command, in each way to talk. Whether it fails is not the matter here, but it must not crash. */
async function everything(s: Scene, env: Record<string, string> = {}): Promise<string> {
  let said = ''
  let minutes = 0
  for (const args of COMMANDS) {
    for (const [loud, json] of LOUD) {
      minutes += 10
      const ran = await s.run([...args, ...json, '--verbose'], { env: { ...loud, ...env }, minutes })
      assert.doesNotMatch(ran.err, /unexpected/, args.join(' '))
      said += ran.out + ran.err
    }
  }
  clean(said, 'the output')
  return said
}

describe('nothing of a secret is said', { concurrency: 2 }, () => {
  it('the API and Slack quote the secrets in their refusals, whole and where the text is cut', async (t) => {
    const s = await scene(t)
    const twice = (secret: string): string => `${secret} ${'x'.repeat(150)} ${secret}`
    s.api.setFault(() => ({ status: 401, body: JSON.stringify({ code: 'unauthorized', message: `invalid key ${twice(TOKEN)}` }) }))
    s.slack.setMode(() => ({ status: 404, body: `no_service at ${twice(s.webhook)} or ${WEBHOOK_PATH}` }))
    const said = await everything(s)
    assert.match(said, /refuses the token/)
    assert.match(said, /refuses messages|takes no messages/)
    // The trouble itself goes to Slack when that is back.
    s.slack.setMode(undefined)
    await s.run(['poll'], { minutes: 600 })
    assert.ok(s.slack.messages.some(({ payload }) => /refuses the token/.test(JSON.stringify(payload))))
  })

  it('the API redirects with the token in the address, Slack with the webhook', async (t) => {
    const s = await scene(t)
    const api = `https://evil.example/?token=${TOKEN}`
    const slack = `https://evil.example${WEBHOOK_PATH}`
    s.api.setFault(() => ({ status: 302, headers: { location: api }, body: `moved to ${api}` }))
    s.slack.setMode(() => ({ status: 307, headers: { location: slack }, body: `moved to ${slack}` }))
    assert.match(await everything(s), /redirect/)
  })

  it('neither can be reached', async (t) => {
    const s = await scene(t)
    const dead = await startSlack({ path: WEBHOOK_PATH })
    await dead.close()
    const base = new URL(dead.url).origin
    assert.match(await everything(s, { SLACK_WEBHOOK: dead.url, CERTSPOTTER_API_URL: base }), /refused/)
    const ran = await s.run(['poll', '--verbose'], { env: { SLACK_WEBHOOK: `https://hooks.nowhere.invalid${WEBHOOK_PATH}` }, minutes: 600 })
    assert.match(ran.err, /no answer/)
  })

  it('watch: an unreachable heartbeat, and one that answers with its address; /healthz and /metrics', async (t) => {
    const s = await scene(t)
    s.api.setFault(() => ({ status: 403, body: JSON.stringify({ code: 'forbidden', message: `${TOKEN} is not allowed` }) }))
    const dead = await startSlack({ path: BEAT_PATH })
    await dead.close()
    const env = { CERTBELL_HEARTBEAT: dead.url, CERTBELL_LISTEN: '127.0.0.1:0', DEBUG: '1' }
    const ran = await s.run(['watch', '--verbose'], {
      env,
      look: async (child) => {
        let port: string | undefined
        child.stderr?.on('data', (text: string) => (port ??= /listening on 127\.0\.0\.1:(\d+)/.exec(text)?.[1]))
        let beaten = false
        child.stderr?.on('data', (text: string) => (beaten ||= text.includes('heartbeat')))
        await until(() => port !== undefined && beaten, 'the heartbeat fails')
        for (const path of ['livez', 'healthz', 'metrics', TOKEN]) {
          const body = await (await fetch(`http://127.0.0.1:${port}/${path}`)).text()
          clean(body, path)
        }
        child.kill('SIGTERM')
      },
    })
    assert.equal(ran.code, 0, ran.err)
    assert.match(ran.err, /heartbeat: the connection is refused/)
  })

  it('a configuration with mistakes in, before and behind its secrets', async (t) => {
    const s = await scene(t)
    const url = `https://hooks.slack.com${WEBHOOK_PATH}`
    const clean = { MONITOR_DOMAINS: '', SLACK_WEBHOOK: '', CERTSPOTTER_API_TOKEN: '', CERTSPOTTER_API_URL: '' }
    const files = [
      `watch: [example.com]\nslack: "${url}\n`,
      `watch: [example.com]\nslack: ${url} extra: [\n`,
      `watch: [${url}]\n`,
      `watch: [example.com]\nslak: ${url}\n`,
      `watch: [example.com]\n${url}: 1\n`,
      `watch: [example.com]\nslack: http://hooks.slack.com${WEBHOOK_PATH}\n`,
      `watch: [example.com]\nslack: { OPS: '${url}', '${url}': x }\n`,
      `watch: [example.com]\nslack: [[${url}]]\n`,
      `watch: [example.com]\nslack: ht!tps://${WEBHOOK_PATH}\n`,
      `watch: [example.com]\ncertspotter: { token: "${TOKEN} ${TOKEN}", tokn: ${TOKEN}, url: 'https://u:${TOKEN}@api.example' }\n`,
      `watch: [example.com]\ncertspotter: { token: [${TOKEN}] }\n`,
      `watch: [example.com]\nheartbeat: ftp://example.com${BEAT_PATH}\nlisten: ${url}\n`,
      `watch: [example.com]\nslack: file:${url}\n`,
    ]
    const codes: unknown[] = []
    for (const text of files) {
      writeFileSync(join(s.folder, 'certbell.yaml'), text)
      for (const args of [
        ['check', '--verbose'],
        ['poll', '--json'],
      ])
        codes.push((await s.run(args, { env: clean })).code)
    }
    assert.deepEqual(codes, codes.map(() => 2)) // prettier-ignore
    rmSync(join(s.folder, 'certbell.yaml'))
    writeFileSync(join(s.folder, '.env'), `SLACK_WEBHOOK="${url}\n${TOKEN}\n`)
    for (const env of [
      {},
      { CERTSPOTTER_API_TOKEN: `${TOKEN}\n` },
      { SLACK_WEBHOOK: ` ${url} ${TOKEN}` },
      { HTTPS_PROXY: `htp://u:${TOKEN}@x` },
      { LOG_FORMAT: 'loud', CERTSPOTTER_API_TOKEN: TOKEN },
    ])
      // prettier-ignore
      await s.run(['check', '--verbose'], { env: { ...clean, MONITOR_DOMAINS: 'example.com', ...env } })
  })

  it('a crash: the last net says it without the secrets, and without a stack unless asked for', async (t) => {
    const s = await scene(t)
    s.api.add(makeIssuance({ id: createIds()(), names: ['a.example.com'], notBefore: new Date() }))
    const boom = 'data:text/javascript,setTimeout(()=>{throw%20new%20Error(process.env.CERTSPOTTER_API_TOKEN+"%20"+process.env.SLACK_WEBHOOK)},500)'
    s.api.setFault(() => ({ slow: 1500 }))
    const ran = await s.run(['poll'], { env: { NODE_OPTIONS: `--import ${boom}` } })
    assert.equal(ran.code, 1)
    assert.match(ran.err, /^certbell: unexpected: Error: \[secret\]/m)
    s.api.setFault(undefined)
    assert.equal((await s.run(['poll'], { minutes: 10 })).code, 0)
    assert.equal(s.slack.messages.length, 2, 'the crash cost nothing')

    // A state that no version of ours writes.
    const database = new DatabaseSync(join(s.state, 'certbell.db'))
    database.prepare('update control set body = ?').run(JSON.stringify({ version: 1, items: { 'example.com': 7 }, credentials: { x: TOKEN.length }, sinks: {}, troubles: {}, alerts: {} })) // prettier-ignore
    database.close()
    for (const command of ['poll', 'status', 'alerts', 'certs', 'watch']) {
      // certbell() holds it to no secret and no stack; it must end by itself.
      const odd = await s.run([command], { minutes: 20, look: async (child) => void setTimeout(() => child.kill('SIGTERM'), 1500) })
      assert.notEqual(odd.code, null, command)
    }
  })
})
