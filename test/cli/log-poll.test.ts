// `certbell poll` over logs, as cron runs it: contract, section 2. A log that asks to be left alone is left to the next run, and that is no failure.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { logList } from '../../src/sandbox/ct-list.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { certbell } from '../support/run.ts'

it('a log that asks to be left alone holds up no pass, and the certificate itself is noted with its alert', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-log-poll-'))
  // Limits are of a host: the log that is well has one of its own.
  const [host, strict] = await Promise.all([startCtHost(), startCtHost()])
  t.after(async () => {
    await Promise.all([host.close(), strict.close()])
    rmSync(folder, { recursive: true, force: true })
  })
  const good = host.serve(createCtLog({ name: 'good' }), { protocol: 'static-ct' })
  const bad = strict.serve(createCtLog({ name: 'strict' }), { protocol: 'rfc6962' })
  const twins = issueTwins([good.log, bad.log], { names: ['new.example.com'], notBefore: new Date() })
  good.log.publish()
  bad.log.publish()
  strict.setFault(({ kind }) => (kind === 'get-entries' ? { retryAfter: 600 } : undefined))
  writeFileSync(join(folder, 'logs.json'), logList([good, bad]))
  writeFileSync(
    join(folder, 'certbell.yaml'),
    "watch: [example.com]\nstdout: json\nstate: ./state\ncertspotter: false\nlogs: {lists: ['./logs.json'], start: beginning}\n",
  )
  const first = await certbell(['poll'], { cwd: folder, timeout: 20_000 })
  assert.equal(first.code, 0, first.err)
  const [line = '', ...more] = first.out.trim().split('\n')
  assert.deepEqual([(JSON.parse(line) as { id: string }).id, more], [twins.issuance('1').tbs_sha256, []])
  const logs = await certbell(['logs', '--json'], { cwd: folder })
  const rows = JSON.parse(logs.out) as readonly { readonly log: string; readonly lag: { readonly cause?: string } }[]
  assert.deepEqual(
    rows.map(({ log, lag }) => [log, lag.cause]),
    [
      ["Sandbox 'good' log", undefined],
      ["Sandbox 'strict' log", 'limited'],
    ],
  )

  const asked = strict.requests.length
  assert.ok(asked > 0)
  twins.logCertificate([good.log])
  good.log.publish()
  const second = await certbell(['poll'], { cwd: folder, timeout: 20_000 })
  assert.deepEqual([second.code, second.out], [0, ''])
  for (const _ of [1, 2]) assert.equal((await certbell(['poll'], { cwd: folder, timeout: 20_000 })).code, 0)
  assert.equal(strict.requests.length, asked, 'nothing is asked of it until then, by no run')
  const alerts = await certbell(['alerts', '--json'], { cwd: folder })
  const { final_certificate: final } = JSON.parse(alerts.out) as { final_certificate?: { cert_sha256: string; source: { index: number } } }
  assert.equal(final?.source.index, 1)
  assert.equal(final.cert_sha256, twins.certificate.certSha256)
})

it('a list in a file is the same one wherever the command is run', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-log-list-'))
  const elsewhere = mkdtempSync(join(tmpdir(), 'certbell-elsewhere-'))
  const host = await startCtHost()
  t.after(async () => {
    await host.close()
    for (const each of [folder, elsewhere]) rmSync(each, { recursive: true, force: true })
  })
  const logs = ['old', 'new'].map((name) => host.serve(createCtLog({ name }), { protocol: 'static-ct' }))
  const ids = logs.map(({ log }) => {
    const twins = issueTwins([log], { names: [`${log.name}.example.com`], notBefore: new Date() })
    log.publish()
    return twins.issuance('1').tbs_sha256
  })
  writeFileSync(join(folder, 'logs.json'), logList(logs.slice(0, 1)))
  const yaml = join(folder, 'certbell.yaml')
  writeFileSync(yaml, `watch: [example.com]\nstdout: json\nstate: '${join(folder, 'state')}'\ncertspotter: false\nlogs: {lists: ['./logs.json']}\n`)
  assert.deepEqual(await certbell(['poll'], { cwd: folder, timeout: 20_000 }).then(({ code, out }) => [code, out]), [0, ''])
  // What is new to the list that is known is read from its first entry; of a list that is new nothing is.
  writeFileSync(join(folder, 'logs.json'), logList(logs))
  const { code, out, err } = await certbell(['poll', '--config', yaml], { cwd: elsewhere, timeout: 20_000 })
  assert.equal(code, 0, err)
  assert.deepEqual(
    out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: string }).id),
    ids.slice(1),
  )
})
