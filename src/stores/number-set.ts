// A set of numbers in one flat array: V8's own keeps each large number as an object, which the collector carries about.

/** A set of whole numbers from 0 to 2^53 - 1, best if they are evenly spread. */
export interface NumberSet {
  add(value: number): void
  has(value: number): boolean
}

const EMPTY = -1

/** An empty set. */
export function createNumberSet(): NumberSet {
  let slots = new Float64Array(1024).fill(EMPTY)
  let size = 0
  // Where the value is, or where it would go: the next free place after the one that its low bits name.
  const place = (value: number): number => {
    let at = value % slots.length
    for (;;) {
      const there = slots[at]
      if (there === value || there === EMPTY) return at
      at = at + 1 === slots.length ? 0 : at + 1
    }
  }
  return {
    add: (value) => {
      const at = place(value)
      if (slots[at] === value) return
      slots[at] = value
      size += 1
      if (2 * size <= slots.length) return
      const before = slots
      slots = new Float64Array(2 * before.length).fill(EMPTY)
      for (const kept of before) if (kept !== EMPTY) slots[place(kept)] = kept
    },
    has: (value) => slots[place(value)] === value,
  }
}
