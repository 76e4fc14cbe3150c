// The package as a user gets it: packed, installed in an empty folder without development dependencies, every command run; and the commands that
// the deploy files name.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import type { CertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import type { Slack } from '../../src/sandbox/slack.ts'
import { deployCommands } from '../support/deploy.ts'
import type { Ran } from '../support/run.ts'
import { certbell, TOKEN, until, WEBHOOK_PATH } from '../support/run.ts'

const ROOT = join(import.meta.dirname, '..', '..')

describe('the packed tarball in an empty folder', () => {
  let folder = ''
  let bin = ''
  let api: CertSpotterApi
  let slack: Slack
  let env: Record<string, string>

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'certbell-install-'))
    const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    const tarball = join(folder, packed.toString().trim().split('\n').at(-1) ?? '')
    const place = join(folder, 'place')
    mkdirSync(place)
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--omit=dev', tarball], { cwd: place, stdio: ['ignore', 'pipe', 'pipe'] })
    bin = join(place, 'node_modules', 'certbell', 'bin', 'certbell.js')
    api = await startCertSpotterApi({ tokens: [TOKEN] })
    slack = await startSlack({ path: WEBHOOK_PATH })
    const ids = createIds()
    api.add(makeIssuance({ id: ids(), names: ['www.example.com'], notBefore: new Date(Date.now() - 86_400_000 * 3) }))
    env = { MONITOR_DOMAINS: 'example.com', SLACK_WEBHOOK: slack.url, CERTSPOTTER_API_URL: api.url, CERTSPOTTER_API_TOKEN: TOKEN }
  })
  after(async () => {
    await api.close()
    await slack.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const run = async (args: readonly string[], more: Partial<Parameters<typeof certbell>[1]> = {}): Promise<Ran> =>
    certbell(args, { cwd: join(folder, 'place'), env: { ...env, ...more.env }, bin, ...('with' in more && { with: more.with }) })

  it('has no native code and no install script of its own', () => {
    const modules = join(folder, 'place', 'node_modules')
    const native = execFileSync('find', [modules, '-name', '*.node']).toString().trim()
    assert.equal(native, '')
    assert.ok(existsSync(join(modules, 'certbell', 'schema', 'certbell.schema.json')))
    assert.deepEqual(
      readdirSync(modules).filter((name) => name === 'typescript' || name === 'node' || name === 'fast-check'),
      [],
    )
  })

  for (const [args, code] of [
    [['--version'], 0],
    [['--help'], 0],
    [['demo'], 0],
    [['check'], 0],
    [['doctor'], 0],
    [['test-alert'], 0],
    [['poll', '--wait'], 0],
    [['status'], 0],
    [['certs'], 0],
    [['alerts'], 0],
    [['logs'], 0],
    [['init', '--yes', '--watch', 'example.com'], 0],
  ] as const) {
    it(`certbell ${args.join(' ')} exits ${code}`, async () => {
      const ran = await run(args)
      assert.equal(ran.code, code, ran.out + ran.err)
      assert.notEqual(ran.out + ran.err, '')
    })
  }

  it('has the Lambda function, in one file that needs none of the others', async () => {
    const code = "console.log((await import('certbell/lambda')).handler.length, import.meta.resolve('certbell/lambda'))"
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: join(folder, 'place') }).toString()
    const [, parameters, url = ''] = /^(\d) file:\/\/(.*)$/.exec(said.trim()) ?? []
    assert.equal(parameters, '2')
    cpSync(url, join(folder, 'index.mjs'))
    assert.equal(
      execFileSync(process.execPath, ['--input-type=module', '-e', `await import(${JSON.stringify(join(folder, 'index.mjs'))})`]).toString(),
      '',
    )
  })

  it('certbell watch rings, and ends with 0', async () => {
    const seen = slack.messages.length
    const ran = await run(['watch'], {
      with: async (child, said) => {
        await until(() => said().includes('watching'), 'it says that it watches')
        child.kill('SIGTERM')
      },
    })
    assert.equal(ran.code, 0, ran.err)
    assert.ok(slack.messages.length >= seen)
  })

  for (const { file, words } of deployCommands()) {
    it(`${file}: ${words.join(' ')}`, async () => {
      const config = join(folder, 'place', 'deployed.yaml')
      writeFileSync(config, 'watch: [example.com]\n')
      const args = words.slice(1).map((word) => (word === '/etc/certbell/certbell.yaml' ? config : word))
      // As the unit and the image give it.
      const ran = await run(args, {
        env: { STATE_DIRECTORY: join(folder, 'state-of-deploy') },
        with: async (child, said) => {
          if (!args.includes('watch')) return
          await until(() => said().includes('watching'), `${file} comes up`)
          child.kill('SIGTERM')
        },
      })
      assert.equal(ran.code, 0, ran.err)
      assert.ok(existsSync(join(folder, 'state-of-deploy', 'certbell.db')))
    })
  }
})
