// What a trial from outside found, each with the real command, so that it stays mended.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import type { CertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import type { Slack } from '../../src/sandbox/slack.ts'
import type { Control } from '../../src/stores/control.ts'
import { certbell, TOKEN, until, WEBHOOK_PATH } from '../support/run.ts'

interface Place {
  readonly folder: string
  readonly state: string
  readonly api: CertSpotterApi
  readonly slack: Slack
  readonly add: (name: string) => void
}

async function inPlace(names: readonly string[], run: (place: Place) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-trial-'))
  const api = await startCertSpotterApi({ tokens: [TOKEN] })
  const slack = await startSlack({ path: WEBHOOK_PATH })
  const ids = createIds()
  const state = join(folder, 'state')
  writeFileSync(
    join(folder, 'certbell.yaml'),
    `watch: [${names.join(', ')}]\nslack: ${slack.url}\nstate: ${state}\ncertspotter: {url: '${api.url}', token: ${TOKEN}, interval: 1s, quota: {full: 100000, single: 100000}}\n`,
  )
  try {
    await run({ folder, state, api, slack, add: (name) => api.add(makeIssuance({ id: ids(), names: [name], notBefore: new Date() })) })
  } finally {
    await api.close()
    await slack.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Changes the control document of a state that nobody has open. */
function age(state: string, change: (control: Control) => void): void {
  const database = new DatabaseSync(join(state, 'certbell.db'))
  const control = JSON.parse(String(database.prepare('select body from control').get()?.['body'])) as Control
  change(control)
  database.prepare('update control set body = ?').run(JSON.stringify(control))
  database.close()
}

describe('mended since a trial from outside', () => {
  it('a pass ends, though asking all names takes longer than the interval', async () => {
    const names = ['a.example', 'b.example', 'c.example', 'd.example']
    await inPlace(names, async ({ folder, api }) => {
      api.setFault(() => ({ slow: 400 }))
      const ran = await certbell(['poll'], { cwd: folder, timeout: 20_000 })
      assert.equal(ran.code, 0, ran.err)
      assert.deepEqual(api.requests.map(({ domain }) => domain).sort(), names)
    })
  })

  it('a state that is removed under a running watch is said to Slack, and is not well', async () => {
    await inPlace(['example.com'], async ({ folder, state, slack, add }) => {
      add('old.example.com')
      await certbell(['watch'], {
        cwd: folder,
        with: async (child) => {
          await until(() => slack.messages.length > 0, 'the baseline is told')
          renameSync(state, `${state}.gone`)
          await until(() => slack.messages.some(({ payload }) => JSON.stringify(payload).includes('removed or replaced')), 'it is said')
          child.kill('SIGTERM')
          child.kill('SIGTERM')
        },
      })
    })
  })

  it('a predecessor mark that is a directory is named in a warning, and the name gets a baseline', async () => {
    await inPlace(['example.com'], async ({ folder, state, api }) => {
      mkdirSync(join(state, 'example.com'), { recursive: true })
      const ran = await certbell(['poll'], { cwd: folder, env: { FILESYSTEM_PATH: state } })
      assert.equal(ran.code, 0, ran.err)
      assert.match(ran.err, /example\.com.*not a file/)
      assert.equal(api.requests[0]?.after, '')
    })
  })

  it('a state that lacks a table is damage: exit 2 with a remedy', async () => {
    await inPlace(['example.com'], async ({ folder, state }) => {
      assert.equal((await certbell(['poll'], { cwd: folder })).code, 0)
      const database = new DatabaseSync(join(state, 'certbell.db'))
      database.exec('drop table messages')
      database.close()
      for (const command of ['poll', 'status', 'alerts']) {
        const ran = await certbell([command], { cwd: folder })
        assert.equal(ran.code, 2, `${command}: ${ran.out}${ran.err}`)
        assert.match(ran.err, /damaged.*backup/)
      }
    })
  })

  it('a state that others can read is made its owner’s alone', async () => {
    await inPlace(['example.com'], async ({ folder, state }) => {
      assert.equal((await certbell(['poll'], { cwd: folder })).code, 0)
      chmodSync(state, 0o755)
      chmodSync(join(state, 'certbell.db'), 0o644)
      assert.equal((await certbell(['poll'], { cwd: folder })).code, 0)
      assert.deepEqual([statSync(state).mode & 0o777, statSync(join(state, 'certbell.db')).mode & 0o777], [0o700, 0o600])
    })
  })

  it('a watch that was killed is not waited for once poll does its work', async () => {
    await inPlace(['example.com'], async ({ folder, state, slack }) => {
      await certbell(['watch'], {
        cwd: folder,
        with: async (child) => {
          await until(() => slack.messages.length > 0, 'it runs')
          child.kill('SIGKILL')
        },
      })
      age(state, ({ runner }) => {
        if (runner !== undefined) runner.dueAt -= 3_600_000
      })
      assert.equal((await certbell(['status'], { cwd: folder })).code, 1)
      assert.equal((await certbell(['poll'], { cwd: folder })).code, 0)
      assert.equal((await certbell(['status'], { cwd: folder })).code, 0)
    })
  })

  it('Slack’s Retry-After: waiting for it is no failure, and one that is over is no reason to hammer', async () => {
    await inPlace(['example.com'], async ({ folder, slack }) => {
      slack.setMode({ status: 429, body: '', headers: { 'retry-after': '0' } })
      assert.equal((await certbell(['poll'], { cwd: folder, timeout: 20_000 })).code, 0)
      assert.equal(slack.attempts.length, 1)
      assert.equal((await certbell(['status'], { cwd: folder })).code, 0)
    })
  })

  it('thirty names that the plan refuses are one alert that has them all, and one when the last is taken again', async () => {
    const refused = Array.from({ length: 30 }, (_, n) => `r${n}.example`)
    await inPlace(['good.example', ...refused], async ({ folder, state, api, slack }) => {
      const config = join(folder, 'certbell.yaml')
      // Thirty inventories would take half a minute, at one a second.
      writeFileSync(config, readFileSync(config, 'utf8').replace('interval:', 'baseline: silent, interval:'))
      for (const name of refused) api.refuse(name, { message: `Cannot search ${name} because it is not beneath an eTLD` })
      const told = async (kind: string) => {
        const { out } = await certbell(['alerts', '--json'], { cwd: folder })
        const all = out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as { kind: string; items?: string[] }]))
        return all.filter((alert) => alert.kind === kind)
      }
      assert.equal((await certbell(['poll'], { cwd: folder })).code, 1)
      assert.deepEqual([...((await told('trouble'))[0]?.items ?? [])].sort(), [...refused].sort())
      const said = slack.messages.map(({ payload }) => JSON.stringify(payload)).filter((text) => text.includes('refuses this name'))
      assert.equal(said.length, 1)
      assert.match(said[0] ?? '', /30 names fail alike: .* and 27 more/)
      const status = await certbell(['status'], { cwd: folder })
      assert.equal(status.code, 1)
      assert.match(status.out.split('\n')[0] ?? '', /^Not well: 30 names fail alike/)
      assert.equal((await certbell(['poll'], { cwd: folder })).code, 1, 'what is refused is still to be mended')
      assert.equal((await told('trouble')).length, 1)

      for (const name of refused.slice(1)) api.allow(name)
      const askAgain = (): void =>
        age(state, (control) => {
          for (const item of Object.values(control.items)) delete item.retry
        })
      askAgain()
      assert.equal((await certbell(['poll'], { cwd: folder })).code, 1)
      assert.deepEqual([(await told('trouble')).length, (await told('recovered')).length], [1, 0])
      api.allow('r0.example')
      askAgain()
      assert.equal((await certbell(['poll'], { cwd: folder })).code, 0)
      assert.deepEqual([(await told('trouble')).length, (await told('recovered')).length], [1, 1])
      assert.equal((await certbell(['status'], { cwd: folder })).code, 0)
    })
  })

  it('a running watch tells a refused name as soon as its round is over', async () => {
    await inPlace(['good.example', 'bad.example'], async ({ folder, api, slack }) => {
      api.refuse('bad.example')
      await certbell(['watch'], {
        cwd: folder,
        with: async (child) => {
          await until(() => slack.messages.some(({ payload }) => JSON.stringify(payload).includes('cannot see bad.example')), 'it is told', 15_000)
          child.kill('SIGTERM')
        },
      })
    })
  })

  it('a day in which cron did not run is told by the next pass, before what was found', async () => {
    await inPlace(['example.com', 'example.net'], async ({ folder, state, slack, add }) => {
      const poll = async (): Promise<number | null> => (await certbell(['poll'], { cwd: folder })).code
      assert.equal(await poll(), 0)
      age(state, (control) => {
        for (const item of Object.values(control.items)) {
          item.succeededAt = (item.succeededAt ?? 0) - 86_400_000
          item.gap = 300_000
        }
      })
      add('meanwhile.example.com')
      const before = slack.messages.length
      assert.equal(await poll(), 0)
      const said = slack.messages.slice(before).map(({ payload }) => String(payload['text']))
      assert.equal(said.length, 3, said.join('\n'))
      assert.match(said[0] ?? '', /late: names are not looked at.*not looked at for 1 day/)
      assert.match(said[1] ?? '', /meanwhile\.example\.com/)
      assert.match(said[2] ?? '', /Every watched name is looked at again/)
      assert.equal((await certbell(['status'], { cwd: folder })).code, 0)
    })
  })

  it('doctor finds damage in a page that no command reads, and leaves it as it is', async () => {
    await inPlace(['example.com'], async ({ folder, state }) => {
      assert.equal((await certbell(['poll'], { cwd: folder })).code, 0)
      const path = join(state, 'certbell.db')
      assert.match((await certbell(['doctor'], { cwd: folder })).out, /^ok +state .*every page of it is whole$/m)
      const database = new DatabaseSync(path)
      const page = Number(database.prepare("select rootpage from sqlite_schema where name = 'known'").get()?.['rootpage'])
      database.close()
      const damaged = readFileSync(path).fill(0x5a, (page - 1) * 4096, page * 4096)
      writeFileSync(path, damaged)
      assert.equal((await certbell(['status'], { cwd: folder })).code, 0, 'status never comes there')
      const ran = await certbell(['doctor'], { cwd: folder })
      assert.equal(ran.code, 1)
      assert.match(ran.out, /^FAIL +the state at .* is damaged and was left as it is\. Restore it from a backup/m)
      assert.ok(readFileSync(path).equals(damaged))
    })
  })

  it('files with secrets in them that everyone can read are said by check and doctor, and are no error', async () => {
    await inPlace(['example.com'], async ({ folder, slack }) => {
      const config = join(folder, 'certbell.yaml')
      writeFileSync(join(folder, '.env'), `SLACK_WEBHOOK=${slack.url}\n`)
      chmodSync(join(folder, '.env'), 0o644)
      chmodSync(config, 0o640)
      const check = await certbell(['check'], { cwd: folder })
      assert.equal(check.code, 0)
      assert.match(check.out, /\.env has secrets in it, and everyone on this machine can read it: chmod 600 \.env$/m)
      assert.doesNotMatch(check.out, /certbell\.yaml has secrets/, 'a group was given it')
      const doctor = await certbell(['doctor'], { cwd: folder })
      assert.equal(doctor.code, 0, doctor.out)
      assert.match(doctor.out, /^warn +\.env has secrets in it.*\n +chmod 600 \.env$/m)
      assert.doesNotMatch((await certbell(['poll'], { cwd: folder })).err, /has secrets/, 'not each time from cron')
      chmodSync(join(folder, '.env'), 0o600)
      assert.doesNotMatch((await certbell(['check'], { cwd: folder })).out, /has secrets/)
    })
  })

  it('an id that would not come back as it went is no cursor', async () => {
    await inPlace(['example.com'], async ({ folder, state, api }) => {
      api.script.push({ status: 200, body: '[{"id":"\\ufffd"}]' })
      assert.equal((await certbell(['poll'], { cwd: folder })).code, 1)
      assert.ok(!readFileSync(join(state, 'certbell.db')).includes('\ufffd"'))
    })
  })
})
