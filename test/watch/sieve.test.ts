// The sieve against the definition: where it says no, readEntry finds a stranger's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { makeCertificate } from '../../src/sandbox/certificate.ts'
import { seeded } from '../../src/sandbox/random.ts'
import { readEntry } from '../../src/watch/entry.ts'
import type { Item } from '../../src/watch/item.ts'
import { createMatcher } from '../../src/watch/match.ts'
import type { Matcher } from '../../src/watch/match.ts'
import { createSieve } from '../../src/watch/sieve.ts'
import type { Sieve } from '../../src/watch/sieve.ts'
import { attribute, certificate, cn, dns, el, extension, hex, OID_CN, rdn, san, seq, tbs } from '../ct/der-writer.ts'
import type { Bytes } from '../ct/der-writer.ts'
import { fixture, liveEntries, needsFixtures, sunlightEntries, tesseractEntries, tileEntries } from '../ct/fixtures.ts'
import { HOSTILE_TEXTS } from '../support/hostile.ts'
import { itemOf } from '../support/items.ts'

interface Watch {
  readonly texts: readonly string[]
  readonly sieve: Sieve
  readonly matcher: Matcher
}

const watching = (texts: readonly string[]): Watch => {
  const items = texts.map(itemOf)
  return { texts, sieve: createSieve(items), matcher: createMatcher(items, []) }
}

// The bytes stand among others, as in a tile: nothing before or after may be read.
function mayMatter({ sieve }: Watch, der: Bytes): boolean {
  const among = Buffer.concat([hex('30820fff82'), der, hex('820b6578616d706c652e636f6d')])
  return sieve.mayMatter(among, 5, 5 + der.length)
}

/** True if the sieve let it through; fails if it should have been kept. */
function agree(watch: Watch, der: Bytes): boolean {
  const kept = mayMatter(watch, der)
  const { kind } = readEntry(der, watch.matcher)
  if (!kept && kind !== 'stranger') assert.fail(`${kind} for [${watch.texts.join(' ')}]: ${Buffer.from(der).toString('hex')}`)
  return !kept
}

void test('what is a stranger’s, and what is kept for a closer look', () => {
  const watch = watching(['example.com', '=login.example.org', '=a.b.deep.test', '203.0.113.0/24', '192.0.2.1', '2001:db8::/33'])
  const names = (...list: readonly (string | Bytes)[]): Bytes => tbs({ extensions: [san(...list.map(dns))] })
  const ip = (address: string): Bytes => tbs({ extensions: [san(el(0x87, hex(address)))] })
  const subject = (...rdns: readonly Bytes[]): Bytes => tbs({ subject: seq(...rdns), extensions: [] })
  const cases: readonly (readonly [kept: boolean, der: Bytes, why: string])[] = [
    [false, names('stranger.test'), 'a stranger'],
    [false, certificate({ extensions: [san(dns('stranger.test'))] }), 'in a Certificate'],
    [false, names('com'), 'above'],
    [false, names('org', 'b.deep.test', 'x.a.b.deep.test', 'x.login.example.org', 'example.org'), 'near, and not ours'],
    [false, names('notexample.com', 'example.com.test', 'xexample.com', '-example.com'), 'lookalikes'],
    [false, names('*.stranger.test', '*.test', '*.deep.test', '*.net', '*.x.login.example.org'), 'wildcards'],
    [false, names('A_B.Stranger.TEST', 'xn--bcher-kva.test', 'xn--a.test'), 'letters of all kinds'],
    [false, names('*.com.test', 'a..test', '.test', 'example.com..test'), 'empty labels'],
    [false, names(...Array.from({ length: 300 }, (_, n) => `h${n}.${'x'.repeat(n)}.test`)), 'many'],
    [true, names('stranger.test', 'example.com'), 'itself'],
    [true, names('WWW.EXAMPLE.COM'), 'below, in capitals'],
    [true, names('login.example.org'), 'exact'],
    [true, names('*.com'), 'a wildcard over it'],
    [true, names('*.example.org'), 'a wildcard over an exact one'],
    [true, names('*.b.deep.test'), 'deeper'],
    [true, names('*.x.example.com'), 'a wildcard below'],
    [true, names('?.test'), 'redacted'],
    [true, names('w*w.test'), 'a partial wildcard'],
    [true, names('a.*.test'), 'a wildcard inside'],
    [true, names('*'), 'nothing but a star'],
    [true, names('example.com\0.test'), 'a NUL'],
    [true, names('example.com/.test'), 'a slash'],
    [true, names('example.com\0.stranger.net'), 'a NUL, and behind it what is surely not ours'],
    [true, names('b\xfccher.test'), 'not ASCII'],
    [true, names(''), 'empty'],
    [true, names('stranger.test.'), 'a trailing dot'],
    [true, names('192.0.2.1'), 'an address as a name'],
    [false, ip('cb007207'), 'another address'],
    [false, ip('c0000202'), 'the next one'],
    [true, ip('cb0071ff'), 'in a prefix'],
    [true, ip('c0000201'), 'an address'],
    [true, ip('20010db87fff00000000000000000001'), 'IPv6'],
    [false, ip('20010db8800000000000000000000001'), 'the bit after the prefix'],
    [true, ip('00000000000000000000ffffcb007101'), 'mapped'],
    [false, ip('00000000000000000000ffffcb007201'), 'mapped, another'],
    [true, ip('cb00720701'), 'an address of five bytes'],
    [false, tbs({ extensions: [san(el(0x81, 'me@example.com'), el(0x86, 'https://example.com'), el(0xa4, seq(cn('example.com'))))] }), 'no names'],
    [false, subject(rdn(attribute(hex('060355040a'), 12, 'example.com'))), 'an organisation'],
    [false, subject(cn('Acme Corp'), cn('stranger.test', 19)), 'a company'],
    [true, subject(cn('Acme/example.com Inc')), 'not quite a company'],
    [true, subject(cn('Acme Corp '), cn('Acme Corp.')), 'blanks and dots at the end'],
    [true, subject(cn('example.com .')), 'a dot that is stripped, and the blank before it'],
    [true, subject(cn('stranger.test'), cn('example.com', 22)), 'a common name'],
    [true, subject(rdn(attribute(hex('060355040a'), 12, 'x'), attribute(OID_CN, 19, 'example.com'))), 'in an RDN of two'],
    [true, subject(cn(Buffer.from('stranger.test', 'utf16le').swap16(), 30)), 'a BMPString'],
    [false, tbs({ extensions: [san(dns('a.test')), san(dns('b.test'))] }), 'two subjectAltNames'],
    [true, tbs({ extensions: [san(dns('a.test')), san(dns('example.com'))] }), 'the second one'],
    [false, tbs({ extensions: [extension(hex('0603551d11'), Buffer.concat([seq(dns('a.test')), hex('00')]))] }), 'a stray zero byte'],
    [true, tbs({ extensions: [extension(hex('0603551d11'), Buffer.concat([seq(dns('a.test')), hex('0000')]))] }), 'two'],
    [false, tbs({ extensions: [seq(hex('0603551d11'), hex('0101ff'), el(4, seq(dns('a.test'))))] }), 'a critical one'],
    [true, tbs({ extensions: [seq(hex('0603551d11'), hex('0101ff'), el(4, seq(dns('example.com'))))] }), 'a critical one of ours'],
    [true, tbs({ extensions: [san(el(0xa2, 'example.com'))] }), 'a constructed dNSName'],
    [true, tbs({ extensions: [san(el(0xa7, hex('cb007101')))] }), 'a constructed iPAddress'],
    [true, tbs({ extensions: [san(hex('9f020161'))] }), 'a long tag'],
    [true, hex(''), 'nothing'],
    [true, tbs({ more: hex('0500'), extensions: [san(dns('a.test'))] }), 'parts nobody knows'],
    [true, Buffer.concat([tbs({ extensions: [san(dns('a.test'))] }), hex('00')]), 'a byte more'],
  ]
  for (const [kept, der, why] of cases) {
    assert.equal(mayMatter(watch, der), kept, why)
    agree(watch, der)
  }
  const everything = watching(['.'])
  assert.ok(mayMatter(everything, names('stranger.test')))
  const namesAlone = watching(['example.com'])
  assert.ok(!mayMatter(namesAlone, ip('cb007101')) && !mayMatter(namesAlone, names('192.0.2.1')), 'no address is watched')
})

const label = fc.constantFrom('a', 'b', 'ab', 'B', 'www', 'xn--bcher-kva', 'x_y', '9')
const strange = fc.constantFrom('*', 'a*', '?', 'b\u00fc', 'b\0', 'a/b', '', ' ', 'a b', 'http://a', '\u00ff', '203.0.113')
const tail = fc.constantFrom('example.com', 'example.org', 'EXAMPLE.com', 'com', 'test', 'example.com.', 'deep.example.com', '7', 'c\u00f6m')
const hostName = fc
  .tuple(
    fc.array(fc.oneof({ weight: 30, arbitrary: label }, { weight: 1, arbitrary: strange }), { maxLength: 4 }),
    fc.constantFrom('', '', '*.'),
    tail,
  )
  .map(([labels, star, end]) => `${star}${[...labels, end].join('.')}`)
const twoInOne = fc
  .tuple(hostName, fc.constantFrom('\0', '\0.', '/', ' ', ' .', '. ', '\n'), fc.oneof(hostName, fc.constant('')))
  .map((parts) => parts.join(''))
const anyName = fc.oneof(
  { weight: 30, arbitrary: hostName },
  { weight: 3, arbitrary: twoInOne },
  { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
)
const address = fc.oneof(
  fc.nat(255).map((n) => Buffer.of(203, 0, 113, n)),
  fc.nat(3).map((n) => Buffer.from(`20010db8${'00'.repeat(11)}0${n}`, 'hex')),
  fc.nat(255).map((n) => Buffer.concat([Buffer.alloc(10), Buffer.of(255, 255, 203, 0, 113, n)])),
  fc.oneof({ weight: 5, arbitrary: fc.uint8Array({ minLength: 4, maxLength: 4 }) }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) }),
)
const itemText = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom('', '='), fc.array(fc.constantFrom('a', 'b', 'ab', 'www', '9', 'xn--bcher-kva'), { maxLength: 3 })),
  },
  { weight: 1, arbitrary: fc.constant(undefined) },
)
const watchList = fc
  .array(
    itemText.chain((parts) =>
      parts === undefined
        ? fc.constantFrom('203.0.113.7', '203.0.113.128/25', '2001:db8::/126', '0.0.0.0/0', '::/0', '2001:db8::2')
        : fc.constantFrom('example.com', 'example.org', 'other.example').map((end) => `${parts[0]}${[...parts[1], end].join('.')}`),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map(watching)

// Certificates by the test's own writer, with everything in every place.
const made = fc
  .record({
    names: fc.array(
      fc.tuple(anyName, fc.oneof({ weight: 30, arbitrary: fc.constant(0x82) }, { weight: 1, arbitrary: fc.constantFrom(0xa2, 0x81, 0x87, 0xa7) })),
      { maxLength: 4 },
    ),
    latin1: fc.boolean(),
    addresses: fc.array(address, { maxLength: 2 }),
    commonNames: fc.array(
      fc.tuple(
        anyName,
        fc.oneof({ weight: 15, arbitrary: fc.constantFrom(12, 19, 20, 22, 26) }, { weight: 1, arbitrary: fc.constantFrom(28, 30, 4) }),
      ),
      { maxLength: 2 },
    ),
    twice: fc.boolean(),
    whole: fc.boolean(),
  })
  .map(({ names, latin1, addresses, commonNames, twice, whole }) => {
    const encoding = latin1 ? 'latin1' : 'utf8'
    const list = [...names.map(([name, tag]) => el(tag, Buffer.from(name, encoding))), ...addresses.map((each) => el(0x87, each))]
    const subject = seq(...commonNames.map(([name, tag]) => cn(Buffer.from(name, encoding), tag)))
    return (whole ? certificate : tbs)({ subject, extensions: twice ? [san(...list.slice(0, 1)), san(...list.slice(1))] : [san(...list)] })
  })

/** A change to bytes: at a fraction of their length, bytes taken out and others put in. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  out: fc.constantFrom(0, 1, 1, 1, 2, 40),
  in: fc.uint8Array({ maxLength: 3 }),
  cut: fc.constantFrom(false, false, false, true),
})
const mutate = (der: Bytes, changes: readonly { at: number; out: number; in: Uint8Array; cut: boolean }[]): Bytes => {
  let bytes = der
  for (const change of changes) {
    const at = Math.floor(change.at * bytes.length)
    bytes = change.cut ? bytes.subarray(0, at) : Buffer.concat([bytes.subarray(0, at), change.in, bytes.subarray(at + change.out)])
  }
  return bytes
}

void test('made certificates, odd in every place: no is no', () => {
  let no = 0
  fc.assert(
    fc.property(watchList, made, (watch, der) => void (no += agree(watch, der) ? 1 : 0)),
    { numRuns: 6000 },
  )
  assert.ok(no > 1000, `${no} of 6,000 were strangers'`)
})

void test('made certificates, spoiled: no is no', () => {
  fc.assert(
    fc.property(
      watchList,
      made,
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (watch, der, changes) => void agree(watch, mutate(der, changes)),
    ),
    { numRuns: 10_000 },
  )
})

void test("the sandbox's certificates, whole and with every single byte changed", () => {
  const watch = watching(['example.com', '=a.example.org', '203.0.113.0/24'])
  const any = seeded('any')
  for (const precertificate of [true, false]) {
    const options = { notBefore: new Date(0), notAfter: new Date(1e12), precertificate, random: seeded('sieve') }
    const { der } = makeCertificate({ ...options, names: ['stranger.test', '*.www.example.org'], ips: ['198.51.100.7', '2001:db8::1'] })
    assert.ok(agree(watch, der))
    assert.ok(!agree(watch, makeCertificate({ ...options, names: ['a.test', 'x.example.com'] }).der))
    for (let at = 0; at < der.length; at++) {
      for (const change of [1, 0x20, 0x80, any(1)[0] ?? 0]) {
        const spoiled = Buffer.from(der)
        spoiled[at] = (spoiled[at] ?? 0) ^ change
        agree(watch, spoiled)
      }
      agree(watch, der.subarray(0, at))
    }
  }
})

const realEntries = (): readonly Bytes[] => {
  const tiles = ['000', '001', '002', '003'].map((n) => `static-ct/navigli2025h2/tile/data/${n}`)
  const navigli = tiles.flatMap((path) => tileEntries(fixture(path)))
  const all = [...liveEntries(), ...navigli, ...sunlightEntries(), ...tesseractEntries()]
  // The precertificate as it was submitted is a Certificate as well.
  return all.flatMap(({ leaf, submitted }) => (submitted === undefined ? [leaf] : [leaf, submitted]))
}

void test('real entries: no is no, and nearly every stranger gets it', needsFixtures, (t) => {
  const ders = realEntries()
  const lists = [
    watching(['certbell.example', '=login.brand.test', '192.0.2.5', '10.0.0.0/8']),
    watching(['acme.example.com', '=h17.globex.example.net', 'initech.test', 'evil.example', '=bücher.h12.hooli.example.net', '192.0.2.5']),
    watching(['twig.ct.letsencrypt.org', '=example.com', 'example.org', '=www.example.net', '::/0']),
  ]
  for (const watch of lists) {
    let strangers = 0
    let no = 0
    for (const der of ders) {
      if (agree(watch, der)) no += 1
      if (readEntry(der, watch.matcher).kind === 'stranger') strangers += 1
    }
    t.diagnostic(`${no} of ${strangers} strangers' (of ${ders.length}) for [${watch.texts.join(' ')}]`)
    assert.ok(no >= 0.97 * strangers, `${no} of ${strangers}`)
  }
})

void test('real entries, spoiled: no is no', needsFixtures, () => {
  const ders = realEntries()
  const lists = fc.constantFrom(
    watching(['example.com', 'example.org', '192.0.2.0/24']),
    watching(['acme.example.com', '=h17.globex.example.net', 'initech.test', 'evil.example']),
    watching(['certbell.example']),
  )
  fc.assert(
    fc.property(
      lists,
      fc.nat(ders.length - 1),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (watch, n, changes) => void agree(watch, mutate(ders[n] ?? assert.fail(), changes)),
    ),
    { numRuns: 10_000 },
  )
})

void test('time is linear in the bytes, whatever they are', () => {
  const watch = watching([
    'example.com',
    '203.0.113.7',
    ...Array.from({ length: 20 }, (_, n) => `10.${n}.0.0/${16 + (n % 16)}`.replace(/\.0\.0\/(?!16)\d+/, '.0.0/16')),
  ])
  const big: readonly Bytes[] = [
    tbs({ extensions: [san(Buffer.concat(Array.from({ length: 50_000 }, (_, n) => dns(`host-${n}.stranger.test`))))] }),
    tbs({ extensions: [san(dns('a.'.repeat(500_000) + 'com'))] }),
    tbs({ extensions: [san(Buffer.concat(Array.from({ length: 50_000 }, () => dns('*.www.org'))))] }),
    tbs({ subject: seq(Buffer.concat(Array.from({ length: 10_000 }, () => cn('Acme Corp')))), extensions: [] }),
    tbs({ extensions: [san(Buffer.concat(Array.from({ length: 50_000 }, (_, n) => el(0x87, Buffer.of(198, 51, n >> 8, n & 255)))))] }),
  ]
  for (const der of big) {
    const start = performance.now()
    assert.equal(mayMatter(watch, der), false)
    assert.ok(performance.now() - start < 1000)
    agree(watch, der)
  }
})

void test('more names than are read are worth reading', () => {
  const watch = watching(['example.com'])
  const many = (count: number, one: Uint8Array): Bytes => Buffer.concat(Array<Uint8Array>(count).fill(one))
  for (const [der, matters] of [
    [tbs({ subject: seq(many(10_000, cn('Acme Corp'))), extensions: [] }), false],
    [tbs({ subject: seq(many(10_001, cn('Acme Corp'))), extensions: [] }), true],
    [tbs({ extensions: [san(many(60_000, dns('a'))), san(many(40_000, dns('a')))] }), false],
    [tbs({ extensions: [san(many(60_000, dns('a'))), san(many(40_001, dns('a')))] }), true],
  ] as const) {
    assert.equal(mayMatter(watch, der), matters)
    agree(watch, der)
  }
})

void test('names longer than any: no is no', () => {
  const watch = watching(['example.com', '=login.example.org', '203.0.113.0/24'])
  const bodies = ['a', 'a.', '9', '.', '*', '*.', '\0', '/', '!', ' ', 'a b', '\u00e9', 'a\u0301\u0316', '1.']
  let no = 0
  for (const body of bodies) {
    for (const end of ['', '.example.com', 'login.example.org', '.stranger.test', '203.0.113.7', 'example.com/', 'example.com\0'])
      for (const start of ['', 'example.com/', 'example.com\0']) {
        const name = Buffer.from(`${start}${body.repeat(5000)}${end}`)
        for (const der of [tbs({ extensions: [san(dns(name))] }), tbs({ subject: seq(cn(name)), extensions: [] })]) no += agree(watch, der) ? 1 : 0
      }
  }
  assert.ok(no > 0)
})

void test('a million items take few bytes, and as few looks', () => {
  const items = Array.from({ length: 1_000_000 }, (_, n): Item => ({ kind: 'name', text: '', domain: `www.brand${n}.example`, exact: n % 2 === 0 }))
  const sieve = createSieve(items)
  assert.ok(sieve.size <= 24 * 1024 * 1024, `${sieve.size}`)
  const kept = (name: string): boolean => {
    const der = tbs({ extensions: [san(dns(name))] })
    return sieve.mayMatter(der, 0, der.length)
  }
  for (let n = 0; n < 1_000_000; n += 9_999) {
    assert.ok(kept(`www.brand${n}.example`))
    assert.ok(kept(`*.brand${n}.example`))
  }
  let no = 0
  for (let n = 0; n < 10_000; n++) if (!kept(`www.stranger${n}.test`) && !kept(`shop.stranger${n}.example`)) no += 1
  assert.ok(no > 9900, `${no} of 10,000 strangers`)
})
