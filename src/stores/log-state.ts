// What is kept of one log: how far it was read, how far that is verified, and how it does. One document a log.
import type { CompactRange } from '../ct/compact-range.ts'
import { ParseError } from '../ct/errors.ts'
import type { MalformedLogEntry } from '../watch/alert.ts'
import type { Reader } from './backend.ts'
import type { LagCause, Limit } from '../watch/lag.ts'

/** A compact range as it is kept: hashes in base64. */
export interface StoredRange {
  readonly size: number
  readonly hashes: readonly string[]
}

/** A head that was verified, or is to be. `root` in base64; times in ms. */
export interface StoredHead {
  readonly size: number
  readonly root: string
  readonly timestamp: number
  /** DigitallySigned, base64: with it the head is evidence by itself. */
  readonly signature?: string
}

/** One log. Times in ms. */
export interface LogState {
  readonly version: 1
  /** Base64 of the log id; with behindKey, of what is read behind its end. */
  readonly id: string
  readonly description: string
  readonly operator: string
  readonly protocol: 'rfc6962' | 'static-ct'
  readonly url: string
  /** As the list has it. */
  readonly state?: string
  /** Entries of the last head that the list has of it, once it takes nothing any more. */
  readonly final?: number
  /** False once it is on no list any more that we read, or not chosen. */
  readonly watched: boolean
  readonly begunAt: number
  /** Where it was begun. */
  readonly begunFrom: number
  /** Every entry below its size was read, and its matches are kept. */
  readonly position: StoredRange
  /** Every entry below its size was hashed into a head that the log signed. */
  readonly verified: StoredRange
  /** The newest head that it signed. */
  readonly head?: StoredHead & { readonly seenAt: number }
  /** Heads that were verified, newest last: the newest ones, and few of those from long before. */
  readonly recent: readonly StoredHead[]
  /** Since when there are entries that were not read. */
  readonly behindSince?: number
  readonly cause?: LagCause
  /** Where that is `limited`: what it lets through. */
  readonly limit?: Limit
  /** `at`: when it failed last. */
  readonly failing?: { readonly since: number; readonly at?: number; readonly failures: number; readonly kind: LagCause; readonly message: string }
  /** Since when the log shows heads of another tree and none of ours, and how many: up to three are counted. */
  readonly stray?: { readonly since: number; readonly heads: number }
  /** Why it is not read at all, though it is chosen. */
  readonly unreadable?: { readonly since: number; readonly message: string }
  /** Since when the log signs less than was verified and shows nothing of that, and at how many looks. */
  readonly unshown?: { readonly since: number; readonly looks: number }
  /** Up to here entries were looked into that make no tree of ours. */
  readonly scouted?: number
  /** When each misbehaviour was told last. */
  readonly told: Readonly<Record<string, number>>
  /** Entries that could not be read and were not told yet, and when some were told last. */
  readonly malformed: {
    readonly toldAt: number
    readonly count: number
    readonly entries: readonly MalformedLogEntry[]
    readonly below: number
    /** The newest of all of them: index and leaf hash. */
    readonly seen?: readonly string[]
  }
}

const BEHIND = '#behind'

/** The id under which what is read behind a log's end is kept. */
export function behindKey(logId: string): string {
  return logId + BEHIND
}

/** The log that a state of this id is of. */
export function logIdOf(key: string): string {
  return key.endsWith(BEHIND) ? key.slice(0, -BEHIND.length) : key
}

/** Whether a state of this id is of what is read behind a log's end. */
export function isBehindKey(key: string): boolean {
  return key.endsWith(BEHIND)
}

/** How many heads are kept one after the other: a minute or two of a busy log. */
export const RECENT_HEADS = 24

/** The name of its document. */
export function logDocument(id: string): string {
  return `${LOG_DOCUMENTS}${id}`
}

const LOG_DOCUMENTS = 'log/'

/** What the names of the log lists' documents begin with. */
export const LIST_DOCUMENTS = 'log-list/'

/** To be kept. */
export function storedRange({ size, hashes }: CompactRange): StoredRange {
  return { size, hashes: hashes.map((hash) => Buffer.from(hash).toString('base64')) }
}

/** As it was. */
export function rangeOf({ size, hashes }: StoredRange): CompactRange {
  return { size, hashes: hashes.map((hash) => Buffer.from(hash, 'base64')) }
}

/** Reads a document. Throws ParseError: it is damaged, or of a newer version. */
function parseLogState(text: string): LogState {
  const value = JSON.parse(text) as Partial<LogState> | null
  if (value?.version !== 1 || typeof value.position?.size !== 'number' || typeof value.verified?.size !== 'number')
    throw new ParseError('value', 'log state', 0, 'is damaged, or was written by a newer Certbell')
  return value as LogState
}

/** Every log's, and what is read behind the end of one. Throws ParseError. */
export async function readLogStates(reader: Pick<Reader, 'documents'>): Promise<readonly LogState[]> {
  return [...(await reader.documents(LOG_DOCUMENTS)).values()].map(parseLogState)
}

const WEEK = 7 * 24 * 3_600_000

/**
 * The same without the times that a clock which was set back left in the future: they would keep misbehaviour silent and judgements waiting until the clock
 * gets there. `now` in ms. The state itself if there are none.
 */
export function rebaseLog(state: LogState, now: number): LogState {
  const { head, behindSince, failing, stray, unreadable, unshown, told, malformed, limit } = state
  const since = [failing, stray, unreadable, unshown].map((each) => each?.since).concat(failing?.at)
  const latest = Math.max(
    now,
    state.begunAt,
    head?.seenAt ?? 0,
    behindSince ?? 0,
    malformed.toldAt,
    ...since.map((at) => at ?? 0),
    ...Object.values(told),
  )
  // Nobody is told to wait for longer than a week. How long is left of it is not known: no more than this.
  const until = limit?.until === undefined ? undefined : Math.min(limit.until - (latest - now), now + WEEK)
  if (latest === now && until === limit?.until) return state
  const back = <T extends { readonly since: number }>(each: T): T => ({ ...each, since: Math.min(each.since, now) })
  return {
    ...state,
    begunAt: Math.min(state.begunAt, now),
    told: Object.fromEntries(Object.entries(told).map(([kind, at]) => [kind, Math.min(at, now)])),
    malformed: { ...malformed, toldAt: Math.min(malformed.toldAt, now) },
    ...(head !== undefined && { head: { ...head, seenAt: Math.min(head.seenAt, now) } }),
    ...(behindSince !== undefined && { behindSince: Math.min(behindSince, now) }),
    ...(failing !== undefined && { failing: { ...back(failing), ...(failing.at !== undefined && { at: Math.min(failing.at, now) }) } }),
    ...(stray !== undefined && { stray: back(stray) }),
    ...(unreadable !== undefined && { unreadable: back(unreadable) }),
    ...(unshown !== undefined && { unshown: back(unshown) }),
    ...(limit !== undefined && { limit: { ...limit, ...(until !== undefined && { until }) } }),
  }
}

/** Whether its list says that it takes nothing any more. */
export function isClosed({ state }: Pick<LogState, 'state'>): boolean {
  return state === 'readonly' || state === 'retired'
}

/** Whether a closed log was read to its last head, or a retired one to its end: it has nothing that we lack, and may be shut down at any time. */
export function isFinished(log: LogState): boolean {
  const { state, final, verified, head } = log
  if (!isClosed(log)) return false
  return final === undefined ? state === 'retired' && verified.size >= (head?.size ?? Infinity) : verified.size >= final
}

/** Whether everything up to its newest head is verified. */
export function isAtEnd({ head, verified }: Pick<LogState, 'head' | 'verified'>): boolean {
  return head === undefined || verified.size >= head.size
}
