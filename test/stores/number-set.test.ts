import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { createNumberSet } from '../../src/stores/number-set.ts'

test('it holds what was added and nothing else, however it grows', () => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 3000 }),
    fc.maxSafeNat(),
    fc.integer({ min: 0, max: 50 }).map((n) => n * 1024),
  )
  fc.assert(
    fc.property(fc.array(value, { maxLength: 3000, size: 'max' }), fc.array(value), (added, others) => {
      const set = createNumberSet()
      const model = new Set<number>()
      for (const each of added) {
        assert.equal(set.has(each), model.has(each))
        set.add(each)
        model.add(each)
      }
      for (const each of [...added, ...others]) assert.equal(set.has(each), model.has(each))
    }),
    { numRuns: 50 },
  )
})
