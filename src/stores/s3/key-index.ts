// Which keys a segment has: the bytes as they were stored, and their first 48 bits sorted, which fit a double exactly.

/** `bytes`: what it takes in memory. */
export interface KeyIndex {
  readonly bytes: number
  has(key: Buffer): boolean
}

/** Over keys of `width` bytes, one after the other, in any order. */
export function createKeyIndex(stored: Buffer, width: number): KeyIndex {
  const count = stored.length / width
  const prefixes = new Float64Array(count)
  for (let n = 0; n < count; n++) prefixes[n] = stored.readUIntBE(n * width, 6)
  prefixes.sort()
  return {
    bytes: stored.length + prefixes.byteLength,
    has: (key) => {
      const wanted = key.readUIntBE(0, 6)
      let low = 0
      let high = count
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((prefixes[middle] ?? 0) < wanted) low = middle + 1
        else high = middle
      }
      if (low === count || prefixes[low] !== wanted) return false
      // The rest of the key decides: to take one for known that is not would be a miss.
      for (let n = 0; n < count; n++) if (stored.compare(key, 0, width, n * width, (n + 1) * width) === 0) return true
      return false
    },
  }
}
