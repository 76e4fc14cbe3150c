// Counting different names without keeping them: a set of a million names would be the largest thing in the process.

/** A counter of different texts. That two of them share 53 bits is no event. */
export interface DistinctCounter {
  add(text: string): void
  count(): number
}

/** An empty counter: numbers instead of texts, sorted at the end. */
export function createDistinctCounter(): DistinctCounter {
  let hashes = new Float64Array(4096)
  let length = 0
  return {
    add: (text) => {
      if (length === hashes.length) {
        const larger = new Float64Array(2 * length)
        larger.set(hashes)
        hashes = larger
      }
      hashes[length++] = hash53(text)
    },
    count: () => {
      const sorted = hashes.subarray(0, length).sort()
      let different = 0
      for (let n = 0; n < length; n++) if (n === 0 || sorted[n] !== sorted[n - 1]) different += 1
      return different
    },
  }
}

// cyrb53: two 32-bit multiplicative hashes side by side; not for secrets, for counting.
function hash53(text: string): number {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2_654_435_761)
    b = Math.imul(b ^ code, 1_597_334_677)
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909)
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909)
  return 4_294_967_296 * (2_097_151 & b) + (a >>> 0)
}
