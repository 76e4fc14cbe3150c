import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import * as fc from 'fast-check'
import { outputSchemas } from '../../scripts/output-schemas.ts'
import { prettyAlert } from '../../src/notifiers/pretty.ts'
import { createStdout } from '../../src/notifiers/stdout.ts'
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

const ALERTS = [
  certificateOf(['login.example.com', 'www.login.example.com', 'www.example.net']),
  certificateOf(['*.example.com'], 'example.com', { severity: 'medium', reason: 'the TBS hash is not the API’s', revoked: true }),
  certificateOf([LONGEST]),
  certificateOf(Array.from({ length: 2000 }, (_, i) => `host-${i}.example.com`)),
  INVENTORY,
  MALFORMED,
  TROUBLE,
  RECOVERED,
  TEST,
  logged(),
  logged(2, false),
  MALFORMED_LOG,
  MISBEHAVIOUR,
  TROUBLE_LOG,
]

describe('stdout', () => {
  const collect = () => {
    const written: string[] = []
    return { written, write: async (text: string) => void written.push(text) }
  }

  it('json: the alert, a line each', async () => {
    const { written, write } = collect()
    const sink = createStdout({ mode: 'json', write, color: true })
    assert.deepEqual([sink.name, sink.batch, sink.spacingMs], ['stdout', 1, 0])
    for (const alert of ALERTS)
      assert.deepEqual(await sink.send(sink.compose([alert], { now: NOW }), () => NOW), { kind: 'delivered', answer: 'written' })
    assert.deepEqual(
      written.map((line) => [line.indexOf('\n'), JSON.parse(line)]),
      ALERTS.map((alert, i) => [
        written[i]!.length - 1,
        { ...JSON.parse(JSON.stringify(alert)), ...('logged_at' in alert && { delay_seconds: 5.882 }) },
      ]),
    )
  })

  it('json: how long it took from the log, where that can be', () => {
    const sink = createStdout({ mode: 'json', write: async () => {}, color: false })
    const delay = (loggedAt: string): unknown => {
      const alert = JSON.parse(sink.compose([logged(1, true, { logged_at: loggedAt })], { now: NOW })) as Readonly<Record<string, unknown>>
      outputSchemas.alert.parse(alert)
      return alert['delay_seconds']
    }
    assert.deepEqual(['2026-10-05T09:32:29.999Z', '2026-10-05T09:32:31Z', '2100-01-01T00:00:00Z', '1970-01-01T00:00:00Z'].map(delay), [
      0.001,
      0,
      undefined,
      undefined,
    ])
  })

  it('pretty: a time that cannot be makes no sentence', () => {
    for (const loggedAt of ['2100-01-01T00:00:00Z', '1970-01-01T00:00:00Z', 'soon'])
      assert.doesNotMatch(prettyAlert(logged(1, true, { logged_at: loggedAt }), NOW, { color: false }).join('\n'), /logged|NaN|years/)
    assert.match(prettyAlert(logged(), NOW, { color: false }).join('\n'), / · logged 5 s before this was sent$/m)
  })

  it('pretty: as drawn', () => {
    const sink = createStdout({ mode: 'pretty', write: async () => {}, color: false, timezone: 'Europe/Berlin' })
    const text = `${ALERTS.map((alert) => sink.compose([alert], { now: NOW })).join('\n\n')}\n`
    const file = new URL('../golden/pretty.txt', import.meta.url)
    mkdirSync(new URL('.', file), { recursive: true })
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text)
    assert.equal(text, readFileSync(file, 'utf8'))
  })

  it('a writer that fails keeps the alert', async () => {
    const sink = createStdout({ mode: 'json', write: () => Promise.reject(new Error('EPIPE\u001b[2J')), color: false })
    const outcome = await sink.send('{}', () => NOW)
    assert.equal(outcome.kind, 'retry')
    assert.doesNotMatch(outcome.answer, UNSAFE)
  })

  it('colour is added and nothing else', () => {
    for (const alert of ALERTS) {
      const plain = prettyAlert(alert, NOW, { color: false, timezone: 'UTC' })
      const colored = prettyAlert(alert, NOW, { color: true, timezone: 'UTC' })
      assert.notDeepEqual(colored, plain)
      assert.deepEqual(colored.map(stripVTControlCharacters), plain)
    }
  })

  for (const [what, text] of Object.entries(HOSTILE))
    it(`obeys nothing: ${what}`, () => {
      const everywhere = certificate(1, { reason: text, findings: [], names: [text], matched: [{ name: text, item: text }], issuer: { friendly_name: text }, serial: text, key: { type: text }, not_before: text, source: { kind: 'certspotter', id: text }, seen_at: text }) // prettier-ignore
      for (const alert of [
        everywhere,
        { ...INVENTORY, item: text, issuers: [text] },
        { ...MALFORMED, why: text },
        logged(1, true, { source: { kind: 'log', log: text, log_id: text, index: 1, leaf_hash: text, verified: false } }),
        { ...MALFORMED_LOG, why: text },
        { ...MISBEHAVIOUR, log: text, message: text, evidence: [text] },
        { ...TROUBLE, component: text, message: text },
        { ...TEST, message: text },
      ]) {
        for (const mode of ['json', 'pretty'] as const) {
          const composed = createStdout({ mode, write: async () => {}, color: false }).compose([alert], { now: NOW })
          assert.doesNotMatch(composed, UNSAFE)
          if (mode === 'json') assert.ok(!composed.includes('\n'))
        }
      }
    })

  it('any alert is a few harmless lines', () => {
    fc.assert(
      fc.property(fc.oneof(anyCertificate, anyOther), (alert) => {
        for (const line of prettyAlert(alert, NOW, { color: false })) {
          assert.doesNotMatch(line, UNSAFE)
          assert.ok(!line.includes('\n') && !line.includes('\t'))
          assert.ok(line.length < 2000)
        }
      }),
    )
  })
})
