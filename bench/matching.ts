// Matching: the cost of a name must not grow with the number of items that are watched.
import { parseItem } from '../src/watch/item.ts'
import type { Item } from '../src/watch/item.ts'
import { createMatcher } from '../src/watch/match.ts'
import { bar } from './measure.ts'

const NAMES = Array.from({ length: 20_000 }, (_, n) =>
  n % 100 === 0 ? `www.brand${(n / 100) % 10}.example` : `host-${n}.some-${n % 977}.stranger${n % 31}.test`,
)

/** Seconds for all names with `count` items, the best of several rounds. */
function measure(count: number): number {
  const items: Item[] = []
  for (let n = 0; n < count; n++) {
    const parsed = parseItem(n % 3 === 0 ? `=login.brand${n}.example` : `brand${n}.example`)
    if ('item' in parsed) items.push(parsed.item)
  }
  const matcher = createMatcher(items, [])
  let best = Infinity
  for (let round = 0; round < 7; round++) {
    const start = performance.now()
    let hits = 0
    for (const name of NAMES) hits += matcher.match([name], []).matched.length
    best = Math.min(best, performance.now() - start)
    if (hits === 0) throw new Error('nothing matched')
  }
  return best
}

/** Ratio of 100,000 items to 10. */
export function matching(): void {
  measure(10)
  const few = measure(10)
  const many = measure(100_000)
  console.log(`     ${Math.round(NAMES.length / few)} names/ms with 10 items, ${Math.round(NAMES.length / many)} with 100,000`)
  bar('matching: 100,000 items to 10', many / few, { most: 1.5 })
}
