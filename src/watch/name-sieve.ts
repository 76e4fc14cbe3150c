// Names as bytes against name items, without making a string. Read from right to left, label by label, as the tree of labels is: what a name costs
// depends on its labels, and it is done with at the first that no item has.
import type { FlagTableData } from './flag-table.ts'
import { buildFlagTable, HASH_START, hashByte, openFlagTable } from './flag-table.ts'
import type { NameItem } from './label-trie.ts'

/** A set of name items, for names of plain letters. */
export interface NameSieve {
  /** Bytes that it holds. */
  readonly size: number
  /** False if no item is touched, in any reading. True if one is, or if the name is not so plain that this could be told here. */
  readonly mayTouch: (bytes: Uint8Array, start: number, endExclusive: number) => boolean
}

// What is known of a domain, by the hash of its bytes from the right.
/** An item has it, with all that is below. */
const SUBTREE = 1
/** An item has it alone. */
const EXACT = 2
/** An item stands somewhere below it. */
const ABOVE = 4
/** An item stands one label below it: a wildcard may be that label. */
const PARENT = 8

const DOT = 0x2e
const STAR = 0x2a

// Letters in lower case, digits, hyphen, underscore and the dot as themselves; 0 for what may have another reading.
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return /[a-z0-9._-]/i.test(character) ? character.toLowerCase().charCodeAt(0) : 0
})

/** What a sieve for these items knows of them. */
export function nameSieveData(items: Iterable<NameItem>): FlagTableData {
  const table = buildFlagTable()
  for (const { domain, exact } of items) {
    let hash = HASH_START
    const firstDot = domain.indexOf('.')
    for (let at = domain.length - 1; at >= 0; at--) {
      const byte = domain.charCodeAt(at)
      if (byte === DOT) table.add(hash, at === firstDot ? ABOVE | PARENT : ABOVE)
      hash = hashByte(hash, byte)
    }
    table.add(hash, exact ? EXACT : SUBTREE)
  }
  return table.data()
}

/** A sieve for the items that this was made of. */
export function openNameSieve(data: FlagTableData): NameSieve {
  const { size, get } = openFlagTable(data)
  return {
    size,
    mayTouch: (bytes, start, endExclusive) => {
      // A dot at the end is no label's.
      if (start === endExclusive || bytes[endExclusive - 1] === DOT) return true
      let hash = HASH_START
      let at = endExclusive - 1
      for (; at >= start; at--) {
        const byte = PLAIN[bytes[at]!]!
        if (byte === 0) return true
        if (byte === DOT) {
          const flags = get(hash)
          if ((flags & SUBTREE) !== 0) return true
          if (at === start + 1 && bytes[start] === STAR) return (flags & PARENT) !== 0
          if ((flags & ABOVE) === 0) break
        }
        hash = hashByte(hash, byte)
      }
      if (at < start) return (get(hash) & (SUBTREE | EXACT)) !== 0
      // Nothing ends so; but behind a NUL or a slash another reading may begin.
      for (at -= 1; at >= start; at--) {
        if (PLAIN[bytes[at]!] === 0) return at !== start || bytes[at] !== STAR || bytes[at + 1] !== DOT
      }
      return false
    },
  }
}
