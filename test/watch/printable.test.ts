import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { printable, safeJson } from '../../src/watch/printable.ts'
import { HOSTILE, UNSAFE } from '../support/hostile.ts'

describe('printable', () => {
  for (const [what, text] of Object.entries(HOSTILE))
    it(`makes harmless: ${what}`, () => {
      const shown = printable(text)
      assert.doesNotMatch(shown, UNSAFE)
      assert.ok(!shown.includes('\n') && !shown.includes('\t'))
      assert.ok(shown.length <= 300)
    })

  it('leaves alone what can be seen', () => {
    for (const text of ['login.example.com', '*.example.com', 'bücher.example', "Let's Encrypt", '日本語', '🔔', 'a\u0301'])
      assert.equal(printable(text), text)
  })

  it('says what it hid, and that it cut', () => {
    assert.equal(printable('a\u202eb\0'), String.raw`a\u{202e}b\u{0}`)
    assert.equal(printable('abcdef', 5), 'abcd…')
    // Not in the middle of an escape.
    assert.equal(printable('abc\u202e', 8), 'abc…')
  })

  it('is safe and bounded for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 80 }), (text, max) => {
        const shown = printable(text, max)
        assert.doesNotMatch(shown, UNSAFE)
        assert.ok(shown.length <= max)
      }),
    )
  })
})

describe('safeJson', () => {
  for (const [what, text] of Object.entries(HOSTILE))
    it(`is one harmless line that says the same: ${what}`, () => {
      const line = safeJson({ [text]: text, list: [text] })
      assert.doesNotMatch(line, UNSAFE)
      assert.ok(!line.includes('\n'))
      assert.deepEqual(JSON.parse(line).list, [text])
    })
})
