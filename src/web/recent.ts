// The last values of something, for quantiles of them. prom-client's own Summary counts what came in its first window many times over, the earlier the more.

/** Values of the last `ageMs`, the newest `most` of them. */
export interface Recent {
  add(value: number): void
  /** The least value that so great a part of them (0 to 1) does not exceed; undefined if there is none. */
  quantile(part: number): number | undefined
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
    quantile: (part) => {
      fresh()
      const sorted = values.map(({ value }) => value).sort((a, b) => a - b)
      return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]
    },
  }
}
