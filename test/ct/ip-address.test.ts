import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { formatIp, parseIp } from '../../src/ct/ip-address.ts'

void test('canonical text', () => {
  const cases = [
    { in: '203.0.113.7', out: '203.0.113.7', why: 'IPv4' },
    { in: '2001:DB8:0:0:0:0:0:1', out: '2001:db8::1', why: 'lower-case, zeros folded' },
    { in: '2001:db8:0:1:1:1:1:1', out: '2001:db8:0:1:1:1:1:1', why: 'RFC 5952, 4.2.2: not a single zero' },
    { in: '2001:0:0:1:0:0:0:1', out: '2001:0:0:1::1', why: 'the longest run' },
    { in: '2001:db8:0:0:1:0:0:1', out: '2001:db8::1:0:0:1', why: 'the first of equal runs' },
    { in: '::', out: '::', why: 'all zeros' },
    { in: '1::', out: '1::', why: 'at the end' },
    { in: '::ffff:c000:201', out: '::ffff:192.0.2.1', why: 'IPv4-mapped' },
    { in: '::ffff:192.0.2.1', out: '::ffff:192.0.2.1', why: 'IPv4-mapped, dotted' },
  ]
  for (const c of cases) assert.equal(formatIp(parseIp(c.in) ?? assert.fail(c.in)), c.out, c.why)
  for (const bad of [
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.-4',
    '',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4:5:6:7::8',
    'fe80::1%eth0',
    '[::1]',
    '::1.2.3',
    '1.2.3.4::',
    '12345::',
    '0x7f.1',
  ])
    assert.equal(parseIp(bad), undefined, bad)
  for (const length of [0, 3, 8, 17]) assert.throws(() => formatIp(new Uint8Array(length)), RangeError)
})

void test('bytes come back from their text, and node:net agrees on what is an address', () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((a) => Uint8Array.from(a)),
  )
  fc.assert(
    fc.property(address, (bytes) => {
      const text = formatIp(bytes)
      assert.deepEqual(parseIp(text), bytes)
      assert.equal(isIP(text), bytes.length === 4 ? 4 : 6)
    }),
  )
  const almost = fc.array(fc.constantFrom('0', '1', 'ff', '255', ':', ':', '::', '.', 'g'), { maxLength: 16 }).map((a) => a.join(''))
  fc.assert(
    fc.property(almost, (text) => assert.equal(parseIp(text) !== undefined, isIP(text) !== 0)),
    { numRuns: 5000 },
  )
})
