import assert from 'node:assert/strict'
import { test } from 'node:test'
import { domainToASCII } from 'node:url'
import * as fc from 'fast-check'
import { decodePunycode, encodePunycode } from '../../src/watch/punycode.ts'

void test('the samples of RFC 3492, section 7.1, and others', () => {
  const cases = [
    { in: 'ليهمابتكلموشعربي؟', out: 'egbpdaj6bu4bxfgehfvwxn', why: '(A) Arabic' },
    { in: '他们为什么不说中文', out: 'ihqwcrb4cv8a8dqg056pqjye', why: '(B) Chinese' },
    { in: 'Pročprostěnemluvíčesky', out: 'Proprostnemluvesky-uyb24dma41a', why: '(D) Czech' },
    { in: '3年B組金八先生', out: '3B-ww4c5e180e575a65lsy2b', why: '(L) Japanese' },
    { in: '-> $1.00 <-', out: '-> $1.00 <--', why: '(S) ASCII only' },
    { in: 'bücher', out: 'bcher-kva', why: 'German' },
    { in: '💩', out: 'ls8h', why: 'beyond the BMP' },
    { in: '', out: '', why: 'empty' },
  ]
  for (const c of cases) {
    assert.equal(encodePunycode(c.in), c.out, c.why)
    assert.equal(decodePunycode(c.out), c.in, c.why)
  }
})

void test('what is no Punycode', () => {
  for (const bad of ['bcher-kv', '99999999', 'ü', 'a-!', 'é-abc', 'x'.repeat(2000), 'zzzzzzzzzzzz']) assert.equal(decodePunycode(bad), undefined, bad)
  assert.equal(encodePunycode('ü'.repeat(256)), undefined)
  assert.equal(encodePunycode('\ud800'), undefined)
})

void test('there and back, and as the platform has it', () => {
  const label = fc.string({ unit: 'grapheme', maxLength: 30 })
  fc.assert(
    fc.property(label, (text) => {
      const encoded = encodePunycode(text)
      assert.ok(encoded !== undefined)
      assert.equal(decodePunycode(encoded), text)
    }),
    { numRuns: 2000 },
  )
  // Letters that IDNA maps to themselves.
  const letters = fc.string({ unit: fc.constantFrom(...Array.from('abcäöüéèñабвгдежαβγδ日本語中文한국어')), minLength: 1, maxLength: 15 })
  fc.assert(
    fc.property(
      letters.filter((text) => /[^a-z]/.test(text)),
      (text) => assert.equal(`xn--${encodePunycode(text)}`, domainToASCII(text.normalize('NFC'))),
    ),
  )
})

void test('any text is a label or undefined', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ unit: fc.constantFrom('a', 'b', 'z', '0', '9', '-'), maxLength: 60 })),
      (text) => {
        const decoded = decodePunycode(text)
        assert.ok(decoded === undefined || decoded.isWellFormed())
        encodePunycode(text)
      },
    ),
    { numRuns: 3000 },
  )
})
