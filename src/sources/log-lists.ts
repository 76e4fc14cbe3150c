// The log lists: read, checked, kept. One that is no good never replaces the one that we have.
import type { ListedLog, LogList } from '../ct/log-list.ts'
import { readLogList } from '../ct/log-list.ts'
import { ParseError } from '../ct/errors.ts'
import { plural, span } from '../watch/words.ts'

/** Where a list comes from. */
export interface ListSource {
  /** As it is called in words: `google`, `apple`, a path, a URL. */
  readonly name: string
  /** As it is called in the state, if that is another: how a path is shown depends on where one stands. */
  readonly key?: string
  /** True for a list of somebody else's that has logs for tests in it. */
  readonly isPublic: boolean
  /** Its signature is checked: what it says of a log counts more than what one without says. */
  readonly isSigned: boolean
  /** ms between two looks. */
  readonly every: number
  /** The list's text; undefined: as it was when `tag` was given. Throws Error with what is wrong, in words: no list for now. */
  read(tag: string | undefined, signal?: AbortSignal): Promise<{ readonly text: string; readonly tag: string | undefined } | undefined>
}

/** What the state calls it. */
export function listKey({ key, name }: Pick<ListSource, 'key' | 'name'>): string {
  return key ?? name
}

/** What is kept of one list. */
export interface KeptList {
  readonly text: string
  readonly tag?: string | undefined
  /** Logs that have vanished from it lately, as it had them; times in ms, bytes in base64. */
  readonly gone?: readonly KeptGone[]
}

interface KeptGone extends Omit<ListedLog, 'key' | 'finalTreeHead'> {
  readonly since: number
  readonly key: string
  readonly finalTreeHead?: { readonly size: number; readonly rootHash: string }
}

/** A log that a list had, and has no more; since when, ms. */
export interface GoneLog {
  readonly log: ListedLog
  readonly since: number
}

/** A list that is used, and why the newest one is not, if so. */
export interface ListState {
  readonly source: ListSource
  readonly list: LogList | undefined
  /** Since when (ms) the newest list is not used, and why; `away`: there was none to be had. */
  readonly refused: { readonly since: number; readonly message: string; readonly away: boolean } | undefined
  /** What has vanished from it lately. */
  readonly gone?: readonly GoneLog[]
}

export interface LogListsOptions {
  readonly sources: readonly ListSource[]
  /** By the list's key. */
  readonly load: (key: string) => Promise<KeptList | undefined>
  readonly save: (key: string, list: KeptList) => Promise<void>
}

export interface LogLists {
  /**
   * Looks at every list that is due, all at the same time; one that is being looked at is not. True if one of them has changed, or is refused now, or no
   * longer. What the signal ends has not been looked at.
   */
  refresh(now: number, signal?: AbortSignal): Promise<boolean>
  readonly states: readonly ListState[]
}

/** A list that is not used is asked for again after this. */
const AGAIN = 300_000
/** A log that vanished from a list is read on for so long: a list may be wrong, or not meant for us. */
export const GONE_FOR = 72 * 3_600_000

/** The lists, as they were kept. */
export async function createLogLists({ sources, load, save }: LogListsOptions): Promise<LogLists> {
  const states: {
    source: ListSource
    list: LogList | undefined
    refused: ListState['refused']
    gone: readonly GoneLog[]
    tag: string | undefined
    lookedAt: number
    isLookedAt: boolean
  }[] = []
  // Where it was before it had a key.
  const underItsName = async (source: ListSource): Promise<KeptList | undefined> => {
    const kept = source.key === undefined ? undefined : await load(source.name)
    if (kept !== undefined) await save(listKey(source), kept)
    return kept
  }
  for (const source of sources) {
    const kept = (await load(listKey(source))) ?? (await underItsName(source))
    const list = kept === undefined ? undefined : tryRead(kept.text)
    states.push({
      source,
      list: list instanceof Error ? undefined : list,
      refused: undefined,
      gone: goneOf(kept),
      tag: kept?.tag,
      lookedAt: -Infinity,
      isLookedAt: false,
    })
  }
  const look = async (state: (typeof states)[number], now: number, signal?: AbortSignal): Promise<boolean> => {
    const before = state.refused?.message
    let message: string | undefined
    let away = false
    try {
      const read = await state.source.read(state.list === undefined ? undefined : state.tag, signal)
      if (read === undefined) {
        state.refused = undefined
        return before !== undefined
      }
      const list = tryRead(read.text)
      message = list instanceof Error ? list.message : faultOf(list, state.list, state.source.isPublic)
      if (message === undefined && !(list instanceof Error)) {
        const gone = goneAfter(state, list, now)
        await save(listKey(state.source), gone.length === 0 ? read : { ...read, gone: gone.map(keptGone) })
        Object.assign(state, { list, tag: read.tag, refused: undefined, gone })
        return true
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'StoreError' || error.name === 'OwnerError') throw error
      if (signal?.aborted === true) {
        state.lookedAt = -Infinity
        return false
      }
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
    refresh: async (now, signal) => {
      for (const state of states) rebaseList(state, now)
      const due = states.filter(({ isLookedAt, lookedAt, refused, source: { every } }) => {
        const wait = refused === undefined ? every : Math.min(AGAIN, every)
        return !isLookedAt && (now - lookedAt >= wait || now < lookedAt)
      })
      const looks = await Promise.allSettled(
        due.map(async (state) => {
          Object.assign(state, { lookedAt: now, isLookedAt: true })
          try {
            return await look(state, now, signal)
          } finally {
            state.isLookedAt = false
          }
        }),
      )
      for (const each of looks) if (each.status === 'rejected') throw each.reason
      return looks.some((each) => each.status === 'fulfilled' && each.value)
    },
  }
}

// A clock that was set back must not put off what is told of a list, nor keep for longer what vanished from it.
function rebaseList(state: { refused: ListState['refused']; gone: readonly GoneLog[] }, now: number): void {
  if (state.refused !== undefined && state.refused.since > now) state.refused = { ...state.refused, since: now }
  if (state.gone.some(({ since }) => since > now)) state.gone = state.gone.map((each) => ({ ...each, since: Math.min(each.since, now) }))
}

function tryRead(text: string): LogList | Error {
  try {
    return readLogList(text)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return error
  }
}

// What a list has no more, now that there is a newer one.
function goneAfter(
  { list: before, gone }: Pick<ListState, 'list'> & { readonly gone: readonly GoneLog[] },
  list: LogList,
  now: number,
): readonly GoneLog[] {
  const listed = new Set(list.logs.map(({ id }) => id))
  const since = new Map(gone.filter((each) => now - each.since < GONE_FOR).map((each) => [each.log.id, each]))
  for (const log of before?.logs ?? []) since.set(log.id, { log, since: now })
  return [...since.values()].filter(({ log }) => !listed.has(log.id))
}

function keptGone({ log: { key, finalTreeHead: final, ...rest }, since }: GoneLog): KeptGone {
  const finalTreeHead = final === undefined ? undefined : { size: final.size, rootHash: final.rootHash.toString('base64') }
  return { ...rest, since, key: key.toString('base64'), ...(finalTreeHead !== undefined && { finalTreeHead }) }
}

function goneOf(kept: KeptList | undefined): readonly GoneLog[] {
  return (kept?.gone ?? []).map(({ since, key, finalTreeHead: final, ...rest }) => {
    const finalTreeHead = final === undefined ? undefined : { size: final.size, rootHash: Buffer.from(final.rootHash, 'base64') }
    return { since, log: { ...rest, key: Buffer.from(key, 'base64'), finalTreeHead } }
  })
}

// Why a list that can be read is not used all the same.
function faultOf(list: LogList, before: LogList | undefined, isPublic: boolean): string | undefined {
  if (list.mimic && isPublic) return 'it is one that Google spoils for who should not use it'
  if (list.logs.length === 0) return 'it has no log'
  if (before === undefined) return undefined
  if (list.madeAt !== undefined && before.madeAt !== undefined && list.madeAt < before.madeAt) return 'it is older than the one that is known'
  const ids = new Set(list.logs.map(({ id }) => id))
  const gone = before.logs.filter(({ id }) => !ids.has(id)).length
  if (before.logs.length > 3 && gone >= before.logs.length / 2) return `${plural(gone, 'log')} of ${before.logs.length} are gone from it at once`
  return undefined
}

/** A signed list is made anew every few days; one that is older than this may be kept from us. */
const FRESH_FOR = 14 * 24 * 3_600_000

/** Since when (ms) a signed list is so old that it may be frozen, and that in words; undefined: it is not. It stays in use. */
export function frozenList({ source, list }: ListState, now: number): { readonly since: number; readonly message: string } | undefined {
  const madeAt = list?.madeAt
  if (!source.isSigned || madeAt === undefined || now - madeAt < FRESH_FOR) return undefined
  const day = new Date(madeAt).toISOString().slice(0, 10)
  const message = `the newest log list ${source.name} that we are given was made on ${day}, ${span(now - madeAt)} ago. It may be frozen: new logs would be missing from it, and what only they have would not be seen. It stays in use. Look at its log_list_timestamp from another network, see whether a proxy keeps an old one, and set \`contact\`, so that its server can tell who asks`
  return { since: madeAt + FRESH_FOR, message }
}
