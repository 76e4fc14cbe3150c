// What the contract's section 2 promises of the command itself: exit codes, streams, flags, signals, two processes at once, a terminal.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import { startReceiver } from '../../src/sandbox/receiver.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import { HOSTILE_TEXTS, UNSAFE } from '../support/hostile.ts'
import type { Ran } from '../support/run.ts'
import { BIN, certbell, until } from '../support/run.ts'

const COMPILED = join(tmpdir(), 'certbell-test-compile-cache')
const SCRIPT = '/usr/bin/script'
const HAS_SCRIPT = spawnSync(SCRIPT, ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') ?? false

type Look = (child: ChildProcess, said: () => string) => Promise<void>

/** An API, a webhook, and a folder with a configuration; all gone after the test. */
async function scene(t: TestContext, quota = 1000) {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-commands-'))
  const api = await startCertSpotterApi({ quota: { full: quota, single: quota } })
  const slack = await startSlack()
  t.after(async () => {
    await Promise.all([api.close(), slack.close()])
    rmSync(folder, { recursive: true, force: true })
  })
  writeFileSync(join(folder, 'certbell.yaml'), `certspotter: { interval: 1s, quota: { full: ${quota}, single: ${quota} } }\nwatch: [example.com]\n`)
  const ids = createIds()
  const env = { NODE_COMPILE_CACHE: COMPILED, CERTSPOTTER_API_URL: api.url, SLACK_WEBHOOK: slack.url, CERTBELL_STATE_DIR: join(folder, 'state') }
  return {
    api,
    slack,
    folder,
    env,
    add: (...names: readonly string[]): void => api.add(...names.map((name) => makeIssuance({ id: ids(), names: [name], notBefore: new Date() }))),
    run: async (args: readonly string[], more: Record<string, string> = {}, look?: Look): Promise<Ran> =>
      certbell(args, { cwd: folder, env: { ...env, ...more }, ...(look !== undefined && { with: look }) }),
    times: (name: string): number => slack.messages.filter(({ payload }) => JSON.stringify(payload).includes(name)).length,
  }
}

/** A webhook that nobody listens at: port 9 of this machine is nobody's. */
const GONE = 'http://127.0.0.1:9/services/T0/B0/gone'

describe('exit codes and streams', { concurrency: 2 }, () => {
  it('0, 1 and 2 of poll and status; doctor says a dead webhook', async (t) => {
    const s = await scene(t)
    s.add('a.example.com')
    const first = await s.run(['status'])
    assert.deepEqual([first.code, first.err], [1, ''], 'nothing was run yet')
    const ok = await s.run(['poll'])
    assert.deepEqual([ok.code, ok.out], [0, ''], 'with Slack, results go there')
    assert.match(ok.err, /info .*a\.example\.com/)
    assert.equal((await s.run(['status'])).code, 0)
    assert.equal((await s.run(['doctor'])).code, 0)
    assert.deepEqual([(await s.run(['doctor'], { SLACK_WEBHOOK: GONE })).code, s.slack.messages.length], [1, 2], 'nothing is posted by doctor')
    for (const line of ['poll --wat', 'poll co.uk', 'status --config none.yaml', 'poll --limit 3', 'alerts --limit x']) {
      const ran = await s.run(line.split(' '))
      assert.deepEqual([ran.code, ran.out], [2, ''], line)
      assert.notEqual(ran.err, '')
    }
    s.add('b.example.com')
    const failed = await s.run(['poll'], { SLACK_WEBHOOK: GONE })
    assert.equal(failed.code, 1, 'a delivery failed')
    assert.equal((await s.run(['status'])).code, 1)
    assert.equal((await s.run(['poll', '--wait'])).code, 0, 'the same sink with a new address: it waits for its turn, and delivers')
    assert.equal(s.times('b.example.com'), 1)
  })

  it('an unknown command or flag gets a did-you-mean, exit 2', async (t) => {
    const s = await scene(t)
    const meant = { statsu: 'status', pol: 'poll', 'poll --wiat': '--wait', 'status --jsno': '--json', 'certs exampel.com': 'example.com' }
    for (const [line, word] of Object.entries(meant)) {
      const ran = await s.run(line.split(' '))
      assert.deepEqual([ran.code, ran.out], [2, ''], line)
      assert.match(ran.err, new RegExp(`Did you mean ${word}`, 'i'))
    }
  })

  it('one query is told as one', async (t) => {
    const s = await scene(t, 1)
    s.add('a.example.com')
    const polled = await s.run(['poll'])
    const texts = [polled.err, ...(await Promise.all(['check', 'doctor', 'status'].map(async (command) => (await s.run([command])).out)))]
    for (const wanted of [/: 1 query an hour for names with all below, 1 for/, /quota: 1 name on 1 query an hour/, /0 of 1 query left/])
      assert.ok(
        texts.some((text) => wanted.test(text)),
        `${wanted} in ${texts.join('\n')}`,
      )
    for (const text of texts) assert.doesNotMatch(text, /\b1 queries/)
  })

  it('names given are watched besides those of the configuration, by poll and by the bare name', async (t) => {
    const s = await scene(t)
    assert.equal((await s.run(['poll', 'given.example', '=one.example.net'])).code, 0)
    assert.deepEqual(s.api.requests.map(({ domain, full }) => `${domain} ${full}`).sort(), ['example.com true', 'given.example true', 'one.example.net false']) // prettier-ignore
    const ran = await s.run(['bare.example'], {}, async (child) => {
      await until(() => s.api.requests.some(({ domain }) => domain === 'bare.example'), 'it watches')
      child.kill('SIGINT')
    })
    assert.equal(ran.code, 0, 'that is watch')
    assert.match(ran.err, /watching 2 names/)
  })

  it('--quiet, --json, NO_COLOR and pipes: no colour, no progress line, results alone on stdout', async (t) => {
    const s = await scene(t)
    s.add('a.example.com')
    const quiet = await s.run(['poll', '--quiet', '--json'], { FORCE_COLOR: '1' })
    assert.equal(quiet.err, '')
    assert.deepEqual(quiet.out.trimEnd().split('\n').map((line) => (JSON.parse(line) as { kind: string }).kind).sort(), ['certificate', 'inventory']) // prettier-ignore
    for (const flags of [[], ['--no-color'], ['--json']]) {
      for (const command of ['status', 'certs', 'alerts', 'check', 'doctor']) {
        // certbell() holds every output to have no escape at all.
        const ran = await s.run([command, ...flags], { FORCE_COLOR: '3', TERM: 'xterm-256color' })
        assert.deepEqual([ran.code, ran.err, ran.out.endsWith('\n')], [0, '', true], `${command} ${flags.join(' ')}`)
      }
    }
  })

  it('poll --wait sits a 429 out, by seconds and by date', async (t) => {
    const s = await scene(t)
    s.add('a.example.com')
    // A date has whole seconds, and must not be past when its turn comes.
    for (const retryAfter of ['2', new Date(Date.now() + 6000).toUTCString()])
      s.api.script.push({ status: 429, headers: { 'retry-after': retryAfter }, body: '{"code":"rate_limited"}' })
    const ran = await s.run(['poll', '--wait'])
    assert.equal(ran.code, 0, ran.err)
    const [first, second, third] = s.api.requests.map(({ time }) => time)
    assert.ok(second! - first! >= 2000 && third! - second! >= 1000)
    assert.deepEqual([s.api.requests.length, s.times('a.example.com'), s.slack.messages.length], [3, 1, 2])
    s.api.script.push({ status: 429, headers: { 'retry-after': '60' }, body: '{"code":"rate_limited"}' })
    await new Promise((resolve) => setTimeout(resolve, 1000))
    assert.equal((await s.run(['poll'])).code, 0, 'waiting is no failure')
  })

  it('a reader that goes away ends certs quietly', async (t) => {
    const s = await scene(t)
    s.add(...Array.from({ length: 2000 }, (_, n) => `n${n}.${'long-label.'.repeat(8)}example.com`))
    await s.run(['poll', '--quiet', '--wait'], { SLACK_WEBHOOK: '' }, async (child) => void child.stdout?.resume())
    for (const flags of ['--json', '--limit 2000']) {
      const shell = `'${process.execPath}' '${BIN}' certs ${flags} | head -n 2`
      const env = { ...s.env, PATH: process.env['PATH'], HOME: s.folder }
      const ran = spawnSync('bash', ['-c', shell], { cwd: s.folder, env, encoding: 'utf8', timeout: 20_000 })
      assert.deepEqual([ran.stdout.trimEnd().split('\n').length, ran.stderr, ran.signal], [2, '', null], flags)
    }
  })
})

describe('watch', { concurrency: 2 }, () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`${signal}: exit 0; the second ends it at once while the API hangs`, async (t) => {
      const s = await scene(t)
      const calm = await s.run(['watch'], {}, async (child) => {
        await until(() => s.slack.messages.length === 1, 'the inventory')
        child.kill(signal)
      })
      assert.equal(calm.code, 0, calm.err)
      s.api.setFault(() => 'hang')
      const asked = s.api.requests.length
      let second = 0
      await s.run(['watch', '--verbose'], {}, async (child, said) => {
        await until(() => s.api.requests.length > asked, 'it asks')
        child.kill(signal)
        await until(() => said().includes('stopping'), 'the first signal was heard')
        assert.equal(child.exitCode, null, 'the step in hand is not over')
        second = performance.now()
        child.kill(signal)
      })
      assert.ok(performance.now() - second < 2000)
    })
  }

  it('listen: the port in use is the owner’s mistake', async (t) => {
    const s = await scene(t)
    const taken = await startReceiver()
    t.after(() => taken.close())
    const ran = await s.run(['watch'], { CERTBELL_LISTEN: new URL(taken.url).host })
    assert.equal(ran.code, 2)
    assert.match(ran.err, /EADDRINUSE/)
  })

  it('B20: /livez, /healthz, /metrics and the heartbeat say how it is', async (t) => {
    const s = await scene(t)
    const beat = await startReceiver()
    t.after(() => beat.close())
    const env = { CERTBELL_LISTEN: '127.0.0.1:0', CERTBELL_HEARTBEAT: `${beat.url}/beat?x=1` }
    const watch = async (well: boolean): Promise<void> => {
      const before = beat.requests.length
      const ran = await s.run(['watch'], env, async (child, said) => {
        await until(() => said().includes('listening on'), 'it listens')
        const base = `http://127.0.0.1:${/listening on 127\.0\.0\.1:(\d+)/.exec(said())?.[1]}`
        const get = async (path: string) => fetch(base + path)
        assert.equal((await get('/livez')).status, 200)
        await until(() => beat.requests.length > before, 'a heartbeat')
        assert.equal(beat.requests.at(-1)?.path, well ? '/beat?x=1' : '/beat/fail?x=1')
        assert.equal((await get('/healthz')).status, well ? 200 : 503)
        assert.match(await (await get('/metrics')).text(), new RegExp(`^certbell_well ${well ? 1 : 0}$`, 'm'))
        assert.equal((await get('/')).status, 404)
        assert.equal((await fetch(`${base}/livez`, { method: 'POST' })).status, 405)
        child.kill('SIGTERM')
      })
      assert.equal(ran.code, 0, ran.err)
    }
    await watch(true)
    s.api.setFault(() => ({ status: 401 }))
    await watch(false)
  })

  it('two of them on one state: nothing is lost, doubled, or asked twice', async (t) => {
    const s = await scene(t, 40)
    const names = Array.from({ length: 6 }, (_, n) => `n${n}.example.com`)
    const both = [0, 1].map(async (me) =>
      s.run(['watch'], {}, async (child) => {
        await until(() => s.slack.messages.length >= 1, 'the inventory')
        for (const [n, name] of names.entries()) {
          if (n % 2 === me) s.add(name)
          await new Promise((resolve) => setTimeout(resolve, 500))
        }
        await until(() => names.every((name) => s.times(name) > 0), 'all have rung')
        child.kill('SIGTERM')
      }),
    )
    for (const ran of await Promise.all(both)) assert.equal(ran.code, 0, ran.err)
    assert.deepEqual(names.map((name) => s.times(name)), names.map(() => 1)) // prettier-ignore
    assert.equal(s.slack.messages.filter(({ payload }) => String(payload['text']).includes('Now watching')).length, 1)
    for (const { status } of s.api.requests) assert.equal(status, 200, 'within the quota')
    for (const [n, { time }] of s.api.requests.entries())
      if (n > 0) assert.ok(time - s.api.requests[n - 1]!.time >= 900, 'a name is due once a second')
  })
})

describe('on a terminal', { skip: HAS_SCRIPT ? false : 'script (util-linux) is not installed' }, () => {
  for (const color of [true, false])
    it(`watch${color ? '' : ' without colour'}: heading, inventory, the newest five, the live line; hostile names move nothing`, async (t) => {
      const s = await scene(t)
      s.add(...HOSTILE_TEXTS.map((text) => `${text}.example.com`), ...Array.from({ length: 7 }, (_, n) => `new-${n}.example.com`))
      // As PID of its own, so that it is the command that gets Ctrl-C, and no shell around it.
      const command = `exec '${process.execPath}' '${BIN}' watch`
      const env = { ...s.env, PATH: process.env['PATH'], HOME: s.folder, TERM: 'xterm', SLACK_WEBHOOK: '', NO_COLOR: color ? '' : '1' }
      const child = spawn(SCRIPT, ['-qec', command, '/dev/null'], { cwd: s.folder, env, stdio: ['pipe', 'pipe', 'inherit'] })
      t.after(() => child.kill('SIGKILL'))
      let said = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
      const ended = new Promise((resolve) => child.on('close', resolve))
      await until(() => said.includes('next query in') && said.includes('  newest'), 'the live line and the inventory')
      // The keyboard's Ctrl-C.
      child.stdin.write('\u0003')
      assert.equal(await ended, 0)
      assert.match(said, /certbell \d+\.\d+\.\d+ {3}1 name · Cert Spotter API/)
      const newest = said.slice(said.indexOf('  newest')).split('\n').slice(0, 6)
      assert.equal(newest.filter((line) => /^ {2}(?:newest| {6}) .* → /.test(line)).length, 5, newest.join('\n'))
      assert.equal(/\u001b\[\d*m/.test(said), color)
      const plain = said.replaceAll(/\u001b\[(?:\d+(?:;\d+)*)?m|\r\u001b\[2K/g, '').replaceAll(/\r+\n/g, '\n')
      assert.doesNotMatch(plain.replaceAll('\n', ' '), UNSAFE)
    })
})
