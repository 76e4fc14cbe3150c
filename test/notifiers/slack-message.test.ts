import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import type { LayoutContext } from '../../src/notifiers/notifier.ts'
import { composeSlack, type SlackForms, type SlackPayload } from '../../src/notifiers/slack-message.ts'
import { renderSlack } from '../../src/notifiers/slack-render.ts'
import { judge } from '../../src/sandbox/slack-limits.ts'
import { startSlack, type Slack } from '../../src/sandbox/slack.ts'
import type { Alert } from '../../src/watch/alert.ts'
import { HOSTILE, UNSAFE } from '../support/hostile.ts'
import {
  anyCertificate,
  anyOther,
  certificate,
  certificateOf,
  INVENTORY,
  logged,
  LONGEST,
  MALFORMED,
  MALFORMED_LOG,
  MISBEHAVIOUR,
  NOW,
  RECOVERED,
  TEST,
  TROUBLE,
  TROUBLE_LOG,
} from './alerts.ts'

const context: LayoutContext = { now: NOW }
const outage: LayoutContext = { now: NOW, outage: { since: new Date(NOW.getTime() - 9 * 3_600_000), waiting: 41 } }
const compose = (alerts: readonly Alert[], c = context): SlackForms => JSON.parse(composeSlack(alerts, c))
const both = (forms: SlackForms): readonly SlackPayload[] => [forms.full, forms.plain]

/** Every string of a value, keys apart. */
function strings(x: unknown): string[] {
  if (typeof x === 'string') return [x]
  if (x === null || typeof x !== 'object') return []
  return Object.values(x).flatMap(strings)
}
const all = (x: unknown) => strings(x).join('\n')
const stands = (payload: unknown, name: string) =>
  new RegExp(String.raw`(?<![\w.*-])${name.replaceAll(/[.*]/g, String.raw`\$&`)}(?![\w-]|\.\w)`).test(all(payload))

describe('golden messages', () => {
  const two = certificateOf(['login.example.com', 'www.example.net'])
  const many = Array.from({ length: 2000 }, (_, i) => `host-${i}.example.com`)
  const table: Readonly<Record<string, readonly (readonly [readonly Alert[], LayoutContext])[]>> = {
    '1-certificate': [[[two], context]],
    '1-certificate-bare': [[[certificate(1, { issuer: { name: 'C=US, O="Cloudflare, Inc.", CN=Cloudflare Inc ECC CA-3' }, ...absent('serial', 'key', 'revoked', 'precertificate', 'cert_sha256', 'problem_reporting') })], context]], // prettier-ignore
    '1-certificate-high': [[[certificateOf(['*.example.com', 'example.com'], 'example.com', { severity: 'high', reason: 'Sectigo is not an expected issuer', findings: [{ kind: 'issuer', severity: 'high', reason: 'Sectigo is not an expected issuer' }, { kind: 'issued', severity: 'info', reason: 'example.com is watched' }], revoked: true })], context]], // prettier-ignore
    '1-certificate-2000-names': [[[certificateOf(many)], context]],
    '1-certificate-99-others': [
      [[certificateOf(['login.example.com', ...many.slice(0, 99).map((n) => n.replace('example.com', 'example.net'))])], context],
    ],
    'longest-name': [[[certificateOf([LONGEST])], context]],
    idn: [[[certificateOf(['xn--bcher-kva.example'], 'xn--bcher-kva.example')], context]],
    '10-certificates': [[Array.from({ length: 10 }, (_, i) => certificate(i)), context]],
    '300-certificates': Array.from({ length: 30 }, (_, m) => [Array.from({ length: 10 }, (_, i) => certificate(10 * m + i)), context]),
    inventory: [[[INVENTORY], context]],
    'inventory-empty': [[[{ ...INVENTORY, count: 0, hostnames: 0, issuers: [], issuer_counts: [] }], context]],
    malformed: [[[MALFORMED], context]],
    'log-certificate': [[[logged()], context]],
    'log-certificate-not-verified': [[[logged(1, false)], context]],
    'log-10-certificates': [[Array.from({ length: 10 }, (_, i) => logged(i, i > 0)), context]],
    'log-malformed': [[[MALFORMED_LOG], context]],
    'log-lies': [[[MISBEHAVIOUR], context]],
    'log-trouble': [[[TROUBLE_LOG], context]],
    trouble: [[[TROUBLE], context]],
    recovered: [[[RECOVERED], context]],
    test: [[[TEST], context]],
    outage: [[[certificate(1), certificate(2)], outage]],
  }
  mkdirSync(new URL('../golden/slack/', import.meta.url), { recursive: true })
  for (const [name, messages] of Object.entries(table))
    it(name, () => {
      const drawn = messages.map(([alerts, c]) => {
        const forms = compose(alerts, c)
        return `text: ${forms.full.text}\n${renderSlack(forms.full)}\nplain:\n${renderSlack(forms.plain)}\n`
      })
      golden(`slack/${name}.txt`, drawn.join('\n'))
      // The whole payload once in full; the others differ in what the drawing shows.
      if (messages.length === 1 && name.length < 14)
        golden(`slack/${name}.json`, `${JSON.stringify(compose(messages[0]![0], messages[0]![1]), undefined, 1)}\n`)
    })
})

describe('what a message says', () => {
  it('a certificate: names first, then others, issuer, days, why, key and serial, source, link', () => {
    const others = Array.from({ length: 97 }, (_, i) => `o${i}.example.net`)
    const { full } = compose([certificateOf(['login.example.com', 'www.login.example.com', ...others])])
    assert.equal(full.text, "New certificate for login.example.com and 1 more name from Let's Encrypt")
    assert.deepEqual([full.unfurl_links, full.unfurl_media], [false, false])
    const drawn = renderSlack(full)
    assert.match(
      drawn,
      /^┃ New certificate: login\.example\.com\n┃ Names {2}login\.example\.com, www\.login\.example\.com \+97 others, among them o0\.example\.net/,
    )
    for (const what of [
      "Let's Encrypt issued it, dated 3 min ago.",
      'Valid  5 Oct 2026 → 3 Jan 2027 · 90 days',
      'Key  EC P-256 · serial 03a1',
      'Why  example.com is watched',
      'Seen  Cert Spotter 17597250122 · precertificate · crt.sh',
      'Not yours?',
    ])
      assert.ok(drawn.includes(what), `${what} in\n${drawn}`)
  })

  it('each kind of its own, and a test says that it is one', () => {
    assert.match(
      all(compose([INVENTORY]).full),
      /3,214 unexpired certificates for 61 hostnames: Let's Encrypt 3,200, DigiCert 14\. The newest is dated 2 h 2 min ago\./,
    )
    assert.match(compose([TROUBLE]).full.text, /^Certbell cannot see example\.com: The Cert Spotter API refuses the token/)
    assert.match(compose([RECOVERED]).full.text, /^Certbell sees example\.com again/)
    assert.match(compose([MALFORMED]).full.text, /cannot be read/)
    const test = compose([TEST])
    for (const payload of both(test)) assert.match(payload.text, /test/i)
    assert.match(renderSlack(test.full), /^┃ Test: /)
  })

  it('after an outage, its first line says so in both forms', () => {
    const forms = compose([certificate(1)], outage)
    for (const payload of both(forms)) assert.match(renderSlack(payload), /^┃ Slack could not be reached for 9 h\. 41 alerts from that time follow\./)
    assert.match(forms.full.text, /^Slack could not be reached for 9 h\./)
    assert.match(compose([certificate(1)], { now: NOW, outage: { since: NOW, waiting: 1 } }).full.text, /1 alert from that time follows\./)
  })

  it('ten certificates: every name of each, in both forms, with issuer, days and serial', () => {
    const alerts = Array.from({ length: 10 }, (_, i) => certificate(i))
    const forms = compose(alerts)
    for (const payload of both(forms))
      for (const alert of alerts) {
        assert.ok(stands(payload, alert.names[0]!))
        assert.ok(all(payload).includes(alert.serial!))
      }
    assert.match(
      forms.full.text,
      /^10 new certificates on example\.com: host-0\.example\.com, host-1\.example\.com, host-2\.example\.com and 7 more$/,
    )
  })

  it('ten certificates with the longest names, of long issuers and long reasons, still show each name whole', () => {
    const long = (i: number) => `${String(i).padStart(2, '0')}${LONGEST.slice(2)}`
    const alerts = Array.from({ length: 10 }, (_, i) =>
      certificate(i, {
        names: [long(i)],
        matched: [{ name: long(i), item: 'example.com' }],
        issuer: { friendly_name: 'A certification authority with a name that does not end'.repeat(9) },
        reason: `reason ${i} ${'long '.repeat(200)}`,
        findings: Array.from({ length: 5 }, (_, k) => ({ kind: 'x', severity: 'info', reason: `${k} ${i} ${'more '.repeat(200)}` })),
        serial: 'f'.repeat(300),
        key: { type: 'k'.repeat(300), curve: 'c'.repeat(300) },
        source: { kind: 'certspotter', id: '9'.repeat(300) },
      }),
    )
    const forms = compose(alerts)
    for (const alert of alerts) assert.ok(stands(forms.full, alert.names[0]!) && stands(forms.plain, alert.names[0]!), alert.names[0])
    assert.deepEqual(both(forms).flatMap((p) => judge(p).violations), []) // prettier-ignore
    const troubles = Array.from({ length: 10 }, () => ({ ...TROUBLE, component: 'x'.repeat(500), message: 'long '.repeat(500) }))
    const mixed = compose([...troubles, ...alerts], outage)
    assert.deepEqual(both(mixed).flatMap((p) => judge(p).violations), []) // prettier-ignore
  })

  it('names beside one another look the same: if one must stand in a code span, all do', () => {
    const on = (name: string, item: string): Alert => certificate(1, { names: [name], matched: [{ name, item }] })
    const line = (alerts: readonly Alert[]): string => compose(alerts).full.text
    assert.equal(line([on('a.example.com', 'example.com'), on('b.example.net', 'example.net')]), '2 new certificates on example.com, example.net: a.example.com, b.example.net') // prettier-ignore
    assert.equal(
      line([on('*.example.com', 'example.com'), on('b.example.net', '_x.example.net')]),
      '2 new certificates on `example.com`, `_x.example.net`: `*.example.com`, `b.example.net`',
    )
  })

  it('shares the room: one with 2,000 names does not push out the names of nine others', () => {
    const crowd = certificateOf(Array.from({ length: 2000 }, (_, i) => `crowd-${i}.example.com`))
    const few = Array.from({ length: 9 }, (_, i) => certificateOf(Array.from({ length: 8 }, (_, k) => `few-${i}-${k}.example.com`)))
    const { full } = compose([crowd, ...few])
    for (const alert of few) for (const name of alert.names) assert.ok(stands(full, name), name)
    const shown = crowd.names.filter((n) => stands(full, n)).length
    assert.ok(shown > 80, `${shown} of the crowd`)
    assert.match(all(full), new RegExp(String.raw`\+${(2000 - shown).toLocaleString('en')} more that match`))
  })

  it('uses the room for one with 2,000 names', () => {
    const { full, plain } = compose([certificateOf(Array.from({ length: 2000 }, (_, i) => `host-${i}.example.com`))])
    const length = strings(full.blocks).join('').length
    assert.ok(length > 10_500, String(length))
    assert.ok(plain.text.length > 3500, String(plain.text.length))
  })

  it('takes 300 certificates at once, though a message is meant to hold ten', () => {
    const forms = compose(Array.from({ length: 300 }, (_, i) => certificate(i)))
    assert.deepEqual(both(forms).flatMap((p) => judge(p).violations), []) // prettier-ignore
    assert.match(all(forms.full), /260 more certificates: certbell alerts lists them/)
    assert.match(forms.full.text, /^300 new certificates/)
  })

  it('links only to an address built of a well-formed hash', () => {
    for (const bad of ['', 'x', 'A'.repeat(64), `${'a'.repeat(63)}\n`, `${'a'.repeat(64)}&x=1`, '../'.repeat(30)]) {
      const forms = compose([certificate(1, { cert_sha256: bad })])
      assert.deepEqual(links(forms), [])
      assert.doesNotMatch(all(forms), /crt\.sh/)
    }
  })
})

describe('the limits of Slack', () => {
  const alerts = fc.oneof(
    fc.array(anyCertificate, { minLength: 1, maxLength: 12 }),
    fc.array(anyOther, { minLength: 1, maxLength: 12 }),
    fc.array(fc.oneof(anyCertificate, anyOther), { maxLength: 60 }),
  )
  const contexts = fc.record(
    { now: fc.constant(NOW), outage: fc.record({ since: fc.date({ noInvalidDate: true }), waiting: fc.nat() }) },
    { requiredKeys: ['now'] },
  )

  it('hold for any alerts, in both forms, and nothing in them obeys', () => {
    fc.assert(
      fc.property(alerts, contexts, (list, c) => {
        const forms = compose(list, c)
        for (const payload of both(forms)) {
          assert.deepEqual(judge(payload).violations, [])
          assert.ok(payload.text.length <= 4000)
          assert.ok(!forms.full.text.includes('\n'))
          for (const text of strings(payload)) {
            assert.doesNotMatch(text, UNSAFE)
            assert.doesNotMatch(text, /[<>]/)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('leave room for one name at least of each of ten', () => {
    fc.assert(
      fc.property(fc.array(anyCertificate, { minLength: 10, maxLength: 10 }), (list) => {
        const named = list.map((a, i) => ({
          ...a,
          names: [`n${i}.example.com`, ...a.names],
          matched: [{ name: `n${i}.example.com`, item: 'x' }, ...a.matched],
        }))
        const forms = compose(named)
        for (let i = 0; i < 10; i++) for (const payload of both(forms)) assert.ok(stands(payload, `n${i}.example.com`), `n${i}`)
      }),
      { numRuns: 50 },
    )
  })
})

describe('hostile text', () => {
  let slack: Slack
  before(async () => {
    slack = await startSlack()
  })
  after(() => slack.close())

  for (const [what, text] of Object.entries(HOSTILE))
    it(`does nothing in Slack: ${what}`, async () => {
      const everywhere = certificate(1, {
        id: text, reason: text, findings: [{ kind: text, severity: 'high', reason: `more ${text}` }], names: [text, 'other'], matched: [{ name: text, item: text }], ip_addresses: [text],
        issuer: { name: text, friendly_name: text }, serial: text, key: { type: text, curve: text }, cert_sha256: text, problem_reporting: text, source: { kind: 'certspotter', id: text },
        not_before: text, not_after: text,
      }) // prettier-ignore
      const alerts: readonly (readonly Alert[])[] = [
        [everywhere],
        [everywhere, everywhere],
        [{ ...INVENTORY, item: text, issuers: [text] }],
        [{ ...MALFORMED, why: text }],
        [{ ...TROUBLE, component: text, message: text }],
        [{ ...RECOVERED, component: `certspotter:${text}`, items: [text, text], message: text }],
        [{ ...TEST, message: text }],
      ]
      for (const list of alerts)
        for (const payload of both(compose(list))) {
          const response = await fetch(slack.url, { method: 'POST', body: JSON.stringify(payload) })
          assert.equal(await response.text(), 'ok')
          for (const said of strings(payload)) {
            assert.doesNotMatch(said, UNSAFE)
            assert.doesNotMatch(said, /<[!@#]|<[^ ]*\||[<>]/)
          }
          for (const url of links(payload)) assert.match(url, /^https:\/\/crt\.sh\/\?sha256=[0-9a-f]{64}$/)
          // Outside of code spans nothing formats, links or becomes an emoji.
          const outside = payload.text.replaceAll(/`[^`]*`/g, '')
          assert.doesNotMatch(outside, /[*~`]|:\/\/|\bwww\.|:rotating_light:|@channel/)
          assert.doesNotMatch(renderSlack(payload), UNSAFE)
        }
      assert.deepEqual(slack.violations, [])
    })
})

function links(x: unknown): string[] {
  if (x === null || typeof x !== 'object') return []
  return Object.entries(x).flatMap(([key, value]) => (key === 'url' ? [String(value)] : links(value)))
}

/** `exactOptionalPropertyTypes` wants keys gone, not undefined; spread over, they are gone in JSON. */
function absent(...keys: readonly string[]): object {
  return Object.fromEntries(keys.map((key) => [key, undefined]))
}

function golden(name: string, text: string): void {
  const file = new URL(`../golden/${name}`, import.meta.url)
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text)
  assert.equal(text, readFileSync(file, 'utf8'), `${name} differs; UPDATE_GOLDEN=1 writes it anew`)
}
