// Watch lists: where their items stand, and what they mean.
import { foldItems, itemKey, parseItem } from '../watch/item.ts'
import type { Item } from '../watch/item.ts'
import { complain, fromEnvironment } from './context.ts'
import type { Context, Setting } from './context.ts'
import { at } from './structure.ts'
import { ownersPath, tryRead } from './files.ts'
import type { Place } from './problems.ts'
import type { Tree } from './document.ts'

/** What is watched and what is no news. */
export interface WatchLists {
  readonly watch: readonly Item[]
  readonly folded: readonly { readonly item: Item; readonly into: Item }[]
  readonly exclude: readonly Item[]
}

/** One item's text; `from` is the directory where an `@FILE` is looked for. */
interface Given extends Setting {
  readonly from: string
}

/** What the lists are for. */
export interface ListUse {
  /** False lets an empty list pass, for commands that look at no name. */
  readonly needed: boolean
  /** The logs are read. */
  readonly logs: boolean
  /** There is a sink beside standard output. */
  readonly otherSinks: boolean
}

/** Reads both lists. `names` are the command line's. */
export function readWatchLists(context: Context, names: readonly string[], use: ListUse): WatchLists {
  const before = context.problems.length
  const tree = at(context.root, 'watch')
  const named = names.flatMap((name) => split(name)).map((text) => ({ text, at: { place: 'command line' }, from: context.cwd }))
  const given = [...named, ...layer(context, 'MONITOR_DOMAINS', tree)]
  const { kept, folded } = foldItems(readItems(context, given, use))
  const exclude = foldItems(readItems(context, layer(context, 'EXCLUDED_DOMAINS', at(context.root, 'exclude')), use)).kept
  if (kept.length === 0 && use.needed && context.problems.length === before && !reportedAlready(context)) {
    complain(
      context,
      tree?.at ?? { path: 'watch' },
      'there is nothing to watch. Write `watch: [example.com]`, set MONITOR_DOMAINS, or give names: certbell watch example.com',
    )
  }
  warn(context, kept, exclude, use.logs)
  return { watch: kept, folded, exclude }
}

/** Items in a watch list's text with their lines, from 1: one a line, `#` comments; what certspotter writes behind a name is left out. */
function readListFile(text: string): readonly { readonly text: string; readonly line: number }[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((line, i) => ({
      text: line
        .replace(/(?:^|\s)#.*$/, '')
        .replace(/(?:\s+valid_at:\S*)+\s*$/, '')
        .trim(),
      line: i + 1,
    }))
    .filter((item) => item.text !== '')
}

/** The environment's list, else the file's. */
function layer(context: Context, variable: string, tree: Tree | undefined): readonly Given[] {
  const own = fromEnvironment(context, variable, tree)
  if (own !== undefined) {
    if (tree !== undefined)
      context.warnings.push(`${own.at.place ?? variable} is set and replaces \`${tree.at.path ?? ''}\` of the configuration file.`)
    return split(own.text).map((text) => ({ text, at: own.at, from: context.folder }))
  }
  if (tree?.kind === 'text') return tree.broken ? [] : split(tree.text).map((text) => ({ text, at: tree.at, from: context.folder }))
  if (tree?.kind !== 'list') return []
  return tree.items.flatMap((item) => {
    if (item.kind !== 'text' || item.broken) return []
    // What a variable gives may be a list itself; what the owner wrote as one element is one.
    const texts = item.variables === undefined ? [item.text.trim()] : split(item.text)
    return texts.map((text) => ({ text, at: item.at, from: context.folder }))
  })
}

function split(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '')
}

function readItems(context: Context, given: readonly Given[], { logs, otherSinks }: ListUse): readonly Item[] {
  const items = new Map<string, Item>()
  const add = (text: string, place: Place) => {
    const parsed = parseItem(text)
    if ('problem' in parsed) complain(context, place, parsed.problem)
    else if (parsed.item.kind === 'all' && !logs)
      complain(context, place, '"." (every certificate there is) is seen only in the logs. Write `logs: true`, or names')
    else if (parsed.item.kind === 'all' && otherSinks)
      complain(
        context,
        place,
        '"." (every certificate there is) is for standard output alone: thousands a minute are no messages. Write names, or remove the other sinks',
      )
    else if (!items.has(itemKey(parsed.item))) items.set(itemKey(parsed.item), parsed.item)
  }
  for (const one of given) {
    if (one.text.startsWith('@')) readList(context, one, add)
    else add(one.text, one.at)
  }
  return [...items.values()]
}

function readList(context: Context, given: Given, add: (text: string, place: Place) => void): void {
  const name = given.text.slice(1)
  if (name === '') return complain(context, given.at, '"@" names no file. Write @names.txt')
  const read = tryRead(context.readFile, ownersPath(name, given.from, context.home))
  if (!('text' in read)) return complain(context, given.at, `the file "${name}" ${'why' in read ? read.why : `does not exist in ${given.from}`}`)
  const lines = readListFile(read.text)
  if (lines.length === 0) context.warnings.push(`${name} holds no names.`)
  for (const line of lines) {
    const place = { place: `${name}:${line.line}` }
    if (line.text.startsWith('@')) complain(context, place, 'a list cannot name another file. Write names here')
    else add(line.text, place)
  }
}

/** Whether the missing list has been explained: the file could not be read, `watch` has a problem, or is misspelt. */
function reportedAlready({ unread, problems }: Context): boolean {
  return unread || problems.some((problem) => problem.path?.startsWith('watch') || problem.message.includes('mean "watch"'))
}

function warn(context: Context, watch: readonly Item[], exclude: readonly Item[], logs: boolean): void {
  for (const item of watch) {
    if (item.kind === 'ip' && !logs) context.warnings.push(`${item.text}: IP addresses are seen only when the logs are read. Write \`logs: true\`.`)
    const over = foldItems([...exclude, item]).folded.find((pair) => pair.item === item)
    if (over !== undefined) context.warnings.push(`${item.text} is watched and excluded (${over.into.text}): nothing of it will ring.`)
  }
}
