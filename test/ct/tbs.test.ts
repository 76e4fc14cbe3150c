import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ParseError } from '../../src/ct/errors.ts'
import { issuanceId, tbsWithoutCt } from '../../src/ct/tbs.ts'
import { certificate, dns, hex, POISON, san, SCT_LIST, tbs } from './der-writer.ts'
import { apiCertificates, treeLines, liveEntries, needsFixtures, sunlightEntries } from './fixtures.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

void test("the API's tbs_sha256 of every certificate that it gives", needsFixtures, () => {
  for (const { issuance, der } of apiCertificates()) assert.equal(issuanceId(der), issuance.tbs_sha256, issuance.id)
})

void test('live entries: a precertificate as submitted, its leaf TBS as it stands', needsFixtures, () => {
  const ids = liveEntries().map((entry) => {
    if (entry.submitted === undefined) {
      const cut = tbsWithoutCt(entry.leaf)
      assert.equal(issuanceId(cut), issuanceId(entry.leaf), 'cutting again changes nothing')
      assert.ok(!Buffer.from(cut).includes(Buffer.from('060a2b06010401d6790204', 'hex')), 'no CT extension is left')
    } else {
      assert.equal(issuanceId(entry.leaf), sha256(entry.leaf), 'the leaf TBS is what it is')
      assert.equal(issuanceId(entry.submitted), issuanceId(entry.leaf), 'poison cut out')
    }
    return issuanceId(entry.leaf)
  })
  assert.equal(ids.length, 40)
})

void test('whole trees: what certspotter has, and certificates meet their precertificates', needsFixtures, () => {
  const theirs = new Map(treeLines('static-ct-trees/sunlight/certspotter-all.jsonl').map((line) => [line.index, line.tbs]))
  const ours = sunlightEntries().map((entry) => issuanceId(entry.leaf))
  let met = 0
  for (const [i, id] of ours.entries()) if (theirs.has(i)) assert.equal(id, theirs.get(i), `entry ${i}`)
  for (const [i, { precertIndex }] of treeLines('static-ct-trees/sunlight/truth.jsonl').entries()) {
    if (precertIndex === undefined) continue
    assert.equal(ours[i], ours[precertIndex], `entry ${i}`)
    met++
  }
  assert.equal(met, 300)
})

void test('cuts of our own making', () => {
  const name = san(dns('a.example'))
  const other = san(dns(`${'b'.repeat(200)}.example`))
  const cases = [
    { in: [name], out: [name], why: 'nothing to cut' },
    { in: [name, POISON], out: [name], why: 'poison last' },
    { in: [POISON, name], out: [name], why: 'poison first' },
    { in: [name, SCT_LIST, other], out: [name, other], why: 'in the middle, over 256 bytes' },
    { in: [SCT_LIST, name, SCT_LIST, POISON], out: [name], why: 'all of them' },
    { in: [POISON], out: [], why: 'none left: no [3]' },
    { in: [], out: [], why: 'no extensions at all' },
  ]
  assert.equal(
    issuanceId(tbs({ extensions: [], more: hex('a3023000') })),
    issuanceId(certificate({ extensions: [SCT_LIST] })),
    'a log that leaves an empty [3] behind',
  )
  for (const c of cases) {
    const want = tbs({ extensions: c.out })
    assert.deepEqual(Buffer.from(tbsWithoutCt(tbs({ extensions: c.in }))), Buffer.from(want), c.why)
    assert.equal(issuanceId(certificate({ extensions: c.in })), sha256(want), `${c.why}, as a certificate`)
  }
  assert.throws(() => issuanceId(tbs({ extensions: [name, hex('3005')] })), ParseError)
})

void test('CT extensions anywhere never change the identity', () => {
  const ordinary = fc.stringMatching(/^[a-z]{1,70}$/).map((name) => san(dns(name)))
  fc.assert(
    fc.property(
      fc.array(ordinary, { maxLength: 6 }),
      fc.array(fc.tuple(fc.constantFrom(POISON, SCT_LIST), fc.nat(10)), { maxLength: 4 }),
      (kept, added) => {
        const extensions = [...kept]
        for (const [extension, at] of added) extensions.splice(at % (extensions.length + 1), 0, extension)
        assert.equal(issuanceId(certificate({ extensions })), sha256(tbs({ extensions: kept })))
      },
    ),
  )
})
