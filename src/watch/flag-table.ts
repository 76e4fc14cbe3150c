// Flags by 32-bit hash, in flat arrays: five bytes a slot, and no more than a few slots looked at, however many there are. Only the hash is kept, so
// two things with one hash are one thing here: a stranger may be taken for one of ours, never one of ours for a stranger.

/** Flags by hash. */
export interface FlagTable {
  /** Bytes that it holds. */
  readonly size: number
  /**
   * The flags of a hash; 0 if it was never added. To be taken out of the object before the hot loop: the compiler gives up on an object whose like was once
   * made with other kinds of numbers, such as a tree's size above 2^31, and tries again for ever.
   */
  readonly get: (hash: number) => number
}

/** A table in the making. */
export interface FlagTableBuilder {
  /** Adds flags, of 1 to 255, to those of a hash. */
  add(hash: number, flags: number): void
  /** What was added so far. */
  data(): FlagTableData
}

/** What a table holds, in memory that threads share: a message carries it to another thread without a copy. */
export interface FlagTableData {
  readonly keys: Int32Array
  readonly values: Uint8Array
}

// FNV-1a, 32 bits.
const PRIME = 0x01000193
// Spreads what is alike over the table (Knuth's multiplicative hashing).
const SPREAD = 0x9e3779b1
// Slots are looked at one after the other, so clusters must stay short.
const MAX_LOAD = 0.6

/** What a hash begins with. */
export const HASH_START = 0x811c9dc5 | 0

/** The hash with one more byte. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, PRIME)
}

/** A table over what was built. */
export function openFlagTable({ keys, values }: FlagTableData): FlagTable {
  const mask = keys.length - 1
  const shift = Math.clz32(mask)
  return {
    size: keys.byteLength + values.byteLength,
    get: (hash) => {
      const key = hash === 0 ? 1 : hash
      let slot = Math.imul(key, SPREAD) >>> shift
      for (let there = keys[slot]; there !== key && there !== 0; there = keys[slot]) slot = (slot + 1) & mask
      return values[slot] ?? 0
    },
  }
}

/** An empty table, to be filled. */
export function buildFlagTable(): FlagTableBuilder {
  let bits = 4
  let keys = new Int32Array(2 ** bits)
  let values = new Uint8Array(2 ** bits)
  let count = 0

  // The slot of a key, or the empty one where it belongs. No key is 0: that is an empty slot.
  const slotOf = (key: number): number => {
    const mask = keys.length - 1
    let slot = Math.imul(key, SPREAD) >>> (32 - bits)
    for (let there = keys[slot]; there !== key && there !== 0; there = keys[slot]) slot = (slot + 1) & mask
    return slot
  }
  const grow = (): void => {
    const [oldKeys, oldValues] = [keys, values]
    bits += 1
    keys = new Int32Array(2 ** bits)
    values = new Uint8Array(2 ** bits)
    for (let n = 0; n < oldKeys.length; n++) {
      const key = oldKeys[n]!
      if (key === 0) continue
      const slot = slotOf(key)
      keys[slot] = key
      values[slot] = oldValues[n] ?? 0
    }
  }
  return {
    add(hash, flags) {
      const key = hash === 0 ? 1 : hash
      let slot = slotOf(key)
      if (keys[slot] === 0) {
        count += 1
        if (count > MAX_LOAD * keys.length) {
          grow()
          slot = slotOf(key)
        }
        keys[slot] = key
      }
      values[slot] = (values[slot] ?? 0) | flags
    },
    data() {
      const shared = {
        keys: new Int32Array(new SharedArrayBuffer(keys.byteLength)),
        values: new Uint8Array(new SharedArrayBuffer(values.byteLength)),
      }
      shared.keys.set(keys)
      shared.values.set(values)
      return shared
    },
  }
}
