import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { writeWholeFile } from '../../src/cli/init-files.ts'
import type { Prompter, Question } from '../../src/cli/init-prompts.ts'
import { runInit } from '../../src/cli/init.ts'
import type { InitOptions } from '../../src/cli/init.ts'
import { readTextFile } from '../../src/config/files.ts'
import { loadConfig } from '../../src/config/load.ts'
import { itemKey } from '../../src/watch/item.ts'

const SECRET = 'hKq3NeverPrintThis9'
const HOOK = `https://hooks.slack.com/services/T0/B0/${SECRET}`
const TOKEN = 'k8472_NeverPrintMe'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'certbell-init-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function options(cwd: string, more: Partial<InitOptions> = {}): InitOptions {
  return { cwd, version: '1.2.3', yes: true, force: false, watch: ['example.com'], readFile: readTextFile, write: writeWholeFile, ...more }
}

/** Answers in turn; an answer that `validate` refuses is recorded and the next one is given. */
function answering(answers: readonly (string | undefined)[]): { prompter: Prompter; asked: string[]; refused: string[] } {
  const left = [...answers]
  const asked: string[] = []
  const refused: string[] = []
  const ask =
    (how: string) =>
    async ({ message, validate }: Question) => {
      asked.push(`${how} ${message}`)
      for (;;) {
        const answer = left.shift()
        const problem = answer === undefined ? undefined : validate(answer)
        if (problem === undefined) return answer
        refused.push(problem)
      }
    }
  return { prompter: { text: ask('text'), secret: ask('secret') }, asked, refused }
}

function loaded(cwd: string) {
  const result = loadConfig({ flags: {}, env: {}, cwd, home: '/home/ana', readFile: readTextFile })
  assert.ok('config' in result, JSON.stringify(result))
  return result.config
}

test('--yes writes both files, secrets into .env alone, and the next commands are said', async (t) => {
  const cwd = folder(t)
  const { exit, out } = await runInit(options(cwd, { watch: ['example.com, =login.example.net', '*.example.org'], slack: [HOOK], token: TOKEN }))
  assert.equal(exit, 0)
  assert.deepEqual(readdirSync(cwd).sort(), ['.env', 'certbell.yaml'])
  const yaml = readFileSync(join(cwd, 'certbell.yaml'), 'utf8')
  assert.equal(
    yaml,
    `# yaml-language-server: $schema=https://unpkg.com/certbell@1.2.3/schema/certbell.schema.json
watch:
  - example.com
  - =login.example.net
  - "*.example.org"
slack: \${SLACK_WEBHOOK}
certspotter:
  token: \${CERTSPOTTER_API_TOKEN}
`,
  )
  assert.equal(readFileSync(join(cwd, '.env'), 'utf8'), `SLACK_WEBHOOK=${HOOK}\nCERTSPOTTER_API_TOKEN=${TOKEN}\n`)
  assert.equal(statSync(join(cwd, '.env')).mode & 0o777, 0o600)
  for (const command of ['certbell check', 'certbell test-alert', 'certbell watch']) assert.ok(out.includes(command), command)
  assert.ok(!out.includes(SECRET) && !out.includes(TOKEN))
  const config = loaded(cwd)
  assert.deepEqual(config.watch.map(itemKey), ['example.com', '=login.example.net', 'example.org'])
  assert.deepEqual(config.slack, [{ name: 'slack', url: HOOK }])
  assert.equal(config.certspotter === false ? undefined : config.certspotter.token, TOKEN)
})

test('without secrets there is no .env, and the installed schema is used where there is one', async (t) => {
  const cwd = folder(t)
  const readFile = (path: string) => (path.endsWith('certbell.schema.json') ? '{}' : readTextFile(path))
  assert.equal((await runInit(options(cwd, { readFile }))).exit, 0)
  assert.deepEqual(readdirSync(cwd), ['certbell.yaml'])
  assert.match(
    readFileSync(join(cwd, 'certbell.yaml'), 'utf8'),
    /^# yaml-language-server: \$schema=\.\/node_modules\/certbell\/schema\/certbell\.schema\.json\nwatch:\n {2}- example\.com\n$/,
  )
})

test('nothing is overwritten without --force', async (t) => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'certbell.yaml'), 'watch: mine.example\n')
  const first = await runInit(options(cwd, { slack: [HOOK] }))
  assert.deepEqual(first, { exit: 2, out: 'certbell.yaml exists already and is left as it is. Edit it, or write it anew with --force' })
  assert.deepEqual(readdirSync(cwd), ['certbell.yaml'])
  rmSync(join(cwd, 'certbell.yaml'))
  writeFileSync(join(cwd, '.env'), 'OTHER=1\n')
  const second = await runInit(options(cwd, { slack: [HOOK] }))
  assert.equal(second.exit, 2)
  assert.match(second.out, /^\.env exists already/)
  assert.deepEqual(readdirSync(cwd), ['.env'])
  assert.equal(readFileSync(join(cwd, '.env'), 'utf8'), 'OTHER=1\n')
})

test('a file that comes into being meanwhile is not overwritten either', async (t) => {
  const cwd = folder(t)
  const path = join(cwd, 'certbell.yaml')
  writeFileSync(path, 'mine')
  assert.throws(() => writeWholeFile(path, 'ours', { mode: 0o600, overwrite: false }), { code: 'EEXIST' })
  assert.equal(readFileSync(path, 'utf8'), 'mine')
  assert.deepEqual(readdirSync(cwd), ['certbell.yaml'])
  const { exit } = await runInit(options(cwd, { readFile: () => undefined }))
  assert.equal(exit, 2)
  assert.equal(readFileSync(path, 'utf8'), 'mine')
})

test('--force keeps what else is in .env, and its mode becomes 0600', async (t) => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'certbell.yaml'), 'old')
  writeFileSync(join(cwd, '.env'), '# ours\nOTHER="1"\nexport SLACK_WEBHOOK=old\nLAST=2\nSLACK_WEBHOOK=older\n', { mode: 0o644 })
  assert.equal((await runInit(options(cwd, { force: true, slack: [HOOK], token: TOKEN }))).exit, 0)
  assert.equal(readFileSync(join(cwd, '.env'), 'utf8'), `# ours\nOTHER="1"\nSLACK_WEBHOOK=${HOOK}\nLAST=2\nCERTSPOTTER_API_TOKEN=${TOKEN}\n`)
  assert.equal(statSync(join(cwd, '.env')).mode & 0o777, 0o600)
  assert.match(readFileSync(join(cwd, 'certbell.yaml'), 'utf8'), /example\.com/)
})

test('--force replaces a link, not what it points to', async (t) => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'elsewhere'), 'A=1\n')
  symlinkSync('elsewhere', join(cwd, '.env'))
  assert.equal((await runInit(options(cwd, { force: true, slack: [HOOK] }))).exit, 0)
  assert.equal(readFileSync(join(cwd, 'elsewhere'), 'utf8'), 'A=1\n')
})

test('mistakes of the flags are said at once and nothing is written', async (t) => {
  const cwd = folder(t)
  const { exit, out } = await runInit(
    options(cwd, { watch: ['com,a..example.com'], slack: [`http://hooks.example.com/${SECRET}`], token: 'two words' }),
  )
  assert.equal(exit, 2)
  assert.match(out, /^The settings have 4 problems:\n/)
  assert.match(out, /^ {2}--watch +"com" is a public suffix/m)
  assert.match(out, /^ {2}--slack +the webhook is an http: URL/m)
  assert.match(out, /^ {2}--token +the token has white space/m)
  assert.ok(!out.includes(SECRET))
  assert.match((await runInit(options(cwd, { watch: [] }))).out, /--watch +is missing/)
  assert.match((await runInit(options(cwd, { yes: false }))).out, /there is no terminal to ask at/)
  assert.deepEqual(readdirSync(cwd), [])
})

test('a webhook on loopback is fine, for trying things out', async (t) => {
  const cwd = folder(t)
  assert.equal((await runInit(options(cwd, { slack: ['http://127.0.0.1:8080/services/a/b'] }))).exit, 0)
  assert.equal(loaded(cwd).slack.length, 1)
})

test('asking: wrong answers are explained, secrets are asked for in secret, empty means none', async (t) => {
  const cwd = folder(t)
  const { prompter, asked, refused } = answering(['com', '', 'example.com example.net', 'nonsense', HOOK, ''])
  const { exit } = await runInit({ ...options(cwd, { yes: false, prompt: async () => prompter }), watch: [] })
  assert.equal(exit, 0)
  assert.deepEqual(
    asked.map((question) => question.split(' ')[0]),
    ['text', 'secret', 'secret'],
  )
  assert.equal(refused.length, 3)
  assert.deepEqual(loaded(cwd).watch.map(itemKey), ['example.com', 'example.net'])
  assert.doesNotMatch(readFileSync(join(cwd, 'certbell.yaml'), 'utf8'), /certspotter:\n/)
})

test('asking: what the flags give rightly is not asked again', async (t) => {
  const cwd = folder(t)
  const { prompter, asked } = answering([''])
  assert.equal((await runInit(options(cwd, { yes: false, slack: [HOOK], prompt: async () => prompter }))).exit, 0)
  assert.equal(asked.length, 1)
})

test('Ctrl-C at any question writes nothing and is exit 2', async (t) => {
  const cwd = folder(t)
  for (const answers of [[undefined], ['example.com', undefined], ['example.com', HOOK, undefined]]) {
    const { exit, out } = await runInit({ ...options(cwd, { yes: false, prompt: async () => answering(answers).prompter }), watch: [] })
    assert.deepEqual([exit, out], [2, 'Nothing was written.'])
    assert.deepEqual(readdirSync(cwd), [])
  }
})

test('an existing file is said before anything is asked', async (t) => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'certbell.yaml'), 'mine')
  const { exit } = await runInit(options(cwd, { yes: false, prompt: () => Promise.reject(new Error('asked')) }))
  assert.equal(exit, 2)
})

test('--config names the file, and .env is beside it', async (t) => {
  const cwd = folder(t)
  const { out } = await runInit(options(cwd, { config: 'other.yaml', slack: [HOOK] }))
  assert.deepEqual(readdirSync(cwd).sort(), ['.env', 'other.yaml'])
  assert.match(out, /certbell check --config other\.yaml/)
})

test('a folder that is not there, or is none, is said before anything is asked', async (t) => {
  const cwd = folder(t)
  writeFileSync(join(cwd, 'file'), '')
  const prompt = () => Promise.reject(new Error('asked'))
  const table: readonly (readonly [string, RegExp])[] = [
    ['nosuch/certbell.yaml', /^the folder .*\/nosuch does not exist\. Make it first: mkdir -p .*\/nosuch$/],
    ['file/certbell.yaml', /^.*\/file is a file, not a folder\. Name a file in a folder/],
  ]
  for (const [config, why] of table) {
    const { exit, out } = await runInit(options(cwd, { config, yes: false, prompt }))
    assert.equal(exit, 2)
    assert.match(out, why)
  }
  const full = await runInit(
    options(cwd, {
      write: () => {
        throw Object.assign(new Error('no'), { code: 'ENOSPC' })
      },
    }),
  )
  assert.deepEqual(full, { exit: 2, out: 'certbell.yaml or .env cannot be written (ENOSPC)' })
  assert.deepEqual(readdirSync(cwd), ['file'])
})

test('several webhooks are all kept, each once', async (t) => {
  const cwd = folder(t)
  const other = 'https://hooks.slack.com/services/T0/B1/hKq3NeverPrintThis8'
  const { exit } = await runInit(options(cwd, { slack: [HOOK, other, HOOK] }))
  assert.equal(exit, 0)
  assert.match(readFileSync(join(cwd, 'certbell.yaml'), 'utf8'), /slack:\n {2}- \$\{SLACK_WEBHOOK\}\n {2}- \$\{SLACK_WEBHOOK_2\}\n/)
  assert.deepEqual(loaded(cwd).slack, [
    { name: 'slack', url: HOOK },
    { name: 'slack-2', url: other },
  ])
  const wrong = await runInit(options(cwd, { force: true, slack: [HOOK, 'nonsense'] }))
  assert.equal(wrong.exit, 2)
  assert.match(wrong.out, /--slack +the webhook is not a URL/)
})

test('a list of names in a file is taken as one, if the file is there', async (t) => {
  const cwd = folder(t)
  const missing = await runInit(options(cwd, { watch: ['@names.txt'] }))
  assert.equal(missing.exit, 2)
  assert.match(missing.out, /--watch +the file "names\.txt" does not exist in /)
  assert.match((await runInit(options(cwd, { watch: ['@'] }))).out, /--watch +"@" names no file/)
  writeFileSync(join(cwd, 'names.txt'), 'example.org\n')
  assert.equal((await runInit(options(cwd, { watch: ['@names.txt', 'example.com'] }))).exit, 0)
  assert.deepEqual(loaded(cwd).watch.map(itemKey), ['example.org', 'example.com'])
})
