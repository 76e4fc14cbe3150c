import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { formatIp } from '../../src/ct/ip-address.ts'
import { foldItems, itemKey, parseItem } from '../../src/watch/item.ts'
import type { Item } from '../../src/watch/item.ts'
import { createMatcher } from '../../src/watch/match.ts'
import type { MatchResult } from '../../src/watch/match.ts'
import { displayName, nameReadings, UNPARSABLE } from '../../src/watch/name.ts'

function items(texts: readonly string[]): readonly Item[] {
  return texts.map((text) => {
    const parsed = parseItem(text)
    if ('problem' in parsed) assert.fail(parsed.problem)
    return parsed.item
  })
}

const match = (watch: readonly string[], names: readonly string[], exclude: readonly string[] = [], ips: readonly string[] = []): MatchResult =>
  createMatcher(items(watch), items(exclude)).match(names, ips)

void test('what a name matches', () => {
  const cases: readonly { watch: readonly string[]; name: string; out: readonly string[]; why: string }[] = [
    { watch: ['example.com'], name: 'example.com', out: ['example.com'], why: 'itself' },
    { watch: ['example.com'], name: 'a.b.c.Example.COM.', out: ['example.com'], why: 'below' },
    { watch: ['example.com'], name: 'notexample.com', out: [], why: 'letters are not labels' },
    { watch: ['example.com'], name: 'example.com.evil.test', out: [], why: 'not at the end' },
    { watch: ['example.com'], name: 'com', out: [], why: 'above' },
    { watch: ['example.com'], name: '*.com', out: ['example.com'], why: 'a wildcard over it' },
    { watch: ['www.example.com'], name: '*.com', out: [], why: 'a wildcard is one label' },
    { watch: ['example.com'], name: '*.example.com', out: ['example.com'], why: 'a wildcard below' },
    { watch: ['=login.example.com'], name: '*.example.com', out: ['=login.example.com'], why: 'a wildcard over an exact one' },
    { watch: ['=a.b.example.io'], name: '*.example.io', out: [], why: 'too high' },
    { watch: ['=a.b.example.io'], name: '*.b.example.io', out: ['=a.b.example.io'], why: 'high enough' },
    { watch: ['=login.example.com'], name: 'x.login.example.com', out: [], why: 'exact covers nothing below' },
    { watch: ['=example.com'], name: '*.example.com', out: [], why: 'a wildcard is not its parent' },
    { watch: ['=www.example.com'], name: 'w*w.example.com', out: ['=www.example.com'], why: 'a partial wildcard' },
    { watch: ['=ww.example.com'], name: 'w*w.example.com', out: ['=ww.example.com'], why: 'for nothing at all' },
    { watch: ['=w.example.com'], name: 'w*w.example.com', out: [], why: 'its ends do not overlap' },
    { watch: ['=abcd.example.com'], name: '*b*d.example.com', out: ['=abcd.example.com'], why: 'several stars' },
    { watch: ['=login.example.com'], name: '?.example.com', out: ['=login.example.com'], why: 'redacted' },
    { watch: ['=login.example.com'], name: '<unparsable>.example.com', out: ['=login.example.com'], why: 'unparsable' },
    { watch: ['=login.example.com'], name: 'log\u0007in.example.com', out: ['=login.example.com'], why: 'unparsable to us' },
    { watch: ['example.com'], name: 'www.*.com', out: ['example.com'], why: 'a wildcard inside' },
    { watch: ['example.com'], name: 'a..example.com', out: ['example.com'], why: 'an empty label' },
    { watch: ['good.example'], name: 'good.example\0.evil.test', out: ['good.example'], why: 'before a NUL' },
    { watch: ['evil.test'], name: 'good.example\0.evil.test', out: ['evil.test'], why: 'the whole' },
    { watch: ['example.com'], name: 'https://example.com/evil.test', out: ['example.com'], why: 'a URL' },
    { watch: ['bücher.example'], name: 'shop.xn--bcher-kva.example', out: ['bücher.example'], why: 'IDN, item as written' },
    { watch: ['bücher.example'], name: 'shop.bÃ¼cher.example', out: ['bücher.example'], why: 'IDN, mis-decoded' },
    {
      watch: ['example.com', '=login.example.com', 'a.example.com'],
      name: 'login.example.com',
      out: ['=login.example.com'],
      why: 'exact before subtree',
    },
    { watch: ['example.com', 'b.a.example.com', 'a.example.com'], name: 'x.b.a.example.com', out: ['b.a.example.com'], why: 'the longest' },
    {
      watch: ['=a.example.com', '=b.example.com', '=c.example.org'],
      name: '*.example.com',
      out: ['=a.example.com', '=b.example.com'],
      why: 'several exact ones',
    },
    { watch: ['203.0.113.0/24', '203.0.113.7'], name: '203.0.113.7', out: ['203.0.113.7'], why: 'an address as a name' },
    { watch: ['.'], name: 'anything at all', out: ['.'], why: 'everything' },
    { watch: ['.', 'example.com'], name: 'example.com', out: ['example.com'], why: 'everything is the least specific' },
  ]
  for (const c of cases) {
    const got = match(c.watch, [c.name])
    assert.deepEqual(
      got.matched,
      c.out.map((item) => ({ name: displayName(c.name), item })),
      c.why,
    )
    assert.equal(got.items.length > 0, c.out.length > 0, c.why)
    assert.equal(got.excluded, false, c.why)
  }
})

void test('addresses match by prefix', () => {
  const cases = [
    { watch: ['203.0.113.0/24'], ip: '203.0.113.255', out: ['203.0.113.0/24'], why: 'within' },
    { watch: ['203.0.113.0/24'], ip: '203.0.114.0', out: [], why: 'without' },
    { watch: ['203.0.113.128/25', '203.0.0.0/16'], ip: '203.0.113.129', out: ['203.0.113.128/25'], why: 'the longest prefix' },
    { watch: ['2001:db8::/33'], ip: '2001:0db8:7fff::1', out: ['2001:db8::/33'], why: 'IPv6, not canonical' },
    { watch: ['2001:db8::/33'], ip: '2001:db8:8000::1', out: [], why: 'the bit after the prefix' },
    { watch: ['192.0.2.0/24'], ip: '::ffff:192.0.2.9', out: ['192.0.2.0/24'], why: 'IPv4-mapped' },
    { watch: ['0.0.0.0/0'], ip: '8.8.8.8', out: ['0.0.0.0/0'], why: 'all of IPv4' },
    { watch: ['0.0.0.0/0'], ip: '2001:db8::1', out: [], why: 'and none of IPv6' },
    { watch: ['.'], ip: 'not an address', out: ['.'], why: 'everything' },
    { watch: ['example.com'], ip: '203.0.113.7', out: [], why: 'a name is none' },
  ]
  for (const c of cases)
    assert.deepEqual(
      match(c.watch, [], [], [c.ip]).matched,
      c.out.map((item) => ({ name: c.ip, item })),
      c.why,
    )
})

void test('one certificate with many names', () => {
  const got = match(
    ['example.com', 'example.net', '=x.example.org'],
    ['A.example.com', 'a.example.com', 'stranger.test', 'b.example.net', '*.example.org'],
  )
  assert.deepEqual(got.matched, [
    { name: 'a.example.com', item: 'example.com' },
    { name: 'b.example.net', item: 'example.net' },
    { name: '*.example.org', item: '=x.example.org' },
  ])
  assert.deepEqual(got.items, ['example.com', 'example.net', '=x.example.org'])
  assert.deepEqual(match(['example.com'], [], []), { matched: [], items: [], excluded: false })
  assert.deepEqual(match(['.'], [], []).matched, [{ name: '', item: '.' }], 'even a certificate without a name is one')
  const many = match(
    Array.from({ length: 50 }, (_, i) => `=h${i}.example.com`),
    ['*.example.com'],
  )
  assert.deepEqual([many.matched.length, many.items.length], [20, 50], 'named up to 20, counted all')
})

void test('exclusion silences only what it covers', () => {
  const cases: readonly {
    watch?: readonly string[]
    exclude: readonly string[]
    names: readonly string[]
    ips?: readonly string[]
    silent: boolean
    why: string
  }[] = [
    { exclude: ['dev.example.com'], names: ['a.dev.example.com'], silent: true, why: 'below' },
    { exclude: ['dev.example.com'], names: ['a.dev.example.com', 'www.example.com'], silent: false, why: 'one excluded name hides no other' },
    { exclude: ['dev.example.com'], names: ['a.dev.example.com', 'stranger.test'], silent: true, why: 'names that do not match do not count' },
    { exclude: ['dev.example.com'], names: ['*.dev.example.com'], silent: true, why: 'a wildcard within' },
    { exclude: ['dev.example.com'], names: ['*.example.com'], silent: false, why: 'a wildcard over more' },
    { exclude: ['=www.example.com'], names: ['*.example.com'], silent: false, why: 'a wildcard over an exact exclusion' },
    { exclude: ['=www.example.com'], names: ['www.example.com'], silent: true, why: 'exact' },
    { exclude: ['=www.example.com'], names: ['a.www.example.com'], silent: false, why: 'exact covers nothing below' },
    { exclude: ['=www.example.com', '=wow.example.com'], names: ['w*w.example.com'], silent: false, why: 'no two exclusions together' },
    { exclude: ['a.example.com'], names: ['?.example.com'], silent: false, why: 'redacted' },
    { exclude: ['example.com'], names: ['*.com'], silent: false, why: 'a wildcard beyond the exclusion' },
    {
      watch: ['good.example', 'evil.test'],
      exclude: ['good.example'],
      names: ['good.example\0.evil.test'],
      silent: false,
      why: 'one reading excluded, the other not',
    },
    {
      watch: ['good.example', 'evil.test'],
      exclude: ['good.example', 'evil.test'],
      names: ['good.example\0.evil.test'],
      silent: true,
      why: 'both readings excluded',
    },
    { watch: ['203.0.113.0/24'], exclude: ['203.0.113.128/25'], names: [], ips: ['203.0.113.200'], silent: true, why: 'addresses' },
    {
      watch: ['203.0.113.0/24'],
      exclude: ['203.0.113.128/25'],
      names: ['203.0.113.1'],
      ips: ['203.0.113.200'],
      silent: false,
      why: 'another address, as a name',
    },
    { watch: ['.'], exclude: ['example.com'], names: ['a.example.com'], silent: true, why: 'everything but' },
    { watch: ['.'], exclude: ['example.com'], names: ['a.example.com', 'b.test'], silent: false, why: 'everything but, and another' },
    { watch: ['.'], exclude: ['example.com'], names: [''], silent: false, why: 'an empty name' },
  ]
  for (const c of cases) {
    const got = match(c.watch ?? ['example.com'], c.names, c.exclude, c.ips)
    assert.ok(got.matched.length > 0, c.why)
    assert.equal(got.excluded, c.silent, c.why)
  }
})

// The definition, as plainly as it can be said: every item against every reading of every name.

function labelMatches(label: string, watched: string): boolean {
  if (label === '?' || label === UNPARSABLE) return true
  const pattern = label.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${pattern.join('.*')}$`).test(watched)
}

function touches(item: Item, labels: readonly string[]): boolean {
  if (item.kind !== 'name') return false
  const watched = item.domain.split('.')
  if (item.exact ? labels.length !== watched.length : labels.length < watched.length) return false
  return watched.every((label, i) => labelMatches(labels[labels.length - watched.length + i] ?? '', label))
}

function covers(item: Item, labels: readonly string[]): boolean {
  if (item.kind !== 'name') return item.kind === 'all'
  const watched = item.domain.split('.')
  const end = labels.slice(-watched.length)
  if (end.some((label) => label.includes('*') || label === '?' || label === UNPARSABLE)) return false
  return end.join('.') === item.domain && (!item.exact || labels.length === watched.length)
}

function slow(
  watch: readonly Item[],
  exclude: readonly Item[],
  names: readonly string[],
): { matched: ReadonlySet<string>; items: ReadonlySet<string>; excluded: boolean } {
  const matched = new Set<string>()
  const keys = new Set<string>()
  let news = false
  for (const name of names) {
    const readings = nameReadings(name)
    const found = watch.filter((item) => item.kind === 'all' || readings.some((labels) => touches(item, labels)))
    for (const item of found) keys.add(itemKey(item))
    const rank = (item: Item): number => (item.kind === 'name' ? (item.exact ? 1000 : item.domain.split('.').length) : 0)
    const best = Math.max(...found.map(rank))
    for (const item of found) if (rank(item) === best) matched.add(`${displayName(name)} ${item.text}`)
    const matching = readings.filter((labels) => watch.some((item) => item.kind === 'all' || touches(item, labels)))
    if (matching.some((labels) => !exclude.some((item) => covers(item, labels)))) news = true
    if (found.length > 0 && matching.length === 0 && !exclude.some((item) => item.kind === 'all')) news = true
  }
  return { matched, items: keys, excluded: matched.size > 0 && !news }
}

void test('the tree decides as the definition does', () => {
  const label = fc.constantFrom('a', 'b', 'ab', 'aab', 'xn--bcher-kva')
  const domain = fc
    .tuple(fc.array(label, { maxLength: 3 }), fc.constantFrom('a', 'b', 'ab'))
    .map(([labels, last]) => [...labels, last, 'test'].join('.'))
  const text = fc.oneof(
    { weight: 20, arbitrary: fc.tuple(fc.constantFrom('', '='), domain).map((parts) => parts.join('')) },
    { weight: 1, arbitrary: fc.constant('.') },
  )
  const odd = fc.constantFrom('a', 'b', 'ab', 'aab', '*', 'a*', '*b', 'a*b', '?', UNPARSABLE, 'bücher', 'b\0', 'a/b', '')
  const name = fc
    .tuple(fc.array(odd, { maxLength: 5 }), fc.constantFrom('test', 'test', 'test.', '*', 'TEST '))
    .map(([labels, last]) => [...labels, last].join('.'))
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 12 }),
      fc.array(text, { maxLength: 4 }),
      fc.array(name, { maxLength: 4, minLength: 1 }),
      (watch, exclude, names) => {
        const [w, e] = [foldItems(items(watch)).kept, items(exclude)]
        const want = slow(w, e, names)
        const got = createMatcher(w, e).match(names, [])
        assert.deepEqual(new Set(got.matched.map((m) => `${m.name} ${m.item}`)), want.matched)
        assert.deepEqual(new Set(got.items), want.items)
        assert.equal(got.excluded, want.excluded)
      },
    ),
    { numRuns: 10_000 },
  )
})

void test('folding loses no match', () => {
  const text = fc
    .tuple(fc.constantFrom('', '='), fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 }))
    .map(([mark, labels]) => `${mark}${labels.join('.')}.test`)
  const address = fc
    .tuple(fc.nat(3), fc.integer({ min: 29, max: 32 }))
    .map(([last, prefix]) => `192.0.2.${last - (last % 2 ** (32 - prefix))}/${prefix}`)
  const name = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 4 }).map((labels) => [...labels, 'test'].join('.'))
  fc.assert(
    fc.property(fc.array(fc.oneof(text, address), { maxLength: 10 }), name, fc.nat(255), (texts, name, last) => {
      const all = items(texts)
      const { kept, folded } = foldItems(all)
      assert.equal(kept.length + folded.length, all.length)
      const ip = formatIp(Uint8Array.of(192, 0, 2, last))
      const names = (list: readonly Item[]): readonly string[] => [
        ...new Set(
          createMatcher(list, [])
            .match([name], [ip])
            .matched.map((m) => m.name),
        ),
      ]
      assert.deepEqual(names(kept), names(all))
      for (const { into } of folded) assert.ok(kept.includes(into))
    }),
  )
})

void test('the cost of a name does not grow with the items, nor with an attacker’s wildcards', () => {
  const big = createMatcher(
    Array.from({ length: 100_000 }, (_, i): Item => ({
      kind: 'name',
      text: `h${i}.d${i % 1000}.test`,
      domain: `h${i}.d${i % 1000}.test`,
      exact: true,
    })),
    [],
  )
  let start = performance.now()
  for (let i = 0; i < 50_000; i++) big.match([`x.h${i}.d${i % 1000}.test`], [])
  assert.ok(performance.now() - start < 5000, 'plain names')
  start = performance.now()
  const hostile = big.match(
    Array.from({ length: 5000 }, (_, i) => `q${i}*${'*a'.repeat(i % 50)}.*.*`),
    [],
  )
  assert.ok(performance.now() - start < 10_000, 'wildcards')
  assert.ok(hostile.matched.length > 0, 'with the budget spent it rings rather than not')
  assert.deepEqual(big.match(['h7.d7.test'], []).matched, [{ name: 'h7.d7.test', item: 'h7.d7.test' }], 'each certificate has its own budget')
})

void test('a name of megabytes is judged in the time that it takes to look at it once', () => {
  // Each would take from an hour to days, were anything in it quadratic.
  const MEGABYTES = 4 * 1024 * 1024
  const cases: readonly { readonly name: string; readonly unread?: true; readonly why: string }[] = [
    { name: 'a'.repeat(MEGABYTES), why: 'one label' },
    { name: `${'a'.repeat(MEGABYTES)}!`, why: 'one label, and no plain one' },
    { name: `${'1.'.repeat(MEGABYTES / 2)}1`, why: 'digits' },
    { name: `${'a.'.repeat(MEGABYTES / 2)}!`, why: 'labels' },
    { name: '.'.repeat(MEGABYTES), why: 'dots' },
    { name: `a${'\u0301\u0316'.repeat(MEGABYTES / 2)}`, unread: true, why: 'marks to be put into order' },
    { name: `\u00b4${'\uff9e\u0316'.repeat(MEGABYTES / 2)}`, unread: true, why: 'marks that only NFKC sees' },
    { name: '\u0000'.repeat(MEGABYTES), unread: true, why: 'NULs' },
    { name: '\u00e9'.repeat(MEGABYTES), unread: true, why: 'Latin-1' },
  ]
  for (const { name, unread, why } of cases) {
    const stranger = match(['example.com'], [`${name}.stranger.test`])
    assert.deepEqual(stranger.matched, [], why)
    assert.equal(stranger.unread !== undefined, unread === true, why)
    const ours = match(['example.com'], [`${name}.example.com`], ['example.com'])
    assert.deepEqual(
      ours.matched.map(({ item }) => item),
      ['example.com'],
      why,
    )
    assert.equal(ours.excluded, unread !== true, `${why}: what it may be besides is not excluded`)
  }
  assert.equal(match(['=login.example.com'], [`${'\u00e9'.repeat(5000)}.example.com`]).matched.length, 1, 'a label that may be any')
})

void test('names that are read in many ways are so as far as there is time', () => {
  const names = Array.from({ length: 100_000 }, (_, n) => `b\u00fccher${n}\u0000.stranger.test`)
  const within = match(['b\u00fccher7.example'], ['b\u00fccher7.example\u0000.stranger.test'])
  assert.equal(within.matched.length, 1, 'before a NUL')
  assert.equal(within.unread, undefined)
  const beyond = match(['example.com'], [...names, 'b\u00fccher.example.com', 'x.example.com'])
  assert.match(beyond.unread ?? '', /too much/)
  assert.deepEqual(
    beyond.matched.map(({ name }) => name),
    ['b\u00fccher.example.com', 'x.example.com'],
    'what it ends in is seen in any case',
  )
  assert.match(beyond.unread ?? '', /^more names than any certificate has, not all of them printable ASCII/)
  // Each costs what a longer one would, nearly.
  assert.match(
    match(
      ['example.com'],
      Array.from({ length: 3000 }, (_, n) => `\u00e9${n}`),
    ).unread ?? '',
    /^more names/,
  )
  assert.equal(
    match(
      ['example.com'],
      Array.from({ length: 1000 }, (_, n) => `b\u00fccher-in-vielen-sprachen-${n}.stranger.test`),
    ).unread,
    undefined,
  )
  assert.match(match(['example.com'], ['\u00e9'.repeat(1025)]).unread ?? '', /^a name of 1,025 characters/)
})
