import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import { placeOf } from '../../src/watch/issuance.ts'
import type { AskedItem } from '../../src/sources/certspotter-page.ts'
import { PageError, createPageReader } from '../../src/sources/certspotter-page.ts'
import type { Sighting } from '../../src/watch/issuance.ts'
import { itemKey, parseItem } from '../../src/watch/item.ts'
import { createMatcher } from '../../src/watch/match.ts'
import type { Step } from '../../src/watch/step.ts'
import { HOSTILE } from '../support/hostile.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const FIXTURES = join(process.env['CERTBELL_FIXTURES'] ?? join(ROOT, '..', 'shared', 'fixtures'), 'certspotter-api')
const needsFixtures = existsSync(FIXTURES) ? {} : { skip: `no fixtures at ${FIXTURES}; set CERTBELL_FIXTURES` }

const NOW = new Date('2026-11-06T08:15:00Z')
const ids = createIds()
const issue = (names: readonly string[], overrides: Record<string, unknown> = {}) =>
  makeIssuance({ id: ids(), names, notBefore: new Date('2026-10-05T09:29:27Z'), overrides })

/** Reads a page for a watched name, and whatever else is watched. */
const reader = (watch: string, others: readonly string[] = [], exclude: readonly string[] = []) => {
  const items = [watch, ...others].map(item)
  const first = items[0]!
  assert.ok(first.kind === 'name')
  const asked: AskedItem = { key: itemKey(first), text: first.text, domain: first.domain, exact: first.exact }
  const read = createPageReader(createMatcher(items, exclude.map(item)))
  return (value: unknown, cursor?: string) => read(Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)), asked, cursor, NOW)
}
const item = (text: string) => {
  const parsed = parseItem(text)
  if ('problem' in parsed) throw new Error(parsed.problem)
  return parsed.item
}
const page = (value: unknown, watch = 'example.com', cursor?: string): Step => {
  const read = reader(watch)(value, cursor)
  assert.ok(read.kind === 'page')
  return read.step
}
const whole = (sighting: Sighting | undefined): Sighting => {
  assert.ok(sighting !== undefined)
  return sighting.inspect?.() ?? sighting
}
const fixture = (name: string): Record<string, unknown>[] =>
  JSON.parse(readFileSync(join(FIXTURES, `certspotter-${name}.json`), 'utf8')) as Record<string, unknown>[]

describe('captured pages', needsFixtures, () => {
  it('October 2026: 11-digit ids, upper case, wildcards, a revoked one', () => {
    const step = page(fixture('2026-10-page-real'))
    assert.deepEqual(step.malformed, [])
    assert.equal(step.cursor, '17597250121')
    assert.deepEqual(
      step.sightings.map((sighting) => {
        const { issuance, source, matched } = whole(sighting)
        return [
          placeOf(source),
          issuance.names,
          matched.map(({ name }) => name),
          issuance.issuer.friendlyName,
          issuance.revoked,
          issuance.notBefore.toISOString(),
        ]
      }),
      [
        ['15766129210', ['pass.example.com'], ['pass.example.com'], "Let's Encrypt", false, '2026-07-09T10:19:25.000Z'],
        ['17042103228', ['pass.example.com'], ['pass.example.com'], "Let's Encrypt", true, '2026-09-07T15:17:55.000Z'],
        [
          '17549924983',
          ['*.dev.example.com', '*.example.com', 'example.com'],
          ['*.dev.example.com', '*.example.com', 'example.com'],
          "Let's Encrypt",
          false,
          '2026-10-02T21:39:13.000Z',
        ],
        [
          '17597250121',
          ['qa.example.com', 'minio.example.com'],
          ['qa.example.com', 'minio.example.com'],
          "Let's Encrypt",
          false,
          '2026-10-05T09:29:27.000Z',
        ],
      ],
    )
  })

  it("2023: other people's names beside ours, an issuer unlike its friendly name", () => {
    const both = reader('cloudflare.com', ['wordpress.com'])(fixture('2023-cloudflare-and-wordpress-real'))
    assert.ok(both.kind === 'page')
    const { sightings, malformed } = both.step
    assert.deepEqual([sightings.length, malformed.length], [4, 0])
    assert.deepEqual(
      sightings.map(({ items }) => items),
      [['cloudflare.com'], ['cloudflare.com'], ['wordpress.com'], ['wordpress.com']],
    )
    assert.ok(sightings[1]?.issuance.names.includes('sni.cloudflaressl.com'))
    assert.deepEqual(
      sightings[1]?.matched.map(({ name }) => name),
      ['*.cloudflare.com', 'cloudflare.com'],
    )
    assert.deepEqual(
      [sightings[0]?.issuance.issuer.friendlyName, sightings[0]?.issuance.issuer.name],
      ['DigiCert', 'C=US, O="Cloudflare, Inc.", CN=Cloudflare Inc ECC CA-3'],
    )
  })

  it('2019: the old certificate field, -00:00 times, no cert_sha256, no friendly name', () => {
    const [first] = page(fixture('2019-example.com-with-cert')).sightings
    const { issuance, remarks } = whole(first)
    assert.deepEqual(remarks, [], 'our hash is the one of the API')
    assert.equal(issuance.id, 'b0537995114358761f330303e5b8a0d7c7319a7e458495395e07004911f91c38')
    assert.deepEqual([issuance.notBefore.toISOString(), issuance.notAfter.toISOString()], ['2018-11-28T00:00:00.000Z', '2020-12-02T12:00:00.000Z'])
    assert.deepEqual(
      [issuance.key, issuance.precertificate, issuance.revoked, issuance.issuer.friendlyName],
      [{ type: 'rsa', bits: 2048 }, false, undefined, undefined],
    )
    assert.equal(issuance.certSha256, '9250711c54de546f4370e0c3d3a3ec45bc96092a25a4a71a1afa396af7047eb8')
    assert.match(issuance.serial ?? '', /^[0-9a-f]+$/)
  })

  it('the sample of the docs, with everything', () => {
    const [first] = page(fixture('docs-example-all-expands'), 'sslmate.com').sightings
    const { issuance, remarks, matched } = whole(first)
    assert.deepEqual(remarks, [])
    assert.equal(matched.length, 5)
    assert.deepEqual(issuance.issuer.caaDomains, ['sectigo.com', 'comodo.com', 'comodoca.com', 'usertrust.com', 'trust-provider.com'])
    assert.match(issuance.problemReporting ?? '', /^To revoke one or more certificates issued by Sectigo/)
  })

  it('error objects, had they come with 200', () => {
    for (const { body } of JSON.parse(readFileSync(join(FIXTURES, 'certspotter-errors.json'), 'utf8')) as { body: { code: string } }[]) {
      const read = reader('example.com')(body)
      assert.ok(read.kind === 'error')
      assert.equal(read.error.code, body.code)
    }
  })
})

describe('an entry', () => {
  const good = issue(['www.example.com'])
  const tbs = good.tbs_sha256
  const without = (...keys: string[]) => Object.fromEntries(Object.entries(good).filter(([key]) => !keys.includes(key)))
  const bad: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['a number', 7],
    ['a string', 'x'],
    ['a list', [good]],
    ['an empty object', {}],
    ['no id', without('id')],
    ['an empty id', { ...good, id: '' }],
    ['an id of 201 characters', { ...good, id: 'x'.repeat(201) }],
    ['an id that is no text', { ...good, id: { a: 1 } }],
    ['an id too large for a number', { ...good, id: 1e21 }],
    ['no tbs_sha256 and no certificate', without('tbs_sha256', 'cert_der', 'cert')],
    ['a tbs_sha256 that is no hash', { ...without('cert_der', 'cert'), tbs_sha256: 'zz' }],
    ['a tbs_sha256 that is short', { ...without('cert_der', 'cert'), tbs_sha256: tbs.slice(2) }],
    ['dns_names that is a string', { ...good, dns_names: 'www.example.com' }],
    ['dns_names with a number in it', { ...good, dns_names: ['www.example.com', 7] }],
    ['dns_names with null in it', { ...good, dns_names: [null] }],
    ['no dns_names and no certificate', without('dns_names', 'cert_der', 'cert')],
    ['a not_before that is no time', { ...without('cert_der', 'cert'), not_before: 'yesterday' }],
    ['a not_after that is a number', { ...without('cert_der', 'cert'), not_after: 1_800_000_000 }],
    ['no times and no certificate', without('not_before', 'not_after', 'cert_der', 'cert')],
    ['an unreadable certificate where it is needed', { ...without('dns_names', 'cert'), cert_der: 'AAAA' }],
  ]
  for (const [why, entry] of bad) {
    it(`${why} is one malformed, and the rest of the page is processed`, () => {
      const [before, after] = [issue(['a.example.com']), issue(['b.example.com'])]
      const step = page([before, entry, after])
      assert.deepEqual(
        step.sightings.map(({ source }) => placeOf(source)),
        [before.id, after.id],
      )
      assert.equal(step.malformed.length, 1)
      assert.match(step.malformed[0]?.id ?? '', /^[0-9a-f]{64}$/)
      assert.match(step.malformed[0]?.why ?? '', /asked for example\.com/)
      assert.deepEqual([step.cursor, step.entries], [after.id, 3])
      assert.equal(page([before, entry, after]).malformed[0]?.id, step.malformed[0]?.id, 'the same entry is the same alert')
    })
  }

  it('nested beyond measure is one malformed as well', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const step = page(Buffer.from(`[${deep},{"id":"1","a":${deep}},${JSON.stringify(good)}]`))
    assert.deepEqual([step.malformed.length, step.sightings.length], [2, 1])
  })

  it('different malformed entries are different alerts', () => {
    const { malformed } = page([{ a: 1 }, { a: 2 }, null, [], issue(['a.example.com'])])
    assert.equal(new Set(malformed.map(({ id }) => id)).size, 4)
  })

  const fine: readonly (readonly [string, unknown, (sighting: Sighting) => void])[] = [
    ['an id that is a number', { ...good, id: 17_597_250_121 }, ({ source }) => assert.equal(placeOf(source), '17597250121')],
    ['an id that is an odd text', { ...good, id: '../../x y' }, ({ source }) => assert.equal(placeOf(source), '../../x y')],
    [
      'a tbs_sha256 in upper case',
      { ...good, tbs_sha256: tbs.toUpperCase() },
      ({ issuance, remarks }) => assert.deepEqual([issuance.id, remarks], [tbs, []]),
    ],
    ['no tbs_sha256 but the certificate', without('tbs_sha256'), ({ issuance }) => assert.equal(issuance.id, tbs)],
    ['no dns_names but the certificate', without('dns_names'), ({ issuance }) => assert.deepEqual(issuance.names, ['www.example.com'])],
    ['dns_names null but the certificate', { ...good, dns_names: null }, ({ issuance }) => assert.deepEqual(issuance.names, ['www.example.com'])],
    [
      'no times but the certificate',
      without('not_before', 'not_after'),
      ({ issuance }) => assert.equal(issuance.notBefore.toISOString(), '2026-10-05T09:29:27.000Z'),
    ],
    [
      'no certificate',
      without('cert_der', 'cert'),
      ({ issuance, remarks }) => assert.deepEqual([issuance.serial, issuance.key, remarks], [undefined, undefined, []]),
    ],
    [
      'nothing but what must be',
      { id: '1', tbs_sha256: tbs, dns_names: ['example.com'], not_before: good.not_before, not_after: good.not_after },
      ({ issuance }) => assert.deepEqual(issuance.issuer, {}),
    ],
    ['an issuer that is no object', { ...without('cert_der', 'cert'), issuer: 'x' }, ({ issuance }) => assert.deepEqual(issuance.issuer, {})],
    [
      'caa_domains null',
      { ...good, issuer: { name: 'CN=x', caa_domains: null } },
      ({ issuance }) => assert.deepEqual(issuance.issuer, { name: 'CN=x' }),
    ],
    ['revoked null', { ...good, revoked: null }, ({ issuance }) => assert.ok(!('revoked' in issuance))],
    [
      'a hash that is none',
      { ...good, cert_sha256: 'javascript:alert(1)', cert: undefined },
      ({ issuance }) => assert.ok(!('certSha256' in issuance)),
    ],
    [
      'a problem_reporting of 5,000 characters',
      { ...good, problem_reporting: 'x'.repeat(5000) },
      ({ issuance }) => assert.equal(issuance.problemReporting?.length, 1000),
    ],
    [
      'an unreadable certificate',
      { ...good, cert_der: 'AAAA', cert: undefined },
      ({ remarks }) =>
        assert.deepEqual(
          remarks.map(({ kind, trouble }) => [kind, trouble]),
          [['der-unreadable', false]],
        ),
    ],
    [
      'a certificate that is no base64',
      { ...good, cert_der: '%%%', cert: undefined },
      ({ remarks }) => assert.equal(remarks[0]?.kind, 'der-unreadable'),
    ],
    [
      'names in upper case, with dots, twice',
      { ...good, dns_names: ['WWW.Example.com', 'www.example.com.', 'www.example.com'] },
      ({ issuance }) => assert.deepEqual(issuance.names, ['www.example.com']),
    ],
    ['an empty name', { ...good, dns_names: ['', '  ', 'a.example.com'] }, ({ issuance }) => assert.deepEqual(issuance.names, ['a.example.com'])],
  ]
  for (const [why, entry, check] of fine) {
    it(`${why} is fine`, () => {
      const step = page([entry])
      assert.deepEqual(step.malformed, [])
      check(whole(step.sightings[0]))
    })
  }

  it('whose certificate is not the one that it names is a trouble, unless it is a precertificate', () => {
    const other = makeIssuance({ id: 'x', names: ['www.example.com'], notBefore: NOW })
    const pre = makeIssuance({ id: 'x', names: ['www.example.com'], notBefore: NOW, precertificate: true })
    for (const [given, trouble] of [
      [other, true],
      [pre, false],
    ] as const) {
      const { issuance, remarks } = whole(page([{ ...good, cert_der: given['cert_der'] }]).sightings[0])
      assert.equal(issuance.id, tbs, "the API's word wins")
      assert.deepEqual(
        remarks.map((remark) => [remark.kind, remark.trouble]),
        [['tbs-differs', trouble]],
      )
      assert.match(remarks[0]?.reason ?? '', new RegExp(`${tbs.slice(0, 16)}.*${given.tbs_sha256.slice(0, 16)}`))
    }
  })

  it('that the API gives for a name of which we see nothing rings for it', () => {
    for (const names of [['www.elsewhere.net'], []]) {
      const { sightings } = page([{ ...good, dns_names: names }])
      const { matched, items, excluded, remarks, issuance } = whole(sightings[0])
      assert.deepEqual([matched, items, excluded], [[{ name: 'example.com', item: 'example.com' }], ['example.com'], false])
      assert.equal(remarks[0]?.kind, 'name-by-api-only')
      assert.ok(issuance.names.length > 0)
    }
  })

  it('is silent only if every name that matches is excluded', () => {
    const read = reader('example.com', [], ['ok.example.com'])([issue(['ok.example.com']), issue(['ok.example.com', 'login.example.com'])])
    assert.ok(read.kind === 'page')
    assert.deepEqual(
      read.step.sightings.map(({ excluded }) => excluded),
      [true, false],
    )
  })

  for (const [why, text] of Object.entries(HOSTILE)) {
    it(`with ${why} in a name is a sighting, and moves no cursor`, () => {
      const entry = {
        ...good,
        dns_names: [text, `${text}.example.com`],
        issuer: { name: text, friendly_name: text, caa_domains: [text] },
        problem_reporting: text,
      }
      const step = page([entry, { ...good, id: 'last' }])
      assert.deepEqual([step.malformed.length, step.sightings.length, step.cursor], [0, 2, 'last'])
      assert.equal(whole(step.sightings[0]).issuance.id, tbs)
    })
  }
})

describe('a page', () => {
  const one = issue(['a.example.com'])
  const refused: readonly (readonly [string, unknown, string | undefined, RegExp])[] = [
    ['nothing', Buffer.alloc(0), undefined, /empty/],
    ['HTML', Buffer.from('<!DOCTYPE html>'), undefined, /not JSON/],
    ['half of a page', Buffer.from('[{"id":"1","tbs'), undefined, /not JSON/],
    ['bytes', Buffer.from([0xff, 0xfe, 0x00]), undefined, /not JSON/],
    ['no id in its last entry', [one, { ...one, id: undefined }], undefined, /no usable id/],
    ['no object as its last entry', [one, 'x'], undefined, /no usable id/],
    ['the cursor as its last id', [issue(['b.example.com']), one], one.id, /ends where it should begin/],
  ]
  for (const [why, value, cursor, message] of refused)
    it(`with ${why} fails as a whole`, () =>
      assert.throws(
        () => reader('example.com')(value, cursor),
        (error) => error instanceof PageError && message.test(error.message),
      ))

  it('of nothing keeps the cursor', () => assert.deepEqual(page([]), { sightings: [], malformed: [], more: false, entries: 0 }))

  it('of 100 has more behind it, whatever is in it', () => {
    const many = Array.from({ length: 99 }, () => null)
    assert.deepEqual([page([...many.slice(1), one]).more, page([...many, one]).more], [false, true])
  })

  it('that is an object is an error, with what is there of it, fit to be shown', () => {
    const error = (value: unknown) => {
      const read = reader('example.com')(value)
      assert.ok(read.kind === 'error')
      return read.error
    }
    assert.deepEqual(error({ code: 'x', message: 'y', field: 'domain', sub_errors: [] }), { code: 'x', message: 'y', field: 'domain' })
    assert.deepEqual(error({ code: 7, message: null }), {})
    assert.deepEqual(error(null), {})
    assert.doesNotMatch(error({ message: 'a\u001b[2Jb\n' }).message ?? '', /[\u0000-\u001f]/)
  })

  const odd = fc.record(
    {
      id: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
      tbs_sha256: fc.oneof(fc.constant(one.tbs_sha256), fc.string()),
      dns_names: fc.oneof(fc.array(fc.oneof(fc.string(), fc.webUrl())), fc.jsonValue()),
      not_before: fc.oneof(fc.constant('2026-10-05T09:29:27Z'), fc.string()),
      not_after: fc.oneof(fc.constant('2027-10-05T09:29:27Z'), fc.string()),
      issuer: fc.jsonValue(),
      revoked: fc.jsonValue(),
      cert_der: fc.oneof(fc.constant(one['cert_der']), fc.base64String(), fc.jsonValue()),
      cert: fc.jsonValue(),
      problem_reporting: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  it('is a page, an error or a PageError whatever JSON it is, and never another exception', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.jsonValue(), fc.array(odd, { maxLength: 5 }), fc.array(fc.jsonValue(), { maxLength: 5 })),
        fc.string(),
        (value, cursor) => {
          try {
            const read = reader('example.com')(value, cursor)
            if (read.kind === 'error') return
            const { sightings, malformed, entries } = read.step
            assert.equal(sightings.length + malformed.length, entries, 'no entry is skipped')
            for (const sighting of sightings) {
              const { issuance, matched } = whole(sighting)
              assert.match(issuance.id, /^[0-9a-f]{64}$/)
              assert.ok(matched.length > 0 && issuance.names.length > 0)
            }
          } catch (error) {
            if (!(error instanceof PageError)) throw error
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})
