import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { foldItems, itemKey, parseItem } from '../../src/watch/item.ts'
import type { Item } from '../../src/watch/item.ts'
import { printable } from '../../src/watch/printable.ts'

function item(text: string): Item {
  const parsed = parseItem(text)
  if ('problem' in parsed) assert.fail(parsed.problem)
  return parsed.item
}

void test('items as people write them', () => {
  const cases = [
    { in: 'example.com', text: 'example.com', key: 'example.com', why: 'a domain' },
    { in: ' Example.COM. ', text: 'example.com', key: 'example.com', why: 'blanks, case, dot' },
    { in: '=login.example.com', text: '=login.example.com', key: '=login.example.com', why: 'one name' },
    { in: '= Login.example.com.', text: '=login.example.com', key: '=login.example.com', why: 'one name, sloppily' },
    { in: '*.example.net', text: 'example.net', key: 'example.net', why: 'as other tools write it' },
    { in: '.example.org', text: 'example.org', key: 'example.org', why: 'as certspotter writes it' },
    { in: 'Bücher.example', text: 'bücher.example', key: 'xn--bcher-kva.example', why: 'IDN' },
    { in: 'bu\u0308cher.example', text: 'bücher.example', key: 'xn--bcher-kva.example', why: 'IDN, decomposed' },
    { in: '=bücher.example', text: '=bücher.example', key: '=xn--bcher-kva.example', why: 'IDN, exact' },
    { in: 'xn--bcher-kva.example', text: 'xn--bcher-kva.example', key: 'xn--bcher-kva.example', why: 'IDN in A-labels' },
    { in: 'example。com', text: 'example.com', key: 'example.com', why: 'an ideographic dot' },
    { in: '_dmarc.example.com', text: '_dmarc.example.com', key: '_dmarc.example.com', why: 'an underscore' },
    { in: 'me.github.io', text: 'me.github.io', key: 'me.github.io', why: 'below a private suffix' },
    { in: 'github.io', text: 'github.io', key: 'github.io', why: 'a private suffix is someone’s' },
    { in: 'a.test', text: 'a.test', key: 'a.test', why: 'an unknown top level' },
    { in: '203.0.113.7', text: '203.0.113.7', key: '203.0.113.7', why: 'IPv4' },
    { in: '203.0.113.7/32', text: '203.0.113.7', key: '203.0.113.7', why: 'a prefix of one' },
    { in: '203.0.113.0/24', text: '203.0.113.0/24', key: '203.0.113.0/24', why: 'a prefix' },
    { in: '2001:DB8:0::/32', text: '2001:db8::/32', key: '2001:db8::/32', why: 'IPv6' },
    { in: '.', text: '.', key: '.', why: 'everything' },
  ]
  for (const c of cases) {
    const got = item(c.in)
    assert.equal(got.text, c.text, c.why)
    assert.equal(itemKey(got), c.key, c.why)
    assert.equal(itemKey(item(itemKey(got))), c.key, `${c.why}: its key is an item`)
  }
  const idn = item('xn--bcher-kva.example')
  assert.equal(idn.kind === 'name' ? idn.unicode : '', 'bücher.example', 'both forms')
  assert.ok(!('unicode' in item('example.com')), 'one form')
})

void test('a mistake is answered with what to write', () => {
  const cases: readonly { in: string; says: readonly (string | RegExp)[] }[] = [
    { in: 'https://example.com/login', says: ['is a URL', 'Write example.com, or =example.com for one name'] },
    { in: 'https://login.example.com/path', says: ['login.example.com, or =login.example.com'] },
    { in: 'http://me:pw@example.com:80', says: ['is a URL', 'Write example.com'] },
    { in: 'https://[2001:db8::1]/', says: ['is a URL', 'Write 2001:db8::1'] },
    { in: 'example.com:8443', says: ['port', 'Write example.com'] },
    { in: 'example.com/x', says: ['path', 'Write example.com'] },
    { in: 'me@example.com', says: ['e-mail', 'Write example.com'] },
    { in: 'com', says: ['public suffix', 'example.com'] },
    { in: 'co.uk', says: ['public suffix', 'example.co.uk'] },
    { in: '*.com', says: ['public suffix'] },
    { in: '=co.uk', says: ['public suffix'] },
    { in: 'localhost', says: ['single label', 'localhost.example.com'] },
    { in: 'a..example.com', says: ['empty label', 'Write a.example.com'] },
    { in: '..', says: ['empty label'] },
    { in: '12345', says: ['number', 'example.com'] },
    { in: '1.2.3', says: ['number', '203.0.113.7'] },
    { in: '256.1.1.1', says: ['number'] },
    { in: '=*.example.com', says: ['wildcard', 'Write example.com'] },
    { in: 'w*.example.com', says: ['wildcard', 'Write example.com'] },
    { in: 'a.*.example.com', says: ['wildcard', 'Write example.com'] },
    { in: 'a.com,b.com', says: ['comma'] },
    { in: 'a.com b.com', says: ['blank'] },
    { in: 'ex!ample.com', says: ['"!"'] },
    { in: `${'a'.repeat(64)}.com`, says: ['64', '63'] },
    { in: `${'a.'.repeat(130)}com`, says: ['263', '253'] },
    { in: '203.0.113.7/24', says: ['203.0.113.0/24', '203.0.113.7 for that one'] },
    { in: '203.0.113.0/33', says: ['0 to 32'] },
    { in: '[2001:db8::1]', says: ['Write 2001:db8::1'] },
    { in: '=203.0.113.7', says: ['Write 203.0.113.7'] },
    { in: '::ffff:203.0.113.7', says: ['in the form of IPv6. Write 203.0.113.7', /7$/] },
    { in: '::ffff:203.0.113.0/120', says: ['Write 203.0.113.0/24'] },
    { in: '::ffff:203.0.113.0/95', says: ['Write 203.0.113.0', /0$/] },
    { in: '', says: ['empty', 'example.com'] },
    { in: '=', says: ['example.com'] },
    { in: 'a\u202eb.com', says: ['\\u{202e}', /^[^\u202e]*$/] },
    { in: 'a:'.repeat(100_000), says: ['200000', /^.{0,300}$/] },
  ]
  for (const c of cases) {
    const parsed = parseItem(c.in)
    assert.ok('problem' in parsed, c.in)
    for (const part of c.says)
      assert.ok(typeof part === 'string' ? parsed.problem.includes(part) : part.test(parsed.problem), `${c.in} -> ${parsed.problem}`)
  }
})

void test('any text is an item that comes back from its key, or a printable problem', () => {
  const pieces = fc.string({
    unit: fc.constantFrom('a', 'example', '.', 'com', '*', '=', ':', '/', '@', '1', '::', 'ü', ' ', '[', ']', '\u202e', 'xn--', '_', '-', '?'),
    maxLength: 12,
  })
  fc.assert(
    fc.property(fc.oneof(pieces, fc.string({ unit: 'binary' })), (text) => {
      const parsed = parseItem(text)
      if ('problem' in parsed) assert.equal(printable(parsed.problem, 2000), parsed.problem)
      else {
        assert.equal(itemKey(item(itemKey(parsed.item))), itemKey(parsed.item))
        assert.equal(itemKey(item(parsed.item.text)), itemKey(parsed.item))
      }
    }),
    { numRuns: 5000 },
  )
})

void test('folding', () => {
  const cases: readonly { in: readonly string[]; kept: readonly string[]; folded: readonly string[]; why: string }[] = [
    { in: ['login.example.com', 'example.com'], kept: ['example.com'], folded: ['login.example.com>example.com'], why: 'below, in any order' },
    {
      in: ['example.com', '=example.com', '=a.example.com'],
      kept: ['example.com'],
      folded: ['=example.com>example.com', '=a.example.com>example.com'],
      why: 'exact ones',
    },
    { in: ['=a.example.com', 'b.a.example.com'], kept: ['=a.example.com', 'b.a.example.com'], folded: [], why: 'exact covers nothing below' },
    {
      in: ['c.b.example.com', 'b.example.com', 'example.com'],
      kept: ['example.com'],
      folded: ['c.b.example.com>example.com', 'b.example.com>example.com'],
      why: 'into the broadest',
    },
    { in: ['notexample.com', 'example.com'], kept: ['notexample.com', 'example.com'], folded: [], why: 'labels, not letters' },
    {
      in: ['bücher.example', 'xn--bcher-kva.example'],
      kept: ['bücher.example'],
      folded: ['xn--bcher-kva.example>bücher.example'],
      why: 'the same in two forms',
    },
    { in: ['=a.test', '=a.test'], kept: ['=a.test'], folded: ['=a.test>=a.test'], why: 'twice' },
    {
      in: ['10.1.2.3', '10.1.0.0/16', '10.0.0.0/8', '2001:db8::1'],
      kept: ['10.0.0.0/8', '2001:db8::1'],
      folded: ['10.1.2.3>10.0.0.0/8', '10.1.0.0/16>10.0.0.0/8'],
      why: 'addresses',
    },
    { in: ['a.test', '.', '10.0.0.1', '.'], kept: ['.'], folded: ['a.test>.', '10.0.0.1>.', '.>.'], why: 'everything' },
  ]
  for (const c of cases) {
    const got = foldItems(c.in.map(item))
    assert.deepEqual(
      got.kept.map((i) => i.text),
      c.kept,
      c.why,
    )
    assert.deepEqual(
      got.folded.map((f) => `${f.item.text}>${f.into.text}`),
      c.folded,
      c.why,
    )
  }
})

void test('100,000 items are read and folded in seconds', () => {
  const start = performance.now()
  const items = Array.from({ length: 100_000 }, (_, i) => item(`host${i}.d${i % 50_000}.example.com`))
  assert.equal(foldItems(items).kept.length, 100_000)
  assert.equal(foldItems([...items, item('example.com')]).kept.length, 1)
  assert.ok(performance.now() - start < 20_000)
})
