import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readEntries } from '../../src/sources/json-entries.ts'

function both(text: string): { readonly values: readonly unknown[]; readonly wholes: readonly unknown[] } {
  const values: unknown[] = []
  const wholes: unknown[] = []
  const read = readEntries(Buffer.from(text), 'der', ({ value, whole }) => {
    values.push(value)
    wholes.push(whole())
  })
  assert.ok('taken' in read)
  // A piece that was no entry after all: everything is taken again, as a whole.
  const count = read.taken.length
  return { values: values.slice(-count), wholes: wholes.slice(-count) }
}

test('entries are what JSON.parse says, with or without the member that is left out', () => {
  const text = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('},{', '"der":"', '"', '\\', '\\"der":"x', 'x"},{"der":"y', '\u0000', 'é', '🔔'))
  const leaf = fc.oneof(text, fc.integer(), fc.constant(null), fc.array(text, { maxLength: 3 }))
  const entry = fc.dictionary(fc.constantFrom('der', 'id', 'names', 'der"', ''), fc.oneof(leaf, fc.dictionary(fc.constantFrom('der', 'a'), leaf)))
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 5 }), fc.constantFrom(undefined, 1), (entries, indent) => {
      const { values, wholes } = both(JSON.stringify(entries, undefined, indent))
      const expected = JSON.parse(JSON.stringify(entries)) as unknown[]
      assert.deepEqual(wholes, expected)
      // Only that one member may be empty instead.
      assert.deepEqual(values.map(blank), expected.map(blank))
    }),
    { numRuns: 2000 },
  )
})

function blank(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === 'der' && typeof inner === 'string' ? '' : blank(inner)]))
}

test('the long member is not there at first, and whole when asked for', () => {
  assert.deepEqual(both('[{"id":1,"der":"AAAA","b":2},{"id":2,"der":"BB\\/BB"}]'), {
    values: [
      { id: 1, der: '', b: 2 },
      { id: 2, der: '' },
    ],
    wholes: [
      { id: 1, der: 'AAAA', b: 2 },
      { id: 2, der: 'BB/BB' },
    ],
  })
})

test('bytes that no JSON text has, in the member left out, cost that member and not the page', () => {
  assert.deepEqual(both('[{"id":1,"der":"AA\nAA"},{"id":2,"der":"B"}]').wholes, [
    { id: 1, der: '' },
    { id: 2, der: 'B' },
  ])
})

test('anywhere else they make the page no JSON', () => {
  assert.throws(() => readEntries(Buffer.from('[{"id":"a\nb","der":"AA"}]'), 'der', () => undefined), SyntaxError)
})
