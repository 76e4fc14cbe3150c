// The real command killed at any moment while it reads logs: what it found is kept once, told at least once, and every entry is verified in the end.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { logList } from '../../src/sandbox/ct-list.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { certbell } from '../support/run.ts'
import { numbers } from '../watch/simulate.ts'

const KILLS = 8

interface Line {
  readonly kind: string
  readonly id: string
}

// Whole lines alone: a killed process may leave half of one at the end.
const certificates = (text: string): readonly string[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)
    .filter(({ kind }) => kind === 'certificate')
    .map(({ id }) => id)

test(`SIGKILL, ${KILLS} times, while both kinds of logs grow`, { timeout: 120_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-log-kill-'))
  const host = await startCtHost()
  t.after(async () => {
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const served = (['static-ct', 'rfc6962'] as const).map((protocol) => host.serve(createCtLog({ name: protocol }), { protocol }))
  const logs = served.map(({ log }) => log)
  writeFileSync(join(folder, 'logs.json'), logList(served))
  writeFileSync(
    join(folder, 'certbell.yaml'),
    'watch: [watched.example]\ncertspotter: false\nlogs: {lists: [./logs.json], start: beginning, interval: 1s}\nstdout: json\nstate: ./state\n',
  )
  const strangers = makeFiller({ count: 8, names: (n) => [`n${n}.stranger.test`], notBefore: new Date() })
  const random = numbers(7)
  const ids: string[] = []
  const grow = (): void => {
    for (const log of logs) log.addMany(300, strangers)
    for (let n = 0; n < 4; n++) {
      const twins = issueTwins(logs, { names: [`host-${ids.length}.watched.example`], notBefore: new Date() })
      twins.logCertificate(logs)
      ids.push(twins.issuance('1').tbs_sha256)
    }
    for (const log of logs) log.publish()
  }
  const told = new Set<string>()
  for (let n = 0; n < KILLS; n++) {
    grow()
    const ran = await certbell(['watch', '--quiet'], {
      cwd: folder,
      with: async (child) => {
        await new Promise((resolve) => setTimeout(resolve, 250 + random() * 700))
        child.kill('SIGKILL')
      },
    })
    assert.equal(ran.signal, 'SIGKILL', ran.err)
    for (const id of certificates(ran.out)) told.add(id)
  }
  const last = await certbell(['poll', '--quiet'], { cwd: folder })
  assert.equal(last.code, 0, last.err)
  for (const id of certificates(last.out)) told.add(id)
  assert.deepEqual([...told].sort(), ids.toSorted(), 'each is told')
  const kept = await certbell(['alerts', '--json', '--limit', '1000'], { cwd: folder })
  assert.deepEqual([...certificates(kept.out)].sort(), ids.toSorted(), 'each is kept once')
  const rows = JSON.parse((await certbell(['logs', '--json'], { cwd: folder })).out) as readonly { readonly verified: number }[]
  assert.deepEqual(
    rows.map(({ verified }) => verified),
    logs.map(({ size }) => size).reverse(),
  )
})
