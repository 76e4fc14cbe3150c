// What is wrong with logs and lists, as it stands: what of it was told, and what is over, is the store's to know. Pure.
import type { LogLists } from '../sources/log-lists.ts'
import { frozenList } from '../sources/log-lists.ts'
import { whyLeft } from '../sources/log-choice.ts'
import type { LogState } from '../stores/log-state.ts'
import { isBehindKey, logIdOf } from '../stores/log-state.ts'
import { causeText, limitText } from '../watch/lag.ts'
import type { OpenTrouble } from '../watch/trouble.ts'
import { grouped, span } from '../watch/words.ts'

/** A tree head this old says that the log has stopped: an RFC 6962 log has a day (its MMD), a static one merges every second. */
const STALE = { rfc6962: 26 * 3_600_000, 'static-ct': 3_600_000 }
/** A trouble that lasts so long rings. */
const PATIENCE = 15 * 60_000

/** The troubles of now (ms). */
export function troublesOf(states: ReadonlyMap<string, LogState>, lists: LogLists, now: number): readonly OpenTrouble[] {
  const troubles: OpenTrouble[] = []
  for (const each of lists.states) {
    const { refused, source } = each
    const component = `log-list:${source.name}`
    const frozen = frozenList(each, now)
    // No answer is the world's noise for a while; a list that is no good is not.
    if (refused !== undefined && (!refused.away || now - refused.since >= PATIENCE))
      troubles.push({ component, kind: 'refused', since: refused.since, message: refused.message })
    else if (frozen !== undefined) troubles.push({ component, kind: 'frozen', ...frozen })
  }
  for (const { id, description, behindSince, failing, position, head, cause, limit, watched, protocol, state, unreadable } of states.values()) {
    if (!watched) continue
    if (unreadable !== undefined) {
      const message = `${description}: it is not read, because ${unreadable.message}. Other logs are read. If a newer Certbell knows such keys, take that; else see whether its row in the log list is right`
      troubles.push({ component: `log:${description}`, kind: 'unreadable', since: unreadable.since, message })
      continue
    }
    const since = Math.min(behindSince ?? Infinity, failing?.since ?? Infinity)
    if (now - since < PATIENCE) {
      const age = now - (head?.timestamp ?? now)
      // What was read behind a log's end has the head of that time, for ever.
      if (age < STALE[protocol] || state === 'readonly' || state === 'retired' || isBehindKey(id)) continue
      const message = `${description}: its newest tree head is ${span(age)} old, though it should have a new one by now. The log may have stopped, or shows us an old state.`
      troubles.push({ component: `log:${description}`, kind: 'stale', since: head?.timestamp ?? now, message })
      continue
    }
    const behind = (head?.size ?? 0) - position.size
    const kind = failing?.kind ?? cause ?? 'slow'
    const why = kind === 'limited' && limit !== undefined ? `${causeText(kind)}: ${limitText(limit, now)}` : (failing?.message ?? causeText(kind))
    const message = `${description}: ${behind > 0 ? `${grouped(behind)} entries behind` : 'not read'} for ${span(now - since)}, because ${why}. Nothing is lost: reading goes on where it stopped.`
    troubles.push({ component: `log:${description}`, kind: 'behind', since, message })
  }
  return troubles
}

/** Why a trouble that is none of those is over, if it is not because its log or list is well again: a sentence without its end. */
export function goneOf({ component }: OpenTrouble, states: ReadonlyMap<string, LogState>, lists: LogLists): string | undefined {
  const [, what = '', name = ''] = /^(log|log-list):(.*)$/s.exec(component) ?? []
  if (what === 'log-list')
    return lists.states.some(({ source }) => source.name === name) ? undefined : `the log list ${name} is not asked for any more`
  const logs = [...states.values()].filter(({ description }) => description === name)
  if (logs.some(({ watched }) => watched)) return undefined
  const [left] = logs
  return left === undefined ? `no log ${name} is read any more` : `${name} ${whyLeft(lists.states, logIdOf(left.id))}`
}
