// How much of a certificate an alert and the inventory hold. Whoever has one issued may put a million names into it, or one of megabytes, and each is written
// to disk, for each sink, and sent. What is left out is counted. Matching and exclusion are about all names: they come before.
import type { Issuance, Issuer, Sighting } from './issuance.ts'
import type { Match } from './match.ts'
import { grouped } from './words.ts'

/** Names, addresses or matches. */
const MOST_LISTED = 1000
/** Characters of each list together: a control character takes six in JSON. */
const MOST_TEXT = 131_072
/** Characters of one name; of a longer one its beginning and its end, where the domain is. */
const MOST_NAME = 16_384
const ENDS = 1000
/** Of a name that is there for its item alone. */
const MOST_BRIEF = 300
const BRIEF_ENDS = 126
const MOST_ISSUER = 4000
const MOST_CAA = 100
/** Hex digits: RFC 5280 allows 40. */
const MOST_SERIAL = 2048

/** The sighting with no more than an alert holds; the same if that is all. */
export function boundedSighting(sighting: Sighting): Sighting {
  const chosen = chosenMatches(sighting.matched)
  const matched =
    chosen === undefined ? sighting.matched : chosen.map(({ name, item, isBrief }) => ({ name: isBrief ? brief(name) : shortened(name), item }))
  const issuance = boundedIssuance(sighting.issuance, chosen ?? sighting.matched)
  if (issuance === sighting.issuance && matched === sighting.matched) return sighting
  const count = countOf(sighting.matched, matched, sighting.matchedCount)
  return { ...sighting, issuance, matched, ...(count !== undefined && { matchedCount: count }) }
}

function boundedIssuance(issuance: Issuance, matched: readonly Match[]): Issuance {
  const first = lazily(() => new Set(matched.map(({ name }) => name)))
  const names = boundedList(issuance.names, first)
  const ipAddresses = boundedList(issuance.ipAddresses, first)
  const issuer = boundedIssuer(issuance.issuer)
  const { serial } = issuance
  const isSerialLong = serial !== undefined && serial.length > MOST_SERIAL
  if (names === issuance.names && ipAddresses === issuance.ipAddresses && issuer === issuance.issuer && !isSerialLong) return issuance
  const { serial: _, ...rest } = issuance
  const namesCount = countOf(issuance.names, names, issuance.namesCount)
  const ipAddressesCount = countOf(issuance.ipAddresses, ipAddresses, issuance.ipAddressesCount)
  return {
    ...rest,
    names,
    ipAddresses,
    issuer,
    ...(serial !== undefined && !isSerialLong && { serial }),
    ...(namesCount !== undefined && { namesCount }),
    ...(ipAddressesCount !== undefined && { ipAddressesCount }),
  }
}

// How many there were, if some are left out.
function countOf(all: readonly unknown[], listed: readonly unknown[], before: number | undefined): number | undefined {
  return before ?? (listed.length < all.length ? all.length : undefined)
}

// Those that match first, then the others, as far as there is room: in the order that they had.
function boundedList(all: readonly string[], matching: () => ReadonlySet<string>): readonly string[] {
  if (isWithin(all, (text) => text)) return all
  const first = matching()
  const taken: number[] = []
  let left = MOST_TEXT
  for (const wanted of [true, false]) {
    for (let n = 0; n < all.length; n++) {
      const text = all[n]!
      if (first.has(text) !== wanted) continue
      left -= Math.min(text.length, MOST_NAME)
      if (taken.length > 0 && (taken.length >= MOST_LISTED || left < 0)) break
      taken.push(n)
    }
  }
  return taken.sort((a, b) => a - b).map((n) => shortened(all[n] ?? ''))
}

interface Chosen extends Match {
  /** It is there for its item alone. */
  readonly isBrief: boolean
}

// The first, and then one for each item that is not named yet: whoever watches it must find it. Undefined: all of them, as they are.
function chosenMatches(all: readonly Match[]): readonly Chosen[] | undefined {
  if (isWithin(all, ({ name }) => name)) return undefined
  const chosen: Chosen[] = []
  const items = new Set<string>()
  let left = MOST_TEXT
  for (const { name, item } of all) {
    left -= Math.min(name.length, MOST_NAME)
    const isBrief = chosen.length >= MOST_LISTED || left < 0
    if (isBrief && items.has(item)) continue
    chosen.push({ name, item, isBrief })
    items.add(item)
  }
  return chosen
}

function isWithin<T>(all: readonly T[], textOf: (one: T) => string): boolean {
  if (all.length > MOST_LISTED) return false
  let size = 0
  for (const one of all) {
    const { length } = textOf(one)
    if (length > MOST_NAME) return false
    size += length
  }
  return size <= MOST_TEXT
}

// No name has blanks and an ellipsis in its middle. A copy: what was cut out of a text holds all of it.
function shortened(text: string): string {
  return text.length <= MOST_NAME ? text : endsOf(text, ENDS)
}

function brief(text: string): string {
  return text.length <= MOST_BRIEF ? text : endsOf(text, BRIEF_ENDS)
}

function endsOf(text: string, ends: number): string {
  const head = text.slice(0, ends).replace(/[\ud800-\udbff]$/, '')
  const tail = text.slice(-ends).replace(/^[\udc00-\udfff]/, '')
  return copied(`${head} … ${grouped(text.length - head.length - tail.length)} characters … ${tail}`)
}

function boundedIssuer(issuer: Issuer): Issuer {
  const { name, friendlyName, caaDomains } = issuer
  const isWithin = (text: string | undefined): boolean => text === undefined || text.length <= MOST_ISSUER
  const isListWithin = caaDomains === undefined || (caaDomains.length <= MOST_CAA && caaDomains.every((domain) => domain.length <= MOST_NAME))
  if (isWithin(name) && isWithin(friendlyName) && isListWithin) return issuer
  const cut = (text: string): string => (text.length <= MOST_ISSUER ? text : copied(`${text.slice(0, MOST_ISSUER)}…`))
  return {
    ...(name !== undefined && { name: cut(name) }),
    ...(friendlyName !== undefined && { friendlyName: cut(friendlyName) }),
    ...(caaDomains !== undefined && { caaDomains: caaDomains.slice(0, MOST_CAA).map((domain) => shortened(domain)) }),
  }
}

function copied(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
