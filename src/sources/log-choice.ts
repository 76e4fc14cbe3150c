// Which of the listed logs are read, and why others are not.
import { ParseError } from '../ct/errors.ts'
import type { ListedLog } from '../ct/log-list.ts'
import { readLogKey } from '../ct/log-key.ts'
import { span } from '../watch/words.ts'
import type { GoneLog, ListSource, ListState } from './log-lists.ts'
import { GONE_FOR } from './log-lists.ts'

/** How logs are chosen from the lists. */
export interface Choice {
  /** Globs over the words of a description, and over an operator's name, any case; none: all. */
  readonly only: readonly string[]
  /** Logs that were begun: one that retires is read to its end. */
  readonly begun: (id: string) => boolean
}

/** An ended shard takes certificates of its interval no more; a while later nothing in it is news. */
const ENDED_FOR = 30 * 24 * 3_600_000
/** Passes follow one another: what vanished is told by the one that sees it. */
const JUST_NOW = 60_000

/** The logs to read, each once, by its id. */
export function chooseLogs(states: readonly ListState[], { only, begun }: Choice, now: number): ReadonlyMap<string, ListedLog> {
  const chosen = new Map<string, ListedLog>()
  // A list without a signature can add logs, and not change those of one that has it.
  const inOrder = states.toSorted((a, b) => Number(b.source.isSigned) - Number(a.source.isSigned))
  const choose = (log: ListedLog, { isPublic }: ListSource): void => {
    if (!chosen.has(log.id) && isLive(log, isPublic, begun(log.id), now) && isReachable(log) && isWanted(log, only)) chosen.set(log.id, log)
  }
  for (const { source, list } of inOrder) for (const log of list?.logs ?? []) choose(log, source)
  // What vanished is read on for a while, but nothing is begun of it.
  const listed = listedIds(states)
  for (const { source, gone } of inOrder) for (const each of gone ?? []) if (begun(each.log.id) && isGone(listed, each, now)) choose(each.log, source)
  return chosen
}

// Vanished lately, and on no other list, whose word would count.
function isGone(listed: ReadonlySet<string>, { log, since }: GoneLog, now: number): boolean {
  return now - since < GONE_FOR && !listed.has(log.id)
}

function listedIds(states: readonly ListState[]): ReadonlySet<string> {
  return new Set(states.flatMap(({ list }) => (list?.logs ?? []).map(({ id }) => id)))
}

/** Logs that have just vanished from their list and are read all the same, a sentence each. */
export function vanishedLogs(states: readonly ListState[], chosen: ReadonlyMap<string, ListedLog>, now: number): readonly string[] {
  const listed = listedIds(states)
  return states.flatMap(({ source, gone }) =>
    (gone ?? [])
      .filter((each) => chosen.has(each.log.id) && isGone(listed, each, now) && now - each.since < JUST_NOW)
      .map(
        ({ log }) =>
          `${log.description} has vanished from the log list ${source.name}: it is read on for ${span(GONE_FOR)}, since a list may be wrong`,
      ),
  )
}

/** Why a log that was read is not chosen any more, to follow its name. */
export function whyLeft(states: readonly ListState[], id: string): string {
  const rows = states.flatMap(({ source, list }) => (list?.logs ?? []).filter((log) => log.id === id).map((log) => ({ log, source })))
  const [row] = rows.toSorted((a, b) => Number(b.source.isSigned) - Number(a.source.isSigned))
  if (row === undefined) return 'is read no more: it is on no log list'
  if (row.log.state === 'rejected') return `is read no more: the log list ${row.source.name} says that it is rejected`
  return 'is read no more: by the log lists and the settings it is none of those to read'
}

/** Why a log that would be read cannot be: what it signs could not be verified. Undefined: it can. */
export function unusableKey({ key }: ListedLog): string | undefined {
  try {
    readLogKey(key)
    return undefined
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return `its key ${error.why}, so nothing that it signs could be verified`
  }
}

/** Logs that would be read if they could be, and rows that are none, with the reason. */
export function skippedLogs(states: readonly ListState[], only: readonly string[], now: number): readonly string[] {
  return states.flatMap(({ source, list }) => [
    ...(list?.oddities ?? []).map((each) => `a row of the log list ${source.name} is skipped: ${each}`),
    ...(list?.logs ?? [])
      .filter((log) => isLive(log, source.isPublic, false, now) && isWanted(log, only))
      .flatMap((log) => {
        if (!isReachable(log)) return [`${log.description} is not read: its address is an http: URL, which is for this machine alone`]
        const why = unusableKey(log)
        return why === undefined ? [] : [`${log.description} is not read: ${why}`]
      }),
  ])
}

function isLive({ state, type, interval }: ListedLog, isPublic: boolean, begun: boolean, now: number): boolean {
  if (isPublic && (state === undefined || (type !== undefined && type !== 'prod'))) return false
  if (state === 'rejected' || (state === 'retired' && !begun)) return false
  return interval === undefined || interval.endExclusive + ENDED_FOR > now
}

// What is read is hashed, but who reads along would see what we look at.
function isReachable({ url }: ListedLog): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

function isWanted({ description, operator }: ListedLog, only: readonly string[]): boolean {
  if (only.length === 0) return true
  const words = description.toLowerCase().split(/[^\p{L}\p{N}-]+/u)
  return only.some((glob) => {
    const matches = globOf(glob)
    return words.some(matches) || matches(words.filter(Boolean).join(' ')) || matches(operator.toLowerCase())
  })
}

// Only `*` and `?`. The pattern is the owner's, and short; the text is the list's, so nothing is tried twice: a star takes more only from the last one on.
function globOf(glob: string): (text: string) => boolean {
  const pattern = Array.from(glob.toLowerCase())
  return (text) => {
    const given = Array.from(text)
    let [at, n] = [0, 0]
    let star: { readonly after: number; readonly from: number } | undefined
    while (at < given.length) {
      if (pattern[n] === '*') {
        n += 1
        star = { after: n, from: at }
      } else if (n < pattern.length && (pattern[n] === '?' || pattern[n] === given[at])) {
        n += 1
        at += 1
      } else if (star !== undefined) {
        n = star.after
        at = star.from + 1
        star = { after: n, from: at }
      } else return false
    }
    return pattern.slice(n).every((each) => each === '*')
  }
}
