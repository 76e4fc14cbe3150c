// What the network and the API can do to a running process: it says so, exits 1, moves nothing, stays small, and has everything the next time.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { after, before, describe, it } from 'node:test'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import type { ApiFault } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import { startReceiver } from '../../src/sandbox/receiver.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import type { EntryOptions } from '../support/entry.ts'
import type { Ran } from '../support/run.ts'
import { certbell, shiftedEnv, TOKEN, until, WEBHOOK_PATH } from '../support/run.ts'

const ENTRY = join(import.meta.dirname, '..', 'support', 'entry.ts')
const [MINUTE, HOUR] = [60_000, 3_600_000]
const MAX_RSS = 250 * 1024

type Look = (child: ChildProcess) => Promise<void>
type Scene = Awaited<ReturnType<typeof scene>>

/** An API, a webhook, and an empty folder. Without a test to end with, `close` is the caller's. */
async function scene(t?: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-faults-'))
  const api = await startCertSpotterApi({ tokens: [TOKEN] })
  const slack = await startSlack({ path: WEBHOOK_PATH })
  const close = async (): Promise<void> => {
    await Promise.all([api.close(), slack.close()])
    rmSync(folder, { recursive: true, force: true })
  }
  t?.after(close)
  const state = join(folder, 'state')
  const ids = createIds()
  return {
    api,
    slack,
    state,
    close,
    // Dated tomorrow: news, whatever the process takes for today.
    add: (...names: readonly string[]): void =>
      api.add(...names.map((name) => makeIssuance({ id: ids(), names: [name], notBefore: new Date(Date.now() + 24 * HOUR) }))),
    /** `certbell ARGS` with its clock so far from ours. */
    run: async (args: readonly string[], shift: number, env: Record<string, string> = {}, look?: Look): Promise<Ran> =>
      certbell(args, {
        cwd: folder,
        env: {
          ...shiftedEnv({ api: api.url, slack: slack.url, state }, shift),
          ...env,
        },
        ...(look !== undefined && { with: look }),
      }),
    cursor: (): unknown => cursorIn(state),
    /** In how many of Slack's messages it stands. */
    times: (name: string): number => slack.messages.filter(({ payload }) => JSON.stringify(payload).includes(name)).length,
  }
}

function cursorIn(state: string): unknown {
  const database = new DatabaseSync(join(state, 'certbell.db'), { readOnly: true })
  const body = String(database.prepare('select body from control').get()?.['body'])
  database.close()
  return (JSON.parse(body) as { items: Record<string, { cursor?: string }> }).items['example.com']?.cursor
}

/** The most memory that a process ever had, kB, when it has ended; 0 where there is no /proc. */
async function peakOf(child: ChildProcess): Promise<number> {
  let peak = 0
  while (child.exitCode === null && child.signalCode === null) {
    try {
      peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1] ?? peak)
    } catch {
      // It has just ended, or this is no Linux.
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return peak
}

const page = (...ids: readonly unknown[]): string =>
  JSON.stringify(ids.map((id) => ({ ...makeIssuance({ id: '17597250001', names: ['idless.example.com'], notBefore: new Date() }), id })))

/** The accident, and what is said of it. */
const FAULTS: Readonly<Record<string, readonly [fault: ApiFault, said: RegExp]>> = {
  'connection reset': ['reset', /the connection broke off/],
  'a body that never ends': ['endless', /larger than 16 MiB/],
  'a body of 50 MB': ['big', /larger than 16 MiB/],
  'a gzip bomb of 300 MB': ['gzipbomb', /larger than 16 MiB/],
  'HTML with 200': ['html200', /cannot be read: it is not JSON/],
  'invalid JSON': ['badjson', /cannot be read: it is not JSON/],
  'an empty body': ['empty', /cannot be read: it is empty/],
  'a body that was cut off': ['truncated', /the connection broke off/],
  'an error object with 200': ['object200', /answers an error: an object where an array belongs/],
  '500': [{ status: 500 }, /answers 500/],
  '503': [{ status: 503, body: '<html>Bad Gateway</html>' }, /answers 503/],
  'a page without a usable last id': [{ status: 200, body: page('17597250001', {}) }, /no usable id/],
  'broken gzip': [{ status: 200, headers: { 'content-encoding': 'gzip' }, body: '[]' }, /compressed answer is broken/],
}

describe('an accident on the way to the API', () => {
  // One state lives through them all: whatever an accident spoiled, the next ones would show.
  let s: Scene
  let n = 0
  before(async () => {
    s = await scene()
    s.add('old.example.com')
    assert.equal((await s.run(['poll'], 0)).code, 0)
  })
  after(async () => s.close())

  const survive = async (said: RegExp, fault: ApiFault | undefined, env: Record<string, string> = {}): Promise<void> => {
    n += 1
    const name = `new-${n}.example.com`
    const from = s.cursor()
    assert.equal(typeof from, 'string')
    s.add(name)
    s.api.setFault(() => fault)
    let peak = 0
    const failed = await s.run(['poll'], 20 * n * MINUTE, env, async (child) => void (peak = await peakOf(child)))
    assert.equal(failed.code, 1, failed.err)
    assert.match(failed.err, said)
    assert.equal(s.cursor(), from, 'the cursor stays')
    assert.equal(s.times(name), 0)
    assert.ok(peak < MAX_RSS && (peak > 20_000 || process.platform !== 'linux'), `${peak} kB of memory`)

    s.api.setFault(undefined)
    const mended = await s.run(['poll'], (20 * n + 10) * MINUTE)
    assert.equal(mended.code, 0, mended.err)
    assert.equal(s.api.requests.at(-1)?.after, from, 'it goes on where it stopped')
    assert.equal(s.times(name), 1)
  }

  for (const [what, [fault, said]] of Object.entries(FAULTS)) it(what, async () => survive(said, fault))

  it('no such host', async () => survive(/cannot be resolved/, undefined, { CERTSPOTTER_API_URL: 'https://api.nowhere.invalid/v1' }))

  it('connection refused', async () => survive(/the connection is refused/, undefined, { CERTSPOTTER_API_URL: 'http://127.0.0.1:9/v1' }))

  for (const status of [301, 302, 307]) {
    it(`a redirect (${status}) is followed neither with the token nor without`, async (t) => {
      const trap = await startReceiver()
      t.after(() => trap.close())
      const headers = { location: `${trap.url}/v1/issuances?domain=example.com` }
      await survive(/redirect \(\d+\), which is never followed/, { status, headers, body: '' })
      assert.equal(s.api.requests.at(-2)?.headers['authorization'], `Bearer ${TOKEN}`, 'the API had it')
      assert.deepEqual(trap.requests, [])
    })
  }

  it('after all of them, each certificate rang once, and nothing else was said', async () => {
    assert.equal((await s.run(['poll'], (20 * n + 20) * MINUTE)).code, 0)
    assert.equal((await s.run(['status'], (20 * n + 20) * MINUTE)).code, 0)
    for (let k = 1; k <= n; k++) assert.equal(s.times(`new-${k}.example.com`), 1, `${k} rang once`)
    assert.equal(s.slack.messages.length, n + 2, 'the first one, the inventory, and these')
    assert.deepEqual(s.slack.violations, [])
  })
})

describe('a socket that hangs costs its timeout and no more', { concurrency: 2, timeout: 20_000 }, () => {
  const stuck = async (t: TestContext, hang: (s: Scene) => string): Promise<void> => {
    const s = await scene(t)
    s.add('old.example.com')
    const now = Date.now()
    const run = async (api: string, startAt: number): Promise<number | null> => {
      const options: EntryOptions = { api, slack: s.slack.url, state: s.state, names: ['example.com'], startAt, askMs: 300 }
      const child = spawn(process.execPath, [ENTRY, JSON.stringify(options)], { stdio: 'ignore' })
      return new Promise((resolve) => child.on('close', resolve))
    }
    assert.equal(await run(s.api.url, now), 0)
    const before = s.cursor()
    s.add('a.example.com')
    assert.equal(await run(hang(s), now + 2 * HOUR), 1)
    assert.equal(s.cursor(), before)
    s.api.setFault(undefined)
    assert.equal(await run(s.api.url, now + 4 * HOUR), 0)
    assert.equal(s.times('a.example.com'), 1)
  }

  it('before the answer', async (t) => stuck(t, ({ api }) => (api.setFault(() => 'hang'), api.url)))

  it('in the middle of the body', async (t) => {
    const half = createServer((_, response) => response.writeHead(200, { 'content-length': '5000' }).write('[{"id":'))
    await new Promise<void>((resolve) => half.listen(0, '127.0.0.1', resolve))
    t.after(() => (half.closeAllConnections(), half.close()))
    await stuck(t, () => `http://127.0.0.1:${(half.address() as AddressInfo).port}`)
  })
})

describe('the clock jumps back an hour', { concurrency: 2 }, () => {
  it('between two polls: nothing is lost, doubled, or left for long', async (t) => {
    const s = await scene(t)
    s.add('old.example.com')
    assert.equal((await s.run(['poll'], 2 * HOUR)).code, 0)
    for (const n of [0, 1, 2]) {
      s.add(`new-${n}.example.com`)
      assert.equal((await s.run(['poll'], HOUR + 7 * n * MINUTE)).code, 0)
      assert.equal(s.times(`new-${n}.example.com`), 1, 'ten queries an hour are one in six minutes')
    }
    assert.equal((await s.run(['status'], HOUR + 15 * MINUTE)).code, 0)
    assert.equal(s.slack.messages.length, 2 + 3, 'none of them twice')
  })

  it('while a delivery waits for its next try, and while a wait that Slack asked for runs', async (t) => {
    const s = await scene(t)
    assert.equal((await s.run(['poll'], 2 * HOUR)).code, 0)
    s.add('a.example.com')
    s.slack.script.push({ status: 500 })
    assert.equal((await s.run(['poll'], 2 * HOUR + 7 * MINUTE)).code, 1)
    s.slack.script.push({ status: 429, headers: { 'retry-after': '60' } })
    await s.run(['poll'], HOUR + MINUTE)
    await s.run(['poll'], HOUR + MINUTE + 10_000)
    assert.equal(s.slack.script.length, 0, 'it was tried within seconds of the new clock')
    assert.equal(s.times('a.example.com'), 0)
    await s.run(['poll'], 10 * MINUTE)
    assert.equal(s.times('a.example.com'), 0, 'it has a minute to wait')
    assert.equal((await s.run(['poll'], 12 * MINUTE)).code, 0)
    assert.equal(s.times('a.example.com'), 1, 'and not an hour more')
  })

  it('under a watch that runs', async (t) => {
    const s = await scene(t)
    const ran = await s.run(['watch'], 2 * HOUR, { SLEEP_DELAY: '1', CLOCK_JUMP_MS: String(-HOUR) }, async (child) => {
      await until(() => s.slack.messages.length === 1, 'the inventory')
      child.kill('SIGUSR2')
      for (const name of ['a.example.com', 'b.example.com']) {
        s.add(name)
        await until(() => s.times(name) === 1, `${name} rings`, 10_000)
      }
      child.kill('SIGTERM')
    })
    assert.equal(ran.code, 0, ran.err)
    assert.deepEqual([s.times('a.example.com'), s.times('b.example.com'), s.slack.messages.length], [1, 1, 3])
  })
})
