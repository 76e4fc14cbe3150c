// Since when each watched item is looked for in the logs: one that was added later was not looked for in what they had taken in before.
import { clockText } from '../clock-text.ts'
import type { Config } from '../config/config.ts'
import type { Reader } from '../stores/backend.ts'
import type { LogState } from '../stores/log-state.ts'
import { readLogStates } from '../stores/log-state.ts'
import type { Item } from '../watch/item.ts'
import { itemKey } from '../watch/item.ts'
import { listed } from '../watch/words.ts'

/** An item that is looked for in the logs since (ms) later than they were begun; undefined: from the next start on. */
export interface AddedItem {
  readonly item: Item
  readonly since: number | undefined
  /** What tells of what the logs held before. */
  readonly before: 'certspotter' | 'nothing'
}

/** The name of the document: times in ms by the items' keys. */
export const WATCHED_SINCE = 'logs-watched-since'

type Watching = Pick<Config, 'watch' | 'certspotter'>

/** What tells of an item's certificates of before. The API knows names alone. */
export function beforeOf(item: Item, { certspotter }: Watching): AddedItem['before'] {
  return item.kind === 'name' && certspotter !== false ? 'certspotter' : 'nothing'
}

// The items that were added after the first log was begun, from what the state holds.
function addedItems(watching: Watching, since: string | undefined, states: Iterable<LogState>): readonly AddedItem[] {
  const begun = Math.min(...[...states].map(({ begunAt }) => begunAt).filter((at) => at > 0))
  if (since === undefined || !Number.isFinite(begun)) return []
  const times = JSON.parse(since) as Readonly<Record<string, number>>
  return watching.watch
    .map((item) => ({ item, since: times[itemKey(item)], before: beforeOf(item, watching) }))
    .filter(({ since: at }) => at === undefined || at > begun)
}

/** The items of a state that were added after its first log was begun. */
export async function readAddedItems(config: Pick<Config, 'logs'> & Watching, reader: Reader): Promise<readonly AddedItem[]> {
  if (config.logs === false) return []
  const since = (await reader.documents(WATCHED_SINCE)).get(WATCHED_SINCE)
  return addedItems(config, since, await readLogStates(reader))
}

/** Those in words, a sentence for each time and each answer to what covers what was before. `now` in ms. */
export function addedText(added: readonly AddedItem[], now: number): readonly string[] {
  const when = (since: number | undefined): string => (since === undefined ? 'from the next start on' : `since ${clockText(since, now)}`)
  const groups = Map.groupBy(added, ({ since, before }) => `${when(since)} ${before}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const items = group.map(({ item }) => item)
    return [sentence(items, when(first.since), first.before)]
  })
}

/** One such sentence, without a point. */
export function sentence(items: readonly Item[], when: string, before: AddedItem['before']): string {
  const [are, them] = items.length === 1 ? ['is', 'it'] : ['are', 'them']
  const rest =
    before === 'certspotter'
      ? 'the Cert Spotter API covers what they held before'
      : `what they held before was read without ${them}, and nothing covers it`
  return `${listed(items.map(({ text }) => text))} ${are} looked for in the logs ${when}; ${rest}`
}
