// IP addresses as bytes against IP items, without making anything.
import type { FlagTableData } from './flag-table.ts'
import { buildFlagTable, HASH_START, hashByte, openFlagTable } from './flag-table.ts'
import type { IpItem } from './ip-ranges.ts'

/** May the address of `size` bytes (4 or 16) at `start` be in one of the prefixes? False is sure. */
export type AddressSieve = (bytes: Uint8Array, start: number, size: number) => boolean

/** What a sieve knows of its items: the prefixes, and the lengths that prefixes of 4 and of 16 bytes have. */
export interface AddressSieveData {
  readonly table: FlagTableData
  readonly prefixes4: Uint8Array
  readonly prefixes16: Uint8Array
}

/** What a sieve for these items knows of them. */
export function addressSieveData(items: readonly IpItem[]): AddressSieveData {
  const table = buildFlagTable()
  for (const { bytes, prefix } of items) table.add(hashPrefix(bytes, 0, bytes.length, prefix), 1)
  const used = (size: number): Uint8Array => Uint8Array.from(new Set(items.filter(({ bytes }) => bytes.length === size).map(({ prefix }) => prefix)))
  return { table: table.data(), prefixes4: used(4), prefixes16: used(16) }
}

/** A sieve for the items that this was made of. */
export function openAddressSieve({ table: data, prefixes4, prefixes16 }: AddressSieveData): AddressSieve {
  const { get } = openFlagTable(data)
  const within = (bytes: Uint8Array, start: number, size: number, prefixes: Uint8Array): boolean => {
    for (let n = 0; n < prefixes.length; n++) if (get(hashPrefix(bytes, start, size, prefixes[n]!)) !== 0) return true
    return false
  }
  return (bytes, start, size) => {
    if (size === 4) return within(bytes, start, 4, prefixes4)
    return within(bytes, start, 16, prefixes16) || (isMapped(bytes, start) && within(bytes, start + 12, 4, prefixes4))
  }
}

function hashPrefix(bytes: Uint8Array, start: number, size: number, prefix: number): number {
  let hash = hashByte(hashByte(HASH_START, size), prefix)
  const end = start + (prefix >> 3)
  for (let at = start; at < end; at++) hash = hashByte(hash, bytes[at]!)
  const rest = prefix & 7
  return rest === 0 ? hash : hashByte(hash, bytes[end]! & (0xff00 >> rest) & 0xff)
}

// ::ffff:0:0/96 (RFC 4291, section 2.5.5.2): an IPv4 address in another dress.
function isMapped(bytes: Uint8Array, start: number): boolean {
  for (let n = 0; n < 10; n++) if (bytes[start + n] !== 0) return false
  return bytes[start + 10] === 0xff && bytes[start + 11] === 0xff
}
