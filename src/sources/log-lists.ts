// The log lists: read, checked, kept. One that is no good never replaces the one that we have.
import type { ListedLog, LogList } from '../ct/log-list.ts'
import { readLogList } from '../ct/log-list.ts'
import { ParseError } from '../ct/errors.ts'
import { plural } from '../watch/words.ts'

/** Where a list comes from. */
export interface ListSource {
  /** As it is called in words and in the state: `google`, `apple`, a path, a URL. */
  readonly name: string
  /** True for a list of somebody else's that has logs for tests in it. */
  readonly isPublic: boolean
  /** Its signature is checked: what it says of a log counts more than what one without says. */
  readonly isSigned: boolean
  /** ms between two looks. */
  readonly every: number
  /** The list's text; undefined: as it was when `tag` was given. Throws Error with what is wrong, in words: no list for now. */
  read(tag: string | undefined): Promise<{ readonly text: string; readonly tag: string | undefined } | undefined>
}

/** What is kept of one list. */
export interface KeptList {
  readonly text: string
  readonly tag?: string | undefined
}

/** A list that is used, and why the newest one is not, if so. */
export interface ListState {
  readonly source: ListSource
  readonly list: LogList | undefined
  /** Since when (ms) the newest list is not used, and why; `away`: there was none to be had. */
  readonly refused: { readonly since: number; readonly message: string; readonly away: boolean } | undefined
}

export interface LogListsOptions {
  readonly sources: readonly ListSource[]
  readonly load: (name: string) => Promise<KeptList | undefined>
  readonly save: (name: string, list: KeptList) => Promise<void>
}

export interface LogLists {
  /** Looks at every list that is due. True if one of them has changed, or is refused now, or no longer. */
  refresh(now: number): Promise<boolean>
  readonly states: readonly ListState[]
}

/** A list that is not used is asked for again after this. */
const AGAIN = 300_000

/** The lists, as they were kept. */
export async function createLogLists({ sources, load, save }: LogListsOptions): Promise<LogLists> {
  const states: { source: ListSource; list: LogList | undefined; refused: ListState['refused']; tag: string | undefined; lookedAt: number }[] = []
  for (const source of sources) {
    const kept = await load(source.name)
    const list = kept === undefined ? undefined : tryRead(kept.text)
    states.push({ source, list: list instanceof Error ? undefined : list, refused: undefined, tag: kept?.tag, lookedAt: -Infinity })
  }
  const look = async (state: (typeof states)[number], now: number): Promise<boolean> => {
    state.lookedAt = now
    const before = state.refused?.message
    let message: string | undefined
    let away = false
    try {
      const read = await state.source.read(state.list === undefined ? undefined : state.tag)
      if (read === undefined) {
        state.refused = undefined
        return before !== undefined
      }
      const list = tryRead(read.text)
      message = list instanceof Error ? list.message : faultOf(list, state.list, state.source.isPublic)
      if (message === undefined && !(list instanceof Error)) {
        await save(state.source.name, read)
        Object.assign(state, { list, tag: read.tag, refused: undefined })
        return true
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'StoreError' || error.name === 'OwnerError') throw error
      ;({ message } = error)
      away = true
    }
    const kept = state.list === undefined ? 'None is known yet' : 'The one that is known stays in use'
    state.refused = {
      since: state.refused?.since ?? now,
      message: `the log list ${state.source.name} is not used: ${message ?? 'it cannot be read'}. ${kept}`,
      away,
    }
    return state.refused.message !== before
  }
  return {
    states,
    refresh: async (now) => {
      let changed = false
      for (const state of states)
        if (now - state.lookedAt >= (state.refused === undefined ? state.source.every : Math.min(AGAIN, state.source.every)) || now < state.lookedAt)
          changed = (await look(state, now)) || changed
      return changed
    },
  }
}

function tryRead(text: string): LogList | Error {
  try {
    return readLogList(text)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return error
  }
}

// Why a list that can be read is not used all the same.
function faultOf(list: LogList, before: LogList | undefined, isPublic: boolean): string | undefined {
  if (list.mimic && isPublic) return 'it is one that Google spoils for who should not use it'
  if (list.logs.length === 0) return 'it has no log'
  if (before === undefined) return undefined
  if (list.madeAt !== undefined && before.madeAt !== undefined && list.madeAt < before.madeAt) return 'it is older than the one that is known'
  const gone = before.logs.filter(({ id }) => !list.logs.some((log) => log.id === id)).length
  if (before.logs.length > 3 && gone > before.logs.length / 2) return `${plural(gone, 'log')} of ${before.logs.length} are gone from it at once`
  return undefined
}

/** How logs are chosen from the lists. */
export interface Choice {
  /** Globs over the words of a description, and over an operator's name, any case; none: all. */
  readonly only: readonly string[]
  /** Logs that were begun: one that retires is read to its end. */
  readonly begun: (id: string) => boolean
}

/** An ended shard takes certificates of its interval no more; a while later nothing in it is news. */
const ENDED_FOR = 30 * 24 * 3_600_000

/** The logs to read, each once, by its id. */
export function chooseLogs(states: readonly ListState[], { only, begun }: Choice, now: number): ReadonlyMap<string, ListedLog> {
  const chosen = new Map<string, ListedLog>()
  // A list without a signature can add logs, and not change those of one that has it.
  for (const { source, list } of states.toSorted((a, b) => Number(b.source.isSigned) - Number(a.source.isSigned))) {
    for (const log of list?.logs ?? []) {
      if (!chosen.has(log.id) && isLive(log, source.isPublic, begun(log.id), now) && isReachable(log) && isWanted(log, only)) chosen.set(log.id, log)
    }
  }
  return chosen
}

/** Logs that would be read if they could be, and rows that are none, with the reason. */
export function skippedLogs(states: readonly ListState[], only: readonly string[], now: number): readonly string[] {
  return states.flatMap(({ source, list }) => [
    ...(list?.oddities ?? []).map((each) => `a row of the log list ${source.name} is skipped: ${each}`),
    ...(list?.logs ?? [])
      .filter((log) => isLive(log, source.isPublic, false, now) && isWanted(log, only) && !isReachable(log))
      .map(({ description }) => `${description} is not read: its address is an http: URL, which is for this machine alone`),
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

// Only `*` and `?`; the pattern is the owner's, and short.
function globOf(glob: string): (text: string) => boolean {
  const source = glob
    .toLowerCase()
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.')
  const pattern = new RegExp(`^${source}$`, 'u')
  return (text) => pattern.test(text)
}
