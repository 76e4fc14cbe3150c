// What a run waits for, and what it does not, by the real command: a log that never answers, and a clock that was set back.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { it } from 'node:test'
import { headAt } from '../../src/sandbox/ct-lies.ts'
import { createListKey, logList } from '../../src/sandbox/ct-list.ts'
import type { ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { certbell, until } from '../support/run.ts'

const CLOCK = join(import.meta.dirname, '..', 'support', 'shift-clock.cjs')
/** Less than what makes a head an old one. */
const FAST = 50 * 60_000

/** A log of each protocol, and settings that read both. */
async function scene(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-log-waits-'))
  const host = await startCtHost()
  t.after(async () => {
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const served = (['static-ct', 'rfc6962'] as const).map((protocol) => host.serve(createCtLog({ name: protocol }), { protocol })) as [
    ServedLog,
    ServedLog,
  ]
  writeFileSync(join(folder, 'logs.json'), logList(served))
  writeFileSync(
    join(folder, 'certbell.yaml'),
    "watch: [example.com]\nstdout: json\nstate: ./state\ncertspotter: false\nlogs: {lists: ['./logs.json'], start: beginning, interval: 1s}\n",
  )
  return { folder, host, served }
}

function issue({ log }: ServedLog, name: string): string {
  const id = issueTwins([log], { names: [name], notBefore: new Date() }).issuance('1').tbs_sha256
  log.publish()
  return id
}

const idsIn = (out: string): readonly string[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { readonly id: string }).id)

it('a pass ends though a log takes the question and never answers, and says that it failed', async (t) => {
  const { folder, host, served } = await scene(t)
  const [well, hangs] = served
  const id = issue(well, 'new.example.com')
  host.setFault(({ log }) => (log === hangs.log.name ? 'hang' : undefined))
  const ran = await certbell(['poll'], { cwd: folder, timeout: 50_000 })
  assert.deepEqual([ran.code, idsIn(ran.out)], [1, [id]])
  const shown = await certbell(['logs', '--json'], { cwd: folder })
  const rows = JSON.parse(shown.out) as readonly { readonly log: string; readonly lag: { readonly cause?: string } }[]
  assert.deepEqual(
    rows.map(({ log, lag }) => [log, lag.cause]),
    [
      ["Sandbox 'rfc6962' log", 'slow'],
      ["Sandbox 'static-ct' log", undefined],
    ],
  )
})

it('a clock that was fast, and is set back, holds up no log', async (t) => {
  const { folder, host, served } = await scene(t)
  const ids: string[] = []
  const ran = await certbell(['watch'], {
    cwd: folder,
    env: { NODE_OPTIONS: `--require ${CLOCK}`, CLOCK_SHIFT_MS: String(FAST), CLOCK_JUMP_MS: String(-FAST) },
    with: async (child, said) => {
      await until(() => host.count('checkpoint') > 1 && host.count('get-sth') > 1, 'both are read')
      child.kill('SIGUSR2')
      for (const each of served) ids.push(issue(each, `${each.log.name}.example.com`))
      await until(() => ids.every((id) => said().includes(id)), 'both ring', 10_000)
      child.kill('SIGTERM')
    },
  })
  assert.equal(ran.code, 0, ran.err)
  assert.deepEqual(idsIn(ran.out).toSorted(), ids.toSorted())
})

for (const command of ['watch', 'poll'])
  it(`${command} ends at the first signal while the server of the very first list has not answered`, async (t) => {
    const { folder } = await scene(t)
    let asked = 0
    const server = createServer((socket) => socket.once('data', () => (asked += 1))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    writeFileSync(join(folder, 'key.pem'), createListKey().pem)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list.json`
    writeFileSync(
      join(folder, 'certbell.yaml'),
      `watch: [example.com]\nstdout: json\nstate: ./state\ncertspotter: false\nlogs: {lists: [{url: '${url}', key: 'file:key.pem'}]}\n`,
    )
    const ran = await certbell([command], {
      cwd: folder,
      // Less than an answer is waited for.
      timeout: 20_000,
      with: async (child) => {
        await until(() => asked > 0, 'the list is asked for')
        child.kill('SIGTERM')
      },
    })
    assert.deepEqual([ran.code, ran.out], [0, ''], ran.err)
  })

it('after three hours off a log that is well rings nothing, and one that goes on failing rings once, until it answers', async (t) => {
  const { folder, host, served } = await scene(t)
  const [well, fails] = served
  const AWAY = 3 * 3_600_000
  const known = issue(well, 'known.example.com')
  host.setFault(({ log }) => (log === fails.log.name ? { status: 503 } : undefined))
  const before = await certbell(['watch'], {
    cwd: folder,
    with: async (child, said) => {
      await until(() => said().includes(known) && host.count('get-sth') > 1, 'one is read, and one fails')
      child.kill('SIGTERM')
    },
  })
  assert.equal(before.code, 0, before.err)
  assert.deepEqual(idsIn(before.out), [known])
  well.show(() => headAt(well.log, Date.now() + AWAY))
  const meanwhile = issue(well, 'meanwhile.example.com')
  const kindsIn = (out: string): readonly string[] =>
    [...out.matchAll(/^\{"schema":"certbell.alert\/1","kind":"([a-z]+)".*$/gm)].map(
      ([line, kind]) => `${kind} ${/"component":"([^"]+)"/.exec(line)?.[1] ?? ''}`,
    )
  const ran = await certbell(['watch'], {
    cwd: folder,
    timeout: 90_000,
    env: { NODE_OPTIONS: `--require ${CLOCK}`, CLOCK_SHIFT_MS: String(AWAY) },
    with: async (child, said) => {
      await until(() => said().includes('"trouble"'), 'the one that fails rings', 40_000)
      host.setFault(undefined)
      await until(() => said().includes('"recovered"'), 'and is well again', 40_000)
      child.kill('SIGTERM')
    },
  })
  assert.equal(ran.code, 0, ran.err)
  assert.ok(idsIn(ran.out).includes(meanwhile))
  const component = "log:Sandbox 'rfc6962' log"
  assert.deepEqual(kindsIn(ran.out), ['certificate ', `trouble ${component}`, `recovered ${component}`])
})
