// Every `--json` output of the real command, in good and bad times, held to its schema. The built command runs against the sandbox's servers.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { outputNames, outputSchemas, outputSchemaText } from '../../scripts/output-schemas.ts'
import type { OutputName } from '../../scripts/output-schemas.ts'
import { createAuthority } from '../../src/sandbox/ct-authority.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { brokenSignature } from '../../src/sandbox/ct-lies.ts'
import { logList } from '../../src/sandbox/ct-list.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { oddSubmissions } from '../../src/sandbox/ct-oddities.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import type { CertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import type { ApiIssuance } from '../../src/sandbox/issuance.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import type { Slack } from '../../src/sandbox/slack.ts'
import { HOSTILE_TEXTS } from '../support/hostile.ts'

const root = join(import.meta.dirname, '../..')
const DAY = 86_400_000
const TOKEN = 'token-of-the-sandbox'

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Scene {
  readonly api: CertSpotterApi
  readonly slack: Slack
  readonly folder: string
  readonly ids: () => string
  readonly env: Readonly<Record<string, string>>
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ran>
}

/** An API that knows one token, a webhook, and an empty folder; all gone after the test. */
async function scene(t: TestContext): Promise<Scene> {
  const api = await startCertSpotterApi({ tokens: [TOKEN] })
  const slack = await startSlack()
  const folder = mkdtempSync(join(tmpdir(), 'certbell-outputs-'))
  t.after(async () => {
    await api.close()
    await slack.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    CERTBELL_STATE_DIR: join(folder, 'state'),
    CERTSPOTTER_API_URL: api.url,
    CERTSPOTTER_API_TOKEN: TOKEN,
    MONITOR_DOMAINS: 'example.com',
    SLACK_WEBHOOK: slack.url,
    // As often as the budget allows, so that no test waits for its turn.
    SLEEP_DELAY: '1',
  }
  return {
    api,
    slack,
    folder,
    ids: createIds(),
    env,
    run: async (args, more = {}) => start(args, { ...env, ...more }, folder).ended,
  }
}

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): { readonly ended: Promise<Ran>; readonly stderr: () => string; kill(signal: NodeJS.Signals): void } {
  const child = spawn(process.execPath, [join(root, 'bin/certbell.js'), ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
  return { ended, stderr: () => stderr, kill: (signal) => void child.kill(signal) }
}

type Output<N extends OutputName> = ReturnType<(typeof outputSchemas)[N]['parse']>

function hold<N extends OutputName>(name: N, value: unknown): Output<N> {
  const result = outputSchemas[name].safeParse(value)
  if (!result.success) assert.fail(`${name}: ${JSON.stringify(result.error.issues, undefined, 1)}\n${JSON.stringify(value, undefined, 1)}`)
  return result.data as Output<N>
}

/** The one document that a command printed. */
function document<N extends OutputName>(name: N, { stdout, stderr }: Ran): Output<N> {
  assert.match(stdout, /^[^\n]+\n$/, `one line on stdout; stderr has ${stderr}`)
  return hold(name, JSON.parse(stdout))
}

/** The lines that a command printed. */
function lines<N extends OutputName>(name: N, { stdout }: Ran): readonly Output<N>[] {
  assert.ok(stdout === '' || stdout.endsWith('\n'))
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => hold(name, JSON.parse(line)))
}

function issued(from: Scene, names: readonly string[], overrides: Readonly<Record<string, unknown>> = {}): ApiIssuance {
  return makeIssuance({ id: from.ids(), names, notBefore: new Date(), overrides })
}

function old(from: Scene, names: readonly string[]): ApiIssuance {
  return makeIssuance({ id: from.ids(), names, notBefore: new Date(Date.now() - 20 * DAY) })
}

/** Something that no schema of a page would take, and that comes whatever is asked for. */
function broken(from: Scene, entry: Readonly<Record<string, unknown>>): ApiIssuance {
  return { ...issued(from, ['broken.example.com']), _any: true, ...entry }
}

/** Changes the control document, as time would. */
function age(from: Scene, change: (control: { items: Record<string, { succeededAt: number }>; runner?: unknown }) => void): void {
  const db = new DatabaseSync(join(from.folder, 'state', 'certbell.db'))
  try {
    const row = db.prepare('select body from control where id = 1').get()
    const control = JSON.parse(String(row?.['body']))
    change(control)
    db.prepare('update control set body = ? where id = 1').run(JSON.stringify(control))
  } finally {
    db.close()
  }
}

async function until<T>(look: () => T | undefined | Promise<T | undefined>, what: () => string): Promise<T> {
  const deadline = performance.now() + 20_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) assert.fail(what())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

for (const name of outputNames) {
  test(`schema/${name}.schema.json is the generated one (npm run schema writes it)`, () => {
    assert.equal(readFileSync(join(root, `schema/${name}.schema.json`), 'utf8'), outputSchemaText(name))
  })
}

test('the schemas are strict: every object in them refuses unknown keys', () => {
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    if ('properties' in value) assert.equal('additionalProperties' in value && value.additionalProperties, false, path)
    for (const [key, inner] of Object.entries(value)) walk(inner, `${path}/${key}`)
  }
  for (const name of outputNames) walk(JSON.parse(outputSchemaText(name)), name)
})

test('the schemas take what the contract shows, and no more', () => {
  const entry = {
    log: "Google 'Argon2026h2' log",
    log_id: Buffer.alloc(32).toString('base64'),
    operator: 'Google',
    type: 'rfc6962',
    state: 'usable',
    size: 4_354_630_040,
    position: 4_354_630_000,
    verified: 4_354_629_888,
    lag: { entries: 40, seconds: 2, cause: 'slow' },
    last_error: 'timeout',
  }
  hold('logs', [entry])
  assert.equal(outputSchemas.logs.safeParse([{ ...entry, more: 1 }]).success, false)
  assert.equal(outputSchemas.health.safeParse({ well: true, reasons: [], checked_at: '2026-11-25T10:00:00Z', more: 1 }).success, false)
  assert.equal(outputSchemas.health.safeParse({ well: true, reasons: [], checked_at: 'today' }).success, false)
})

test('nothing was run yet', async (t) => {
  const s = await scene(t)
  const status = await s.run(['status', '--json'])
  assert.equal(status.code, 1)
  assert.deepEqual(
    document('status', status).reasons.map(({ component }) => component),
    ['state'],
  )
  for (const [name, args] of [
    ['alert', ['alerts', '--json']],
    ['alert', ['alerts', '--json', '--pending']],
    ['cert', ['certs', '--json']],
  ] as const) {
    const ran = await s.run(args)
    assert.equal(ran.code, 0, ran.stderr)
    assert.deepEqual(lines(name, ran), [])
  }
  assert.deepEqual(document('logs', await s.run(['logs', '--json'])), [])
})

test('check: every kind of item, folding, exclusions, notes', async (t) => {
  const s = await scene(t)
  writeFileSync(
    join(s.folder, 'certbell.yaml'),
    'watch: [example.com, www.example.com, =login.example.net, bücher.example, 203.0.113.0/24]\nexclude: [test.example.com]\nstdout: json\ncertspotter: {baseline: silent, quota: {full: 2}}\n',
  )
  const ran = await s.run(['check', '--json'], { MONITOR_DOMAINS: '', SLACK_WEBHOOK: '', CERTSPOTTER_API_TOKEN: '' })
  assert.equal(ran.code, 0, ran.stderr)
  const checked = document('check', ran)
  assert.equal(checked.file, 'certbell.yaml')
  assert.deepEqual(
    checked.watch.map(({ kind }) => kind),
    ['subtree', 'exact', 'subtree', 'ip'],
  )
  assert.deepEqual(checked.folded, [{ item: 'www.example.com', into: 'example.com' }])
  assert.deepEqual(checked.exclude, ['test.example.com'])
  assert.deepEqual(checked.sinks, ['stdout'])
  assert.deepEqual(
    checked.sources.map((source) => [source.kind, 'token' in source && source.token]),
    [['certspotter', false]],
  )
  assert.ok(checked.notes.length >= 2)
  document('check', await s.run(['check', '--json']))
})

test('a mistake in the settings prints no document', async (t) => {
  const s = await scene(t)
  for (const command of ['check', 'doctor', 'status', 'certs', 'alerts', 'test-alert', 'logs']) {
    const ran = await s.run([command, '--json'], { CERTBELL_LISTEN: 'nowhere' })
    assert.equal(ran.code, 2, command)
    assert.equal(ran.stdout, '', command)
  }
})

test('doctor: all right, and everything wrong', async (t) => {
  const s = await scene(t)
  const good = await s.run(['doctor', '--json'])
  assert.equal(good.code, 0, good.stdout)
  assert.equal(document('doctor', good).well, true)

  s.api.setTokens([])
  const dead = await startSlack()
  await dead.close()
  const bad = await s.run(['doctor', '--json'], { SLACK_WEBHOOK: dead.url })
  assert.equal(bad.code, 1)
  const fails = document('doctor', bad).findings.filter(({ level }) => level === 'fail')
  assert.equal(fails.length, 2, bad.stdout)
  assert.ok(fails.every(({ remedy }) => remedy !== undefined))

  s.api.script.push({ status: 429, headers: { 'retry-after': '60' } })
  const waits = document('doctor', await s.run(['doctor', '--json']))
  assert.ok(waits.findings.some(({ level }) => level === 'warn'))

  writeFileSync(join(s.folder, 'file'), '')
  const noState = await s.run(['doctor', '--json'], { CERTBELL_STATE_DIR: join(s.folder, 'file') })
  assert.equal(noState.code, 1)
  assert.equal(document('doctor', noState).well, false)
})

test('good times: an inventory, a certificate that rings, one that does not', async (t) => {
  const s = await scene(t)
  s.api.add(old(s, ['www.example.com']), issued(s, ['new.example.com', 'other.example.net']))
  const polled = await s.run(['poll', '--json'])
  assert.equal(polled.code, 0, polled.stderr)
  const rang = lines('alert', polled)
  assert.deepEqual(rang.map(({ kind }) => kind).sort(), ['certificate', 'inventory'])
  assert.ok(rang.every((alert) => alert.deliveries === undefined))

  const status = await s.run(['status', '--json'])
  assert.equal(status.code, 0, status.stdout)
  const view = document('status', status)
  assert.equal(view.well, true)
  assert.equal(view.names[0]?.state, 'steady')
  assert.equal(view.sinks[0]?.state, 'ok')

  const told = lines('alert', await s.run(['alerts', '--json']))
  assert.equal(told.length, 2)
  // `--json` made standard output a sink beside Slack.
  for (const alert of told) assert.deepEqual(alert.deliveries?.map(({ sink, state }) => [sink, state]).sort(), [['slack', 'delivered'], ['stdout', 'delivered']]) // prettier-ignore
  const certs = lines('cert', await s.run(['certs', '--json']))
  assert.deepEqual(
    certs.map(({ names, rang }) => [names[0], rang]),
    [
      ['new.example.com', true],
      ['www.example.com', false],
    ],
  )
  assert.equal(lines('cert', await s.run(['certs', 'new.example.com', '--json'])).length, 1)
  assert.equal(lines('alert', await s.run(['alerts', '--json', '--limit', '1'])).length, 1)
})

test('the token is refused, and accepted again; the API lies about a hash; entries cannot be read', async (t) => {
  const s = await scene(t)
  await s.run(['poll'])
  s.api.setTokens([])
  // A name is due a second after it was looked at.
  const refused = await until(
    async () => {
      const ran = await s.run(['poll', '--json'])
      return ran.code === 1 ? ran : undefined
    },
    () => 'the refusal is not seen',
  )
  assert.deepEqual(
    lines('alert', refused).map((alert) => [alert.kind, 'component' in alert ? alert.component : '']),
    [['trouble', 'certspotter']],
  )
  const unwell = await s.run(['status', '--json'])
  assert.equal(unwell.code, 1)
  const view = document('status', unwell)
  assert.equal(view.reasons[0]?.component, 'certspotter')
  assert.equal(view.names[0]?.state, 'failing')
  assert.ok(view.names[0]?.last_error !== undefined)

  s.api.setTokens([TOKEN])
  s.api.add(
    issued(s, ['lied.example.com'], { tbs_sha256: 'ab'.repeat(32) }),
    issued(s, ['unreadable-der.example.com'], { cert_der: 'MIIB' }),
    issued(s, ['bare.example.com'], { cert_der: undefined, cert: undefined, issuer: undefined, pubkey_sha256: 7, revoked: null }),
    broken(s, { dns_names: 7 }),
    broken(s, { tbs_sha256: 'x', cert_der: undefined, cert: undefined }),
    broken(s, { not_before: 'soon', cert_der: undefined, cert: undefined }),
    { ...issued(s, ['not-of-ours.invalid']), _any: true },
  )
  // The pause after the failure is over in 2 s.
  const polled = await until(
    async () => {
      const ran = await s.run(['poll', '--json'])
      return ran.stdout === '' ? undefined : ran
    },
    () => 'it does not recover',
  )
  const rang = lines('alert', polled)
  const kinds = new Set(rang.map(({ kind }) => kind))
  assert.deepEqual([...kinds].sort(), ['certificate', 'malformed', 'recovered', 'trouble'])
  const found = new Set(rang.flatMap(({ findings }) => findings.map(({ kind }) => kind)))
  for (const kind of ['issued', 'tbs-differs', 'der-unreadable', 'name-by-api-only', 'malformed', 'recovered']) assert.ok(found.has(kind), kind)
  lines('alert', await s.run(['alerts', '--json']))
  lines('cert', await s.run(['certs', '--json']))
  document('status', await s.run(['status', '--json']))
})

test('hostile text in every field', async (t) => {
  const s = await scene(t)
  s.api.add(
    ...HOSTILE_TEXTS.map((text) =>
      issued(s, ['a.example.com', text], {
        issuer: { name: text, friendly_name: text, caa_domains: [text] },
        problem_reporting: text,
        cert_der: undefined,
        cert: undefined,
        _any: true,
      }),
    ),
    ...HOSTILE_TEXTS.slice(0, 20).map((text) => broken(s, { dns_names: text, issuer: text })),
  )
  // To standard output alone, which takes more than a message a second.
  const ran = await s.run(['poll', '--json'], { SLACK_WEBHOOK: '' })
  assert.equal(lines('alert', ran).length, HOSTILE_TEXTS.length + 20 + 1, ran.stderr)
  lines('alert', await s.run(['alerts', '--json'], { SLACK_WEBHOOK: '' }))
  lines('cert', await s.run(['certs', '--json'], { SLACK_WEBHOOK: '' }))
  document('status', await s.run(['status', '--json'], { SLACK_WEBHOOK: '' }))
})

test('a dead webhook beside a live one; a refused message; a name that the plan refuses; a rate limit', async (t) => {
  const s = await scene(t)
  const gone = await startSlack({ path: '/services/T0GONE/B0GONE/goneGoneGoneGoneGoneGone' })
  t.after(() => gone.close())
  gone.setMode({ status: 404, body: 'no_service' })
  writeFileSync(join(s.folder, 'certbell.yaml'), `slack: {ops: '${s.slack.url}', gone: '${gone.url}'}\n`)
  const env = { SLACK_WEBHOOK: '', MONITOR_DOMAINS: 'example.com, =refused.example.net' }
  s.api.refuse('refused.example.net')
  assert.equal((await s.run(['poll'], env)).code, 1)

  const view = document('status', await s.run(['status', '--json'], env))
  assert.deepEqual(view.reasons.map(({ component }) => component).sort(), ['certspotter:=refused.example.net', 'sink:gone'])
  assert.deepEqual(
    view.sinks.map(({ sink, state }) => [sink, state]),
    [
      ['ops', 'ok'],
      ['gone', 'dead'],
    ],
  )
  const pending = lines('alert', await s.run(['alerts', '--json', '--pending'], env))
  assert.ok(pending.length > 0)
  assert.deepEqual(
    [...new Set(pending.flatMap(({ deliveries }) => deliveries ?? []).map(({ sink, state }) => `${sink} ${state}`))].sort(),
    ['gone retrying', 'gone waiting', 'ops delivered'],
  )

  const outcomes: string[] = []
  for (const mode of [undefined, { status: 500, body: 'rollup_error' }, { status: 400, body: 'invalid_payload' }]) {
    s.slack.setMode(mode)
    const ran = await s.run(['test-alert', '--json'], env)
    assert.equal(ran.code, 1)
    outcomes.push(...lines('test-alert', ran).map(({ sink, outcome }) => `${sink} ${outcome}`))
  }
  assert.deepEqual(outcomes, ['ops delivered', 'gone dead', 'ops retry', 'gone dead', 'ops parked', 'gone dead'])

  s.api.add(issued(s, ['parked.example.com']))
  const parked = await until(
    async () => {
      await s.run(['poll'], env)
      const now = document('status', await s.run(['status', '--json'], env))
      return now.sinks.some((sink) => sink.parked > 0) ? now : undefined
    },
    () => 'nothing is parked',
  )
  assert.ok(parked.reasons.some(({ component }) => component === 'sink:ops/message'))
  lines('alert', await s.run(['alerts', '--json'], env))

  s.api.setFault(() => ({ status: 429, headers: { 'retry-after': '600' } }))
  const blocked = await until(
    async () => {
      await s.run(['poll'], env)
      return document('status', await s.run(['status', '--json'], env)).sources?.find((source) => source.blocked_until !== undefined)
    },
    () => 'the API is not obeyed',
  )
  assert.equal(blocked.source, 'certspotter')
})

test('the logs themselves: read to their end, entries that cannot be read, a lie, and a log that fails', async (t) => {
  const s = await scene(t)
  const host = await startCtHost()
  t.after(async () => host.close())
  const tiled = host.serve(createCtLog({ name: 'tiled' }), { protocol: 'static-ct' })
  const classic = host.serve(createCtLog({ name: 'classic' }), { protocol: 'rfc6962' })
  const both = [tiled.log, classic.log]
  const now = new Date()
  const filler = makeFiller({ count: 4, names: (n) => [`n${n}.stranger.test`], notBefore: now })
  for (const log of both) log.addMany(300, filler)
  const odd = oddSubmissions(createAuthority(), 'odd.example.com', '203.0.113.7', now)
  for (const { submission } of odd) tiled.log.add(submission)
  const twin = issueTwins(both, { names: ['new.example.com', 'other.example.net'], notBefore: now })
  for (const log of both) log.publish()
  writeFileSync(join(s.folder, 'logs.json'), logList([tiled, classic]))
  writeFileSync(
    join(s.folder, 'certbell.yaml'),
    'watch: [example.com, 203.0.113.0/24]\ncertspotter: false\nlogs: {lists: [./logs.json], start: beginning, interval: 1s, bandwidth: 1Gbit}\nstdout: json\n',
  )
  const env = { MONITOR_DOMAINS: '', SLACK_WEBHOOK: '', CERTSPOTTER_API_TOKEN: '', CERTSPOTTER_API_URL: '', SLEEP_DELAY: '' }

  const [source, ...none] = document('check', await s.run(['check', '--json'], env)).sources
  assert.deepEqual(
    [source, none],
    [{ kind: 'logs', lists: ['logs.json'], only: [], start: 'beginning', interval_seconds: 1, bits_per_second: 1_000_000_000 }, []],
  )
  assert.equal(document('doctor', await s.run(['doctor', '--json'], env)).well, true)
  assert.deepEqual(
    document('status', await s.run(['status', '--json'], env)).reasons.map(({ component }) => component),
    ['logs'],
  )

  const polled = await s.run(['poll'], env)
  assert.equal(polled.code, 0, polled.stderr)
  const rang = lines('alert', polled)
  const certificates = rang.filter((alert) => alert.kind === 'certificate')
  assert.equal(certificates.length, odd.filter(({ readable }) => readable).length + 1)
  // In both logs, and one alert.
  const [found, ...twice] = certificates.filter(({ id }) => id === twin.issuance('1').tbs_sha256)
  assert.deepEqual([found?.source.kind, found?.logged_at !== undefined, twice], ['log', true, []])
  const [malformed] = rang.filter((alert) => alert.kind === 'malformed')
  assert.equal(malformed?.count, odd.filter(({ readable }) => !readable).length)
  assert.equal(malformed?.entries?.length, malformed?.count)
  assert.ok(lines('cert', await s.run(['certs', '--json'], env)).every(({ source: { kind } }) => kind === 'log'))

  const rows = document('logs', await s.run(['logs', '--json'], env))
  assert.deepEqual(
    rows.map(({ log, log_id, operator, type, state, size, position, verified, lag, last_error }) => [log, log_id, operator, type, state, size, position, verified, lag, last_error]), // prettier-ignore
    [classic, tiled].map(({ log }) => [`Sandbox '${log.name}' log`, log.keys.id.toString('base64'), 'Certbell sandbox', log === tiled.log ? 'static-ct' : 'rfc6962', 'usable', log.size, log.size, log.size, { entries: 0, seconds: 0 }, undefined]), // prettier-ignore
  )
  const well = document('status', await s.run(['status', '--json'], env))
  assert.deepEqual([well.well, well.names, well.sources, well.logs], [true, [], [], rows])

  tiled.log.addMany(10, filler)
  tiled.log.publish()
  tiled.show(() => brokenSignature(tiled.log))
  const after = await s.run(['poll'], env)
  assert.equal(after.code, 1)
  const lied = lines('alert', after)
  const [lie, ...more] = lied
  assert.ok(lie?.kind === 'log-misbehaviour' && more.length === 0, JSON.stringify(lied))
  assert.deepEqual([lie.misbehaviour, lie.log_id, lie.evidence.length], ['wrong-signature', tiled.log.keys.id.toString('base64'), 2])
  for (const file of lie.evidence) assert.equal(statSync(join(s.folder, 'state', file)).mode & 0o777, 0o600)
  assert.deepEqual(
    lines('alert', await s.run(['alerts', '--json', '--limit', '1'], env)).map(({ kind }) => kind),
    ['log-misbehaviour'],
  )
  const [liar] = document('logs', await s.run(['logs', '--json'], env)).filter(({ type }) => type === 'static-ct')
  assert.deepEqual([liar?.lag.cause, liar?.verified, liar?.last_error !== undefined], ['misbehaves', tiled.log.size - 10, true])

  tiled.show(undefined)
  classic.log.addMany(10, filler)
  classic.log.publish()
  host.setFault(({ kind }) => (kind === 'get-entries' ? { status: 503 } : undefined))
  const watching = start(['watch', '--json'], { ...s.env, ...env }, s.folder)
  t.after(() => watching.kill('SIGKILL'))
  const behind = await until(
    async () => document('logs', await s.run(['logs', '--json'], env)).find(({ type, lag }) => type === 'rfc6962' && lag.cause !== undefined),
    () => watching.stderr(),
  )
  assert.deepEqual([behind.type, behind.lag.entries, behind.lag.cause, behind.last_error], ['rfc6962', 10, 'down', 'it answers 503'])
  document('status', await s.run(['status', '--json'], env))
  watching.kill('SIGTERM')
  assert.equal((await watching.ended).code, 0)
})

test('standard output as the sink: the sample is an alert, and the answer follows', async (t) => {
  const s = await scene(t)
  const ran = await s.run(['test-alert', '--json'], { SLACK_WEBHOOK: '' })
  assert.equal(ran.code, 0, ran.stderr)
  const [sample = '', answer = '', ...others] = ran.stdout.trimEnd().split('\n')
  assert.equal(hold('alert', JSON.parse(sample)).kind, 'test')
  assert.equal(hold('test-alert', JSON.parse(answer)).sink, 'stdout')
  assert.deepEqual(others, [])
})

test('late and dead: a name not looked at for hours, a runner that died', async (t) => {
  const s = await scene(t)
  await s.run(['poll'])
  const then = Date.now() - 5 * 3_600_000
  age(s, (control) => {
    for (const item of Object.values(control.items)) item.succeededAt = then
    control.runner = { owner: 'x', startedAt: then, seenAt: then, dueAt: then }
  })
  const ran = await s.run(['status', '--json'])
  assert.equal(ran.code, 1)
  const view = document('status', ran)
  assert.deepEqual(view.reasons.map(({ component }) => component).sort(), ['certspotter/overdue', 'runner'])
  assert.equal(view.runner?.overdue, true)
  assert.ok((view.names[0]?.lag_seconds ?? 0) > 3600)
  lines('alert', await s.run(['poll', '--json']))
})

test('/healthz of a running watch: well, then not; status beside it has the runner', async (t) => {
  const s = await scene(t)
  const watching = start(['watch', '--json'], { ...s.env, CERTBELL_LISTEN: '127.0.0.1:0' }, s.folder)
  t.after(() => watching.kill('SIGKILL'))
  const port = await until(
    () => /listening on 127\.0\.0\.1:(\d+)/.exec(watching.stderr())?.[1],
    () => watching.stderr(),
  )
  const look = async (): Promise<{ readonly status: number; readonly body: Output<'health'> }> => {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`)
    return { status: response.status, body: hold('health', await response.json()) }
  }
  await until(
    async () => ((await look()).status === 200 ? true : undefined),
    () => watching.stderr(),
  )
  assert.deepEqual((await look()).body.reasons, [])
  const runner = await until(
    async () => document('status', await s.run(['status', '--json'])).runner,
    () => 'no runner is recorded',
  )
  assert.equal(runner.overdue, false)

  s.slack.setMode({ status: 403, body: 'invalid_token' })
  s.api.add(issued(s, ['unheard.example.com']))
  const bad = await until(
    async () => {
      const now = await look()
      return now.status === 503 ? now : undefined
    },
    () => watching.stderr(),
  )
  assert.equal(bad.body.well, false)
  assert.equal(bad.body.reasons[0]?.component, 'sink:slack')

  watching.kill('SIGTERM')
  const ran = await watching.ended
  assert.equal(ran.code, 0, ran.stderr)
  assert.ok(lines('alert', ran).some(({ kind }) => kind === 'inventory'))
})

test('a folder of a newer version prints no document', async (t) => {
  const s = await scene(t)
  await s.run(['poll'])
  const db = new DatabaseSync(join(s.folder, 'state', 'certbell.db'))
  db.exec('pragma user_version = 999')
  db.close()
  for (const command of ['status', 'alerts', 'certs']) {
    const ran = await s.run([command, '--json'])
    assert.equal(ran.code, 2, command)
    assert.equal(ran.stdout, '', command)
    assert.match(ran.stderr, /newer/)
  }
})
