// Whatever is in a certificate, its alert and its row are of bounded size, name every item that is touched, and say how much there was.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { matchedCount, namesText } from '../../src/notifiers/names-text.ts'
import { createSift } from '../../src/sources/log-sift.ts'
import { issuanceRow } from '../../src/stores/sighting.ts'
import { addFinds, emptyFinds } from '../../src/tail/state.ts'
import type { CertificateAlert } from '../../src/watch/alert.ts'
import { boundedSighting } from '../../src/watch/bounds.ts'
import type { Sighting } from '../../src/watch/issuance.ts'
import { createMatcher } from '../../src/watch/match.ts'
import { certificateAlert, judge } from '../../src/watch/policy.ts'
import { dns, el, extension, hex, tbs } from '../ct/der-writer.ts'
import type { Bytes } from '../ct/der-writer.ts'
import { sighting } from '../stores/support.ts'
import { itemOf } from '../support/items.ts'

// So many are no arguments of a function.
const sanOf = (names: readonly Bytes[]): Bytes => extension(hex('0603551d11'), el(0x30, Buffer.concat(names)))
const NOW = new Date('2026-10-05T09:32:30Z')
// Whole JSON, with each character written as six: a little more than two lists of 131,072.
const LARGEST = 2 * 6 * 131_072 + 200_000

async function found(der: Bytes, watch: readonly string[], exclude: readonly string[] = []): Promise<Sighting> {
  const finds = emptyFinds()
  const entry = { timestamp: NOW.getTime(), type: 'precert', der, issuerKeyHash: undefined, extensions: Buffer.alloc(0) } as const
  const sift = createSift(createMatcher(watch.map(itemOf), exclude.map(itemOf)))
  const kept = [{ index: 1, leafHash: Buffer.alloc(32), entry, why: undefined, precertificate: undefined }]
  await addFinds(
    finds,
    { kept },
    (each) => sift({ id: 'id', description: 'a log' }, each, NOW),
    () => 0,
  )
  return finds.sightings[0] ?? assert.fail('nothing was found')
}
const alertOf = (one: Sighting): CertificateAlert =>
  certificateAlert(one, judge(one, { seen: false, phases: [{ kind: 'steady' }], baseline: 'inventory', now: NOW }))

void test('a certificate with very many names', async () => {
  const names = Array.from({ length: 80_000 }, (_, n) =>
    dns(n === 70_001 ? 'www.last.example' : n % 2 === 0 ? `h${n}.example.com` : `h${n}.stranger.test`),
  )
  const seen = await found(tbs({ extensions: [sanOf(names)] }), ['example.com', 'last.example'])
  assert.ok(JSON.stringify(seen).length < 500_000, 'it may wait for others')
  const alert = alertOf(seen)
  assert.equal(alert.names_count, 80_000)
  assert.equal(alert.matched_count, 40_001)
  assert.equal(alert.names.length, 1000)
  assert.deepEqual(alert.matched.slice(0, 2), [
    { name: 'h0.example.com', item: 'example.com' },
    { name: 'h2.example.com', item: 'example.com' },
  ])
  assert.deepEqual(alert.matched.slice(1000), [{ name: 'www.last.example', item: 'last.example' }])
  assert.match(alert.reason, /example\.com, last\.example are watched/)
  assert.ok(
    alert.names.every((name) => !name.includes('stranger')),
    'what matches comes before what does not',
  )
  assert.equal(matchedCount(alert), 40_001)
  assert.match(namesText(alert, 100), /h0\.example\.com, .* \+39,99\d more that match \+39,999 others$/)
  const row = issuanceRow(seen, true, NOW.getTime())
  assert.deepEqual([row.names.length, row.namesCount], [1000, 80_000])
  assert.equal(alertOf(boundedSighting(seen)).matched_count, 40_001, 'and so it stays')
})

void test('exclusion is about all names, those left out included', async () => {
  const many = (last: string): Bytes =>
    tbs({ extensions: [sanOf([...Array.from({ length: 5000 }, (_, n) => dns(`h${n}.dev.example.com`)), dns(last)])] })
  assert.equal((await found(many('x.dev.example.com'), ['example.com'], ['dev.example.com'])).excluded, true)
  assert.equal((await found(many('x.example.com'), ['example.com'], ['dev.example.com'])).excluded, false)
})

void test('names of megabytes, very many addresses, and other fields without end', async () => {
  const owners = Array.from({ length: 25 }, (_, n) => `owner${n}.com`)
  const label = (byte: number): Buffer => Buffer.concat([Buffer.alloc(5_000_000, byte), Buffer.from('.com')])
  const control = alertOf(await found(tbs({ extensions: [sanOf([dns(label(1))])] }), owners))
  assert.ok(control.matched.length >= 20)
  assert.ok(JSON.stringify(control).length < LARGEST)
  const long = alertOf(await found(tbs({ extensions: [sanOf([dns(`${'a'.repeat(4_000_000)}.example.com`)])] }), ['example.com']))
  assert.match(long.names[0] ?? '', /^a{1000} … 3,998,012 characters … a{988}\.example\.com$/)
  assert.equal(long.matched[0]?.name, long.names[0])
  assert.equal(long.names_count, undefined, 'all are there')
  const addresses = Array.from({ length: 100_000 }, (_, n) => el(0x87, Buffer.of(203, n >> 16, (n >> 8) & 255, n & 255)))
  const spread = alertOf(await found(tbs({ extensions: [sanOf(addresses)] }), ['203.0.0.0/8']))
  assert.deepEqual([spread.ip_addresses.length, spread.ip_addresses_count, spread.matched_count], [1000, 100_000, 100_000])
  const { issuance } = sighting(1)
  const text = '\u0001'.repeat(5_000_000)
  const odd = alertOf({
    ...sighting(1),
    issuance: { ...issuance, serial: 'ab'.repeat(5_000_000), issuer: { name: text, friendlyName: text, caaDomains: Array<string>(5000).fill(text) } },
  })
  assert.equal(odd.serial, undefined)
  assert.ok(JSON.stringify(odd).length < LARGEST)
})

void test('of any lists: bounded, each item named, counts only where something is left out', () => {
  const name = fc.oneof(
    { weight: 5, arbitrary: fc.domain() },
    { weight: 1, arbitrary: fc.nat({ max: 9000 }).map((n) => 'x\u0001\u{1f600}'.repeat(n)) },
  )
  const names = fc
    .tuple(fc.array(name, { maxLength: 300 }), fc.integer({ min: 1, max: 12 }))
    .map(([some, times]) => Array.from({ length: times }, (_, n) => some.map((each) => (n === 0 ? each : `${n}.${each}`))).flat())
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2000 }), (all, every, items) => {
      const matched = all.filter((_, n) => n % every === 0).map((each, n) => ({ name: each, item: `item${n % items}.test` }))
      const one = sighting(1)
      const whole: Sighting = { ...one, issuance: { ...one.issuance, names: all }, matched }
      const bounded = boundedSighting(whole)
      const { issuance } = bounded
      assert.ok(issuance.names.length <= 1000 && issuance.names.join('').length <= 131_072 + 16_384)
      assert.deepEqual(new Set(bounded.matched.map(({ item }) => item)), new Set(matched.map(({ item }) => item)))
      assert.equal(issuance.namesCount, issuance.names.length < all.length ? all.length : undefined)
      assert.equal(bounded.matchedCount, bounded.matched.length < matched.length ? matched.length : undefined)
      assert.deepEqual(boundedSighting(bounded), bounded, 'once is enough')
      const plain = all.length <= 1000 && all.every((each) => each.length <= 16_384) && all.join('').length <= 131_072
      if (plain) assert.equal(bounded, whole)
    }),
    { numRuns: 60 },
  )
})

void test('a page that takes long to be judged leaves everything else its turns', async () => {
  let now = 0
  let turns = 0
  const turn = (): NodeJS.Immediate =>
    setImmediate(() => {
      turns += 1
      next = turn()
    })
  let next = turn()
  const kept = Array.from({ length: 100 }, (_, index) => ({ index }) as never)
  await addFinds(
    emptyFinds(),
    { kept },
    () => {
      now += 20
      return undefined
    },
    () => now,
  )
  clearImmediate(next)
  assert.ok(turns >= 30, String(turns))
})
