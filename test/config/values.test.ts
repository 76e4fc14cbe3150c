import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import { itemKey } from '../../src/watch/item.ts'
import type { Config } from '../../src/config/config.ts'
import { good } from './support.ts'
import type { Case } from './support.ts'

const HOOK = 'https://hooks.slack.com/services/T0AAAA/B0AAAA/verySecretPart'
/** As `logs: true` is read. */
const LOGS = { lists: [{ kind: 'google' }, { kind: 'apple' }], only: [], start: 'end', intervalMs: 3000, bandwidth: undefined }
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const LIST_KEY = publicKey.export({ type: 'spki', format: 'der' })
const LIST_PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const OTHER = 'https://hooks.slack.com/services/T0AAAA/B0BBBB/otherSecretPart'

const watched = (config: Config) => config.watch.map(itemKey)
const sinks = (config: Config) => config.slack.map(({ name, url }) => `${name} ${url}`)
const api = (config: Config) => (config.certspotter === false ? undefined : config.certspotter)
const logs = (config: Config) => config.logs
const directory = (config: Config) => (config.state.kind === 'directory' ? config.state : undefined)

test('two lines are a whole configuration', () => {
  const config = good({ yaml: 'watch: [example.com]\nslack: ${SLACK_WEBHOOK}\n', env: { SLACK_WEBHOOK: HOOK } })
  assert.deepEqual(watched(config), ['example.com'])
  assert.deepEqual(sinks(config), [`slack ${HOOK}`])
  assert.equal(config.stdout, 'auto')
  assert.deepEqual(config.certspotter, {
    url: 'https://api.certspotter.com/v1',
    quota: { full: 10, single: 100 },
    intervalMs: 'auto',
    baseline: 'inventory',
  })
  assert.deepEqual(config.state, { kind: 'directory', path: '/home/ana/.local/state/certbell', shown: '~/.local/state/certbell' })
  assert.equal(config.logFormat, 'text')
  assert.equal(config.file, 'certbell.yaml')
  assert.deepEqual(config.warnings, [])
  assert.equal(config.contact, undefined)
  assert.equal(config.listen, undefined)
})

const table: readonly (readonly [string, Case, (config: Config) => unknown, unknown])[] = [
  // Watch lists.
  ['a string is split', { yaml: 'watch: "example.com, example.net\\n example.org"\n' }, watched, ['example.com', 'example.net', 'example.org']],
  [
    'MONITOR_DOMAINS is split',
    { env: { MONITOR_DOMAINS: 'example.com, example.net\nexample.org,' } },
    watched,
    ['example.com', 'example.net', 'example.org'],
  ],
  ['MONITOR_DOMAINS replaces watch', { yaml: 'watch: example.edu\n', env: { MONITOR_DOMAINS: 'example.com' } }, watched, ['example.com']],
  [
    'the command line adds',
    { yaml: 'watch: example.edu\n', flags: { names: ['example.com,example.net'] } },
    watched,
    ['example.com', 'example.net', 'example.edu'],
  ],
  [
    'a file that uses the variable keeps its other names',
    { yaml: 'watch: [example.edu, "${MONITOR_DOMAINS}"]\n', env: { MONITOR_DOMAINS: 'example.com example.net' } },
    watched,
    ['example.edu', 'example.com', 'example.net'],
  ],
  [
    'the environment wins over .env',
    { files: { '.env': 'MONITOR_DOMAINS=example.net\n' }, env: { MONITOR_DOMAINS: 'example.org' } },
    watched,
    ['example.org'],
  ],
  ['.env alone', { files: { '.env': 'MONITOR_DOMAINS=example.net\n' }, env: { MONITOR_DOMAINS: '' } }, watched, ['example.net']],
  ['.env wins over the file', { yaml: 'watch: example.edu\n', files: { '.env': 'MONITOR_DOMAINS=example.net\n' } }, watched, ['example.net']],
  [
    '.env beside --config',
    {
      flags: { config: 'etc/c.yaml' },
      files: { 'etc/c.yaml': 'watch: ${NAMES}\n', 'etc/.env': 'NAMES=example.net\n', '.env': 'NAMES=example.org\n' },
    },
    watched,
    ['example.net'],
  ],
  ['CERTBELL_CONFIG', { env: { CERTBELL_CONFIG: '~/c.yaml' }, files: { '/home/ana/c.yaml': 'watch: example.net\n' } }, watched, ['example.net']],
  [
    '--config wins over CERTBELL_CONFIG',
    { env: { CERTBELL_CONFIG: 'a.yaml' }, flags: { config: 'b.yaml' }, files: { 'b.yaml': 'watch: example.net\n' } },
    watched,
    ['example.net'],
  ],
  [
    "a list file, certspotter's too",
    {
      flags: { config: 'etc/c.yaml' },
      files: {
        'etc/c.yaml': "watch: ['@names.txt', example.edu]\n",
        'etc/names.txt':
          '\ufeff# ours\r\nexample.com\r\n\r\n.example.net # all\r\n=login.example.org\r\nexample.info valid_at:2020-01-01T00:00:00Z\r\n',
      },
    },
    watched,
    ['example.com', 'example.net', '=login.example.org', 'example.info', 'example.edu'],
  ],
  ['a list file from the command line', { flags: { names: ['@n.txt'] }, files: { 'n.txt': 'example.com' } }, watched, ['example.com']],
  [
    'folding',
    { yaml: 'watch: [www.example.com, example.com, "*.example.com"]\n' },
    (c) => [watched(c), c.folded.map(({ item, into }) => `${itemKey(item)} in ${itemKey(into)}`)],
    [['example.com'], ['www.example.com in example.com']],
  ],
  ['exclusions', { yaml: 'watch: example.com\nexclude: [test.example.com]\n' }, (c) => c.exclude.map(itemKey), ['test.example.com']],
  [
    'EXCLUDED_DOMAINS',
    { yaml: 'watch: example.com\nexclude: [a.example.com]\n', env: { EXCLUDED_DOMAINS: 'b.example.com c.example.com' } },
    (c) => c.exclude.map(itemKey),
    ['b.example.com', 'c.example.com'],
  ],
  ['an anchor', { yaml: 'exclude: &a [a.example.com]\nwatch: [example.com, example.net]\n' }, (c) => c.exclude.map(itemKey), ['a.example.com']],
  ['an alias', { yaml: 'watch: &a [example.com]\nexclude: *a\n' }, (c) => c.exclude.map(itemKey), ['example.com']],
  ['no name where none is needed', { yaml: `slack: ${HOOK}\n`, needWatch: false }, watched, []],
  // Sinks.
  ['a list of webhooks', { yaml: `watch: example.com\nslack: ['${HOOK}', '${OTHER}']\n` }, sinks, [`slack ${HOOK}`, `slack-2 ${OTHER}`]],
  [
    'names for webhooks',
    { yaml: `watch: example.com\nslack: {ops: '${HOOK}', sec-team: '${OTHER}'}\n` },
    sinks,
    [`ops ${HOOK}`, `sec-team ${OTHER}`],
  ],
  [
    'several in the variable',
    { env: { MONITOR_DOMAINS: 'example.com', SLACK_WEBHOOK: `${HOOK}, ${OTHER}` } },
    sinks,
    [`slack ${HOOK}`, `slack-2 ${OTHER}`],
  ],
  ['SLACK_WEBHOOK replaces slack', { yaml: `watch: example.com\nslack: ${HOOK}\n`, env: { SLACK_WEBHOOK: OTHER } }, sinks, [`slack ${OTHER}`]],
  [
    'a name for the variable is kept',
    { yaml: `watch: example.com\nslack: {ops: "\${SLACK_WEBHOOK}", sec: '${HOOK}'}\n`, env: { SLACK_WEBHOOK: OTHER } },
    sinks,
    [`ops ${OTHER}`, `sec ${HOOK}`],
  ],
  [
    'a webhook from a file',
    { flags: { config: 'etc/c.yaml' }, files: { 'etc/c.yaml': 'watch: example.com\nslack: file:hook\n', 'etc/hook': `${HOOK}\n` } },
    sinks,
    [`slack ${HOOK}`],
  ],
  [
    'a webhook from a file, by the environment',
    { env: { MONITOR_DOMAINS: 'example.com', SLACK_WEBHOOK: 'file:/run/hook' }, files: { '/run/hook': `${HOOK}\r\n` } },
    sinks,
    [`slack ${HOOK}`],
  ],
  [
    'http: on loopback',
    { yaml: 'watch: example.com\nslack: {a: "http://127.8.0.1:1/x", b: "http://[::1]:1/x", c: "http://localhost/x"}\n' },
    (c) => c.slack.length,
    3,
  ],
  // The API.
  ['a token', { yaml: 'watch: example.com\ncertspotter: {token: "${T:-fallback}"}\n' }, (c) => api(c)?.token, 'fallback'],
  [
    'a token from a variable',
    { yaml: 'watch: example.com\ncertspotter: {token: "${T:-fallback}"}\n', env: { T: 'fromvariable' } },
    (c) => api(c)?.token,
    'fromvariable',
  ],
  [
    'a default for an empty variable',
    { yaml: 'watch: example.com\ncertspotter: {token: "${T:-fallback}"}\n', env: { T: '' } },
    (c) => api(c)?.token,
    'fallback',
  ],
  ['a token of digits stays as it is written', { yaml: 'watch: example.com\ncertspotter: {token: 0123456}\n' }, (c) => api(c)?.token, '0123456'],
  [
    'the token of the environment',
    { yaml: 'watch: example.com\ncertspotter: {token: infile}\n', env: { CERTSPOTTER_API_TOKEN: 'inenv' } },
    (c) => api(c)?.token,
    'inenv',
  ],
  [
    'a token from a file',
    { yaml: 'watch: example.com\ncertspotter: {token: file:secret.txt}\n', files: { 'secret.txt': 'k8472_token\n' } },
    (c) => api(c)?.token,
    'k8472_token',
  ],
  [
    'the address loses its last slash',
    { env: { MONITOR_DOMAINS: 'example.com', CERTSPOTTER_API_URL: 'http://127.0.0.1:8080/v1//' } },
    (c) => api(c)?.url,
    'http://127.0.0.1:8080/v1',
  ],
  [
    'quotas',
    { yaml: 'watch: example.com\ncertspotter: {quota: {full: "${Q}", single: 1000000}}\n', env: { Q: '55' } },
    (c) => api(c)?.quota,
    { full: 55, single: 1_000_000 },
  ],
  ['an interval', { yaml: 'watch: example.com\ncertspotter: {interval: 6h}\n' }, (c) => api(c)?.intervalMs, 21_600_000],
  ['auto', { yaml: 'watch: example.com\ncertspotter: {interval: auto}\n' }, (c) => api(c)?.intervalMs, 'auto'],
  ['SLEEP_DELAY in seconds', { env: { MONITOR_DOMAINS: 'example.com', SLEEP_DELAY: '90' } }, (c) => api(c)?.intervalMs, 90_000],
  ['SLEEP_DELAY as a duration', { env: { MONITOR_DOMAINS: 'example.com', SLEEP_DELAY: '5m' } }, (c) => api(c)?.intervalMs, 300_000],
  ['SLEEP_DELAY=0', { env: { MONITOR_DOMAINS: 'example.com', SLEEP_DELAY: '0' } }, (c) => [api(c)?.intervalMs, c.warnings.length], ['auto', 1]],
  ['a baseline', { yaml: 'watch: example.com\ncertspotter: {baseline: alert}\n' }, (c) => api(c)?.baseline, 'alert'],
  // Logs.
  ['no logs', { yaml: 'watch: example.com\n' }, logs, false],
  ['logs: false', { yaml: 'watch: example.com\nlogs: false\n' }, logs, false],
  ['logs: true', { yaml: 'watch: example.com\nlogs: true\n' }, logs, LOGS],
  ['logs: {}', { yaml: 'watch: example.com\nlogs: {}\n' }, logs, LOGS],
  ['logs from a variable', { yaml: 'watch: example.com\nlogs: ${L:-true}\n' }, logs, LOGS],
  ['CERTBELL_LOGS', { yaml: 'watch: example.com\nlogs: false\n', env: { CERTBELL_LOGS: '1' } }, logs, LOGS],
  ['CERTBELL_LOGS turns them off', { yaml: 'watch: example.com\nlogs: {start: beginning}\n', env: { CERTBELL_LOGS: 'Off' } }, logs, false],
  [
    'CERTBELL_LOGS turns them on, and the file says how',
    { yaml: 'watch: example.com\nlogs: {start: beginning}\n', env: { CERTBELL_LOGS: 'yes' } },
    logs,
    { ...LOGS, start: 'beginning' },
  ],
  [
    'every key of logs',
    {
      flags: { config: 'etc/c.yaml' },
      files: {
        'etc/c.yaml':
          'watch: example.com\nlogs:\n  lists: [apple, my-logs.json, ~/other.json]\n  only: ["argon*", Let\'s Encrypt]\n  start: beginning\n  interval: 10s\n  bandwidth: 100Mbit\n',
      },
    },
    logs,
    {
      lists: [
        { kind: 'apple' },
        { kind: 'file', path: '/work/etc/my-logs.json', shown: 'etc/my-logs.json' },
        { kind: 'file', path: '/home/ana/other.json', shown: '/home/ana/other.json' },
      ],
      only: ['argon*', "Let's Encrypt"],
      start: 'beginning',
      intervalMs: 10_000,
      bandwidth: 12_500_000,
    },
  ],
  [
    'a bandwidth as it is written elsewhere',
    { yaml: 'watch: example.com\nlogs: {bandwidth: 512 kbit/s}\n' },
    (c) => (c.logs === false ? 0 : c.logs.bandwidth),
    64_000,
  ],
  [
    'a list at a URL, its key in three forms',
    {
      yaml: `watch: example.com\nlogs:\n  lists:\n${[LIST_KEY.toString('base64'), 'file:list.pem', '${KEY}'].map((key, n) => `    - {url: "https://lists.example.com/${n}.json", key: "${key}"}\n`).join('')}`,
      env: { KEY: LIST_PEM },
      files: { 'list.pem': LIST_PEM },
    },
    (c) => c.logs !== false && c.logs.lists.map((list) => (list.kind === 'url' ? [list.url, list.key.equals(LIST_KEY)] : list)),
    [
      ['https://lists.example.com/0.json', true],
      ['https://lists.example.com/1.json', true],
      ['https://lists.example.com/2.json', true],
    ],
  ],
  ['logs alone', { yaml: 'watch: example.com\nlogs: true\ncertspotter: false\n' }, (c) => [c.certspotter, logs(c)], [false, LOGS]],
  ['every certificate', { yaml: 'watch: [.]\nlogs: true\n' }, (c) => c.watch.map(({ kind }) => kind), ['all']],
  ['addresses, where the logs are read', { yaml: 'watch: [203.0.113.0/24]\nlogs: true\n' }, (c) => c.warnings, []],
  // State.
  [
    '--state',
    { yaml: 'watch: example.com\nstate: a\n', env: { CERTBELL_STATE_DIR: 'b' }, flags: { state: 'c' } },
    (c) => directory(c)?.path,
    '/work/c',
  ],
  [
    'CERTBELL_STATE_DIR',
    { yaml: 'watch: example.com\nstate: a\n', env: { CERTBELL_STATE_DIR: 'b', FILESYSTEM_PATH: 'f' } },
    (c) => [c.state, c.predecessor],
    [{ kind: 'directory', path: '/work/b', shown: '/work/b' }, { directory: '/work/f' }],
  ],
  [
    'FILESYSTEM_PATH',
    { yaml: 'watch: example.com\nstate: a\n', env: { FILESYSTEM_PATH: '/not/yet/there' } },
    (c) => [c.state, c.predecessor],
    [{ kind: 'directory', path: '/not/yet/there', shown: '/not/yet/there' }, { directory: '/not/yet/there' }],
  ],
  [
    'state is relative to the file',
    { flags: { config: 'etc/c.yaml' }, files: { 'etc/c.yaml': 'watch: example.com\nstate: a\n' } },
    (c) => directory(c)?.path,
    '/work/etc/a',
  ],
  ['state at home', { yaml: 'watch: example.com\nstate: ~/s\n' }, directory, { kind: 'directory', path: '/home/ana/s', shown: '~/s' }],
  [
    'STATE_DIRECTORY',
    { yaml: 'watch: example.com\n', env: { STATE_DIRECTORY: '/var/lib/certbell:/var/lib/x', XDG_STATE_HOME: '/x' } },
    (c) => directory(c)?.path,
    '/var/lib/certbell',
  ],
  ['XDG_STATE_HOME', { yaml: 'watch: example.com\n', env: { XDG_STATE_HOME: '/x' } }, (c) => directory(c)?.path, '/x/certbell'],
  [
    'a relative XDG_STATE_HOME is none',
    { yaml: 'watch: example.com\n', env: { XDG_STATE_HOME: 'x' } },
    (c) => directory(c)?.path,
    '/home/ana/.local/state/certbell',
  ],
  ['a flag wins over S3_BUCKET', { yaml: 'watch: example.com\n', env: { S3_BUCKET: 'b' }, flags: { state: '/s' } }, (c) => directory(c)?.path, '/s'],
  [
    'and its objects are read all the same',
    { yaml: 'watch: example.com\n', env: { S3_BUCKET: 'bkt' }, flags: { state: '/s' } },
    (c) => c.predecessor,
    { bucket: 'bkt' },
  ],
  [
    'S3_BUCKET',
    { yaml: 'watch: example.com\nstate: a\n', env: { S3_BUCKET: 'alerts', FILESYSTEM_PATH: '/f' } },
    (c) => [c.state, c.predecessor],
    [
      { kind: 's3', bucket: 'alerts', prefix: '', shown: 's3://alerts' },
      { bucket: 'alerts', directory: '/f' },
    ],
  ],
  [
    'S3_BUCKET as an address',
    { yaml: 'watch: example.com\n', env: { S3_BUCKET: 's3://alerts/' } },
    (c) => [c.state.shown, c.predecessor.bucket],
    ['s3://alerts', 'alerts'],
  ],
  [
    'a bucket with a prefix',
    { yaml: 'watch: example.com\nstate: s3://my.bucket//ct/certbell/\n' },
    (c) => c.state,
    { kind: 's3', bucket: 'my.bucket', prefix: 'ct/certbell/', shown: 's3://my.bucket/ct/certbell' },
  ],
  [
    'S3 elsewhere',
    {
      yaml: 'watch: example.com\nstate: s3://bucket\n',
      env: { AWS_ENDPOINT_URL_S3: 'http://minio:9000/', AWS_ENDPOINT_URL: 'https://x', AWS_REGION: 'eu-north-1' },
    },
    (c) => c.aws,
    { region: 'eu-north-1', endpoint: 'http://minio:9000', ownCredentials: false },
  ],
  [
    'credentials in .env are ours to pass on, and secret',
    {
      yaml: 'watch: example.com\nstate: s3://bucket\n',
      files: { '.env': 'AWS_ACCESS_KEY_ID=AKIDEXAMPLE\nAWS_SECRET_ACCESS_KEY=abcdefghijkl\nAWS_DEFAULT_REGION=eu-west-3\n' },
    },
    (c) => [c.aws, c.secrets],
    [{ region: 'eu-west-3', credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'abcdefghijkl' }, ownCredentials: true }, ['abcdefghijkl']],
  ],
  [
    'an endpoint that nobody uses may be anything',
    { yaml: 'watch: example.com\n', env: { AWS_ENDPOINT_URL: '?' } },
    (c) => c.aws,
    { ownCredentials: false },
  ],
  // The rest.
  ['stdout', { yaml: 'watch: example.com\nstdout: json\n' }, (c) => c.stdout, 'json'],
  ['stdout: off', { yaml: 'watch: example.com\nstdout: off\n' }, (c) => [c.stdout, c.warnings.length], ['off', 1]],
  ['contact', { yaml: 'watch: example.com\ncontact: security@example.com\n' }, (c) => c.contact, 'security@example.com'],
  [
    'contact by URL',
    { env: { MONITOR_DOMAINS: 'example.com', CERTBELL_CONTACT: 'https://example.com/contact' } },
    (c) => c.contact,
    'https://example.com/contact',
  ],
  ['listen', { yaml: 'watch: example.com\nlisten: 127.0.0.1:8080\n' }, (c) => c.listen, { host: '127.0.0.1', port: 8080 }],
  ['listen on IPv6', { env: { MONITOR_DOMAINS: 'example.com', CERTBELL_LISTEN: '[::1]:0' } }, (c) => c.listen, { host: '::1', port: 0 }],
  ['heartbeat', { yaml: 'watch: example.com\nheartbeat: https://hc-ping.com/1234567890\n' }, (c) => c.heartbeat, 'https://hc-ping.com/1234567890'],
  ['LOG_FORMAT=json', { env: { MONITOR_DOMAINS: 'example.com', LOG_FORMAT: 'json' } }, (c) => c.logFormat, 'json'],
  ['LOG_FORMAT=syslog', { env: { MONITOR_DOMAINS: 'example.com', LOG_FORMAT: 'syslog' } }, (c) => c.logFormat, 'text'],
  ['--log-format wins', { env: { MONITOR_DOMAINS: 'example.com', LOG_FORMAT: 'json' }, flags: { logFormat: 'text' } }, (c) => c.logFormat, 'text'],
  ['DEBUG', { env: { MONITOR_DOMAINS: 'example.com', DEBUG: '1' } }, (c) => [c.debug, c.quiet], [true, false]],
  ['DEBUG=false', { env: { MONITOR_DOMAINS: 'example.com', DEBUG: 'false' } }, (c) => c.debug, false],
  [
    '--quiet wins over DEBUG',
    { env: { MONITOR_DOMAINS: 'example.com', DEBUG: '1' }, flags: { quiet: true } },
    (c) => [c.debug, c.quiet],
    [false, true],
  ],
  [
    'proxies',
    { env: { MONITOR_DOMAINS: 'example.com', HTTP_PROXY: 'http://a:1', http_proxy: 'b:2', HTTPS_PROXY: 'http://c:3', no_proxy: 'localhost' } },
    (c) => c.proxy,
    { http: 'http://b:2/', https: 'http://c:3/', no: 'localhost' },
  ],
  [
    'an odd line of .env',
    { yaml: 'watch: example.com\n', files: { '.env': 'A=1\nwhat is this\n' } },
    (c) => c.warnings,
    ['.env:2 is not NAME=VALUE and is not read.'],
  ],
  [
    'a file with the other ending',
    { files: { 'certbell.yml': 'watch: example.net\n' }, env: { MONITOR_DOMAINS: 'example.com' } },
    (c) => c.warnings,
    ['certbell.yml is not read. Rename it to certbell.yaml, or give --config certbell.yml.'],
  ],
  ['both endings', { yaml: 'watch: example.com\n', files: { 'certbell.yml': 'watch: example.net\n' } }, (c) => c.warnings, []],
  [
    'an empty list of webhooks',
    { yaml: 'watch: example.com\nslack: []\n' },
    (c) => [c.slack, c.warnings],
    [[], ['slack is there and has no webhook in it: nothing goes to Slack. Write ${SLACK_WEBHOOK}, or take it out.']],
  ],
  [
    'files that hold secrets: those in which one stands, and no others',
    { yaml: 'watch: example.com\nslack: ${SLACK_WEBHOOK}\n', files: { '.env': `SLACK_WEBHOOK=${HOOK}\n` } },
    (c) => c.secretFiles,
    ['/work/.env'],
  ],
  ['a configuration file with a webhook', { yaml: `watch: example.com\nslack: ${HOOK}\n` }, (c) => c.secretFiles, ['/work/certbell.yaml']],
]

for (const [name, given, of, expected] of table) test(`value: ${name}`, () => assert.deepEqual(of(good(given)), expected))

test('warnings: addresses, what is excluded whole, what a variable replaces, a webhook twice', () => {
  const { warnings } = good({
    yaml: `watch: [203.0.113.7, www.example.com]\nexclude: example.com\nslack: ['${HOOK}', '${HOOK}']\n`,
    env: { MONITOR_DOMAINS: '203.0.113.7 www.example.com' },
  })
  assert.equal(warnings.length, 4)
  assert.ok(warnings.some((warning) => warning.startsWith('203.0.113.7: IP addresses are seen only when the logs are read. Write `logs: true`')))
  assert.ok(warnings.some((warning) => warning.startsWith('www.example.com is watched and excluded (example.com)')))
  assert.ok(warnings.some((warning) => warning.startsWith('MONITOR_DOMAINS is set and replaces `watch`')))
  assert.ok(warnings.some((warning) => warning.startsWith('slack and slack-2 are the same webhook')))
})

test('every secret is known, whole and in parts; common words are none', () => {
  const { secrets } = good({
    yaml: `watch: example.com\nslack: ${HOOK}\ncertspotter: {token: k8472_token}\nheartbeat: https://hc.example.com/ping/abc%2Fdef-12\n`,
    env: { HTTPS_PROXY: 'http://ana:pa%24s@proxy.example.com:3128' },
  })
  for (const secret of [
    HOOK,
    '/services/T0AAAA/B0AAAA/verySecretPart',
    'verySecretPart',
    'T0AAAA',
    'k8472_token',
    'abc%2Fdef-12',
    'abc/def-12',
    'ana:pa%24s',
    'pa%24s',
    'pa$s',
  ]) {
    assert.ok(secrets.includes(secret), secret)
  }
  assert.ok(!secrets.includes('services'))
  assert.ok(
    secrets.every((secret, i) => i === 0 || secret.length <= (secrets[i - 1]?.length ?? 0)),
    'the longest first',
  )
})
