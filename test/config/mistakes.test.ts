import assert from 'node:assert/strict'
import test from 'node:test'
import { load } from './support.ts'
import type { Case } from './support.ts'

const HOOK = 'https://hooks.slack.com/services/T0AAAA/B0AAAA/verySecretPart'

test('every mistake of a file is said at once, in the order of the lines', () => {
  const { text } = load({
    yaml: `# line 1
wach:
  - example.com
watch:
  - com
  - https://login.example.com/path
  - example.com:8443
  - ok.example.net
  - a..example.com
slack: \${BAR_UNSET_VARIABLE}
certspotter:
  url: http://127.0.0.1:8080/v1
  intervall: 5m
  interval: soonish
  quota:
    full: lots
stdout: loud
`,
  })
  const lines = text.split('\n')
  assert.equal(lines[0], 'certbell.yaml has 10 problems:')
  const expected: readonly (readonly [string, RegExp])[] = [
    ['2:1', /^unknown key "wach"\. Did you mean "watch"\?$/],
    ['5:5', /^watch\[0\]: "com" is a public suffix/],
    ['6:5', /^watch\[1\]: "https:\/\/login\.example\.com\/path" is a URL\. Write login\.example\.com/],
    ['7:5', /^watch\[2\]: "example\.com:8443" has a port/],
    ['9:5', /^watch\[4\]: "a\.\.example\.com" has an empty label/],
    ['10:8', /^slack: \$\{BAR_UNSET_VARIABLE\} is not set/],
    ['13:3', /^certspotter: unknown key "intervall"\. Did you mean "interval"\?$/],
    ['14:13', /^certspotter\.interval: "soonish" is not a duration\. Write 5m$/],
    ['16:11', /^certspotter\.quota\.full: "lots" is not a whole number above 0\. Write 10$/],
    ['17:9', /^stdout: "loud" is not one of auto, pretty, json, off$/],
  ]
  for (const [i, [place, message]] of expected.entries()) {
    const line = lines[i + 1] ?? ''
    assert.equal(line.slice(0, 9), `  ${place.padEnd(5)}  `)
    assert.match(line.slice(9), message)
  }
})

const table: readonly (readonly [string, Case, RegExp])[] = [
  // What check 2-17 tries.
  ['an empty list', { yaml: 'watch: []\n' }, /^ {2}1:8 +watch: there is nothing to watch\. Write/m],
  ['no watch at all', { yaml: 'slack: http://127.0.0.1:1/x\n' }, /nothing to watch/],
  ['an empty file', { yaml: '' }, /^ {2}1 +is empty\. Write/m],
  ['only comments', { yaml: '# later\n' }, /is empty/],
  ['a list', { yaml: '- a\n- b\n' }, /^ {2}1:1 +is a list, not a mapping/m],
  ['one word', { yaml: 'example.com' }, /^ {2}1:1 +is a single value, not a mapping/m],
  ['an open bracket', { yaml: 'watch: [example.com\n' }, /^ {2}2:1 +broken YAML/m],
  ['two colons', { yaml: 'watch: example.com: x\n' }, /^ {2}1:8 +broken YAML: a second "key: value"/m],
  ['a missing list file', { yaml: "watch: ['@missing.txt']\n" }, /^ {2}1:9 +watch\[0\]: the file "missing\.txt" does not exist in \/work/m],
  [
    'a missing secret file',
    { yaml: "watch: [example.com]\ncertspotter: {token: 'file:missing-secret'}\n" },
    /^ {2}2:22 +certspotter\.token: the file "missing-secret" does not exist/m,
  ],
  [
    'a file with the other ending, where it is missed',
    { files: { 'certbell.yml': 'watch: example.net\n' } },
    /^ {2}certbell\.yml +is not read\. Rename it to certbell\.yaml, or give --config certbell\.yml$/m,
  ],
  [
    "the API's address with what is added",
    { yaml: 'watch: example.com\ncertspotter: {url: "https://api.example.com/v1/issuances/"}\n' },
    /^ {2}2:20 +certspotter\.url: the API's address ends in \/issuances, which is added\. Write https:\/\/api\.example\.com\/v1$/m,
  ],
  ['a number as a name', { yaml: 'watch: [12345]\n' }, /^ {2}1:9 +watch\[0\]: "12345" is a number/m],
  [
    '--config of a missing file',
    { flags: { config: 'nowhere.yaml' } },
    /^The settings have 1 problem:\n {2}--config +the file "nowhere\.yaml" does not exist$/,
  ],
  [
    'CERTBELL_CONFIG of a missing file',
    { env: { CERTBELL_CONFIG: '/etc/x.yaml' } },
    /^ {2}CERTBELL_CONFIG +the file "\/etc\/x\.yaml" does not exist$/m,
  ],
  // YAML.
  ['a duplicate key', { yaml: 'watch: [example.com]\nwatch: [example.net]\n' }, /^ {2}2:1 +"watch" stands above already/m],
  ['a tab', { yaml: 'certspotter:\n\turl: x\n' }, /^ {2}2:1 +broken YAML: a tab/m],
  ['an unquoted star', { yaml: 'watch: [*.example.com]\n' }, /^ {2}1:9 +watch\[0\]: .*Write example\.com for \*\.example\.com/m],
  ['an unquoted @', { yaml: 'watch: @names.txt\n' }, /^ {2}1:8 +broken YAML: .*@.*Quote it/m],
  ['an unquoted variable in braces', { yaml: 'watch: [example.com]\nslack: {ops: ${HOOK}}\n' }, /^ {2}2:15 +broken YAML: .*quote the variable/m],
  ['two documents', { yaml: 'watch: [example.com]\n---\nwatch: [example.net]\n' }, /broken YAML: a second document/],
  ['a tag', { yaml: 'watch: example.com\ncontact: !env NAME@example.com\n' }, /^ {2}2:10 +broken YAML: a tag/m],
  ['a cycle of aliases', { yaml: 'watch: &a [*a]\n' }, /nested too deeply/],
  ['a list as key', { yaml: '? [watch]\n: example.com\n' }, /^ {2}1:3 +a key is a list/m],
  ['a tree too large', { yaml: `a: &a [${'x,'.repeat(1000)}]\nb: &b [${'*a,'.repeat(1000)}]\nwatch: [${'*b,'.repeat(1000)}]\n` }, /holds too much/],
  // Keys.
  [
    'an unknown key in quota',
    { yaml: 'watch: example.com\ncertspotter:\n  quota: {ful: 3}\n' },
    /^ {2}3:11 +certspotter\.quota: unknown key "ful"\. Did you mean "full"\?$/m,
  ],
  [
    'a key in the wrong mapping',
    { yaml: 'watch: example.com\ntoken: abc\n' },
    /^ {2}2:1 +unknown key "token"\. Did you mean "certspotter\.token"\?$/m,
  ],
  ['a key like none', { yaml: 'watch: example.com\nfrobnicate: 1\n' }, /unknown key "frobnicate"\. Known are watch, exclude/],
  ['__proto__', { yaml: 'watch: example.com\n__proto__: {slack: x}\n' }, /^ {2}2:1 +unknown key "__proto__"/m],
  [
    'constructor',
    { yaml: 'watch: example.com\ncertspotter: {constructor: 1, toString: 2}\n' },
    /2:15 .*unknown key "constructor"[^\n]*\n.*2:31 .*unknown key "toString"/,
  ],
  // Kinds.
  ['a mapping for watch', { yaml: 'watch: {a: b}\n' }, /^ {2}1:8 +watch: a mapping is not a name or a list of names/m],
  ['nothing for watch', { yaml: 'watch:\n' }, /watch: an empty value is not a name/],
  ['a list in the list', { yaml: 'watch: [[example.com]]\n' }, /^ {2}1:9 +watch\[0\]: a list is not a name/m],
  ['nothing in the list', { yaml: 'watch:\n  -\n  - example.com\n' }, /watch\[0\]: an empty value is not a name/],
  ['certspotter: true', { yaml: 'watch: example.com\ncertspotter: true\n' }, /^ {2}2:14 +certspotter: true is neither false nor a mapping/m],
  ['certspotter: false leaves nothing', { yaml: 'watch: example.com\ncertspotter: false\n' }, /certspotter: false leaves nothing to look with/],
  [
    'a quota of 0',
    { yaml: 'watch: example.com\ncertspotter: {quota: {single: 0}}\n' },
    /certspotter\.quota\.single: 0 is not a whole number above 0/,
  ],
  ['half a query', { yaml: 'watch: example.com\ncertspotter: {quota: {full: 1.5}}\n' }, /certspotter\.quota\.full: 1\.5 is not a whole number/],
  ['a negative quota', { yaml: 'watch: example.com\ncertspotter: {quota: {full: -1}}\n' }, /certspotter\.quota\.full: -1 is not a whole number/],
  ['a number for quota', { yaml: 'watch: example.com\ncertspotter: {quota: 10}\n' }, /certspotter\.quota: "10" is not a mapping/],
  [
    'a quota from a variable that is no number',
    { yaml: 'watch: example.com\ncertspotter: {quota: {full: "${Q}"}}\n', env: { Q: 'many' } },
    /certspotter\.quota\.full: "many" is not a whole number/,
  ],
  [
    'words for a duration',
    { yaml: 'watch: example.com\ncertspotter: {interval: 5 minutes}\n' },
    /certspotter\.interval: "5 minutes" is not a duration\. Write 5m$/m,
  ],
  ['a bare number for a duration', { yaml: 'watch: example.com\ncertspotter: {interval: 300}\n' }, /"300" is not a duration\. Write 300s$/m],
  ['a year and a day', { yaml: 'watch: example.com\ncertspotter: {interval: 366d}\n' }, /"366d" is too long\. Write 365d at most/],
  [
    'a slip in a choice',
    { yaml: 'watch: example.com\nstdout: prety\n' },
    /stdout: "prety" is not one of auto, pretty, json, off\. Did you mean "pretty"\?$/m,
  ],
  [
    'a baseline',
    { yaml: 'watch: example.com\ncertspotter: {baseline: loud}\n' },
    /certspotter\.baseline: "loud" is not one of inventory, silent, alert/,
  ],
  // Logs.
  ['logs: maybe', { yaml: 'watch: example.com\nlogs: maybe\n' }, /^ {2}2:7 +logs: "maybe" is neither true, false nor a mapping of settings$/m],
  ['nothing for logs', { yaml: 'watch: example.com\nlogs:\n' }, /^ {2}2:6 +logs: an empty value is neither true, false nor a mapping/m],
  ['a list for logs', { yaml: 'watch: example.com\nlogs: [google]\n' }, /^ {2}2:7 +logs: a list is neither true, false nor a mapping/m],
  ['CERTBELL_LOGS', { yaml: 'watch: example.com\n', env: { CERTBELL_LOGS: 'sure' } }, /^ {2}CERTBELL_LOGS +"sure" is neither true nor false$/m],
  [
    'a slip in a key of logs',
    { yaml: 'watch: example.com\nlogs:\n  list: [google]\n' },
    /^ {2}3:3 +logs: unknown key "list"\. Did you mean "lists"\?$/m,
  ],
  [
    'a key of logs like none',
    { yaml: 'watch: example.com\nlogs: {frobnicate: 1}\n' },
    /^ {2}2:8 +logs: unknown key "frobnicate"\. Known are lists, only, start, interval, bandwidth$/m,
  ],
  [
    'a key of logs in the wrong mapping',
    { yaml: 'watch: example.com\nlists: [google]\n' },
    /^ {2}2:1 +unknown key "lists"\. Did you mean "logs\.lists"\?$/m,
  ],
  [
    'one list without brackets',
    { yaml: 'watch: example.com\nlogs: {lists: google}\n' },
    /^ {2}2:15 +logs\.lists: "google" is not a list of log lists\. Write \[google, apple\]$/m,
  ],
  [
    'no list',
    { yaml: 'watch: example.com\nlogs: {lists: []}\n' },
    /^ {2}2:15 +logs\.lists: the list is empty\. Write \[google, apple\], or leave it away$/m,
  ],
  [
    "a slip in a list's name",
    { yaml: 'watch: example.com\nlogs: {lists: [aple]}\n' },
    /^ {2}2:16 +logs\.lists\[0\]: "aple" is no log list\. .*Did you mean "apple"\?$/m,
  ],
  [
    'a list without a name',
    { yaml: 'watch: example.com\nlogs: {lists: [google, ""]}\n' },
    /^ {2}2:24 +logs\.lists\[1\]: an empty word is no log list/m,
  ],
  [
    'a list at a bare URL',
    { yaml: 'watch: example.com\nlogs:\n  lists: [google, "https://lists.example.com/l.json"]\n' },
    /^ {2}3:19 +logs\.lists\[1\]: a list at a URL needs the key of who signs it\. Write \{url: https:\/\/lists\.example\.com\/l\.json, key: …\}$/m,
  ],
  [
    'a list at a URL without a key',
    { yaml: 'watch: example.com\nlogs:\n  lists:\n    - url: https://lists.example.com/l.json\n' },
    /^ {2}4:7 +logs\.lists\[0\]: a list at a URL needs the key of who signs it/m,
  ],
  ['a key without a URL', { yaml: 'watch: example.com\nlogs: {lists: [{key: abc}]}\n' }, /^ {2}2:16 +logs\.lists\[0\]: it has a key and no URL/m],
  [
    'a slip in a key of a list',
    { yaml: 'watch: example.com\nlogs:\n  lists:\n    - {url: "https://lists.example.com/l.json", kee: abc}\n' },
    /^ {2}4:49 +logs\.lists\[0\]: unknown key "kee"\. Did you mean "key"\?$/m,
  ],
  [
    'a key that is none',
    { yaml: 'watch: example.com\nlogs:\n  lists:\n    - url: https://lists.example.com/l.json\n      key: abc\n' },
    /^ {2}5:12 +logs\.lists\[0\]\.key: the key of the log list is no public key\. Write PEM, base64/m,
  ],
  [
    'a key in a file that is not there',
    { yaml: 'watch: example.com\nlogs:\n  lists:\n    - url: https://lists.example.com/l.json\n      key: file:list.pem\n' },
    /^ {2}5:12 +logs\.lists\[0\]\.key: the file "list\.pem" does not exist\. Write file:PATH, relative to \/work$/m,
  ],
  [
    'a list over http:',
    { yaml: 'watch: example.com\nlogs:\n  lists:\n    - url: http://lists.example.com/l.json\n      key: abc\n' },
    /^ {2}4:12 +logs\.lists\[0\]\.url: the log list is an http: URL/m,
  ],
  [
    'one word without brackets',
    { yaml: 'watch: example.com\nlogs: {only: argon*}\n' },
    /^ {2}2:14 +logs\.only: "argon\*" is not a list of words\. Write \["argon\*"\]$/m,
  ],
  [
    'an empty word, which would choose all',
    { yaml: 'watch: example.com\nlogs: {only: [" "]}\n' },
    /^ {2}2:15 +logs\.only\[0\]: the word is empty\. Write argon\*/m,
  ],
  ['a list as a word', { yaml: 'watch: example.com\nlogs: {only: [[a]]}\n' }, /^ {2}2:15 +logs\.only\[0\]: a list is not a word to choose logs by/m],
  [
    'a slip in start',
    { yaml: 'watch: example.com\nlogs: {start: begining}\n' },
    /^ {2}2:15 +logs\.start: "begining" is not one of end, beginning\. Did you mean "beginning"\?$/m,
  ],
  [
    'an interval in words',
    { yaml: 'watch: example.com\nlogs: {interval: 3 seconds}\n' },
    /^ {2}2:18 +logs\.interval: "3 seconds" is not a duration\. Write 3s$/m,
  ],
  ['a list as an interval', { yaml: 'watch: example.com\nlogs: {interval: [3s]}\n' }, /^ {2}2:18 +logs\.interval: a list is not a duration/m],
  [
    'a bandwidth without a unit',
    { yaml: 'watch: example.com\nlogs: {bandwidth: 100}\n' },
    /^ {2}2:19 +logs\.bandwidth: "100" is not a bandwidth\. Write 100Mbit$/m,
  ],
  ['half a bandwidth', { yaml: 'watch: example.com\nlogs: {bandwidth: 1.5Gbit}\n' }, /^ {2}2:19 +logs\.bandwidth: "1\.5Gbit" is not a bandwidth/m],
  [
    'a mapping as a bandwidth',
    { yaml: 'watch: example.com\nlogs: {bandwidth: {a: b}}\n' },
    /^ {2}2:19 +logs\.bandwidth: a mapping is not a bandwidth/m,
  ],
  [
    'logs and a bucket',
    { yaml: 'watch: example.com\nlogs: true\nstate: s3://bucket/x\n' },
    /^ {2}2:7 +logs: reading logs writes every few seconds, which is not what s3:\/\/bucket\/x is for\. Use a directory/m,
  ],
  [
    'logs and a bucket, both of the environment',
    { env: { MONITOR_DOMAINS: 'example.com', CERTBELL_LOGS: 'on', S3_BUCKET: 'bucket' } },
    /^ {2}CERTBELL_LOGS +reading logs writes every few seconds/m,
  ],
  [
    'certspotter: false, and the environment turns the logs off',
    { yaml: 'watch: example.com\nlogs: true\ncertspotter: false\n', env: { CERTBELL_LOGS: 'no' } },
    /^ {2}3:14 +certspotter: false leaves nothing to look with/m,
  ],
  // Items.
  [
    'every certificate, of the API',
    { yaml: 'watch: [.]\n' },
    /^ {2}1:9 +watch\[0\]: "\." \(every certificate there is\) is seen only in the logs\. Write `logs: true`, or names$/m,
  ],
  [
    'every certificate, to Slack',
    { yaml: `watch: [.]\nlogs: true\nslack: ${HOOK}\n` },
    /^ {2}1:9 +watch\[0\]: "\." \(every certificate there is\) is for standard output alone/m,
  ],
  [
    'an item of MONITOR_DOMAINS',
    { env: { MONITOR_DOMAINS: 'example.com, co.uk' } },
    /^The settings have 1 problem:\n {2}MONITOR_DOMAINS +"co\.uk" is a public suffix/,
  ],
  ['an item of .env', { files: { '.env': 'MONITOR_DOMAINS=co.uk\n' } }, /^ {2}MONITOR_DOMAINS in \.env +"co\.uk"/m],
  ['an item of the command line', { flags: { names: ['com'] } }, /^ {2}command line +"com" is a public suffix/m],
  [
    'an item of a list file',
    { yaml: "watch: '@names.txt'\n", files: { 'names.txt': '# ours\nexample.com\ncom # no\n' } },
    /^ {2}names\.txt:3 +"com" is a public suffix/m,
  ],
  [
    'a list file in a list file',
    { yaml: "watch: '@names.txt'\n", files: { 'names.txt': '@more.txt\n' } },
    /names\.txt:1 +a list cannot name another file/,
  ],
  [
    'an unreadable list file',
    { yaml: "watch: ['@names.txt']\n", files: { 'names.txt': Object.assign(new Error('x'), { code: 'EACCES' }) } },
    /the file "names\.txt" cannot be read: permission denied/,
  ],
  ['an @ alone', { yaml: "watch: ['@']\n" }, /"@" names no file/],
  ['an exclusion', { yaml: 'watch: example.com\nexclude: [example.com, com]\n' }, /^ {2}2:24 +exclude\[1\]: "com"/m],
  // References.
  ['an unset variable in a list', { yaml: 'watch:\n  - example.com\n  - ${NAME}\n' }, /^ {2}3:5 +watch\[1\]: \$\{NAME\} is not set/m],
  ['an empty variable', { yaml: 'watch: ${NAME}\n', env: { NAME: '' } }, /\$\{NAME\} is not set/],
  ['a reference that is none', { yaml: 'watch: example.com\ncontact: ${1X}\n' }, /^ {2}2:10 +contact: holds a "\$\{" that is no reference/m],
  // URLs.
  ['http: elsewhere', { yaml: 'watch: example.com\nslack: http://hooks.example.com/services/x\n' }, /^ {2}2:8 +slack: the webhook is an http: URL/m],
  ['http: on what only looks like loopback', { yaml: 'watch: example.com\nslack: http://127.0.0.1.example.com/x\n' }, /is an http: URL/],
  ['no scheme', { yaml: 'watch: example.com\nslack: hooks.slack.com/services/x\n' }, /the webhook is not a URL\. It must start with https:\/\//],
  ['another scheme', { yaml: 'watch: example.com\nheartbeat: ftp://example.com/x\n' }, /heartbeat: the heartbeat is not a URL/],
  ['no host', { yaml: 'watch: example.com\nslack: "https:///services/x"\n' }, /is not a well-formed URL/],
  ['white space', { yaml: 'watch: example.com\nslack: "https://example.com/a b"\n' }, /with white space/],
  ['no path', { yaml: 'watch: example.com\nslack: https://hooks.slack.com\n' }, /URL without a path/],
  ['user information', { yaml: 'watch: example.com\ncertspotter: {url: "https://ana:hunter22@api.example.com/v1"}\n' }, /a user name or password/],
  [
    'http: of the API',
    { env: { MONITOR_DOMAINS: 'example.com', CERTSPOTTER_API_URL: 'http://api.example.com' } },
    /^ {2}CERTSPOTTER_API_URL +the API's address is an http: URL/m,
  ],
  ['a query in the base address', { env: { MONITOR_DOMAINS: 'example.com', CERTSPOTTER_API_URL: 'https://api.example.com/?a=b' } }, /"\?" or "#"/],
  [
    'http: heartbeat',
    { env: { MONITOR_DOMAINS: 'example.com', CERTBELL_HEARTBEAT: 'http://hc.example.com/x' } },
    /CERTBELL_HEARTBEAT +the heartbeat is an http: URL/,
  ],
  [
    'an element of a list of webhooks',
    { yaml: `watch: example.com\nslack:\n  - ${HOOK}\n  - nothing\n` },
    /^ {2}4:5 +slack\[1\]: the webhook is not a URL/m,
  ],
  ['an empty webhook', { yaml: 'watch: example.com\nslack: ""\n' }, /the webhook is empty/],
  // Sinks.
  ["a sink's name", { yaml: `watch: example.com\nslack: {Ops Team: '${HOOK}'}\n` }, /^ {2}2:9 +slack: a sink's name is made of a-z, 0-9 and -/m],
  ['a reserved name', { yaml: `watch: example.com\nslack: {stdout: '${HOOK}'}\n` }, /"stdout" is the name of standard output/],
  ['__proto__ as a sink', { yaml: `watch: example.com\nslack: {__proto__: '${HOOK}'}\n` }, /a sink's name is made of/],
  // Secrets.
  ['an empty secret file', { yaml: 'watch: example.com\nslack: file:hook\n', files: { hook: '\n' } }, /slack: the file "hook" is empty/],
  ['file: alone', { yaml: 'watch: example.com\nslack: "file:"\n' }, /names no file\. Write file:PATH/],
  [
    'a secret at AWS, for who reads none there',
    { env: { MONITOR_DOMAINS: 'example.com', SLACK_WEBHOOK: 'ssm:/certbell/slack' } },
    /^ {2}SLACK_WEBHOOK +ssm:\/certbell\/slack cannot be read here/m,
  ],
  ['a token with a line break', { yaml: 'watch: example.com\ncertspotter: {token: "abc\\ndef"}\n' }, /the token has white space/],
  [
    'a token with Bearer',
    { env: { MONITOR_DOMAINS: 'example.com', CERTSPOTTER_API_TOKEN: 'Bearer abc' } },
    /CERTSPOTTER_API_TOKEN +the token begins with "Bearer"/,
  ],
  // State.
  [
    'a bucket of no such name',
    { yaml: 'watch: example.com\nstate: s3://My_Bucket/x\n' },
    /^ {2}2:8 +state: "My_Bucket" is not the name of a bucket .*s3:\/\/bucket\/prefix/m,
  ],
  ['no bucket', { env: { MONITOR_DOMAINS: 'example.com', S3_BUCKET: 's3://' } }, /^ {2}S3_BUCKET +"" is not the name of a bucket/m],
  ['a prefix that climbs', { yaml: 'watch: example.com\n', flags: { state: 's3://bucket/a/../b' } }, /^ {2}--state +"a\/\.\.\/b" is no prefix/m],
  [
    'a prefix that is none',
    { yaml: 'watch: example.com\n', flags: { state: 's3://bucket/a b' } },
    /"a b" is no prefix to keep state under\. Write letters/,
  ],
  [
    'an endpoint that is no address',
    { env: { MONITOR_DOMAINS: 'example.com', S3_BUCKET: 'alerts', AWS_ENDPOINT_URL_S3: 'minio:9000' } },
    /^ {2}AWS_ENDPOINT_URL_S3 +is not the address of a service\. Write for instance https:/m,
  ],
  ['postgres', { yaml: 'watch: example.com\nstate: postgres://db/x\n' }, /state in Postgres comes with a later version; use a directory or s3:/],
  ['another scheme of state', { yaml: 'watch: example.com\nstate: redis://x\n' }, /state cannot live at redis:\/\//],
  ['no home', { yaml: 'watch: example.com\n', home: undefined }, /state: there is no home directory/],
  // The rest.
  [
    'listen without a host',
    { yaml: 'watch: example.com\nlisten: 9090\n' },
    /^ {2}2:9 +listen: "9090" is not host:port\. Write 127\.0\.0\.1:9090, or 0\.0\.0\.0:9090/m,
  ],
  [
    'listen of a port too high',
    { env: { MONITOR_DOMAINS: 'example.com', CERTBELL_LISTEN: 'localhost:65536' } },
    /CERTBELL_LISTEN +"localhost:65536" is not host:port/,
  ],
  ['listen on nonsense', { yaml: 'watch: example.com\nlisten: "999.1.1.1:80"\n' }, /is not host:port/],
  ['contact', { yaml: 'watch: example.com\ncontact: ask me\n' }, /contact: "ask me" is neither a mail address nor a URL/],
  [
    'a contact that would end the header',
    { yaml: 'watch: example.com\ncontact: "a@example.com\\r\\nX: y"\n' },
    /contact: "a@example\.com\\u\{d\}\\u\{a\}X: y" is neither/,
  ],
  ['SLEEP_DELAY=abc', { env: { MONITOR_DOMAINS: 'example.com', SLEEP_DELAY: 'abc' } }, /^ {2}SLEEP_DELAY +"abc" is not a duration\. Write 5m/m],
  ['SLEEP_DELAY=-5', { env: { MONITOR_DOMAINS: 'example.com', SLEEP_DELAY: '-5' } }, /SLEEP_DELAY +"-5" is not a duration/],
  [
    'LOG_FORMAT',
    { env: { MONITOR_DOMAINS: 'example.com', LOG_FORMAT: 'jsn' } },
    /^ {2}LOG_FORMAT +"jsn" is not a log format\. Write text or json\. Did you mean "json"\?$/m,
  ],
  ['--log-format', { env: { MONITOR_DOMAINS: 'example.com' }, flags: { logFormat: 'xml' } }, /^ {2}--log-format +"xml" is not a log format/m],
  ['quiet and verbose', { env: { MONITOR_DOMAINS: 'example.com' }, flags: { quiet: true, verbose: true } }, /--quiet +and --verbose contradict/],
  ['a proxy', { env: { MONITOR_DOMAINS: 'example.com', HTTPS_PROXY: 'socks5://x:1' } }, /^ {2}HTTPS_PROXY +is not the address of an HTTP proxy/m],
  [
    'an unreadable file',
    { files: { 'certbell.yaml': Object.assign(new Error('x'), { code: 'EACCES' }) } },
    /certbell\.yaml +the file "certbell\.yaml" cannot be read: permission denied/,
  ],
  [
    'an unreadable .env, once something is missing',
    { yaml: 'watch: ${NAMES}\n', files: { '.env': Object.assign(new Error('x'), { code: 'EACCES' }) } },
    /^ {2}\.env +cannot be read: permission denied/m,
  ],
]

for (const [name, given, expected] of table) {
  test(`mistake: ${name}`, () => {
    const { text } = load(given)
    assert.match(text, expected)
    assert.doesNotMatch(text, /verySecretPart|hunter22|Invalid input|undefined/)
    const count = Number(/has? (?:have )?(\d+) problem|have (\d+) problem/.exec(text)?.slice(1).find(Boolean))
    assert.equal(count, text.split('\n').length - 1, text)
  })
}

test('what the environment gives wrongly hides nothing else', () => {
  const { text } = load({ env: { SLACK_WEBHOOK: 'nonsense', LOG_FORMAT: 'x', SLEEP_DELAY: '-1' } })
  assert.match(text, /^The settings have 4 problems:|^certbell\.yaml/)
  for (const word of ['SLACK_WEBHOOK', 'LOG_FORMAT', 'SLEEP_DELAY', 'nothing to watch']) assert.ok(text.includes(word), text)
})

test('no second problem follows from the first', () => {
  for (const [name, given] of table) {
    const { text } = load(given)
    if (['constructor', 'a tree too large', 'a cycle of aliases', 'a list as key'].includes(name) || name.startsWith('an unreadable .env')) continue
    assert.equal(text.split('\n').length, 2, `${name}\n${text}`)
  }
})
