import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ago, grouped, listed, plural, span } from '../../src/watch/words.ts'

const S = 1000
const M = 60 * S
const H = 60 * M
const D = 24 * H

describe('span', () => {
  const table: readonly [number, string][] = [
    [-5, '0 s'],
    [0, '0 s'],
    [Number.NaN, '0 s'],
    [1, '0.1 s'],
    [800, '0.8 s'],
    [999, '0.9 s'],
    [S, '1 s'],
    [13.9 * S, '13 s'],
    [M - 1, '59 s'],
    [M, '1 min'],
    [3 * M + 59 * S, '3 min'],
    [H - 1, '59 min'],
    [H, '1 h'],
    [2 * H + 10 * M, '2 h 10 min'],
    [9 * H + 30 * S, '9 h'],
    [D - 1, '23 h 59 min'],
    [D, '1 day'],
    [D + 4 * H, '1 day 4 h'],
    [2 * D + 3 * H, '2 days 3 h'],
    [3 * D + 3 * H, '3 days'],
    [90 * D, '90 days'],
    [4000 * D, '4,000 days'],
  ]
  for (const [ms, text] of table) it(`${ms} ms is ${text}`, () => assert.equal(span(ms), text))
})

describe('ago', () => {
  const table: readonly [number, string][] = [
    [0, 'just now'],
    [999, 'just now'],
    [-999, 'just now'],
    [3 * M, '3 min ago'],
    [-2 * H, 'in 2 h'],
  ]
  for (const [ms, text] of table) it(`${ms} ms before is ${text}`, () => assert.equal(ago(1_000_000, 1_000_000 + ms), text))
})

describe('numbers and lists', () => {
  it('groups thousands', () => {
    assert.deepEqual([0, 7, 999, 1000, 3214, 1_234_567, -1234, 4_354_630_040].map(grouped), ['0', '7', '999', '1,000', '3,214', '1,234,567', '-1,234', '4,354,630,040']) // prettier-ignore
  })
  it('counts', () => {
    assert.equal(plural(1, 'certificate'), '1 certificate')
    assert.equal(plural(0, 'certificate'), '0 certificates')
    assert.equal(plural(3214, 'certificate'), '3,214 certificates')
    assert.equal(plural(2, 'query', 'queries'), '2 queries')
  })
  it('lists the first and counts the rest', () => {
    assert.equal(listed([]), '')
    assert.equal(listed(['a', 'b', 'c']), 'a, b, c')
    assert.equal(listed(['a', 'b', 'c', 'd', 'e']), 'a, b, c and 2 more')
    assert.equal(listed(['a', 'b'], 1), 'a and 1 more')
  })
})
