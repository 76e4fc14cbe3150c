// The things to watch: reading what an owner wrote, and taking out what another item covers.
import { formatIp } from '../ct/ip-address.ts'
import { parseName } from './item-name.ts'
import { parseAddress } from './item-address.ts'
import { createIpRanges } from './ip-ranges.ts'
import { createLabelTrie } from './label-trie.ts'
import { printable } from './printable.ts'

/** A thing to watch. `text` is what the owner meant, in its shortest form (`example.com`, `=login.example.com`, `203.0.113.0/24`), Unicode where it was written so. */
export type Item =
  /** `domain` is in A-labels, lower-case. `exact` is that name alone, else everything below it as well. `unicode` is the U-label form where it differs. */
  | { readonly kind: 'name'; readonly text: string; readonly domain: string; readonly exact: boolean; readonly unicode?: string }
  /** An address or a prefix, canonical. `bytes` has 4 or 16 bytes. */
  | { readonly kind: 'ip'; readonly text: string; readonly bytes: Uint8Array; readonly prefix: number }
  /** Every certificate there is. */
  | { readonly kind: 'all'; readonly text: '.' }

const MAX_TEXT = 1000

/** Reads one item; a problem says what to write instead. */
export function parseItem(text: string): { readonly item: Item } | { readonly problem: string } {
  const trimmed = text.trim()
  // No name is so long, and reading parts of it for a remedy recurses.
  if (trimmed.length > MAX_TEXT)
    return { problem: `"${printable(trimmed, 100)}" has ${trimmed.length} characters. Write a domain such as example.com` }
  const read = (written: string): { readonly item: Item } | { readonly problem: string } => {
    if (written === '') return { problem: 'is empty. Write a domain such as example.com' }
    if (written === '.') return { item: { kind: 'all', text: '.' } }
    return parseAddress(written) ?? parseName(written, read)
  }
  const parsed = read(trimmed)
  return 'problem' in parsed ? { problem: `"${printable(trimmed, 100)}" ${printable(parsed.problem, 600)}` } : parsed
}

/** The item's identity in the state: `example.com`, `=login.example.com`, always in A-labels. */
export function itemKey(item: Item): string {
  if (item.kind === 'all') return '.'
  if (item.kind === 'name') return item.exact ? `=${item.domain}` : item.domain
  return item.prefix === item.bytes.length * 8 ? formatIp(item.bytes) : `${formatIp(item.bytes)}/${item.prefix}`
}

/** Takes out the items that another one covers; each goes into the broadest that covers it, of equal ones into the first. Order is kept. */
export function foldItems(items: readonly Item[]): {
  readonly kept: readonly Item[]
  readonly folded: readonly { readonly item: Item; readonly into: Item }[]
} {
  const names = createLabelTrie()
  const ranges = createIpRanges()
  const firsts = new Map<string, Item>()
  for (const item of items) {
    const key = itemKey(item)
    if (firsts.has(key)) continue
    firsts.set(key, item)
    if (item.kind === 'name') names.add(item)
    else if (item.kind === 'ip') ranges.add(item)
  }
  const all = firsts.get('.')
  const cover = (item: Item): Item | undefined => {
    if (all !== undefined) return all
    if (item.kind === 'name') return names.broadest(item.domain)
    return item.kind === 'ip' ? ranges.broadest(item.bytes, item.prefix) : undefined
  }
  const kept: Item[] = []
  const folded: { item: Item; into: Item }[] = []
  for (const item of items) {
    const into = cover(item) ?? firsts.get(itemKey(item)) ?? item
    if (into === item) kept.push(item)
    else folded.push({ item, into })
  }
  return { kept, folded }
}
