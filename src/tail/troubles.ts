// What is wrong with logs and lists, as it stands: what of it was told, and what is over, is the store's to know. Pure.
import type { ListedLog } from '../ct/log-list.ts'
import type { LogLists } from '../sources/log-lists.ts'
import { frozenList } from '../sources/log-lists.ts'
import { whyLeft } from '../sources/log-choice.ts'
import type { LogState } from '../stores/log-state.ts'
import { isBehindKey, isClosed, isFinished, logIdOf } from '../stores/log-state.ts'
import { causeText, limitText } from '../watch/lag.ts'
import type { OpenTrouble } from '../watch/trouble.ts'
import { grouped, plural, span } from '../watch/words.ts'

/** A tree head this old says that the log has stopped: an RFC 6962 log has a day (its MMD), a static one merges every second. */
const STALE = { rfc6962: 26 * 3_600_000, 'static-ct': 3_600_000 }
/** A trouble that lasts so long rings. */
const PATIENCE = 15 * 60_000

/** What failed when we came to it is not judged before it has failed for so long: a machine that wakes up has its network some seconds later. */
const SETTLES = 5000
/** What was behind then is given so long to be read, and what was to be left alone to be told so. */
const SETTLED = 60_000

/** How things stand. */
export interface Judged {
  readonly troubles: readonly OpenTrouble[]
  /** Components of which nothing is known yet: their troubles stay as they are. */
  readonly undecided: ReadonlySet<string>
}

/**
 * The troubles of now (ms). `from` (ms): since when we are there, after a start or a sleep of the machine. What was noted before says nothing of a log until
 * it was heard, however long ago that was.
 */
export function troublesOf(states: ReadonlyMap<string, LogState>, lists: LogLists, now: number, from: number): Judged {
  const troubles: OpenTrouble[] = []
  const undecided = new Set<string>()
  for (const each of lists.states) {
    const { refused, source } = each
    const component = `log-list:${source.name}`
    const frozen = frozenList(each, now)
    // No answer is the world's noise for a while; a list that is no good is not.
    if (refused !== undefined && (!refused.away || now - refused.since >= PATIENCE))
      troubles.push({ component, kind: 'refused', since: refused.since, message: refused.message })
    else if (frozen !== undefined) troubles.push({ component, kind: 'frozen', ...frozen })
  }
  const rows = new Map(lists.states.flatMap(({ list }) => list?.logs ?? []).map((log) => [log.id, log]))
  for (const each of states.values()) {
    if (!each.watched) continue
    const component = `log:${each.description}`
    const trouble = each.unreadable === undefined && !isHeard(each, now, from) ? 'undecided' : troubleOf(each, rows.get(logIdOf(each.id)), now, from)
    if (trouble === 'undecided') undecided.add(component)
    else if (trouble !== undefined) troubles.push({ component, ...trouble })
  }
  return { troubles, undecided }
}

// Whether what is noted of a log is from after `from`, and no passing thing.
function isHeard({ id, head, failing, behindSince, limit }: LogState, now: number, from: number): boolean {
  // Nothing is asked until then.
  if ((limit?.until ?? 0) > now) return true
  const isSettled = now - from >= SETTLED
  if (failing !== undefined) return (failing.at ?? failing.since) >= from + (isSettled ? 0 : SETTLES)
  if (behindSince !== undefined && now - behindSince >= PATIENCE && !isSettled) return false
  return isBehindKey(id) || (head?.seenAt ?? 0) >= from
}

function troubleOf(each: LogState, row: ListedLog | undefined, now: number, from: number): Omit<OpenTrouble, 'component'> | 'undecided' | undefined {
  const { id, description, begunAt, behindSince, failing, position, head, cause, limit, protocol, final, unreadable } = each
  if (unreadable !== undefined) {
    const message = `${description}: it is not read, because ${unreadable.message}. Other logs are read. If a newer Certbell knows such keys, take that; else see whether its row in the log list is right`
    return { kind: 'unreadable', since: unreadable.since, message }
  }
  if (isFinished(each)) return undefined
  const since = Math.min(behindSince ?? Infinity, failing?.since ?? Infinity)
  if (now - since >= PATIENCE) {
    const behind = (head?.size ?? 0) - position.size
    const kind = failing?.kind ?? cause ?? 'slow'
    const why = kind === 'limited' && limit !== undefined ? `${causeText(kind)}: ${limitText(limit, now)}` : (failing?.message ?? causeText(kind))
    const how = behind > 0 ? `${plural(behind, 'entry', 'entries')} behind` : 'not read'
    return {
      kind: 'behind',
      since,
      message: `${description}: ${how} for ${span(now - since)}, because ${why}. Nothing is lost: reading goes on where it stopped.`,
    }
  }
  if (head === undefined || isBehindKey(id)) return undefined
  // By a head from before, or while it does not answer, nothing can be said of how old its newest is.
  const isFresh = failing === undefined && head.seenAt >= from
  // A closed log has a day, which is its MMD, to take in what it had promised.
  if (final !== undefined && head.size < final) {
    const shortSince = Math.max(row?.stateSince ?? 0, begunAt) + STALE.rfc6962
    if (now < shortSince) return undefined
    const message = `${description}: it is closed with ${plural(final, 'entry', 'entries')} by its log list, and shows ${grouped(head.size)} alone. What it has beyond is not seen: it may show us an old state`
    return isFresh ? { kind: 'short', since: shortSince, message } : 'undecided'
  }
  const age = now - head.timestamp
  // What was read behind a log's end has the head of that time, for ever.
  if (age < STALE[protocol] || isClosed(each)) return undefined
  if (!isFresh) return 'undecided'
  const message = `${description}: its newest tree head is ${span(age)} old, though it should have a new one by now. The log may have stopped, or shows us an old state.`
  return { kind: 'stale', since: head.timestamp, message }
}

/** Why a trouble that is none of those is over, if it is not because its log or list is well again: a sentence without its end. */
export function goneOf({ component }: OpenTrouble, states: ReadonlyMap<string, LogState>, lists: LogLists): string | undefined {
  const [, what = '', name = ''] = /^(log|log-list):(.*)$/s.exec(component) ?? []
  if (what === 'log-list')
    return lists.states.some(({ source }) => source.name === name) ? undefined : `the log list ${name} is not asked for any more`
  const logs = [...states.values()].filter(({ description }) => description === name)
  const read = logs.filter(({ watched }) => watched)
  if (read.some((each) => each.failing !== undefined && isFinished(each)))
    return `${name} is closed and was read to its last head, so its server may be gone`
  if (read.length > 0) return undefined
  const [left] = logs
  return left === undefined ? `no log of the name ${name} is read any more` : `${name} ${whyLeft(lists.states, logIdOf(left.id))}`
}
