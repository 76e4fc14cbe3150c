import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { formatProblems, withoutSecrets } from '../../src/config/problems.ts'
import { load } from './support.ts'

const SECRET = 'hKq3NeverPrintThis9'
const HOOK = `https://hooks.slack.com/services/T0AAAA01/B0BBBB02/${SECRET}`

// YAML's own characters and our words, so that much of what comes out is nearly right.
const fragments = [
  'watch',
  'slack',
  'certspotter',
  'token',
  'quota',
  'full',
  'state',
  ':',
  ': ',
  '\n',
  '\n  ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  ', ',
  '"',
  "'",
  '&a ',
  '*a',
  '!x ',
  '|',
  '>',
  '#',
  '${',
  '${A}',
  '${A:-b}',
  '}',
  '@',
  '@n.txt',
  '__proto__',
  'constructor',
  '~',
  'false',
  '12',
  'example.com',
  'com',
  '.',
  'file:',
  'ssm:',
  'secretsmanager:x#',
  'https://',
  'http://x/',
  '\t',
  '\0',
  '\u202e',
  '---\n',
  '%',
  '<<',
  '? ',
]
const text = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.constantFrom(...fragments), { maxLength: 40 }).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
)

const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

test('any text as certbell.yaml, .env and list gives a configuration or problems, and nothing that a terminal obeys', () => {
  fc.assert(
    fc.property(text, text, text, (yaml, dotenv, list) => {
      const result = load({ yaml, files: { '.env': dotenv, 'n.txt': list } })
      assert.ok(result.config !== undefined || /problems?:\n/.test(result.text))
      assert.doesNotMatch(result.text, CONTROL)
    }),
    { numRuns: 3000 },
  )
})

test('any structure as certbell.yaml', () => {
  const keys = fc.oneof(
    fc.constantFrom(
      'watch',
      'exclude',
      'slack',
      'stdout',
      'certspotter',
      'token',
      'url',
      'quota',
      'full',
      'interval',
      'logs',
      'lists',
      'only',
      'start',
      'bandwidth',
      'key',
      'state',
      'contact',
      'heartbeat',
      'listen',
      '__proto__',
      'toString',
    ),
    fc.string(),
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom('example.com', '5m', HOOK),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(keys, value), (settings) => {
      const result = load({ yaml: JSON.stringify(settings) })
      assert.ok(result.config !== undefined || /problems?:\n/.test(result.text))
      assert.doesNotMatch(result.text, CONTROL)
      assert.ok(!result.text.includes(SECRET))
    }),
    { numRuns: 2000 },
  )
})

test('a webhook appears in no problem, wherever in the file it stands', () => {
  const wrap = fc.constantFrom<(secret: string) => string>(
    (s) => `slack: ${s}`,
    (s) => `slack: "${s}`,
    (s) => `slack: [${s}`,
    (s) => `slack: {${s}}`,
    (s) => `slack: {"${s}": ops}`,
    (s) => `slack: {ops: {url: '${s}'}}`,
    (s) => `slack: ${s} ${s}`,
    (s) => `slack: ${s}: x`,
    (s) => `watch: ${s}`,
    (s) => `watch: [${s}]`,
    (s) => `exclude: ['${s}']`,
    (s) => `stdout: ${s}`,
    (s) => `state: ${s}`,
    (s) => `listen: ${s}`,
    (s) => `contact: ${s} x`,
    (s) => `heartbeat: ${s} x`,
    (s) => `${s}: x`,
    (s) => `certspotter: ${s}`,
    (s) => `certspotter: {url: '${s}?x'}`,
    (s) => `certspotter: {quota: {full: '${s}'}}`,
    (s) => `certspotter: {interval: '${s}'}`,
    (s) => `certspotter: {token: '${s} x'}`,
    (s) => `- ${s}`,
    (s) => s,
    (s) => `a: @${s}`,
    (s) => `watch: '@${s}'`,
    (s) => `slack: "\\${s}"`,
    (s) => `a: *${s}`,
  )
  fc.assert(
    fc.property(fc.array(wrap, { minLength: 1, maxLength: 4 }), fc.boolean(), (wraps, known) => {
      const { text } = load({ yaml: wraps.map((wrap) => wrap(HOOK)).join('\n'), env: known ? { SLACK_WEBHOOK: HOOK } : {} })
      assert.ok(!text.includes(SECRET), text)
      assert.ok(!text.includes('B0BBBB02'), text)
    }),
    { numRuns: 2000 },
  )
})

test('what is called a secret by its key appears in no problem', () => {
  const bad = fc.constantFrom<(secret: string) => { yaml: string; env?: Record<string, string> }>(
    (s) => ({ yaml: `watch: com\ncertspotter: {token: "${s} ${s}"}` }),
    (s) => ({ yaml: `watch: com\nslack: http://example.com/${s}` }),
    (s) => ({ yaml: `watch: com\nslack: [${s}]` }),
    (s) => ({ yaml: `watch: com\nheartbeat: http://example.com/${s}` }),
    (s) => ({ yaml: `watch: com\ncertspotter: {url: "https://u:${s}@api.example.com"}` }),
    (s) => ({ yaml: 'watch: com', env: { SLACK_WEBHOOK: `http://example.com/${s}` } }),
    (s) => ({ yaml: `watch: ${s}`, env: { CERTSPOTTER_API_TOKEN: s } }),
    (s) => ({ yaml: 'watch: com', env: { HTTPS_PROXY: `socks://u:${s}@proxy` } }),
    (s) => ({ yaml: `watch: [com]\nslack: {token: ${s}}` }),
    (s) => ({ yaml: `watch: com\ncertspotter: [${s}]\nslack: {a: [${s}]}` }),
    (s) => ({ yaml: `watch: com\ncertspotter: {token: {x: ${s}}}` }),
    (s) => ({ yaml: `watch: com\ncertspotter: {${s}}` }),
    (s) => ({ yaml: `watch: com\n${s}: x` }),
  )
  fc.assert(fc.property(bad, (make) => assert.ok(!load(make(SECRET)).text.includes(SECRET))))
})

test('withoutSecrets leaves nothing of a known secret, also where one holds another', () => {
  assert.equal(withoutSecrets('a secretlonger b secret c', ['secret', 'secretlonger']), 'a … b … c')
  assert.equal(withoutSecrets('see https://hooks.slack.com/services/T/B/x and go', []), 'see https://hooks.slack.com/… and go')
})

test('hostile text in problems stays on its line and harmless', () => {
  const shown = formatProblems(
    [
      { line: 1, column: 2, path: 'a\nb', message: 'x\u001b[31m\r\nfine\u202e' },
      { place: 'A\tB', message: 'm' },
    ],
    'c\nd.yaml',
  )
  assert.equal(shown.split('\n').length, 3)
  assert.doesNotMatch(shown, CONTROL)
})

test('problems look as drawn', () => {
  assert.equal(
    formatProblems(
      [
        { line: 7, column: 1, message: 'unknown key "slak". Did you mean "slack"?' },
        {
          line: 3,
          column: 5,
          path: 'watch[1]',
          message: '"https://example.com/login" is a URL. Write example.com, or =login.example.com for one name',
        },
        { line: 9, column: 13, path: 'certspotter.interval', message: '"5 minutes" is not a duration. Write 5m' },
      ],
      'certbell.yaml',
    ),
    `certbell.yaml has 3 problems:
  3:5    watch[1]: "https://example.com/login" is a URL. Write example.com, or =login.example.com for one name
  7:1    unknown key "slak". Did you mean "slack"?
  9:13   certspotter.interval: "5 minutes" is not a duration. Write 5m`,
  )
})
