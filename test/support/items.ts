// Items for tests that are not about reading them.
import type { Item } from '../../src/watch/item.ts'
import { parseItem } from '../../src/watch/item.ts'

/** The item of a text that is one. Throws RangeError for any other. */
export function itemOf(text: string): Item {
  const parsed = parseItem(text)
  if ('problem' in parsed) throw new RangeError(parsed.problem)
  return parsed.item
}
