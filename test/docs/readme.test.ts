// The documentation held against the code: every example is tried, every table compared with what it is a table of.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import { COMPONENT, outputSchemas } from '../../scripts/output-schemas.ts'
import type { OutputName } from '../../scripts/output-schemas.ts'
import { loadConfig } from '../../src/config/load.ts'
import { formatProblems } from '../../src/config/problems.ts'
import { configSchema } from '../../src/config/schema.ts'
import { composeSlack } from '../../src/notifiers/slack-message.ts'
import { renderSlack } from '../../src/notifiers/slack-render.ts'
import { overview } from '../../src/stores/overview.ts'
import { emptyControl } from '../../src/stores/control.ts'
import type { CertificateAlert } from '../../src/watch/alert.ts'
import { createMetrics } from '../../src/web/metrics.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

const DOCS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
const README = read('README.md')

interface Block {
  readonly where: string
  readonly text: string
}

function blocks(language: string): readonly Block[] {
  return DOCS.flatMap((file) => {
    const text = read(file)
    return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map((match) => ({
      where: `${file}:${text.slice(0, match.index).split('\n').length}`,
      text: match[1] ?? '',
    }))
  })
}

/** The text under a heading of the README, up to the next of the same depth or higher. */
function section(title: string): string {
  const from = README.indexOf(`\n## ${title}\n`)
  assert.ok(from >= 0, `the README has no "${title}"`)
  const to = README.indexOf('\n## ', from + 1)
  return README.slice(from, to === -1 ? undefined : to)
}

/** The cells of every table row in a text, head and rule left out. */
function rows(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line, index, lines) => line.startsWith('|') && !/^\|[-| ]+\|$/.test(line) && !/^\|[-| ]+\|$/.test(lines[index + 1] ?? ''))
    .map((line) =>
      line
        .replace(/^\||\|$/g, '')
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
}

/** A text without its fenced blocks. */
function prose(text: string): string {
  return text.replace(/^```[^]*?^```/gm, '')
}

/** What stands between backticks in running text. */
function codes(text: string): readonly string[] {
  return [...prose(text).matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')
}

function sorted(words: Iterable<string>): readonly string[] {
  return [...new Set(words)].sort()
}

test('the first lines say how to see it and how to test it', () => {
  const head = README.split('\n').slice(0, 60).join('\n')
  assert.match(head, /npm ci\s*(&&|\n)\s*(\$ )?npm run demo/)
  assert.match(head, /npm ci\s*(&&|\n)\s*(\$ )?npm test/)
})

test('every configuration in the documents is accepted, by the loader and by the schema', () => {
  const found = blocks('yaml')
  assert.ok(found.length >= 2)
  const env = {
    SLACK_WEBHOOK: 'https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/exampleExampleExample',
    CERTSPOTTER_API_TOKEN: 'example-token',
  }
  // Files that the examples name, with what would be in them.
  const files = (path: string): string | undefined =>
    path.endsWith('webhook')
      ? 'https://hooks.slack.com/services/T0OTHER/B0OTHER/otherOtherOther\n'
      : path.endsWith('.txt')
        ? 'example.org\n'
        : undefined
  for (const { where, text } of found) {
    const loaded = loadConfig({
      flags: {},
      env,
      cwd: '/work',
      home: '/home/ana',
      readFile: (path) => (path === '/work/certbell.yaml' ? text : files(path)),
    })
    if ('problems' in loaded) assert.fail(`${where}: ${formatProblems(loaded.problems, loaded.file)}`)
    assert.deepEqual(loaded.config.warnings, [], where)
    const checked = configSchema.safeParse(parse(text))
    assert.ok(checked.success, `${where}: ${JSON.stringify(checked.error?.issues)}`)
  }
})

test('the shortest configuration is two lines', () => {
  assert.equal(blocks('yaml')[0]?.text.trimEnd().split('\n').length, 2)
})

test('every JSON example fits its schema, and each kind of alert has one', () => {
  const kinds = new Set<string>()
  for (const { where, text } of blocks('json')) {
    const value: unknown = JSON.parse(text)
    assert.ok(typeof value === 'object' && value !== null && 'schema' in value && typeof value.schema === 'string', where)
    const name = /^certbell\.([a-z-]+)\/1$/.exec(value.schema)?.[1] as OutputName
    const result = outputSchemas[name].safeParse(value)
    assert.ok(result.success, `${where}: ${JSON.stringify(result.error?.issues)}`)
    if (name === 'alert' && 'kind' in value) kinds.add(String(value.kind))
  }
  assert.deepEqual(sorted(kinds), ['certificate', 'inventory', 'log-misbehaviour', 'malformed', 'recovered', 'test', 'trouble'])
})

test('docs/alert.md names every field of every kind, and every kind of finding', () => {
  const text = codes(read('docs/alert.md')).join(' ')
  for (const option of outputSchemas.alert.def.options) {
    for (const key of Object.keys(option.shape)) assert.ok(new RegExp(`\\b${key}\\b`).test(text), key)
  }
  const remarks = /kind: ('tbs-differs'[^\n]*)/.exec(read('src/watch/issuance.ts'))?.[1] ?? ''
  const found = [...remarks.matchAll(/'([a-z-]+)'/g)].map((match) => match[1] ?? '')
  assert.ok(found.length >= 3)
  for (const kind of found) assert.ok(text.includes(kind), kind)
})

test("the README's message is what Slack would show for the certificate of docs/alert.md", () => {
  const alert = blocks('json')
    .map(({ text }) => JSON.parse(text) as { readonly kind: string; readonly seen_at: string })
    .find(({ kind }) => kind === 'certificate') as CertificateAlert | undefined
  assert.ok(alert !== undefined)
  const { full } = JSON.parse(composeSlack([alert], { now: new Date(alert.seen_at) })) as { readonly full: unknown }
  assert.ok(README.includes(renderSlack(full)), renderSlack(full))
})

interface CommandLine {
  readonly where: string
  readonly words: readonly string[]
}

/** Every `certbell …` in shell blocks and crontabs. */
function commandLines(): readonly CommandLine[] {
  return ['sh', 'crontab'].flatMap(blocks).flatMap(({ where, text }) =>
    text.split('\n').flatMap((line) =>
      [...line.replace(/\s#.*$/, '').matchAll(/(?:^|[&|;]|\s{2,}|^\$)\s*certbell((?:\s+[^\s&|;]+)*)/g)].map((match) => ({
        where: `${where}: ${line}`,
        words: (match[1] ?? '').split(/\s+/).filter((word) => word !== ''),
      })),
    ),
  )
}

const helps = new Map<string, string>()

function help(command: string): string {
  const known = helps.get(command)
  if (known !== undefined) return known
  const text = execFileSync(process.execPath, [join(root, 'bin/certbell.js'), ...(command === '' ? [] : [command]), '--help'], { encoding: 'utf8' })
  helps.set(command, text)
  return text
}

/** The commands that the program has. */
function commands(): readonly string[] {
  const list = /\nCommands:\n([^]*?)\n\n/.exec(help(''))?.[1] ?? ''
  return [...list.matchAll(/^ {2}([a-z-]+)/gm)].map((match) => match[1] ?? '').filter((name) => name !== 'help')
}

test('every command line in the documents names a command and flags that there are', () => {
  const found = commandLines()
  assert.ok(found.length >= 15, String(found.length))
  const known = commands()
  for (const { where, words } of found) {
    const [first = ''] = words
    const command = known.includes(first) ? first : /[.=]/.test(first) ? 'watch' : undefined
    assert.ok(command !== undefined, where)
    for (const flag of words.filter((word) => word.startsWith('--'))) {
      assert.match(help(command), new RegExp(`^ +${flag.replace(/=.*$/, '')}\\b`, 'm'), where)
    }
  }
})

test("the README's commands are the program's, with an example in the help of each", () => {
  const named = rows(section('Commands')).map(([cell = '']) => codes(cell)[0]?.split(' ')[0] ?? '')
  assert.deepEqual(sorted(named), sorted(commands()))
  for (const command of commands()) assert.match(help(command), new RegExp(`\\nExamples?:\\n  certbell ${command}`), command)
})

test('flags in the running text exist', () => {
  const all = ['', ...commands()].map(help).join('\n')
  for (const file of DOCS) {
    for (const code of codes(read(file))) {
      if (/^(?:npm|node|docker|systemctl|sam|aws|npx)\b/.test(code)) continue
      for (const [flag] of code.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)) assert.ok(new RegExp(`^ +${flag}\\b`, 'm').test(all), `${file}: ${code}`)
    }
  }
})

test('the README has every configuration key, and no other', () => {
  const walk = (schema: unknown, path: string): readonly string[] => {
    if (typeof schema !== 'object' || schema === null) return []
    const properties = 'properties' in schema ? (schema.properties as Record<string, unknown>) : {}
    const alternatives = 'anyOf' in schema && Array.isArray(schema.anyOf) ? (schema.anyOf as unknown[]) : []
    return [
      ...Object.entries(properties).flatMap(([key, inner]) => [`${path}${key}`, ...walk(inner, `${path}${key}.`)]),
      ...alternatives.flatMap((alternative) => walk(alternative, path)),
    ]
  }
  const keys = walk(JSON.parse(read('schema/certbell.schema.json')), '')
  const named = rows(section('Configuration')).flatMap(([cell = '']) => codes(cell))
  assert.deepEqual(sorted(named), sorted(keys))
})

test('the README has every environment variable that src/config reads, and no other', () => {
  // document.ts holds the YAML parser's error codes, and no variable.
  const readers = readdirSync(join(root, 'src/config')).filter((name) => name !== 'document.ts')
  const used = readers.flatMap((name) => {
    // What stands in a comment or a message is no use of it.
    const code = read(`src/config/${name}`).replace(/^\s*(?:\/\/|\*|\/\*\*).*$/gm, '')
    return [...code.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|DEBUG|[a-z]+_proxy)'/g)].map((match) => match[1] ?? '')
  })
  const named = rows(section('Configuration')).flatMap(([, cell = '']) => codes(cell))
  assert.deepEqual(sorted(named), sorted(used))
})

test("the README's defaults are the program's", () => {
  const loaded = loadConfig({ flags: { names: ['example.com'] }, env: {}, cwd: '/work', home: '/home/ana', readFile: () => undefined })
  assert.ok('config' in loaded && loaded.config.certspotter !== false)
  const { certspotter, stdout, state } = loaded.config
  const defaults = new Map(rows(section('Configuration')).map(([key = '', , value = '']) => [codes(key)[0] ?? '', value]))
  assert.equal(defaults.get('certspotter.url'), `\`${certspotter.url}\``)
  assert.equal(defaults.get('certspotter.quota.full'), String(certspotter.quota.full))
  assert.equal(defaults.get('certspotter.quota.single'), String(certspotter.quota.single))
  assert.equal(defaults.get('certspotter.interval'), `\`${certspotter.intervalMs}\``)
  assert.equal(defaults.get('certspotter.baseline'), `\`${certspotter.baseline}\``)
  assert.equal(defaults.get('stdout'), `\`${stdout}\``)
  assert.ok(state.kind === 'directory' && defaults.get('state')?.includes(state.shown))
  assert.equal(loaded.config.logs, false)
  const reading = loadConfig({
    flags: { names: ['example.com'] },
    env: { CERTBELL_LOGS: 'true' },
    cwd: '/work',
    home: '/home/ana',
    readFile: () => undefined,
  })
  assert.ok('config' in reading && reading.config.logs !== false)
  const { lists, only, start, intervalMs, bandwidth } = reading.config.logs
  assert.equal(defaults.get('logs.lists'), `\`[${lists.map(({ kind }) => kind).join(', ')}]\``)
  assert.equal(defaults.get('logs.start'), `\`${start}\``)
  assert.equal(defaults.get('logs.interval'), `\`${intervalMs / 1000}s\``)
  assert.deepEqual([only, defaults.get('logs.only')], [[], 'all that are live'])
  assert.deepEqual([bandwidth, defaults.get('logs.bandwidth')], [undefined, 'no cap'])
})

test('the README has every metric that is rendered, with its labels, and no other', async () => {
  const metrics = createMetrics('1', Date.now, 1)
  metrics.asked('full', 'ok')
  metrics.sent('slack', 'delivered', [{ source: 'certspotter', seconds: 1 }])
  metrics.requested('a log', 'ok')
  const setup = {
    items: [],
    credential: 'x',
    quota: { full: 1, single: 1 },
    interval: 'auto',
    baseline: 'inventory',
    sinks: ['slack'],
  } as const
  const log = {
    log: 'a log',
    logId: 'x',
    operator: 'x',
    type: 'static-ct',
    state: 'usable',
    size: 3,
    position: 2,
    verified: 1,
    lagMs: 1000,
    lagEntries: 1,
    cause: 'slow',
    lastError: undefined,
    seenAt: 1,
  } as const
  const text = await metrics.render({ ...overview(emptyControl(), {}, setup, 0, [log]), lastSuccess: 1 }, { 'certificate/info': 1 })
  const rendered = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1] ?? '')
  const table = rows(section('Health, metrics, heartbeat')).filter(([cell = '']) => cell.startsWith('`certbell_'))
  assert.deepEqual(sorted(table.map(([cell = '']) => codes(cell)[0] ?? '')), sorted(rendered))
  for (const [cell = '', labels = ''] of table) {
    const name = codes(cell)[0] ?? ''
    const shown = new RegExp(`^${name}(?:_count)?(?:\\{(.*)\\})? `, 'm').exec(text)
    assert.ok(shown !== null, name)
    assert.deepEqual(sorted(codes(labels)), sorted([...(shown[1] ?? '').matchAll(/(\w+)="/g)].map((match) => match[1] ?? '')), name)
  }
  for (const file of DOCS) for (const [name] of read(file).matchAll(/\bcertbell_[a-z_]+/g)) assert.ok(rendered.includes(name), `${file}: ${name}`)
})

test('the README gives a reason for every dependency', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<'dependencies' | 'devDependencies', Record<string, string>>
  const text = section('Dependencies')
  const named = rows(text).map(([cell = '']) => codes(cell)[0] ?? '')
  assert.deepEqual(sorted(named), sorted(Object.keys(dependencies)))
  for (const name of Object.keys(devDependencies)) assert.ok(text.includes(`\`${name}\``), name)
  const lock = JSON.parse(read('package-lock.json')) as {
    readonly packages: Record<string, { readonly dev?: boolean; readonly hasInstallScript?: boolean }>
  }
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path !== '' && entry.dev !== true) assert.notEqual(entry.hasInstallScript, true, path)
  }
  for (const version of Object.values(dependencies)) assert.match(version, /^\d+\.\d+\.\d+$/)
})

test('the README has every component that can be in trouble', () => {
  const named = sorted(rows(section('Trouble, and what to do')).map(([cell = '']) => codes(cell)[0] ?? ''))
  const described = /^What it is about: (.*)\.$/.exec(COMPONENT)?.[1]?.split(/, | or /) ?? []
  assert.ok(described.length >= 10, described.join())
  assert.deepEqual(named, sorted(described))
})

test('docs/logs.md has every misbehaviour of a log and every cause of lag, and no other', () => {
  const text = read('docs/logs.md')
  const table = (first: string): readonly string[] => {
    const from = text.indexOf(`\n| ${first} |`)
    assert.ok(from >= 0, first)
    return sorted(rows(`${text.slice(from, text.indexOf('\n\n', from + 1))}\n`).map(([cell = '']) => codes(cell)[0] ?? ''))
  }
  const misbehaviours = outputSchemas.alert.def.options.flatMap((option) =>
    'misbehaviour' in option.shape ? [...option.shape.misbehaviour.options] : [],
  )
  assert.deepEqual(table('`misbehaviour`'), sorted(misbehaviours))
  assert.deepEqual(table('cause'), sorted(outputSchemas.logs.def.element.shape.lag.shape.cause.def.innerType.options))
})

test("the README's intervals are the schedule's", async () => {
  const { plannedInterval } = await import('../../src/watch/schedule.ts')
  const { span } = await import('../../src/watch/words.ts')
  const table = rows(section('How often it looks'))
  assert.ok(table.length >= 4)
  for (const [count = '', full, single] of table) {
    assert.equal(full, span(plannedInterval(Number(count), 10, 'auto')), count)
    assert.equal(single, span(plannedInterval(Number(count), 100, 'auto')), count)
  }
})

test('npm scripts that the documents name exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Record<string, string> }
  for (const file of DOCS) {
    for (const match of read(file).matchAll(/npm run ([a-z:-]+)/g)) assert.ok((match[1] ?? '') in scripts, `${file}: ${match[0]}`)
  }
})

function slug(heading: string): string {
  return heading
    .replace(/`/g, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

test('relative links lead somewhere', () => {
  for (const file of DOCS) {
    const text = prose(read(file))
    for (const match of text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)) {
      const [path = '', anchor] = (match[1] ?? '').split('#')
      const target = path === '' ? file : join(dirname(file), path)
      assert.ok(existsSync(join(root, target)), `${file}: ${match[1]}`)
      if (anchor === undefined) continue
      const headings = [...read(target).matchAll(/^#+ (.+)$/gm)].map((heading) => slug(heading[1] ?? ''))
      assert.ok(headings.includes(anchor), `${file}: ${match[1]}`)
    }
  }
})

test('files that CONTRIBUTING and the README name exist', () => {
  for (const file of ['README.md', 'CONTRIBUTING.md']) {
    for (const code of codes(read(file))) {
      if (/^(?:src|scripts|test|deploy|docs|schema)\/[\w./-]+$/.test(code)) assert.ok(existsSync(join(root, code)), `${file}: ${code}`)
    }
  }
})

test('the voice: no exclamation marks in running text', () => {
  for (const file of DOCS)
    assert.doesNotMatch(
      read(file)
        .replace(/^```[^]*?^```/gm, '')
        .replace(/`[^`]*`/g, ''),
      /!/,
      file,
    )
})

test('the changelog has this version', () => {
  const { version } = JSON.parse(read('package.json')) as { readonly version: string }
  assert.match(read('CHANGELOG.md'), new RegExp(`^## ${version.replaceAll('.', '\\.')} — \\d{4}-\\d{2}-\\d{2}$`, 'm'))
  const said = spawnSync(process.execPath, [join(root, 'bin/certbell.js'), '--version'], { encoding: 'utf8' })
  assert.equal(said.stdout.trim(), version)
})
