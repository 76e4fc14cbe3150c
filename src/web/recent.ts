// The last values of something, for quantiles of them. prom-client's own Summary counts what came in its first window many times over, the earlier the more.

/** Values of the last `ageMs`, the newest `most` of them. */
export interface Recent {
  add(value: number): void
  /** For each part (0 to 1) the least value that so great a part of them does not exceed; none if there is no value. */
  quantiles(parts: readonly number[]): readonly { readonly part: number; readonly value: number }[]
}

/** None yet. */
export function createRecent(ageMs: number, most: number, now: () => number): Recent {
  let values: { readonly at: number; readonly value: number }[] = []
  const fresh = (): void => {
    const after = now() - ageMs
    values = values.filter(({ at }) => at > after).slice(-most)
  }
  return {
    add: (value) => {
      values.push({ at: now(), value })
      if (values.length >= 2 * most) fresh()
    },
    quantiles: (parts) => {
      fresh()
      const sorted = Float64Array.from(values, ({ value }) => value).sort()
      if (sorted.length === 0) return []
      return parts.map((part) => ({ part, value: sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]! }))
    },
  }
}
