// What an entry means: the plain definition, on certificates made odd byte by byte and on the real trees.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { issuanceId } from '../../src/ct/tbs.ts'
import type { EntryMatch, EntryReading } from '../../src/watch/entry.ts'
import { readEntry } from '../../src/watch/entry.ts'
import { itemKey } from '../../src/watch/item.ts'
import { createMatcher } from '../../src/watch/match.ts'
import { displayName, nameReadings } from '../../src/watch/name.ts'
import { attribute, certificate, cn, dns, el, extension, hex, OID_CN, rdn, san, seq, tbs } from '../ct/der-writer.ts'
import { fixture, liveEntries, needsFixtures, sunlightEntries, treeLines } from '../ct/fixtures.ts'
import { itemOf } from '../support/items.ts'

const read = (der: Uint8Array, watch: readonly string[], exclude: readonly string[] = []): EntryReading =>
  readEntry(der, createMatcher(watch.map(itemOf), exclude.map(itemOf)))
const found = (reading: EntryReading, why: string): EntryMatch => (reading.kind === 'match' ? reading : assert.fail(`${why}: ${reading.kind}`))

void test('where names are, and how they are read', () => {
  const W = ['example.com', '=login.example.org', 'bücher.example', '203.0.113.0/24', '2001:db8::/32']
  const ip = (address: string): Uint8Array => el(0x87, hex(address))
  const cases: readonly { der: Uint8Array; matched?: readonly string[]; names?: readonly string[]; malformed?: RegExp; why: string }[] = [
    { der: tbs({ extensions: [san(dns('a.test'), dns('WWW.Example.com.'))] }), matched: ['www.example.com'], why: 'not the first' },
    { der: certificate({ extensions: [san(dns('www.example.com'))] }), matched: ['www.example.com'], why: 'in a Certificate' },
    { der: tbs({ extensions: [san(dns('a.test'))], subject: seq(cn('example.com')) }), matched: ['example.com'], why: 'a common name' },
    {
      der: tbs({ extensions: [], subject: seq(cn('a.test'), cn('b.example.com', 19), cn('c.test')) }),
      matched: ['b.example.com'],
      names: ['a.test', 'b.example.com', 'c.test'],
      why: 'the second of three, and no extension',
    },
    {
      der: tbs({ extensions: [], subject: seq(rdn(attribute(hex('060355040a'), 12, 'Acme'), attribute(OID_CN, 22, 'x.example.com'))) }),
      matched: ['x.example.com'],
      why: 'in an RDN of two attributes',
    },
    {
      der: tbs({ extensions: [], subject: seq(cn(Buffer.from('moc.elpmaxe', 'utf16le').reverse(), 30)) }),
      matched: ['example.com'],
      why: 'a BMPString',
    },
    { der: tbs({ extensions: [san(dns('a.test')), san(dns('b.example.com'))] }), matched: ['b.example.com'], why: 'a second subjectAltName' },
    {
      der: tbs({ extensions: [extension(hex('0603551d11'), Buffer.concat([seq(dns('example.com')), hex('00')]))] }),
      matched: ['example.com'],
      why: 'a stray zero byte',
    },
    { der: tbs({ extensions: [san(dns('*.example.org'))] }), matched: ['*.example.org'], why: 'a wildcard over an exact item' },
    { der: tbs({ extensions: [san(dns('*.com'))] }), matched: ['*.com'], why: 'a wildcard over a name' },
    { der: tbs({ extensions: [san(dns('l*n.example.org'))] }), matched: ['l*n.example.org'], why: 'a partial wildcard' },
    { der: tbs({ extensions: [san(dns('?.example.org'))] }), matched: ['?.example.org'], why: 'a redacted label' },
    { der: tbs({ extensions: [san(dns('example.com\0.evil.test'))] }), matched: ['example.com\0.evil.test'], why: 'before a NUL' },
    { der: tbs({ extensions: [san(dns('evil.test\0.example.com'))] }), matched: ['evil.test\0.example.com'], why: 'with the NUL' },
    { der: tbs({ extensions: [san(dns('example.com/evil.test'))] }), matched: ['example.com/evil.test'], why: 'before a slash' },
    { der: tbs({ extensions: [san(dns('http://example.com'))] }), matched: ['http://example.com'], why: 'a URL' },
    { der: tbs({ extensions: [san(dns(Buffer.from('bücher.example')))] }), matched: ['bücher.example'], why: 'UTF-8' },
    { der: tbs({ extensions: [san(dns('b\xfccher.example'))] }), matched: ['bücher.example'], why: 'Latin-1' },
    { der: tbs({ extensions: [san(ip('cb007107'))] }), matched: ['203.0.113.7'], names: [], why: 'an IPv4 address' },
    { der: tbs({ extensions: [san(ip('20010db8000000000000000000000001'))] }), matched: ['2001:db8::1'], names: [], why: 'an IPv6 address' },
    { der: tbs({ extensions: [san(dns('203.0.113.7'))] }), matched: ['203.0.113.7'], why: 'an address as a name' },
    { der: tbs({ extensions: [san(ip('cb007207'))] }), why: 'another address' },
    { der: tbs({ extensions: [san(ip('cb00710700'))] }), malformed: /iPAddress of 5 bytes/, why: 'an address of five bytes' },
    {
      der: tbs({ extensions: [san(dns('example.com'), ip('cb0071'))] }),
      matched: ['example.com'],
      malformed: /iPAddress of 3 bytes/,
      why: 'ours, and an address that cannot be read',
    },
    { der: tbs({ extensions: [], subject: seq(cn('Acme x.example.com')) }), why: 'a common name with a space is no name' },
    {
      der: tbs({ extensions: [san(dns('example.com'))], subject: seq(cn('Acme Corp')) }),
      matched: ['example.com'],
      names: ['example.com', 'acme corp'],
      why: 'but is shown',
    },
    ...(
      [
        ['evil\0.example.com', 'evil\0.example.com'],
        ['evil\0.example.com/Acme', 'evil\0.example.com/acme'],
        ['evil\0.example.com/Acme Corp', 'evil\0.example.com'],
        ['example.com/x\0y z', 'example.com', 'example.com/x'],
        ['x y/\0example.com'],
      ] as const
    ).map(([name, ...matched]) => ({
      der: tbs({ extensions: [], subject: seq(cn(name)) }),
      ...(matched.length > 0 && { matched }),
      why: `a common name that a NUL and a slash cut: ${JSON.stringify(name)}`,
    })),
    {
      der: tbs({ extensions: [san(dns(Buffer.from('exam\u00adple.com')))] }),
      matched: ['exam\u00adple.com'],
      why: 'a soft hyphen, which IDNA leaves out',
    },
    {
      der: tbs({ extensions: [], subject: seq(cn(Buffer.from('203\u30020\u3002113\u30027'))) }),
      matched: ['203\u30020\u3002113\u30027'],
      why: 'ideographic dots',
    },
    { der: tbs({ extensions: [], subject: seq(cn('\0a\0', 30)) }), malformed: /BMPString whose length/, why: 'half a character' },
    { der: tbs({ extensions: [], subject: seq(cn(' example.com. ')) }), matched: ['example.com'], why: 'blanks around it are not in it' },
    {
      der: tbs({ extensions: [], subject: seq(cn('https://example.com/Acme Corp')) }),
      matched: ['example.com'],
      names: ['https://example.com/acme corp'],
      why: 'what stands before the slash has none',
    },
    { der: tbs({ extensions: [], subject: seq(cn('example.com\0 Acme')) }), matched: ['example.com'], why: 'nor before the NUL' },
    {
      der: tbs({ extensions: [san(el(0x81, 'me@example.com'), el(0x86, 'https://example.com/'), el(0x82, 'a.test'))] }),
      why: 'mail addresses and URIs are not names',
    },
    { der: tbs({ extensions: [san(dns('example.com.evil.test'), dns('notexample.com'))] }), why: 'lookalikes' },
    { der: tbs({ extensions: [] }), why: 'no name at all' },
    { der: tbs({ issuer: seq(cn('example.com')), extensions: [] }), why: 'the issuer is not the subject' },
    { der: hex(''), malformed: /certificate/, why: 'nothing' },
    { der: Buffer.from('not DER'), malformed: /certificate/, why: 'no DER' },
    { der: tbs().subarray(0, -1), malformed: /bytes left/, why: 'cut off' },
    { der: tbs({ subject: seq(hex('3105')), extensions: [] }), malformed: /subject/, why: 'a subject that breaks off' },
    { der: tbs({ extensions: [san(dns('a.test'), hex('82'))] }), malformed: /GeneralName/, why: 'a SAN that breaks off' },
    { der: tbs({ extensions: [san(dns('a.test')), hex('3005')] }), malformed: /extensions/, why: 'extensions that break off' },
    { der: tbs({ more: hex('0500'), extensions: [] }), malformed: /parts/, why: 'parts nobody knows' },
    { der: tbs({ serial: hex('ff'), extensions: [san(dns('a.test'))] }), why: 'an odd serial number hides no name' },
  ]
  for (const c of cases) {
    const got = read(c.der, W)
    if (c.matched === undefined) {
      assert.equal(got.kind, c.malformed === undefined ? 'stranger' : 'malformed', c.why)
      if (got.kind === 'malformed') assert.match(got.why, c.malformed ?? /^$/, c.why)
      continue
    }
    const match = found(got, c.why)
    assert.deepEqual(
      match.matched.map(({ name }) => name),
      c.matched,
      c.why,
    )
    if (c.names !== undefined) assert.deepEqual(match.names, c.names, c.why)
    assert.match(match.malformed ?? '', c.malformed ?? /^$/, c.why)
    assert.equal(match.excluded, false, c.why)
  }
})

void test('everything is everything; what is excluded is told', () => {
  for (const der of [tbs({ extensions: [] }), tbs({ extensions: [], subject: seq(cn('Acme Corp')) }), tbs({ extensions: [san(dns(''))] }), tbs()])
    assert.deepEqual(found(read(der, ['.']), 'everything').items, ['.'])
  assert.equal(read(hex('30'), ['.']).kind, 'malformed')
  const silent = found(
    read(tbs({ extensions: [san(dns('a.dev.example.com'), el(0x87, hex('00')))] }), ['example.com'], ['dev.example.com']),
    'excluded',
  )
  assert.equal(silent.excluded, true)
  assert.match(silent.malformed ?? '', /iPAddress/, 'yet there may be another name')
})

void test('a name that is too much to be read in every way may be anyone’s', () => {
  const long = Buffer.from(`${'\u00e9'.repeat(5000)}\0.test`)
  const der = (...names: readonly (Buffer | string)[]) => tbs({ extensions: [san(...names.map(dns))] })
  const stranger = read(der(long), ['example.com'])
  assert.match(stranger.kind === 'malformed' ? stranger.why : '', /a name of [\d,]+ characters/)
  const ours = found(read(der('example.com', long), ['example.com'], ['example.com']), 'ours')
  assert.match(ours.malformed ?? '', /a name of [\d,]+ characters/)
  assert.equal(ours.excluded, false)
})

void test('names and addresses are there once, in order', () => {
  const der = tbs({
    subject: seq(cn('B.test')),
    extensions: [san(dns('b.test'), dns('example.com'), el(0x87, hex('cb007107')), dns('EXAMPLE.com.'), el(0x87, hex('cb007107')), dns('a.test'))],
  })
  const got = found(read(der, ['example.com', '203.0.113.7']), 'ours')
  assert.deepEqual(got.names, ['b.test', 'example.com', 'a.test'])
  assert.deepEqual(got.ipAddresses, ['203.0.113.7'])
  assert.deepEqual(got.matched, [
    { name: 'example.com', item: 'example.com' },
    { name: '203.0.113.7', item: '203.0.113.7' },
  ])
})

void test('live entries are anyone’s but broken', needsFixtures, () => {
  for (const { leaf, dnsNames } of liveEntries()) {
    assert.equal(read(leaf, ['certbell.invalid.example']).kind, 'stranger')
    const all = found(read(leaf, ['.']), 'everything')
    for (const name of dnsNames) assert.ok(all.names.includes(displayName(name)), name)
  }
})

void test("a real log's tree: every entry of the truth, and all that certspotter saw", needsFixtures, () => {
  const everything = createMatcher([itemOf('.')], [])
  const all = sunlightEntries().map(({ leaf }, index) => found(readEntry(leaf, everything), String(index)))
  for (const { index, dns, cn, ip } of treeLines('static-ct-trees/sunlight/truth.jsonl')) {
    const entry = all[index] ?? assert.fail()
    for (const name of [...(dns ?? []), ...(cn === undefined ? [] : [cn])]) assert.ok(entry.names.includes(displayName(name)), `${index} ${name}`)
    assert.deepEqual(entry.ipAddresses, [...new Set(ip)], String(index))
    assert.equal(entry.malformed, undefined, String(index))
  }
  for (const { index, dns } of treeLines('static-ct-trees/sunlight/certspotter-all.jsonl')) {
    const ours = new Set((all[index]?.names ?? []).flatMap((name) => nameReadings(name).map((labels) => labels.join('.'))))
    for (const name of dns ?? []) assert.ok(ours.has(name), `${index} ${name}`)
  }
})

void test("a real log's tree: what certspotter reported of it, and the addresses that it does not watch", needsFixtures, () => {
  // Its items are exact unless they begin with a dot; `192.0.2.5` among them can match nothing there.
  const lines = fixture('static-ct-trees/sunlight/certspotter-some.watchlist').toString().trim().split('\n')
  const matcher = createMatcher(
    lines.map((line) => itemOf(/^[.\d]/.test(line) ? line : `=${line}`)),
    [],
  )
  const ours = new Map<string, EntryMatch>()
  for (const { leaf } of sunlightEntries()) {
    const got = readEntry(leaf, matcher)
    if (got.kind === 'match') ours.set(issuanceId(leaf), got)
    else assert.equal(got.kind, 'stranger')
  }
  const theirs = treeLines('static-ct-trees/sunlight/certspotter-some.jsonl')
  assert.equal(theirs.length, 258)
  for (const { tbs, item } of theirs) {
    const key = itemKey(itemOf(item.startsWith('.') ? item : `=${item}`))
    assert.ok(ours.get(tbs)?.items.includes(key), `${tbs} ${item}`)
    ours.delete(tbs)
  }
  assert.deepEqual(
    [...ours.values()].map((match) => match.items),
    [['192.0.2.5'], ['192.0.2.5'], ['192.0.2.5']],
  )
})

void test('time is linear in the bytes, whatever they are', () => {
  const MEGABYTE = 1 << 20
  const many = (name: (n: number) => Uint8Array | string, count: number): Uint8Array =>
    tbs({ extensions: [san(Buffer.concat(Array.from({ length: count }, (_, n) => dns(name(n)))))] })
  const W = [...Array.from({ length: 2000 }, (_, n) => `=h${n}.brand.example.com`), 'example.org', '192.0.2.0/24']
  const matcher = createMatcher(W.map(itemOf), [])
  const cases: readonly (readonly [why: string, der: Uint8Array])[] = [
    ['50,000 names', many((n) => `host-${n}.stranger.test`, 50_000)],
    ['50,000 wildcards over a big part of the list', many((n) => `*${n % 10}.brand.*.com`, 50_000)],
    ['stars without end', many((n) => `${'*a'.repeat(60)}${n}.*.*.*`, 8000)],
    ['one name of a megabyte', many(() => 'a'.repeat(MEGABYTE), 1)],
    ['dots', many(() => '.'.repeat(MEGABYTE), 1)],
    ['dots and blanks', many(() => 'a' + '. '.repeat(MEGABYTE / 2), 1)],
    ['labels of one letter', many(() => 'a.'.repeat(MEGABYTE / 2), 1)],
    ['slashes', many(() => '/'.repeat(MEGABYTE), 1)],
    ['NULs', many(() => '\0'.repeat(MEGABYTE), 1)],
    ['50,000 names of Latin-1', many(() => '\xe4\xf6\xfc\xdf.example.com', 50_000)],
    [
      'labels for Punycode at its worst',
      many((n) => Array.from({ length: 250 }, (_, i) => String.fromCharCode(192 + ((i + n) % 64))).join('') + `.${n}.test`, 4000),
    ],
    [
      'labels of many letters',
      many((n) => Buffer.from(Array.from({ length: 250 }, (_, i) => String.fromCharCode(0x4e00 + ((i * 37 + n) % 20_000))).join('')), 1400),
    ],
    ['common names', tbs({ subject: seq(Buffer.concat(Array.from({ length: 50_000 }, (_, n) => cn(`h${n}.test`)))), extensions: [] })],
    ['one common name of blanks and slashes', tbs({ subject: seq(cn('a /'.repeat(MEGABYTE / 3))), extensions: [] })],
    [
      'addresses',
      tbs({ extensions: [san(Buffer.concat(Array.from({ length: 50_000 }, (_, n) => el(0x87, Buffer.from([198, 51, n >> 8, n & 255])))))] }),
    ],
    ['extensions', tbs({ extensions: [Buffer.concat(Array.from({ length: 50_000 }, () => san(dns('a.test'))))] })],
  ]
  for (const [why, der] of cases) {
    const start = performance.now()
    readEntry(der, matcher)
    const took = performance.now() - start
    if (process.env['CERTBELL_TIMES'] !== undefined) console.log(`${why}: ${took.toFixed(0)} ms for ${der.length} bytes`)
    assert.ok(took < 4000, `${why}: ${took} ms`)
  }
})
