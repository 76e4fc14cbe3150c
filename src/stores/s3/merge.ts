// When small segments become one. Rows are rewritten a few times in their life, whatever their number; a turn rewrites one lot at most.

/** So many neighbours of one class of size are merged, or three times as many of any smaller. */
const FAN = 8

/**
 * The next lot to merge, as positions in a list of segments by age (sizes in bytes), or undefined. A segment of half of `cap` is full and stays as it
 * is, so that no lot is ever larger than `cap`.
 */
export function planMerge(sizes: readonly number[], cap: number): { readonly start: number; readonly endExclusive: number } | undefined {
  for (const [from, below] of [
    [0, cap / 64],
    [cap / 64, cap / 8],
    [cap / 8, cap / 2],
  ] as const) {
    let start = 0
    let alike = 0
    for (let n = 0; n <= sizes.length; n++) {
      const size = sizes[n] ?? Infinity
      if (size < below) {
        if (size >= from) alike += 1
        continue
      }
      if (alike >= FAN || n - start >= 3 * FAN) return lot(sizes, start, n, cap)
      start = n + 1
      alike = 0
    }
  }
  return undefined
}

function lot(sizes: readonly number[], start: number, end: number, cap: number): { readonly start: number; readonly endExclusive: number } {
  let total = 0
  let endExclusive = start
  while (endExclusive < end && total + (sizes[endExclusive] ?? 0) <= cap) {
    total += sizes[endExclusive] ?? 0
    endExclusive += 1
  }
  return { start, endExclusive }
}
