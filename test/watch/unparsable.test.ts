// Names that are not ASCII, and names that are no text at all, against a definition as plain as the protocol notes have it: bytes that are not ASCII are
// tried as UTF-8 and as Latin-1, each label is encoded as Punycode, and one for which that fails may be any.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readEntry } from '../../src/watch/entry.ts'
import { createMatcher } from '../../src/watch/match.ts'
import { encodePunycode } from '../../src/watch/punycode.ts'
import { createSieve } from '../../src/watch/sieve.ts'
import { cn, dns, san, seq, tbs } from '../ct/der-writer.ts'
import type { Bytes } from '../ct/der-writer.ts'
import { itemOf } from '../support/items.ts'

const WATCH = ['alpha.com', '=login.bravo.com', 'bücher.de', '日本.jp', 'xn--mu-vub.de', '203.0.113.7', '2001:db8::5']
const items = WATCH.map(itemOf)
const matcher = createMatcher(items, [])
const sieve = createSieve(items)

/** A name in a certificate: its bytes, as dNSName (0x82) or as common name of that type. */
interface Place {
  readonly tag: number
  readonly bytes: Bytes
}

const certificateOf = (places: readonly Place[]): Bytes =>
  tbs({
    subject: seq(...places.filter(({ tag }) => tag !== 0x82).map(({ tag, bytes }) => cn(bytes, tag))),
    extensions: [san(...places.filter(({ tag }) => tag === 0x82).map(({ bytes }) => dns(bytes)))],
  })

const utf8 = (bytes: Bytes): string => Buffer.from(bytes).toString('utf8')
const latin1 = (bytes: Bytes): string => Buffer.from(bytes).toString('latin1')
const isAscii = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text)

/** Each way to understand the bytes, and whether only ASCII is allowed there. */
function textsOf({ tag, bytes }: Place): readonly (readonly [text: string, ascii: boolean])[] {
  if (tag === 0x82) return isAscii(latin1(bytes)) ? [[latin1(bytes), true]] : [utf8(bytes), latin1(bytes)].map((text) => [text, false])
  const texts =
    tag === 12
      ? [utf8(bytes)]
      : tag === 30
        ? [
            Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)))
              .swap16()
              .toString('utf16le'),
          ]
        : [latin1(bytes), utf8(bytes)]
  return texts.filter((text) => !text.trim().includes(' ')).map((text) => [text, false])
}

function labelOf(text: string, ascii: boolean): string {
  if (/^[\t -~]*$/.test(text)) return text
  if (ascii || /\p{Cc}/u.test(text)) return '<unparsable>'
  const encoded = encodePunycode(text)
  return encoded === undefined ? '<unparsable>' : `xn--${encoded}`
}

/** The names that the bytes may stand for, each as it would be compared. */
function namesIn(place: Place): readonly string[] {
  const names: string[] = []
  for (const [text, ascii] of textsOf(place)) {
    const whole = text.trimStart().replace(/^https?:\/\//i, '')
    const beforeNul = whole.split('\0', 1)[0] ?? ''
    for (const part of [whole, beforeNul, whole.split('/', 1)[0] ?? '', beforeNul.split('/', 1)[0] ?? '']) {
      const name = part
        .replace(/^[\s\0]+/, '')
        .trimEnd()
        .replace(/\.+$/, '')
        .toLowerCase()
      const labels = name.split('.')
      const octets = labels.every((label) => /^\d{1,3}$/.test(label)) ? labels.map(Number) : []
      if (octets.length === 4) names.push(octets.join('.'))
      else if (name !== '') names.push(labels.map((label) => labelOf(label, ascii)).join('.'))
    }
  }
  return names
}

function touches(name: string, item: (typeof items)[number]): boolean {
  if (item.kind === 'ip') return name === item.text
  if (item.kind === 'all') return true
  const theirs = name.split('.').toReversed()
  const ours = item.domain.split('.').toReversed()
  if (item.exact ? theirs.length !== ours.length : theirs.length < ours.length) return false
  return ours.every((watched, n) => {
    const label = theirs[n] ?? ''
    if (label === '?' || label === '<unparsable>') return true
    const parts = label.split('*').map((part) => part.replace(/[^a-z0-9]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`))
    return new RegExp(`^${parts.join('.*')}$`).test(watched)
  })
}

const rings = (places: readonly Place[]): boolean => places.some((place) => namesIn(place).some((name) => items.some((item) => touches(name, item))))

/** What readEntry says; fails if the definition or the sieve knows better. */
function agree(places: readonly Place[], why = ''): readonly string[] {
  const der = certificateOf(places)
  const reading = readEntry(der, matcher)
  const shown = `${why} ${places.map(({ tag, bytes }) => `${tag} ${JSON.stringify(latin1(bytes))}`).join(' ')}`
  if (rings(places)) assert.equal(reading.kind, 'match', shown)
  if (reading.kind === 'match') assert.ok(sieve.mayMatter(der, 0, der.length), `the sieve: ${shown}`)
  return reading.kind === 'match' ? reading.matched.map(({ name }) => name) : []
}

void test('what is not ASCII, in each place', () => {
  const cases: readonly { in: string; loose: readonly string[]; text: readonly string[]; why: string }[] = [
    { in: '中文.jp', loose: ['<unparsable>.jp'], text: [], why: 'C1 controls in UTF-8 that is read as Latin-1; a UTF8String is UTF-8' },
    { in: '日本.jp', loose: ['日本.jp', '<unparsable>.jp'], text: ['日本.jp'], why: 'ours' },
    { in: '*日本.jp', loose: ['*日本.jp', '<unparsable>.jp'], text: ['*日本.jp'], why: 'a star among letters' },
    { in: 'Ñ.com', loose: ['<unparsable>.com'], text: [], why: 'one letter' },
    { in: 'ñ.com', loose: [], text: [], why: 'one without C1 controls' },
    { in: 'À*.com', loose: ['à*.com', '<unparsable>.com'], text: ['à*.com'], why: 'whatever the letters' },
    { in: '💩.com', loose: ['<unparsable>.com'], text: [], why: 'beyond 16 bits' },
    { in: 'Ñ.bravo.com', loose: ['<unparsable>.bravo.com'], text: [], why: 'over an exact item' },
    {
      in: 'bücher\u200b.de',
      loose: ['<unparsable>.de', 'bücher\u200b.de'],
      text: ['bücher\u200b.de'],
      why: 'a blank of no width, which IDNA leaves out',
    },
    { in: 'x\u0085y.com', loose: ['<unparsable>.com'], text: ['<unparsable>.com'], why: 'a C1 control' },
    { in: '\u0080.com', loose: ['<unparsable>.com'], text: ['<unparsable>.com'], why: 'nothing but that' },
    { in: 'Ñ.stranger.test', loose: [], text: [], why: 'nobody watches below' },
    { in: '株式会社', loose: [], text: [], why: 'one label is no name of two' },
  ]
  for (const { in: name, loose, text, why } of cases) {
    const bytes = Buffer.from(name)
    for (const tag of [0x82, 19, 20, 22, 26]) assert.deepEqual([...new Set(agree([{ tag, bytes }], why))].sort(), [...loose].sort(), `${why}, ${tag}`)
    assert.deepEqual(agree([{ tag: 12, bytes }], why), text, why)
    agree([{ tag: 30, bytes: Buffer.from(name, 'utf16le').swap16() }], why)
  }
  for (const tag of [0x82, 12, 19, 20])
    assert.deepEqual(agree([{ tag, bytes: Buffer.from('x\x85y.com', 'latin1') }]), ['<unparsable>.com'], `Latin-1, ${tag}`)
})

void test('an address as text', () => {
  const cases = [
    { in: '203.0.113.7', out: true },
    { in: '203.000.113.07', out: true },
    { in: '\x00203.0.113.7', out: true },
    { in: 'https://203.0.113.07/x', out: true },
    { in: '\x002001:db8::5', out: true },
    { in: '2001:db8::5::7', out: true },
    { in: '2001:db8::5:7', out: false },
    { in: '2001:db8::6::5', out: false },
    { in: '203.0.113.0007', out: false },
    { in: '203.0.113.08', out: false },
    { in: '203.0.113.701', out: false },
  ]
  for (const c of cases) assert.equal(agree([{ tag: 0x82, bytes: Buffer.from(c.in) }]).length > 0, c.out, c.in)
})

// Parts of names, with a blank between them.
const WORDS =
  'alpha login bravo bücher BÜCHER 日本 mu\u0308 xn--mu-vub com de jp a Ñ é ß 中 💩 İ ſ 。 * ? / http:// \0 \u0001 \u007f \u0080 \u0085 \u009f \u200b \ufffd'
const piece = fc.constantFrom(...WORDS.split(' '), ' ', '\t', '\n', '\u00a0', '\u2028', '\ufeff')
const end = fc.constantFrom(
  'alpha.com',
  'bravo.com',
  'login.bravo.com',
  'bücher.de',
  '日本.jp',
  'com',
  'de',
  'jp',
  '203.0.113.07',
  '2001:db8::5',
  'x.test',
)
const anyName = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: piece }, { weight: 1, arbitrary: fc.constant('.') }), { maxLength: 4 }),
    fc.constantFrom('', '.', '.'),
    end,
    fc.constantFrom('', '', '', '.', ' ', '\0', '/x', '\0é.test'),
  )
  .map(([pieces, dot, tail, after]) => `${pieces.join('')}${dot}${tail}${after}`)
const anyPlace = fc
  .record({
    tag: fc.constantFrom(0x82, 0x82, 12, 19, 20, 22, 26, 30),
    name: anyName,
    encoding: fc.constantFrom('utf8' as const, 'utf8' as const, 'latin1' as const),
    spoil: fc.option(fc.record({ at: fc.nat(30), byte: fc.constantFrom(0x80, 0x9f, 0xc3, 0xe6, 0xff) }), { freq: 4 }),
  })
  .map(({ tag, name, encoding, spoil }): Place => {
    const bytes = tag === 30 ? Buffer.from(name, 'utf16le').swap16() : Buffer.from(name, encoding)
    if (spoil === null) return { tag, bytes }
    return { tag, bytes: Buffer.concat([bytes.subarray(0, spoil.at), Buffer.of(spoil.byte), bytes.subarray(spoil.at)]) }
  })

void test('whatever the definition rings for rings, and the sieve keeps it', () => {
  let rung = 0
  fc.assert(
    fc.property(fc.array(anyPlace, { minLength: 1, maxLength: 2 }), (places) => {
      agree(places)
      if (rings(places)) rung += 1
    }),
    { numRuns: 10_000 },
  )
  assert.ok(rung > 2000 && rung < 9500, `${rung} of 10,000`)
})
