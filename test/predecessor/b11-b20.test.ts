// The other half of the predecessor's faults: see b02-b10.test.ts.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { startReceiver } from '../../src/sandbox/receiver.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import { createStore } from '../../src/stores/durable.ts'
import { openSqlite } from '../../src/stores/sqlite/backend.ts'
import { OwnerError } from '../../src/watch/errors.ts'
import { certbell as built, TOKEN, until, WEBHOOK_PATH } from '../support/run.ts'
import { DAY, HOUR, MINUTE, start, times } from './run.ts'

const ROOT = join(import.meta.dirname, '..', '..')

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'certbell-b-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('B11: a burst of several pages is read at once', async (t) => {
  const run = await start(t, { domains: 'example.com', yaml: 'certspotter: { quota: { full: 100 } }' })
  await run.goOn(2 * HOUR)
  const before = run.api.requests.length
  for (let n = 0; n < 730; n++) run.issue([`burst-${n}.example.com`])
  await run.goOn(6 * MINUTE)
  const burst = run.api.requests.slice(before)
  assert.ok(burst.at(-1)!.time - burst[0]!.time < 6 * MINUTE)
  assert.deepEqual(
    burst.filter(({ served }) => (served ?? 0) > 0).map(({ served }) => served),
    [100, 100, 100, 100, 100, 100, 100, 30],
  )
  await run.goOn(10 * MINUTE)
  for (const n of [0, 99, 100, 729]) assert.equal(times(run, `burst-${n}.example.com`), 1)
})

test('B13: a state file that was cut off stops Certbell with a remedy, and re-posts no history', async (t) => {
  const state = join(folder(t), 'state')
  const openState = async () => openSqlite(state, 'the state')
  const run = await start(t, { domains: 'example.com', openState })
  for (let n = 0; n < 30; n++) run.issue([`old-${n}.example.com`], { notBefore: new Date(run.now() - 30 * DAY) })
  await run.goOn(MINUTE)
  assert.equal(run.slack.messages.length, 1)
  await run.app.close()
  truncateSync(join(state, 'certbell.db'), 0)
  await assert.rejects(run.killAndRestart(), (error) => error instanceof OwnerError && /damaged.*Restore it from a backup/.test(error.message))
  rmSync(join(state, 'certbell.db'))
  await run.killAndRestart()
  await run.goOn(MINUTE)
  assert.equal(run.slack.messages.length, 2, 'an owner who moves it away gets an inventory, not 30 alerts')
  assert.equal(times(run, 'old-1.example.com'), 0)
})

test("B13: the predecessor's own empty file is said and left, and the name gets a baseline", async (t) => {
  const files = { '/old/example.com': '', '/old/example.net': '"17597250121"' }
  const run = await start(t, { domains: 'example.com,example.net', env: { FILESYSTEM_PATH: '/old' }, files })
  for (const name of ['n0.example.net', 'n1.example.net', 'n2.example.com']) run.issue([name], { notBefore: new Date(run.now() - 30 * DAY) })
  await run.goOn(MINUTE)
  assert.match(run.warnings.join('\n'), /example\.com is not used: it is empty/)
  assert.deepEqual(
    run.api.requests.slice(0, 2).map(({ domain, after }) => [domain, after]),
    [
      ['example.com', ''],
      ['example.net', '17597250121'],
    ],
  )
  assert.equal(times(run, 'n0.example.net'), 0, 'what the predecessor had seen does not ring')
  assert.equal(times(run, 'n1.example.net'), 1, 'what came after it does')
})

test('B14: a process that is killed between two messages repeats none that was noted, and loses none', async (t) => {
  const run = await start(t, { domains: 'example.com' })
  await run.goOn(MINUTE)
  for (let n = 0; n < 25; n++) run.issue([`host-${n}.example.com`])
  // Accepted, but the sender does not live to hear of it.
  run.slack.script.push(undefined, 'accept-reset')
  await run.goOn(8 * MINUTE)
  await run.killAndRestart()
  await run.goOn(10 * MINUTE)
  assert.equal(run.slack.messages.length, 1 + 4)
  for (let n = 0; n < 25; n++) assert.equal(times(run, `host-${n}.example.com`), n >= 10 && n < 20 ? 2 : 1, `host-${n}`)
  assert.equal(run.said()[2], run.said()[3], 'the one that came twice is unchanged')
})

test('B15: one certificate for two watched names, one below the other or not, is one alert', async (t) => {
  const run = await start(t, { domains: 'example.com, login.example.com, example.net' })
  await run.goOn(MINUTE)
  run.issue(['login.example.com', 'shop.example.net'])
  await run.goOn(HOUR)
  assert.equal(times(run, 'shop.example.net'), 1)
  const [alert] = run.events.flatMap((event) => (event.kind === 'alerts' ? event.alerts.filter(({ kind }) => kind === 'certificate') : []))
  assert.deepEqual(alert?.kind === 'certificate' ? alert.matched.map(({ item }) => item) : [], ['example.com', 'example.net'])
  assert.deepEqual([...new Set(run.api.requests.map(({ domain }) => domain))], ['example.com', 'example.net'], 'and the name below costs nothing')
})

test('B16: blanks around the names of a list are no part of them', async (t) => {
  const run = await start(t, { domains: ' a.example ,\tb.example\n c.example,, ' })
  await run.goOn(MINUTE)
  assert.deepEqual(
    run.api.requests.map(({ domain, status }) => [domain, status]),
    [
      ['a.example', 200],
      ['b.example', 200],
      ['c.example', 200],
    ],
  )
})

/** The real command, from source, with nothing in its environment but this. */
async function certbell(
  args: readonly string[],
  env: Record<string, string>,
  cwd: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const entry = `import { main } from ${JSON.stringify(join(ROOT, 'src/cli/main.ts'))}; await main(process.argv.slice(1))`
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--input-type=module', '-e', entry, '--', ...args],
      { cwd, env: { PATH: '/usr/bin:/bin', HOME: cwd, ...env }, timeout: 30_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 99, stdout, stderr }),
    )
  })
}

test('B17: the predecessor’s three variables are enough; LOG_FORMAT may be missing, or be its word', async (t) => {
  const [api, slack, cwd] = [await startCertSpotterApi(), await startSlack(), folder(t)]
  t.after(async () => Promise.all([api.close(), slack.close()]))
  const env = { MONITOR_DOMAINS: 'example.com', SLACK_WEBHOOK: slack.url, CERTSPOTTER_API_URL: api.url }
  const first = await certbell(['poll'], env, cwd)
  assert.deepEqual([first.code, first.stdout], [0, ''], first.stderr)
  assert.equal(slack.messages.length, 1)
  const second = await certbell(['poll'], { ...env, LOG_FORMAT: 'syslog' }, cwd)
  assert.equal(second.code, 0, second.stderr)
  const third = await certbell(['poll'], { ...env, LOG_FORMAT: 'xml' }, cwd)
  assert.deepEqual([third.code, /"xml" is not a log format\. Write text or json/.test(third.stderr)], [2, true], third.stderr)
})

test('B18: a message says the names first, in human words, bounded and escaped', async (t) => {
  const run = await start(t, { domains: 'example.com' })
  await run.goOn(MINUTE)
  const made = run.issue(['login.example.com', '<!channel>.example.com', ...Array.from({ length: 300 }, (_, n) => `tenant-${n}.elsewhere.net`)])
  await run.goOn(10 * MINUTE)
  const text = run.said()[1] ?? ''
  const payload = run.slack.messages[1]?.payload ?? {}
  assert.match(String(payload['text']), /login\.example\.com/)
  assert.ok(!text.includes('<!channel>'))
  assert.ok(!/\['|'\]|\{'|datetime|None/.test(text), 'no repr of Python')
  assert.match(text, /Let's Encrypt/)
  assert.match(text, /90 days|89 days/)
  assert.ok(text.includes(`https://crt.sh/?sha256=${made.cert_sha256}`))
  assert.ok(text.length < 20_000)
  assert.deepEqual(run.slack.violations, [])
})

test('B19: names are encoded, no empty Bearer is sent, and Slack gets one message a second', async (t) => {
  const run = await start(t, { domains: 'bücher.example', env: { SLEEP_DELAY: '60' } })
  await run.goOn(MINUTE)
  assert.equal(run.api.requests[0]?.domain, 'xn--bcher-kva.example')
  assert.ok(!('authorization' in (run.api.requests[0]?.headers ?? {})))
  for (let n = 0; n < 35; n++) run.issue([`host-${n}.xn--bcher-kva.example`])
  const sent: number[] = []
  run.slack.onMessage(() => sent.push(run.now()))
  await run.goOn(10 * MINUTE)
  assert.equal(sent.length, 4)
  for (const [n, time] of sent.entries()) assert.ok(n === 0 || time - sent[n - 1]! >= 1000)
})

test('B19: a wrong SLEEP_DELAY is a problem with its place, and 0 spins nothing', async (t) => {
  const env = { MONITOR_DOMAINS: 'example.com', SLACK_WEBHOOK: 'http://127.0.0.1:9/services/T0/B0/x' }
  const wrong = loadConfig({ flags: {}, env: { ...env, SLEEP_DELAY: 'soonish' }, cwd: '/work', home: '/home/ana', readFile: () => undefined })
  assert.match(JSON.stringify(wrong), /SLEEP_DELAY/)
  assert.ok('problems' in wrong)
  const zero = loadConfig({ flags: {}, env: { ...env, SLEEP_DELAY: '0' }, cwd: '/work', home: '/home/ana', readFile: () => undefined })
  if ('problems' in zero) return
  const run = await start(t, { domains: 'example.com', env: { SLEEP_DELAY: '0' }, quota: { full: 10, single: 100 } })
  await run.goOn(3 * HOUR)
  assert.ok(run.api.requests.length <= 31 && run.api.requests.every(({ status }) => status === 200))
})

test('B20: status tells that it works, that it fails, and that it died', async (t) => {
  const [api, slack, cwd] = [await startCertSpotterApi(), await startSlack(), folder(t)]
  t.after(async () => Promise.all([api.close(), slack.close()]))
  const state = join(cwd, 'deep', 'down', 'state')
  const env = { MONITOR_DOMAINS: 'example.com', SLACK_WEBHOOK: slack.url, CERTSPOTTER_API_URL: api.url, CERTBELL_STATE_DIR: state }
  assert.equal((await certbell(['poll'], env, cwd)).code, 0)
  const well = await certbell(['status'], env, cwd)
  assert.equal(well.code, 0, well.stdout)

  // A watch that meant to come round ten minutes ago, and did not.
  const backend = await openSqlite(state, 'the state')
  const config = { items: [], credential: 'x', quota: { full: 1, single: 1 }, interval: 'auto', baseline: 'silent', sinks: [] } as const
  const store = await createStore(backend, config, { id: 'dead', alive: () => false }, () => () => false, Date.now())
  await store.rest(Date.now() - HOUR, Date.now() - 10 * MINUTE)
  await store.close()
  const dead = await certbell(['status'], env, cwd)
  assert.equal(dead.code, 1)
  assert.match(dead.stdout.split('\n')[0] ?? '', /has died or hangs/)

  api.setTokens(['another'])
  const refused = { ...env, MONITOR_DOMAINS: 'example.net', CERTSPOTTER_API_TOKEN: 'k_wrong' }
  assert.equal((await certbell(['poll'], refused, cwd)).code, 1)
  const ill = await certbell(['status', '--json'], refused, cwd)
  assert.equal(ill.code, 1)
  assert.match(ill.stdout, /refuses the token/)
  assert.ok(slack.messages.some(({ payload }) => /refuses the token/.test(JSON.stringify(payload))))
  assert.ok(!`${ill.stdout}${ill.stderr}`.includes('k_wrong'))
})

test('B20: /healthz and the heartbeat tell that it works, and that it fails', async (t) => {
  const [api, slack, beat, cwd] = [await startCertSpotterApi(), await startSlack({ path: WEBHOOK_PATH }), await startReceiver(), folder(t)]
  t.after(async () => Promise.all([api.close(), slack.close(), beat.close()]))
  const env = {
    MONITOR_DOMAINS: 'example.com',
    SLACK_WEBHOOK: slack.url,
    CERTSPOTTER_API_URL: api.url,
    CERTSPOTTER_API_TOKEN: TOKEN,
    SLEEP_DELAY: '1',
    CERTBELL_LISTEN: '127.0.0.1:0',
    CERTBELL_HEARTBEAT: `${beat.url}/beat`,
  }
  for (const [tokens, status, path] of [
    [[TOKEN], 200, '/beat'],
    [['another'], 503, '/beat/fail'],
  ] as const) {
    api.setTokens(tokens)
    const [asked, beats] = [api.requests.length, beat.requests.length]
    const ran = await built(['watch'], {
      cwd,
      env,
      with: async (child, said) => {
        await until(() => api.requests.length > asked && beat.requests.length > beats, 'it asks, and its heart beats')
        const port = /listening on 127\.0\.0\.1:(\d+)/.exec(said())?.[1]
        assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, status)
        assert.equal(beat.requests[beats]?.path, path)
        child.kill('SIGTERM')
      },
    })
    assert.equal(ran.code, 0, ran.err)
  }
})
