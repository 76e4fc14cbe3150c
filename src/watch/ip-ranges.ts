// IP prefixes, looked up in as many steps as there are prefix lengths in use, whatever the number of prefixes.
import { toHex } from '../ct/der.ts'
import type { Item } from './item.ts'

/** An IP item. */
export type IpItem = Extract<Item, { kind: 'ip' }>

/** A set of prefixes. */
export interface IpRanges {
  /** The first of equal ones stays. */
  add(item: IpItem): void
  /** Every item that the address is in, longest prefix first. */
  find(address: Uint8Array): readonly IpItem[]
  /** The shortest prefix that covers all of this one; undefined if none does. */
  broadest(address: Uint8Array, prefix: number): IpItem | undefined
}

/** An empty set. */
export function createIpRanges(): IpRanges {
  // Family, prefix length and masked address in one key; the lengths in use for each family, longest first.
  const items = new Map<string, IpItem>()
  const lengths = new Map<number, number[]>()
  const keyOf = (address: Uint8Array, prefix: number): string => `${prefix}/${toHex(maskIp(address, prefix))}`
  return {
    add(item) {
      const key = keyOf(item.bytes, item.prefix)
      if (items.has(key)) return
      items.set(key, item)
      const used = lengths.get(item.bytes.length) ?? []
      if (!used.includes(item.prefix))
        lengths.set(
          item.bytes.length,
          [...used, item.prefix].sort((a, b) => b - a),
        )
    },
    find(address) {
      const found: IpItem[] = []
      for (const prefix of lengths.get(address.length) ?? []) {
        const item = items.get(keyOf(address, prefix))
        if (item !== undefined) found.push(item)
      }
      return found
    },
    broadest(address, prefix) {
      for (const length of (lengths.get(address.length) ?? []).toReversed()) {
        if (length > prefix) break
        const item = items.get(keyOf(address, length))
        if (item !== undefined) return item
      }
      return undefined
    },
  }
}

/** The address with every bit after the first `prefix` cleared. */
export function maskIp(address: Uint8Array, prefix: number): Uint8Array {
  return address.map((byte, i) => {
    const bits = Math.min(8, Math.max(0, prefix - i * 8))
    return byte - (byte % 2 ** (8 - bits))
  })
}
