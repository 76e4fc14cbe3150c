// A name that is added after the logs were begun: since when it is looked for in them, and what tells of before, wherever one looks.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { outputSchemas } from '../../scripts/output-schemas.ts'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { logList } from '../../src/sandbox/ct-list.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import type { Ran } from '../support/run.ts'
import { certbell } from '../support/run.ts'

it('check and status say it, in words and in JSON, and what covers what was before', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-since-'))
  const [host, api] = [await startCtHost(), await startCertSpotterApi({ quota: { full: 1000, single: 1000 } })]
  t.after(async () => {
    await Promise.all([host.close(), api.close()])
    rmSync(folder, { recursive: true, force: true })
  })
  const served = host.serve(createCtLog({ name: 'one' }), { protocol: 'static-ct' })
  writeFileSync(join(folder, 'logs.json'), logList([served]))
  const configure = (watch: string, certspotter: string): void =>
    writeFileSync(
      join(folder, 'certbell.yaml'),
      `watch: [${watch}]\nstdout: json\nstate: ./state\ncertspotter: ${certspotter}\nlogs: {lists: ['./logs.json'], interval: 1s}\ncontact: security@example.com\n`,
    )
  const on = `{url: '${api.url}', quota: {full: 1000, single: 1000}}`
  const run = async (...args: readonly string[]): Promise<Ran> => certbell(args, { cwd: folder })
  const json = async (command: 'check' | 'status'): Promise<unknown> => JSON.parse((await run(command, '--json')).out)

  configure('example.com', on)
  assert.equal((await run('check')).code, 0)
  assert.equal(existsSync(join(folder, 'state')), false, 'check makes no state')
  assert.equal((await run('poll')).code, 0)
  for (const command of ['check', 'status'] as const) assert.doesNotMatch((await run(command)).out, /looked for in the logs/, 'nothing was added')
  assert.equal(outputSchemas.status.parse(await json('status')).added, undefined)

  configure('example.com, example.net, 203.0.113.7', on)
  const before = await run('check')
  assert.match(before.out, /example\.net is looked for in the logs from the next start on; the Cert Spotter API covers what they held before$/m)
  assert.match(
    before.out,
    /203\.0\.113\.7 is looked for in the logs from the next start on; what they held before was read without it, and nothing covers it$/m,
  )
  const polled = await run('poll')
  assert.match(polled.err, /example\.net is looked for in the logs from now on; the Cert Spotter API covers what they held before/)
  assert.match(polled.err, /203\.0\.113\.7 is looked for in the logs from now on; what they held before was read without it, and nothing covers it/)
  for (const command of ['check', 'status'] as const)
    assert.match(
      (await run(command)).out,
      /example\.net is looked for in the logs since (?:\d{4}-\d\d-\d\d )?\d\d:\d\d; the Cert Spotter API covers what they held before$/m,
    )
  const status = outputSchemas.status.parse(await json('status'))
  assert.deepEqual(
    status.added?.map(({ item, since, before: what }) => [item, Math.abs(Date.parse(since ?? '') - Date.now()) < 60_000, what]),
    [
      ['example.net', true, 'certspotter'],
      ['203.0.113.7', true, 'nothing'],
    ],
  )
  const check = outputSchemas.check.parse(await json('check'))
  assert.deepEqual(
    check.watch.map(({ item, in_logs_since: since }) => [item, since !== undefined]),
    [
      ['example.com', false],
      ['example.net', true],
      ['203.0.113.7', true],
    ],
  )

  configure('example.com, example.net, 203.0.113.7', 'false')
  assert.match(
    (await run('status')).out,
    /^ +example\.net, 203\.0\.113\.7 are looked for in the logs since (?:\d{4}-\d\d-\d\d )?\d\d:\d\d; what they held before was read without them, and nothing covers it$/m,
  )

  // Taken out for a while, one is new when it comes back.
  configure('example.com, 203.0.113.7', on)
  assert.doesNotMatch((await run('poll')).err, /looked for in the logs/)
  configure('example.com, example.net, 203.0.113.7', on)
  assert.match((await run('check')).out, /example\.net is looked for in the logs from the next start on/)
  assert.match((await run('poll')).err, /example\.net is looked for in the logs from now on/)
})
