import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { displayName, nameReadings, textReadings, toALabels, toUnicode } from '../../src/watch/name.ts'

const read = (raw: string): readonly string[] => nameReadings(raw).map((labels) => labels.join('.'))

void test('every way to understand a name', () => {
  const cases: readonly { in: string; has: readonly string[]; only?: true; why: string }[] = [
    { in: 'www.example.com', has: ['www.example.com'], only: true, why: 'plain' },
    { in: 'QA.Example.COM', has: ['qa.example.com'], only: true, why: 'lower-case' },
    { in: ' example.com. ', has: ['example.com'], only: true, why: 'blanks and a dot' },
    { in: 'example.com...', has: ['example.com'], only: true, why: 'dots' },
    { in: 'example.com . ', has: ['example.com', 'example.com '], only: true, why: 'blanks before a dot: both' },
    { in: 'example.com\n.', has: ['example.com', 'example.<unparsable>'], only: true, why: 'a line break before a dot: both' },
    { in: '*.example.com', has: ['*.example.com'], only: true, why: 'a wildcard' },
    { in: '?.example.com', has: ['?.example.com'], only: true, why: 'redacted' },
    { in: 'w*w.example.com', has: ['w*w.example.com'], only: true, why: 'a partial wildcard' },
    { in: 'http://example.com', has: ['example.com'], only: true, why: 'a URL' },
    { in: 'HTTPS://example.com/path', has: ['example.com', 'example.com/path'], only: true, why: 'a URL with a path: both halves' },
    { in: 'good.example\0.evil.test', has: ['good.example', 'good.<unparsable>.evil.test'], only: true, why: 'a NUL: both halves' },
    { in: 'a.example/x\0y.test', has: ['a.example', 'a.example/x', 'a.<unparsable>.test'], only: true, why: 'slash and NUL' },
    { in: 'a\u0007b.example.com', has: ['<unparsable>.example.com'], only: true, why: 'a control character' },
    { in: 'a\tb.example.com', has: ['a\tb.example.com'], only: true, why: 'a tab is let be' },
    { in: '<unparsable>.example.com', has: ['<unparsable>.example.com'], only: true, why: 'as the API has it' },
    { in: 'bücher.example', has: ['xn--bcher-kva.example'], why: 'Unicode' },
    { in: 'bu\u0308cher.example', has: ['xn--bcher-kva.example'], why: 'Unicode, decomposed' },
    { in: 'BÜCHER.example', has: ['xn--bcher-kva.example'], why: 'Unicode, upper case' },
    { in: 'bÃ¼cher.example', has: ['xn--bcher-kva.example', 'xn--bcher-lka6y.example'], why: 'UTF-8 that someone read as Latin-1: both' },
    { in: 'ｅｘａｍｐｌｅ。com', has: ['example.com'], why: 'full width, with an ideographic dot' },
    { in: '日本.example', has: ['xn--wgv71a.example'], why: 'a text whose bytes as Latin-1 would hold C1 controls is no wildcard for that' },
    { in: 'æ\u0097¥.example', has: ['<unparsable>.example', 'xn--wgv.example'], why: 'C1 controls, but they may be UTF-8' },
    { in: 'x\u0085y.example', has: ['<unparsable>.example'], why: 'a C1 control' },
    { in: 'ü\ty.example', has: ['<unparsable>.example'], why: 'a tab where it is not ASCII' },
    {
      in: 'w\xff.bÃ¼cher.example',
      has: ['xn--w-kha.xn--bcher-lka6y.example', 'xn--w-q10i.xn--bcher-kva.example'],
      why: 'one label that is no UTF-8',
    },
    { in: 'bu\u0308.example', has: ['xn--b-eha.example', 'xn--bu-vub.example'], why: 'as it is normalized, and as it is' },
    { in: '\0 example.com', has: ['<unparsable>.com', 'example.com'], only: true, why: 'a NUL before it' },
    { in: 'xn--a.example', has: ['xn--a.example'], only: true, why: 'invalid Punycode stays' },
    { in: 'a\ud800.example', has: ['<unparsable>.example'], why: 'half a character' },
    { in: 'a..example.com', has: ['a..example.com'], only: true, why: 'an empty label' },
    { in: '', has: [], only: true, why: 'empty' },
    { in: ' . ', has: [], only: true, why: 'nothing left' },
  ]
  for (const c of cases) {
    const got = read(c.in)
    if (c.only === true) assert.deepEqual([...got].sort(), [...c.has].sort(), c.why)
    else for (const name of c.has) assert.ok(got.includes(name), `${c.why}: ${got.join(' | ')}`)
    if (!c.has.some((name) => name.includes('<'))) assert.ok(!got.join().includes('<unparsable>'), c.why)
  }
})

void test('bytes as text: ASCII, or both encodings', () => {
  const cases = [
    { in: 'a.example', out: ['a.example'], why: 'ASCII' },
    { in: 'b\xc3\xbccher', out: ['bücher', 'bÃ¼cher'], why: 'UTF-8' },
    { in: 'b\xfccher', out: ['bücher'], why: 'Latin-1 only' },
    { in: '\xef\xbb\xbfa', out: ['\ufeffa', 'ï»¿a'], why: 'a BOM is not dropped' },
  ]
  for (const c of cases) assert.deepEqual(textReadings(Buffer.from(c.in, 'latin1')), c.out, c.why)
})

void test('names for people', () => {
  const cases = [
    { in: 'QA.Example.com.', out: 'qa.example.com', why: 'lower-case, no dot' },
    { in: ' a b\0/ ', out: 'a b\0/', why: 'otherwise as it is' },
    { in: 'BÜCHER.example', out: 'bücher.example', why: 'Unicode stays' },
  ]
  for (const c of cases) assert.equal(displayName(c.in), c.out, c.why)
})

void test('A-labels and Unicode', () => {
  const cases = [
    { in: 'bücher.example', out: 'xn--bcher-kva.example', back: 'bücher.example', why: 'one' },
    { in: 'a.example', out: 'a.example', back: 'a.example', why: 'none' },
    { in: 'xn--a.example', out: 'xn--a.example', back: 'xn--a.example', why: 'invalid' },
    { in: 'xn--example-.com', out: 'xn--example-.com', back: 'xn--example-.com', why: 'Punycode of plain ASCII is not shown as it' },
    { in: 'xn--bcher-kva3.example', out: 'xn--bcher-kva3.example', back: toUnicode('xn--bcher-kva3.example'), why: 'whatever it is' },
  ]
  for (const c of cases) {
    assert.equal(toALabels(c.in), c.out, c.why)
    assert.equal(toUnicode(c.out), c.back, c.why)
  }
  for (const bad of ['\u202e', '\u3002', '\u2028', '\u200b', '\u00a0']) {
    const name = toALabels(`a${bad}b.example`) ?? assert.fail()
    assert.equal(toUnicode(name), name, 'what cannot be seen is not shown')
  }
})

void test('any text has readings of ASCII labels, each once, in bounded time', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: fc.constantFrom('a', 'ü', '.', '/', '\0', '*', '?', ' ', 'http://', '\u3002', 'Ã¼'), maxLength: 20 }),
  )
  fc.assert(
    fc.property(text, (raw) => {
      const readings = read(raw)
      assert.equal(new Set(readings).size, readings.length)
      for (const reading of readings) assert.match(reading, /^[\t -~]*$/)
      assert.equal(displayName(displayName(raw)), displayName(raw))
    }),
    { numRuns: 3000 },
  )
  const start = performance.now()
  nameReadings('ü/'.repeat(200_000))
  nameReadings(`${'.'.repeat(200_000)}a${'. '.repeat(2_000)}`)
  assert.ok(performance.now() - start < 5000)
})
