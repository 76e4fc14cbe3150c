import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { encodeHeader, readElement } from '../../src/ct/der.ts'
import { ParseError } from '../../src/ct/errors.ts'
import { readOid } from '../../src/ct/oid.ts'

const from = (hex: string): Uint8Array => Buffer.from(hex, 'hex')

void test('an element is its tag and offsets', () => {
  const cases: readonly { in: string; out: readonly number[]; why: string }[] = [
    { in: '0500', out: [5, 2, 2], why: 'empty' },
    { in: '040141', out: [4, 2, 3], why: 'short form' },
    { in: '04810141', out: [4, 3, 4], why: 'a length longer than need be is taken' },
    { in: '0484000000014142', out: [4, 6, 7], why: 'four length octets, and what follows is left' },
    { in: 'bf8a0100', out: [0xbf, 4, 4], why: 'a tag number over 30' },
  ]
  for (const c of cases) {
    const e = readElement(from(c.in), 0, 99, 'it')
    assert.deepEqual([e.tag, e.content, e.end], c.out, c.why)
  }
})

void test('what cannot be walked is a ParseError with its place', () => {
  const cases = [
    { in: '', code: 'truncated', why: 'nothing' },
    { in: '04', code: 'truncated', why: 'no length' },
    { in: '0402ff', code: 'truncated', why: 'too little content' },
    { in: '0482ff', code: 'truncated', why: 'cut in the length' },
    { in: '0484ffffffff', code: 'truncated', why: 'a length beyond 2^31 is not negative' },
    { in: '0485000000000100', code: 'length', why: 'five length octets' },
    { in: '30800000', code: 'length', why: 'indefinite' },
    { in: '1f8080808000', code: 'tag', why: 'endless tag number' },
  ]
  for (const c of cases)
    assert.throws(
      () => readElement(from(c.in), 0, 99, 'it'),
      (e) => e instanceof ParseError && e.code === c.code && e.what === 'it',
      c.why,
    )
})

void test('any bytes give an element within them or a ParseError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(45), (bytes, at) => {
      try {
        const e = readElement(bytes, at, bytes.length, 'it')
        assert.ok(e.start === at && e.content > at && e.end >= e.content && e.end <= bytes.length)
      } catch (error) {
        assert.ok(error instanceof ParseError)
      }
    }),
    { numRuns: 5000 },
  )
})

void test('a header says what readElement reads', () => {
  fc.assert(
    fc.property(fc.oneof(fc.nat(300), fc.nat(70_000)), (length) => {
      const header = encodeHeader(0x30, length)
      const e = readElement(Buffer.concat([header, Buffer.alloc(length)]), 0, Infinity, 'it')
      assert.deepEqual([e.content, e.end], [header.length, header.length + length])
    }),
  )
  assert.deepEqual([...encodeHeader(4, 2 ** 31 + 1)], [4, 0x84, 0x80, 0, 0, 1], 'no sign bit')
  assert.throws(() => encodeHeader(4, 2 ** 32), RangeError)
})

void test('object identifiers', () => {
  const read = (hex: string): string => readOid(from(hex), { tag: 6, start: 0, content: 0, end: hex.length / 2 })
  const cases = [
    { in: '550403', out: '2.5.4.3', why: 'first two arcs in one' },
    { in: '2b06010401d679020402', out: '1.3.6.1.4.1.11129.2.4.2', why: 'two octets for an arc' },
    { in: '8837', out: '2.999', why: 'a second arc over 39' },
    { in: '00', out: '0.0', why: 'least' },
  ]
  for (const c of cases) assert.equal(read(c.in), c.out, c.why)
  for (const bad of ['', '80', '2b86', 'ffffffffffffffffff7f', '55'.repeat(65)]) assert.throws(() => read(bad), ParseError, bad)
})
