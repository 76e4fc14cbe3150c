// What a certificate's names mean to the owner: which items they touch, and whether that is news.
import { parseIp, unmapIp } from '../ct/ip-address.ts'
import { createIpRanges } from './ip-ranges.ts'
import type { IpRanges } from './ip-ranges.ts'
import { itemKey } from './item.ts'
import type { Item } from './item.ts'
import { createLabelTrie } from './label-trie.ts'
import type { Budget, LabelTrie } from './label-trie.ts'
import { displayName, isPrintableAscii, matchedName, nameReadings, roughReading } from './name.ts'
import type { Label } from './name.ts'
import { grouped } from './words.ts'

/** One name of a certificate, and the item that it matches, as the owner wrote it. */
export interface Match {
  readonly name: string
  readonly item: string
}

/** What a certificate's names mean to the owner. */
export interface MatchResult {
  /** Each matching name with the most specific item it matches; empty if none matches. A wildcard may match several: up to 20 are named. */
  readonly matched: readonly Match[]
  /** Keys (see itemKey) of every item that is touched, each once. */
  readonly items: readonly string[]
  /** True if something matched and every matching name is excluded, and none is `unread`. */
  readonly excluded: boolean
  /** Set if a name was too much to be read in each way in which it may be understood, and says so: it may be anyone's. */
  readonly unread?: string
}

/** Decides, for any number of items at the same cost a name. */
export interface Matcher {
  match(names: readonly string[], ipAddresses: readonly string[]): MatchResult
}

// A wildcard over a big part of the list names so many items in the alert, and all of them in `items`.
const MAX_NAMED = 20
// Nodes that the wildcards of one certificate may cost: some 50 ms.
const WILDCARD_BUDGET = 1_000_000

// Lower-case labels of letters, digits, hyphens and underscores, and no address: displayName leaves such a name as it is, and it has one reading.
// No two parts of it can take the same characters in turn: whoever has a certificate issued may put megabytes there, and the time is linear in them.
const PLAIN = /^(?:[a-z0-9_-]+\.)*(?=[0-9_-]*[a-z])[a-z0-9_-]+$/

// A name that is not ASCII is read in some dozens of ways, and Unicode is normalized in time quadratic in the marks that follow one another. No client takes
// one as long for a name; and of one certificate so many characters (UTF-16) are read so, some 100 ms, where each name costs what it would cost with as many
// more. Others are judged by their plain labels alone.
const MOST_ODD_NAME = 1024
const MOST_ODD = 131_072
const ODD_NAME = 64

interface ItemSet {
  readonly names: LabelTrie
  readonly ranges: IpRanges
  all: Item | undefined
}

/** One way to understand a name: as labels, or as an address in each of its forms. */
type Reading = { readonly labels: readonly Label[] } | { readonly addresses: readonly Uint8Array[] }

/** A matcher for these items. A name is silent only where `exclude` covers all that it stands for, in each reading that matches. */
export function createMatcher(watch: readonly Item[], exclude: readonly Item[]): Matcher {
  const watched = itemSet(watch)
  const excluded = itemSet(exclude)
  const keys = new Map<Item, string>()
  const keyOf = (item: Item): string => {
    let key = keys.get(item)
    if (key === undefined) {
      key = itemKey(item)
      keys.set(item, key)
    }
    return key
  }
  return {
    match(names, ipAddresses) {
      const budget: Budget = { left: WILDCARD_BUDGET }
      const matched: Match[] = []
      const items: string[] = []
      let news = false
      // Two ways to write one name may have been the same in the end.
      let twins = false
      let odd = 0
      let unread: string | undefined
      const readingsWithin = (name: string): readonly Reading[] => {
        if (isPrintableAscii(name)) return readingsOf(name)
        odd += name.length + ODD_NAME
        const isLong = name.length > MOST_ODD_NAME
        if (!isLong && odd <= MOST_ODD) return readingsOf(name)
        const what = isLong ? `a name of ${grouped(name.length)} characters` : 'more names than any certificate has'
        unread ??= `${what}, not all of them printable ASCII: too much to be read in every way`
        return [{ labels: roughReading(name) }]
      }
      const judge = (name: string, readings: readonly Reading[]): void => {
        const touched = new Set<Item>()
        for (const reading of readings) {
          const found = touches(watched, reading, budget)
          for (const item of found) touched.add(item)
          if ((found.length > 0 || watched.all !== undefined) && !covered(excluded, reading)) news = true
        }
        if (watched.all !== undefined) {
          touched.add(watched.all)
          // An empty name has no reading; nothing but everything excludes it.
          if (readings.length === 0 && excluded.all === undefined) news = true
        }
        for (const item of touched) items.push(keyOf(item))
        for (const { text } of mostSpecific(touched)) matched.push({ name, item: text })
        twins = true
      }
      // A short list is searched faster than a set is made.
      for (const name of names.length > 8 ? new Set(names) : names.filter((each, n) => names.indexOf(each) === n)) {
        // Nearly every name there is has one reading, no wildcard, and touches nothing or one item that is not excluded.
        const plain = PLAIN.test(name) && watched.all === undefined ? watched.names.plain(name) : undefined
        if (plain === undefined) judge(matchedName(name), readingsWithin(name))
        else if (plain.length === 1 && plain[0] !== undefined && exclude.length === 0) {
          news = true
          const key = keyOf(plain[0])
          if (items.at(-1) !== key) items.push(key)
          matched.push({ name, item: plain[0].text })
        } else if (plain.length > 0) judge(name, readingsOf(name))
      }
      for (const address of new Set(ipAddresses)) judge(displayName(address), addressReadings(address))
      // A certificate without any name is one of "every certificate there is".
      if (watched.all !== undefined && names.length === 0 && ipAddresses.length === 0) judge('', [])
      return {
        matched: twins ? different(matched) : matched,
        items: items.length > 1 ? [...new Set(items)] : items,
        excluded: matched.length > 0 && !news && unread === undefined,
        ...(unread !== undefined && { unread }),
      }
    },
  }
}

function different(matches: readonly Match[]): readonly Match[] {
  return [...new Map(matches.map((match) => [`${match.name}\u0000${match.item}`, match])).values()]
}

function itemSet(items: readonly Item[]): ItemSet {
  const set: ItemSet = { names: createLabelTrie(), ranges: createIpRanges(), all: undefined }
  for (const item of items) {
    if (item.kind === 'name') set.names.add(item)
    else if (item.kind === 'ip') set.ranges.add(item)
    else set.all ??= item
  }
  return set
}

// An address in a dNSName or a common name is an address: no name can look like one. With leading zeros it is so to some, and to others octal or nothing.
function readingsOf(name: string): readonly Reading[] {
  const readings = nameReadings(name).map((labels): Reading => ({ labels }))
  // Of what is not ASCII a reading may be an address, with ideographic dots and all, where the name itself is none.
  if (isPrintableAscii(name) && !/\d\.\d|:/.test(name)) return readings
  return readings.flatMap((reading) => {
    if (!('labels' in reading)) return [reading]
    const text = reading.labels.join('.')
    const [address] = addressReadings(text)
    if (address !== undefined) return [address]
    return [reading, ...addressReadings(mendAddress(text))]
  })
}

// Leading zeros left out, and what comes from a second `::` on.
function mendAddress(text: string): string {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return text.split('.').map(Number).join('.')
  return /^[0-9a-f:]+$/.test(text) ? text.split('::', 2).join('::') : ''
}

function addressReadings(text: string): readonly Reading[] {
  const bytes = parseIp(text.trim())
  if (bytes === undefined) return []
  const mapped = unmapIp(bytes)
  return [{ addresses: mapped === undefined ? [bytes] : [bytes, mapped] }]
}

function touches(set: ItemSet, reading: Reading, budget: Budget): readonly Item[] {
  return 'labels' in reading ? set.names.touched(reading.labels, budget) : reading.addresses.flatMap((address) => set.ranges.find(address))
}

function covered(set: ItemSet, reading: Reading): boolean {
  if (set.all !== undefined) return true
  return 'labels' in reading ? set.names.covers(reading.labels) : reading.addresses.some((address) => set.ranges.find(address).length > 0)
}

function mostSpecific(items: ReadonlySet<Item>): readonly Item[] {
  let best = -1
  let found: Item[] = []
  for (const item of items) {
    const rank = specificity(item)
    if (rank > best) {
      best = rank
      found = []
    }
    if (rank === best && found.length < MAX_NAMED) found.push(item)
  }
  return found
}

// Exact before subtree, longest first; "everything" last. Names have at most 127 labels and prefixes 128 bits.
function specificity(item: Item): number {
  if (item.kind === 'all') return 0
  if (item.kind === 'ip') return 1 + item.prefix
  return item.exact ? 1000 : item.domain.split('.').length
}
