import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readCertificate } from '../../src/ct/certificate.ts'
import type { Certificate } from '../../src/ct/certificate.ts'
import { ParseError } from '../../src/ct/errors.ts'
import { formatIp } from '../../src/ct/ip-address.ts'
import { issuanceId } from '../../src/ct/tbs.ts'
import { attribute, certificate, cn, dns, el, extension, hex, OID_CN, POISON, rdn, san, SCT_LIST, seq, tbs } from './der-writer.ts'
import { apiCertificates, fixture, treeLines, liveEntries, needsFixtures, sunlightEntries, tileEntries } from './fixtures.ts'

const latin1 = (names: readonly Uint8Array[]): readonly string[] => names.map((name) => Buffer.from(name).toString('latin1'))

// X509Certificate takes no bare TBS; dressed as a certificate it does.
function oracle(der: Uint8Array, bare: boolean): X509Certificate {
  return new X509Certificate(bare ? seq(der, seq(hex('06082a8648ce3d040302')), hex('03030000ff')) : der)
}

function sanOf(x509: X509Certificate): readonly string[] {
  const text = x509.subjectAltName ?? ''
  return text === '' ? [] : text.split(', ').filter((part) => /^(DNS|IP Address):/.test(part))
}

function agrees(c: Certificate, x509: X509Certificate, why: string): void {
  assert.equal(c.serial?.replace(/^0(?=.)/, ''), x509.serialNumber.toLowerCase().replace(/^0(?=.)/, ''), why)
  assert.equal(c.notBefore?.getTime(), x509.validFromDate.getTime(), why)
  assert.equal(c.notAfter?.getTime(), x509.validToDate.getTime(), why)
  assert.deepEqual(Buffer.from(c.spki), x509.publicKey.export({ type: 'spki', format: 'der' }), why)
  const details = x509.publicKey.asymmetricKeyDetails
  assert.equal(c.key?.type, x509.publicKey.asymmetricKeyType, why)
  if (details?.modulusLength !== undefined) assert.equal(c.key?.bits, details.modulusLength, why)
  const curve = details?.namedCurve
  if (curve !== undefined) assert.equal(c.key?.curve, { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }[curve], why)
}

void test('live log entries agree with X509Certificate and with their names', needsFixtures, () => {
  const entries = liveEntries()
  assert.equal(entries.length, 40)
  for (const [i, entry] of entries.entries()) {
    const c = readCertificate(entry.leaf)
    agrees(c, oracle(entry.leaf, entry.type === 'precert'), `entry ${i}`)
    const cns = c.commonNames.filter((name) => !latin1(c.dnsNames).includes(name))
    assert.deepEqual([...new Set([...latin1(c.dnsNames), ...cns])].sort(), [...new Set(entry.dnsNames)].sort(), `names of entry ${i}`)
    assert.deepEqual(c.oddities, [], `entry ${i}`)
    assert.equal(c.precertificate, false, 'a leaf has no poison')
    assert.equal(c.namesHidden, false)
    if (entry.submitted !== undefined) {
      const submitted = readCertificate(entry.submitted)
      assert.equal(submitted.precertificate, true)
      assert.deepEqual(latin1(submitted.dnsNames), latin1(c.dnsNames))
    }
  }
})

void test('certificates of the API agree with what the API says of them', needsFixtures, () => {
  const all = apiCertificates()
  assert.ok(all.length >= 2)
  for (const { issuance, der } of all) {
    const c = readCertificate(der)
    agrees(c, oracle(der, false), issuance.id)
    assert.equal(c.issuer, issuance.issuer.name)
    assert.deepEqual(latin1(c.dnsNames).toSorted(), [...issuance.dns_names].toSorted())
    assert.equal(c.notBefore?.getTime(), Date.parse(issuance.not_before.replace('-00:00', 'Z')))
    assert.equal(c.notAfter?.getTime(), Date.parse(issuance.not_after.replace('-00:00', 'Z')))
  }
})

void test('whole trees of real logs agree with the truth and with X509Certificate', needsFixtures, () => {
  const truth = treeLines('static-ct-trees/sunlight/truth.jsonl')
  const entries = sunlightEntries()
  assert.equal(entries.length, 3300)
  for (const [i, entry] of entries.entries()) {
    const t = truth[i] ?? assert.fail()
    const c = readCertificate(entry.leaf)
    const why = `entry ${i} (${t.kind})`
    assert.deepEqual(
      c.dnsNames.map((name) => Buffer.from(name).toString('utf8')),
      t.dns ?? [],
      why,
    )
    assert.deepEqual(
      c.ipAddresses.map(formatIp),
      (t.ip ?? []).map((ip) => ip),
      why,
    )
    assert.deepEqual(c.commonNames, t.cn === undefined ? [] : [t.cn], why)
    assert.equal(c.serial, t.serial, why)
    assert.equal(c.namesHidden, false, why)
    if (i % 8 === 0) agrees(c, oracle(entry.leaf, entry.type === 'precert'), why)
  }
  for (const tile of ['000', '001', '002', '003']) {
    for (const entry of tileEntries(fixture(`static-ct/navigli2025h2/tile/data/${tile}`)).filter((_, i) => i % 16 === 0)) {
      const x509 = oracle(entry.leaf, true)
      const c = readCertificate(entry.leaf)
      agrees(c, x509, tile)
      assert.deepEqual(
        latin1(c.dnsNames).map((name) => `DNS:${name}`),
        sanOf(x509),
      )
    }
  }
})

void test('distinguished names as text', () => {
  const O = hex('060355040a')
  const cases = [
    {
      in: seq(rdn(attribute(hex('0603550406'), 19, 'US')), rdn(attribute(O, 12, "Let's Encrypt")), cn('YR2')),
      out: "C=US, O=Let's Encrypt, CN=YR2",
      why: 'plain',
    },
    { in: seq(rdn(attribute(O, 12, 'Cloudflare, Inc.'))), out: 'O="Cloudflare, Inc."', why: 'a comma is quoted' },
    { in: seq(cn('say "x" \\ now')), out: 'CN="say \\"x\\" \\\\ now"', why: 'quote and backslash' },
    { in: seq(cn(' x')), out: 'CN=" x"', why: 'a blank at the end or beginning' },
    { in: seq(cn('a\0b\nc')), out: 'CN=a\\00b\\0Ac', why: 'controls' },
    { in: seq(rdn(attribute(OID_CN, 12, 'a'), attribute(O, 12, 'b'))), out: 'CN=a + O=b', why: 'two attributes in one RDN' },
    { in: seq(rdn(attribute(hex('0603883703'), 12, 'x'))), out: '2.999.3=x', why: 'an unknown type' },
    { in: seq(), out: '', why: 'empty' },
  ]
  for (const c of cases) assert.equal(readCertificate(tbs({ issuer: c.in })).issuer, c.out, c.why)
})

void test('every common name in every string type', () => {
  const cases: readonly { in: Uint8Array; out: readonly string[]; odd: boolean; hidden?: boolean; why: string }[] = [
    { in: seq(cn('b\u00c3\u00bccher.example')), out: ['bücher.example'], odd: false, why: 'UTF8String' },
    {
      in: seq(cn('a.example', 19), cn('b.example', 22), cn('c.example', 26), cn('d.example', 20)),
      out: ['a.example', 'b.example', 'c.example', 'd.example'],
      odd: false,
      why: 'ASCII types, several RDNs',
    },
    { in: seq(cn('\0a\0.\0b', 30)), out: ['a.b'], odd: false, why: 'BMPString' },
    { in: seq(cn('\0\0\0a\0\x01\xf4\xa9', 28)), out: ['a💩'], odd: false, why: 'UniversalString' },
    {
      in: seq(rdn(attribute(hex('060355040a'), 12, 'o'), attribute(OID_CN, 12, 'second.example'))),
      out: ['second.example'],
      odd: false,
      why: 'not the first of its RDN',
    },
    { in: seq(cn('b\xfccher.example')), out: ['bücher.example'], odd: true, why: 'UTF8String that is Latin-1' },
    { in: seq(cn('b\xfccher', 20)), out: ['bücher'], odd: false, why: 'Teletex' },
    { in: seq(cn('b\u00c3\u00bccher', 19)), out: ['bücher', 'bÃ¼cher'], odd: true, why: 'UTF-8 in a PrintableString: both readings' },
    { in: seq(cn('\0a\0', 30)), out: ['a'], odd: true, hidden: true, why: 'odd length' },
    { in: seq(cn('\xff\xff\xff\xff', 28)), out: ['\ufffd'], odd: true, hidden: true, why: 'beyond Unicode' },
    { in: seq(cn('x.example', 3)), out: ['x.example'], odd: true, why: 'not a string type: read all the same' },
    { in: seq(cn('')), out: [], odd: false, why: 'empty' },
  ]
  for (const c of cases) {
    const got = readCertificate(tbs({ subject: c.in }))
    assert.deepEqual(got.commonNames, c.out, c.why)
    assert.equal(got.oddities.length > 0, c.odd, `${c.why}: ${got.oddities.join()}`)
    assert.equal(got.namesHidden, c.hidden ?? false, c.why)
  }
})

void test('one odd field does not hide the rest', () => {
  const cases: readonly { in: Parameters<typeof tbs>[0]; see: Partial<Certificate>; odd: RegExp; hidden?: boolean; why: string }[] = [
    { in: { serial: hex('ff01') }, see: { serial: 'ff01' }, odd: /negative/, why: 'negative serial' },
    { in: { serial: hex('0001') }, see: { serial: '01' }, odd: /padded/, why: 'mis-padded serial' },
    { in: { serial: hex('') }, see: { serial: undefined }, odd: /without content/, why: 'empty serial' },
    { in: { notAfter: el(23, 'never') }, see: { notAfter: undefined }, odd: /notAfter/, why: 'odd time' },
    { in: { notBefore: el(23, '2601010000Z') }, see: { notBefore: new Date('2026-01-01T00:00:00Z') }, odd: /notBefore/, why: 'short time' },
    { in: { spki: seq() }, see: { key: undefined }, odd: /subjectPublicKeyInfo/, why: 'no key' },
    { in: { subject: el(0x31) }, see: { commonNames: [] }, odd: /subject/, hidden: true, why: 'a subject that is no SEQUENCE' },
    { in: { issuer: seq(hex('3105')) }, see: { issuer: '' }, odd: /issuer/, why: 'a broken issuer' },
    { in: { more: hex('0500') }, see: {}, odd: /parts/, hidden: true, why: 'something after the extensions' },
    { in: { extensions: [san(dns('www.example.com')), hex('3005')] }, see: {}, odd: /extensions/, hidden: true, why: 'a broken extension' },
  ]
  for (const c of cases) {
    const got = readCertificate(tbs(c.in))
    assert.deepEqual(latin1(got.dnsNames), ['www.example.com'], c.why)
    assert.deepEqual({ ...got, ...c.see }, got, c.why)
    assert.match(got.oddities.join('; '), c.odd, c.why)
    assert.equal(got.namesHidden, c.hidden ?? false, c.why)
  }
  assert.deepEqual(readCertificate(Buffer.concat([certificate(), hex('00')])).oddities, ['bytes after its end'])
})

void test('subject alternative names, orderly and not', () => {
  const OID_SAN = hex('0603551d11')
  const ip = (h: string): Uint8Array => el(0x87, hex(h))
  const cases: readonly {
    in: readonly Uint8Array[]
    dns: readonly string[]
    ips?: readonly string[]
    odd?: RegExp
    hidden?: boolean
    why: string
  }[] = [
    {
      in: [san(dns('a.example'), ip('cb007107'), ip('20010db8000000000000000000000001'))],
      dns: ['a.example'],
      ips: ['203.0.113.7', '2001:db8::1'],
      why: 'both kinds',
    },
    { in: [san(dns('a.example')), san(dns('b.example'))], dns: ['a.example', 'b.example'], why: 'repeated' },
    { in: [extension(OID_SAN, Buffer.concat([seq(dns('a.example')), hex('00')]))], dns: ['a.example'], why: 'a stray zero byte' },
    {
      in: [extension(OID_SAN, Buffer.concat([seq(dns('a.example')), hex('01')]))],
      dns: ['a.example'],
      odd: /followed/,
      hidden: true,
      why: 'other stray bytes',
    },
    {
      in: [extension(OID_SAN, seq(dns('a.example'), hex('8209'))), san(dns('b.example'))],
      dns: ['a.example', 'b.example'],
      odd: /GeneralName/,
      hidden: true,
      why: 'breaks off; the next is read',
    },
    { in: [extension(OID_SAN, hex('0500'))], dns: [], odd: /subjectAltName/, hidden: true, why: 'no SEQUENCE' },
    { in: [extension(OID_SAN, hex(''))], dns: [], odd: /subjectAltName/, hidden: true, why: 'empty' },
    { in: [san(ip('00000000ffffff00'))], dns: [], odd: /iPAddress of 8 bytes/, hidden: true, why: 'an address with its mask' },
    { in: [san(hex('9f020161'), dns('b.example'))], dns: ['b.example'], odd: /over 30/, hidden: true, why: 'a tag written the long way' },
    { in: [san(dns('b\xfcc\0 /'), dns(''))], dns: ['b\xfcc\0 /', ''], why: 'raw bytes, whatever they are' },
    { in: [san(el(0xa2, 'a.example'))], dns: ['a.example'], odd: /constructed/, why: 'a constructed bit' },
    { in: [san(el(0x81, 'me@a.example'), el(0x86, 'https://b.example/'), dns('c.example'))], dns: ['c.example'], why: 'other kinds are not names' },
  ]
  for (const c of cases) {
    const got = readCertificate(certificate({ extensions: c.in }))
    assert.deepEqual(latin1(got.dnsNames), c.dns, c.why)
    assert.deepEqual(got.ipAddresses.map(formatIp), c.ips ?? [], c.why)
    assert.match(got.oddities.join('; '), c.odd ?? /^$/, c.why)
    assert.equal(got.namesHidden, c.hidden ?? false, c.why)
  }
  const both = readCertificate(tbs({ extensions: [POISON, SCT_LIST, SCT_LIST] }))
  assert.deepEqual([both.precertificate, both.oddities], [true, ['more than one SCT list']])
})

void test('more than any certificate has, in packed kilobytes: so much is read, and the rest is said to be hidden', () => {
  const many = (count: number, one: Uint8Array): Buffer => Buffer.concat(Array<Uint8Array>(count).fill(one))
  const sanOf = (content: Uint8Array): Uint8Array => extension(hex('0603551d11'), el(0x30, content))
  for (const [name, kind] of [
    [dns(''), 'dnsNames'],
    [el(0x87, hex('cb007107')), 'ipAddresses'],
  ] as const) {
    const got = readCertificate(tbs({ extensions: [sanOf(Buffer.concat([many(99_999, name)]))] }))
    assert.deepEqual([got[kind].length, got.namesHidden], [99_999, false])
    const more = readCertificate(tbs({ extensions: [sanOf(many(60_000, name)), sanOf(many(60_000, name))] }))
    assert.deepEqual([more[kind].length, more.namesHidden], [100_000, true])
    assert.match(more.oddities.join(), /holds more than 100000 names/)
  }
  assert.equal(readCertificate(tbs({ extensions: [sanOf(many(100_001, el(0x81, 'a@b')))] })).namesHidden, true, 'other kinds of names count')
  const attributes = readCertificate(
    tbs({ subject: seq(many(10_001, cn('a'))), issuer: seq(many(10_001, rdn(attribute(hex('060355040a'), 12, 'Acme, Inc.')))) }),
  )
  assert.deepEqual([attributes.namesHidden, attributes.commonNames], [true, ['a']])
  assert.ok(attributes.issuer.length < 100_000 && attributes.issuer.startsWith('O="Acme, Inc.", O="Acme, Inc."'))
  const long = readCertificate(tbs({ issuer: seq(rdn(attribute(hex('060355040a'), 12, '\u0001'.repeat(1_000_000)))) })).issuer
  assert.equal(long, `O=${'\\01'.repeat(4000)}…`)
})

void test('keys', () => {
  const alg = (oid: string, ...more: readonly Uint8Array[]): Uint8Array =>
    seq(seq(el(6, hex(oid)), ...more), el(3, '\0', seq(el(2, hex('00ff01')), el(2, hex('010001')))))
  const cases = [
    { in: alg('2a864886f70d010101', hex('0500')), out: { type: 'rsa', bits: 16 }, why: 'the modulus in bits, without its zero byte' },
    { in: alg('2b6570'), out: { type: 'ed25519' }, why: 'Ed25519' },
    { in: alg('608648016503040312'), out: { type: 'ml-dsa-65' }, why: 'ML-DSA' },
    { in: alg('2a8648ce3d0201', el(6, hex('2b81040022'))), out: { type: 'ec', curve: 'P-384' }, why: 'EC' },
    { in: alg('2a8648ce3d0201', el(6, hex('883703'))), out: { type: 'ec', curve: '2.999.3' }, why: 'an unknown curve' },
    { in: alg('2a8648ce3d0201', seq()), out: { type: 'ec', curve: 'explicit' }, why: 'parameters of its own' },
    { in: alg('883703'), out: { type: '2.999.3' }, why: 'an unknown algorithm' },
  ]
  for (const c of cases) assert.deepEqual(readCertificate(tbs({ spki: c.in })).key, c.out, c.why)
})

void test('any bytes are a certificate or a ParseError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => orParseError(bytes)),
    { numRuns: 3000 },
  )
  for (const bad of ['', '3000', '30800000', '3003020101', '300430020201']) assert.throws(() => readCertificate(hex(bad)), ParseError, bad)
})

void test('a changed, cut or grown certificate is a certificate or a ParseError', needsFixtures, () => {
  const seeds = [
    ...liveEntries().map((entry) => entry.leaf),
    ...apiCertificates().map(({ der }) => der),
    certificate({ extensions: [san(dns('a.example')), POISON, SCT_LIST] }),
  ]
  const change = fc.record({ at: fc.nat(10_000), to: fc.integer({ min: 0, max: 255 }) })
  fc.assert(
    fc.property(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(20), (seed, changes, cut) => {
      const bytes = Buffer.from(seed.subarray(0, seed.length - (cut > 10 ? cut - 10 : 0)))
      for (const { at, to } of changes) bytes[at % bytes.length] = to
      orParseError(bytes)
    }),
    { numRuns: 10_000 },
  )
  // Every byte of one, turned to what breaks lengths and tags.
  const seed = seeds[0] ?? assert.fail()
  for (let at = 0; at < seed.length; at++) {
    for (const to of [0x00, 0x80, 0x84, 0xff]) {
      const bytes = Buffer.from(seed)
      bytes[at] = to
      orParseError(bytes)
    }
  }
})

// What has an identity can be read, and what is read has its parts within the bytes.
function orParseError(bytes: Uint8Array): void {
  let id: string | undefined
  try {
    id = issuanceId(bytes)
  } catch (error) {
    assert.ok(error instanceof ParseError, String(error))
  }
  try {
    const c = readCertificate(bytes)
    assert.ok(c.tbs.length <= bytes.length && c.spki.length <= c.tbs.length)
  } catch (error) {
    assert.ok(error instanceof ParseError, String(error))
    assert.equal(id, undefined)
  }
}
