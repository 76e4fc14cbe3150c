import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { placeOf } from '../../src/watch/issuance.ts'
import type { Remark } from '../../src/watch/issuance.ts'
import type { Known, Phase } from '../../src/watch/policy.ts'
import { certificateAlert, judge, malformedAlert } from '../../src/watch/policy.ts'
import { DAY, HOUR, T0, idOf, malformed, sighting } from '../stores/support.ts'

const steady: Phase = { kind: 'steady' }
const begun: Phase = { kind: 'baseline', startedAt: new Date(T0 - DAY) }
const known = (more: Partial<Known> = {}): Known => ({ seen: false, phases: [steady], baseline: 'inventory', now: new Date(T0), ...more })
const remark = (trouble: boolean): Remark => ({ kind: 'tbs-differs', reason: 'it differs', trouble })
const midnight = Math.floor((T0 - DAY) / DAY) * DAY

describe('judge', () => {
  const table: readonly {
    readonly why: string
    readonly sighting?: Parameters<typeof sighting>[1]
    readonly known?: Partial<Known>
    readonly out: readonly string[]
  }[] = [
    { why: 'a certificate for a watched name is news, however old', out: ['issued'] },
    { why: 'seen before', known: { seen: true }, out: [] },
    { why: 'every name that matches is excluded', sighting: { excluded: true }, out: [] },
    { why: 'old, in a baseline', known: { phases: [begun] }, out: [] },
    { why: 'old, in a baseline that alerts', known: { phases: [begun], baseline: 'alert' }, out: ['issued'] },
    { why: 'old, in a silent baseline', known: { phases: [begun], baseline: 'silent' }, out: [] },
    { why: 'new, in a silent baseline', sighting: { notBefore: T0 }, known: { phases: [begun], baseline: 'silent' }, out: ['issued'] },
    { why: 'back-dated by an hour, in a baseline', sighting: { notBefore: T0 - DAY - HOUR }, known: { phases: [begun] }, out: ['issued'] },
    { why: 'older than that', sighting: { notBefore: T0 - DAY - HOUR - 1 }, known: { phases: [begun] }, out: [] },
    { why: 'of midnight of the day it began', sighting: { notBefore: midnight }, known: { phases: [begun] }, out: ['issued'] },
    { why: 'of midnight of the day before', sighting: { notBefore: midnight - DAY }, known: { phases: [begun] }, out: [] },
    { why: 'old, in one baseline, but of a steady name as well', known: { phases: [begun, steady] }, out: ['issued'] },
    { why: 'old, of two baselines', known: { phases: [begun, begun] }, out: [] },
    { why: 'old, of a name that was never asked for', known: { phases: [{ kind: 'new' }] }, out: [] },
    { why: 'new, of a name that was never asked for', sighting: { notBefore: T0 - HOUR }, known: { phases: [{ kind: 'new' }] }, out: ['issued'] },
    {
      why: 'each remark is a finding',
      sighting: { remarks: [remark(true), { ...remark(false), kind: 'name-by-api-only' }] },
      out: ['issued', 'tbs-differs', 'name-by-api-only'],
    },
  ]
  for (const row of table)
    it(row.why, () =>
      assert.deepEqual(
        judge(sighting(1, row.sighting), known(row.known)).map(({ kind }) => kind),
        row.out,
      ),
    )

  it('says which items it touches, each once, three at most', () => {
    const of = (...items: string[]) => judge(sighting(1, { items }), known({ phases: items.map(() => steady) }))[0]?.reason
    assert.equal(of('a.example'), 'a.example is watched')
    assert.equal(of('a.example', 'b.example'), 'a.example, b.example are watched')
    assert.equal(of('a.example', 'a.example'), 'a.example is watched')
    assert.equal(of('a', 'b', 'c', 'd', 'e'), 'a, b, c and 2 more are watched')
  })
})

describe('certificateAlert', () => {
  it("has the worst finding's severity and reason", () => {
    const odd = sighting(1, { remarks: [remark(true)] })
    const alert = certificateAlert(odd, judge(odd, known()))
    assert.deepEqual([alert.severity, alert.reason, alert.findings.length], ['medium', 'it differs', 2])
    const mild = sighting(1, { remarks: [remark(false)] })
    assert.deepEqual([certificateAlert(mild, judge(mild, known())).severity], ['info'])
    assert.throws(() => certificateAlert(odd, []), RangeError)
  })

  it('has what is known and no key of what is not', () => {
    const plain = sighting(1)
    assert.deepEqual(certificateAlert(plain, judge(plain, known())), {
      schema: 'certbell.alert/1',
      kind: 'certificate',
      id: idOf(1),
      severity: 'info',
      reason: 'example.com is watched',
      findings: [{ kind: 'issued', severity: 'info', reason: 'example.com is watched' }],
      matched: [{ name: 'host-1.example.com', item: 'example.com' }],
      names: ['host-1.example.com'],
      ip_addresses: [],
      issuer: { friendly_name: "Let's Encrypt" },
      not_before: '2026-09-27T08:15:00Z',
      not_after: '2026-12-26T08:15:00Z',
      tbs_sha256: idOf(1),
      seen_at: '2026-11-06T08:15:00Z',
      source: { kind: 'certspotter', id: 'id-1' },
    })
  })
})

it('malformedAlert says why, and that it may be anyone’s', () => {
  const alert = malformedAlert(malformed(1))
  assert.deepEqual([alert.kind, alert.severity, alert.why, placeOf(alert.source)], ['malformed', 'medium', 'the entry is not an object', 'm-1'])
  assert.match(alert.reason, /any name/)
})
