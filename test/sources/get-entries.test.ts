// Pages that are cut by their quotes come to what a JSON parser makes of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeBase64, writeAnyBase64, writeBase64 } from '../../src/ct/base64.ts'
import { ParseError } from '../../src/ct/errors.ts'
import { cutEntries, parseEntries, readEntries } from '../../src/sources/get-entries.ts'
import type { PageViews } from '../../src/sources/log-entry.ts'
import { createSieve } from '../../src/watch/sieve.ts'
import { fixture, needsFixtures } from '../ct/fixtures.ts'
import { itemOf } from '../support/items.ts'

interface Row {
  readonly leaf_input: string
  readonly extra_data: string
  readonly dns_names: readonly string[]
}

const rowsOf = (): readonly Row[] => JSON.parse(fixture('rfc6962-live-entries.json').toString()) as Row[]
const pageOf = (rows: readonly Pick<Row, 'leaf_input' | 'extra_data'>[]): string =>
  JSON.stringify({ entries: rows.map(({ leaf_input, extra_data }) => ({ leaf_input, extra_data })) })
const sieve = createSieve([itemOf('watched.example')])

function outcome(read: () => PageViews | undefined): unknown {
  try {
    return read()
  } catch (error) {
    assert.ok(error instanceof ParseError, String(error))
    return error.message
  }
}

/** Cut, it is the same as parsed, or it is parsed. True if it was cut. */
function same(text: string, start = 0): boolean {
  const asked = { start, count: 1000 }
  const cut = cutEntries(text, asked, sieve)
  const parsed = outcome(() => parseEntries(text, asked, sieve))
  if (cut !== undefined) assert.deepEqual(cut, parsed)
  assert.deepEqual(
    outcome(() => readEntries(Buffer.from(text, 'latin1'), asked, sieve)),
    parsed,
  )
  return cut !== undefined
}

test('real entries are cut, whoever they matter to', needsFixtures, () => {
  const rows = rowsOf()
  assert.ok(same(pageOf(rows), 2 ** 33))
  assert.ok(same(`${pageOf(rows)}\n`))
  // More than one piece of hashes.
  assert.ok(same(pageOf(Array.from({ length: 600 }, (_, n) => rows[n % rows.length] ?? assert.fail()))))
  const [name] = rows.flatMap(({ dns_names: names }) => names).filter((each) => !each.startsWith('*'))
  for (const domain of [name ?? '', 'com', 'org']) {
    const watch = { kind: 'name', text: domain, domain, exact: false } as const
    const ours = createSieve([watch])
    const cut = cutEntries(pageOf(rows), { start: 7, count: 256 }, ours) ?? assert.fail()
    assert.ok(cut.kept.length > 0)
    assert.ok(cut.kept.some(({ precertificate }) => precertificate !== undefined) || watch.text === name)
    assert.deepEqual(cut, parseEntries(pageOf(rows), { start: 7, count: 256 }, ours))
  }
})

test('leaves that cannot be read, or are at another place, are as parsed', needsFixtures, () => {
  const [row = assert.fail()] = rowsOf()
  const leaf = Buffer.from(row.leaf_input, 'base64')
  const withExtensions = (extensions: string): Buffer =>
    Buffer.concat([leaf.subarray(0, -2), Buffer.from([0, extensions.length / 2]), Buffer.from(extensions, 'hex')])
  const leaves = [
    leaf,
    leaf.subarray(0, -1),
    leaf.subarray(0, 20),
    leaf.subarray(0, 2),
    leaf.subarray(0, 1),
    Buffer.alloc(0),
    Buffer.concat([leaf, Buffer.from('x')]),
    Buffer.concat([Buffer.from([1]), leaf.subarray(1)]),
    Buffer.concat([Buffer.from([0, 1]), leaf.subarray(2)]),
    withExtensions('0000050000000009'),
    withExtensions('000005000000000b'),
    withExtensions('0000060000000009'),
    withExtensions('0100'),
    Buffer.concat([Buffer.alloc(2), Buffer.alloc(8, 0xff), leaf.subarray(10)]),
  ]
  const page = pageOf(leaves.map((each) => ({ leaf_input: each.toString('base64'), extra_data: '' })))
  assert.ok(same(page))
  const { misplaced, kept } = parseEntries(page, { start: 0, count: 256 }, sieve)
  assert.deepEqual(misplaced, [10, 11, 12])
  assert.deepEqual(
    kept.map(({ index }) => index),
    [1, 2, 3, 4, 5, 6, 7, 8],
    "one of a time that no number holds is nobody's",
  )
})

test('what is unusual is parsed', needsFixtures, () => {
  const rows = rowsOf().slice(0, 3)
  const page = pageOf(rows)
  const [first = ''] = rows.map(({ leaf_input: text }) => text)
  const [extra = ''] = rows.map(({ extra_data: text }) => text)
  for (const [what, text] of Object.entries({
    'white space': JSON.stringify(JSON.parse(page), undefined, 1),
    'another order': page.replace(/"leaf_input":("[^"]*"),"extra_data":("[^"]*")/g, '"extra_data":$2,"leaf_input":$1'),
    'a member twice': page.replace('"leaf_input":', '"leaf_input":"AAAA","leaf_input":'),
    'a member twice, behind': page.replace('"},{', '","leaf_input":"AAAB"},{'),
    'an unknown member': page.replace('"},{', '","index":1},{'),
    'an unknown member of the whole': page.replace(/\}$/, ',"next":"x"}'),
    'nested values': page.replace(`"${extra}"`, '{"extra_data":"AA==","leaf_input":"AAAA"}'),
    escapes: page.replaceAll('/', '\\/'),
    'an escaped letter': page.replace('extra_data', 'extra\\u005fdata'),
    'an escaped letter in the base64': page.replace(first, `${first.slice(0, -1)}\\u003d`),
    'an escaped quote': page.replace(`"${extra}"`, `"${extra}\\""`),
    'a line break in what is not looked at': page.replace(extra, `${extra.slice(0, 40)}\n${extra.slice(40)}`),
    'a NUL in what is not looked at': page.replace(extra, `${extra.slice(0, 40)}\0${extra.slice(41)}`),
    'more letters in what is not looked at': page.replace(extra, `${extra.slice(0, 41)}é${extra.slice(42)}`),
    'padding missing': page.replace(extra, 'AA'),
    'padding within': page.replace(first, `AA==${first.slice(4)}`),
    'the other alphabet': page.replace(first, `-_${first.slice(2)}`),
    'spare bits': page.replace(first, 'AAB='),
    'more spare bits': page.replace(first, 'AB=='),
    'no entries': '{"entries":[]}',
    'a comma more': page.replace(/\]\}$/, ',]}'),
    'another value behind': `${page}{}`,
    'a byte order mark': `\u00ef\u00bb\u00bf${page}`,
    nothing: '',
    'its beginning': page.slice(0, -1),
  }))
    assert.ok(!same(text), what)
  // It is nobody's business, and no other reading.
  assert.ok(same(page.replace(extra, extra.replaceAll('+', '-').replaceAll('/', '_'))))
})

test('any page, spoilt in any way', needsFixtures, () => {
  const rows = rowsOf()
  const bits = fc.constantFrom(
    '"',
    '\\',
    '"},{"leaf_input":"',
    '","extra_data":"',
    '"}]}',
    '=',
    '==',
    '-',
    '\n',
    ' ',
    '\0',
    'é',
    '{',
    '}',
    ',',
    'A',
    '\\u0041',
  )
  const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0, 1, 2, 40), bits)
  let cut = 0
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...rows), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.array(change, { maxLength: 3 }),
      (some, short, changes) => {
        let text = pageOf(short ? some.map(({ leaf_input, extra_data }) => ({ leaf_input, extra_data: extra_data.slice(0, 8) })) : some)
        for (const [share, dropped, put] of changes) {
          const at = Math.floor(share * text.length)
          text = text.slice(0, at) + put + text.slice(at + dropped)
        }
        if (same(text)) cut += 1
      },
    ),
    { numRuns: 2000 },
  )
  assert.ok(cut > 100)
})

test('an answer with more entries than were asked for is given up at the first too many', needsFixtures, () => {
  const rows = rowsOf().slice(0, 3)
  const page = pageOf(rows)
  for (const read of [cutEntries, parseEntries]) {
    assert.equal(read(page, { start: 0, count: 3 }, sieve)?.hashes.length, 3 * 32)
    assert.throws(() => read(page, { start: 0, count: 2 }, sieve), /entries: are more than the 2 that were asked for/)
  }
  // What comes after it is not even looked at: it is no JSON, but nobody gets as far.
  assert.throws(() => cutEntries(`${page.slice(0, -2)},no JSON`, { start: 0, count: 2 }, sieve), /are more than the 2/)
})

test('no object is made of what nobody asked for', (t) => {
  const count = 256
  const parse = t.mock.method(JSON, 'parse')
  const many = (value: string): string => Array<string>(1_000_000).fill(value).join(',')
  for (const text of [
    `{"entries":[${many('{"leaf_input":"","extra_data":""}')}]}`,
    `{"entries":[${many('{"leaf_input":""}')}]}`,
    `{"entries":[${many('0')}]}`,
    `{"entries":[],"more":[${many('{}')}]}`,
    `{"entries":[{"leaf_input":"","extra_data":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}]}`,
  ])
    assert.throws(() => readEntries(Buffer.from(text), { start: 0, count }, sieve), ParseError)
  assert.equal(parse.mock.callCount(), 0)
  const wide = `{"entries":[{"leaf_input":"${'A'.repeat(5_000_000)}\\u0100","extra_data":""}]}`
  assert.throws(() => readEntries(Buffer.from(wide), { start: 0, count }, sieve), /other characters/)
  assert.equal(parse.mock.callCount(), 0)
  const unusual = `{"entries":[${Array<string>(count).fill('{"leaf_input":"","extra_data":"","seen":[1,2,3,{"a":4}]}').join(',')}]}`
  assert.equal(readEntries(Buffer.from(unusual), { start: 0, count }, sieve).kept.length, count, 'members that nobody knows yet are let be')
})

test('base64 is taken just where decodeBase64 takes it', () => {
  const room = Buffer.alloc(300)
  const letter = fc.constantFrom(...'ABQgwIcos048/+=-_\n\0é"zZ9'.split(''))
  const text = fc.oneof(
    fc.array(letter, { maxLength: 12 }).map((letters) => letters.join('')),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 300 }), letter).map(([bytes, at, put]) => {
      const good = Buffer.from(bytes).toString('base64')
      return good.slice(0, at) + put + good.slice(at + 1)
    }),
  )
  fc.assert(
    fc.property(text, (text) => {
      const size = writeBase64(room, 1, text)
      const expected = outcome(() => decodeBase64(text, 'it') as never)
      if (size < 0) assert.equal(typeof expected, 'string', text)
      else assert.deepEqual(Buffer.from(room.subarray(1, 1 + size)), expected, text)
      if (writeAnyBase64(room, 1, text) >= 0) assert.match(text, /^[A-Za-z0-9+/_-]*={0,2}$/)
      else assert.equal(size, -1)
    }),
    { numRuns: 20_000 },
  )
})
