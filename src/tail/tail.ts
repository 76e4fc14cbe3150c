// Reading logs: each goes round on its own, and what one does delays no other. A turn of a log is: its head, the entries up to it, their root.
import type { ListedLog } from '../ct/log-list.ts'
import { readLogKey } from '../ct/log-key.ts'
import type { Allowance } from '../sources/allowance.ts'
import { createAllowance } from '../sources/allowance.ts'
import { createHosts } from '../sources/hosts.ts'
import { createHybrid } from '../sources/hybrid.ts'
import type { LogClient, ReceivedHead } from '../sources/log-client.ts'
import { LogFailure } from '../sources/log-failure.ts'
import { createLogHttp } from '../sources/log-http.ts'
import { createLogTally } from '../sources/log-tally.ts'
import type { LogLists } from '../sources/log-lists.ts'
import { frozenList } from '../sources/log-lists.ts'
import { chooseLogs, skippedLogs, unusableKey, vanishedLogs, whyLeft } from '../sources/log-choice.ts'
import { createRfc6962 } from '../sources/rfc6962.ts'
import { createStaticCt } from '../sources/static-ct.ts'
import type { LogState } from '../stores/log-state.ts'
import { BEHIND } from '../stores/log-state.ts'
import { FencedError } from '../stores/store.ts'
import { NO_FINDS } from '../stores/tail.ts'
import { StoreError } from '../watch/errors.ts'
import { causeText, limitText } from '../watch/lag.ts'
import type { OpenTrouble } from '../watch/trouble.ts'
import { grouped, span } from '../watch/words.ts'
import { beginBehind, behindKey, readBehind } from './behind.ts'
import type { LogContext } from './context.ts'
import { openLog } from './context.ts'
import type { LogReader } from './log-reader.ts'
import { createLogReader } from './log-reader.ts'
import type { TailPorts } from './ports.ts'
import { emptyState, isBegun } from './state.ts'

/** Everything that is read of logs. */
export interface Tail {
  /** Reads until the signal. `found`: called when alerts were made. Throws OwnerError. */
  run(signal: AbortSignal, found?: () => void): Promise<void>
  /** Reads every log to its end of now, once; false if some could not be read. Throws StoreError and OwnerError. */
  pass(signal: AbortSignal): Promise<boolean>
}

/** How long the right to read is taken for, and how often it is renewed. */
const LEASE = 60_000
const RENEW = 15_000
const LOOK = 2000
const STATE_RETRY = 30_000
/** What is read behind a log's end and does not make its tree is read again after so long. */
const BEHIND_AGAIN = 300_000
/** What the lists say holds for a time, so the logs are chosen anew though no list has changed. */
const CHOOSE_EVERY = 3_600_000
/** A pass ends: a request that failed so often in a row is left to the next. */
const PASS_ATTEMPTS = 4
/** A tree head this old says that the log has stopped: an RFC 6962 log has a day (its MMD), a static one merges every second. */
const STALE = { rfc6962: 26 * 3_600_000, 'static-ct': 3_600_000 }
/** A trouble that lasts so long rings. */
const PATIENCE = 15 * 60_000

interface Choices {
  readonly fresh: ReadonlySet<string>
  readonly chosen: ReadonlyMap<string, ListedLog>
}

/** The reader of all logs. */
export function createTail(given: TailPorts): Tail {
  const { store, clock, lists } = given
  let found = (): void => undefined
  const ports: TailPorts = {
    ...given,
    report: (event) => {
      if (event.kind === 'alerts' && event.alerts.length === 0) return
      given.report(event)
      if (event.kind === 'alerts') found()
    },
  }
  const hosts = createHosts(clock)

  const skipped = new Set<string>()
  const tellOnce = (messages: readonly string[]): void => {
    for (const message of messages) {
      if (skipped.has(message)) continue
      skipped.add(message)
      ports.report({ kind: 'log-skipped', message })
    }
  }

  // What is to be read, by the lists as they are; `fresh` are those that are read from their first entry.
  const choose = async (states: Map<string, LogState>, now: number): Promise<Choices> => {
    const fresh = await firstListed(ports, lists)
    const chosen = chooseLogs(lists.states, { only: ports.only, begun: (id) => isBegun(states.get(id)) }, now)
    tellOnce([...skippedLogs(lists.states, ports.only, now), ...vanishedLogs(lists.states, chosen, now)])
    for (const log of chosen.values()) await noteUnreadable(ports, log, states)
    return { fresh, chosen }
  }

  // What is not read any more is no trouble, however far behind it was.
  const leaveOthers = async (states: Map<string, LogState>, chosen: ReadonlyMap<string, ListedLog>): Promise<void> => {
    for (const [key, state] of states) {
      const id = key.replace(BEHIND, '')
      if (!state.watched || chosen.has(id)) continue
      const { state: left } = await store.keep({ ...state, watched: false }, NO_FINDS, clock.now())
      states.set(key, left)
      if (key === id) ports.report({ kind: 'log-skipped', message: `${state.description} ${whyLeft(lists.states, id)}` })
    }
  }

  const reading = async (signal: AbortSignal): Promise<void> => {
    const states = new Map(await store.states())
    const stop = new AbortController()
    const all = AbortSignal.any([signal, stop.signal])
    const running = new Map<string, { readonly row: string; readonly task: Promise<void>; readonly leave: AbortController }>()
    let broken: unknown
    let reviewedAt = -Infinity
    let choseAt = -Infinity
    try {
      for (let claimedAt = clock.now(); !all.aborted;) {
        const now = clock.now()
        if (now - claimedAt >= RENEW || now < claimedAt) {
          if (!(await store.claim(now, now + LEASE))) throw new FencedError('reading the logs')
          claimedAt = now
        }
        // Hundreds of rows, and the same ones nearly always.
        if ((await lists.refresh(now)) || now - choseAt >= CHOOSE_EVERY || now < choseAt) {
          choseAt = now
          const { fresh, chosen } = await choose(states, now)
          for (const [id, { row, task, leave }] of running) {
            const log = chosen.get(id)
            // One whose row has changed is begun anew, from where it is.
            if (log !== undefined && row === JSON.stringify(log)) continue
            leave.abort()
            await task
            running.delete(id)
          }
          await leaveOthers(states, chosen)
          for (const [id, log] of chosen) {
            if (running.has(id)) continue
            const leave = new AbortController()
            const mine = AbortSignal.any([all, leave.signal])
            const task = tailLog(ports, hosts, log, states, fresh.has(id), mine).catch((error: unknown) => {
              if (mine.aborted) return
              broken = error
              stop.abort()
            })
            running.set(id, { row: JSON.stringify(log), task, leave })
          }
        }
        if (now - reviewedAt >= RENEW) {
          reviewedAt = now
          ports.report({ kind: 'alerts', alerts: await store.review(troublesOf(states, lists, now), now) })
        }
        await clock.sleepUntil(now + LOOK, all)
      }
    } finally {
      stop.abort()
      await Promise.all([...running.values()].map(async ({ task }) => task))
    }
    if (broken !== undefined) throw broken
  }

  const readOnce = async (signal: AbortSignal): Promise<boolean> => {
    const now = clock.now()
    await lists.refresh(now)
    const states = new Map(await store.states())
    const { fresh, chosen } = await choose(states, now)
    await leaveOthers(states, chosen)
    const went = await Promise.all(
      [...chosen.values()].map(async (log) => {
        const opened = openReader({ ...ports, attempts: PASS_ATTEMPTS }, hosts, log, states, fresh.has(log.id), signal)
        if (opened === undefined) return true
        const { reader, behind } = opened
        try {
          await reader.turn()
          await readBehind(behind)
          return true
        } catch (error) {
          if (!(error instanceof LogFailure)) throw error
          await reader.failed(error)
          return false
        }
      }),
    )
    ports.report({ kind: 'alerts', alerts: await store.review(troublesOf(states, lists, clock.now()), clock.now()) })
    return went.every(Boolean)
  }

  const renew = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleepUntil(clock.now() + RENEW, signal)
      if (!signal.aborted && !(await store.claim(clock.now(), clock.now() + LEASE))) return
    }
  }

  return {
    pass: async (signal) => {
      const over = new AbortController()
      const all = AbortSignal.any([signal, over.signal])
      if (!(await store.claim(clock.now(), clock.now() + LEASE))) return true
      // A pass may take hours: the right to read is renewed meanwhile. Whatever ends that ends the pass.
      const renewing = renew(all).then(
        () => undefined,
        (error: unknown) => error,
      )
      void renewing.then(() => over.abort())
      try {
        return await readOnce(all)
      } catch (error) {
        const why = all.aborted && !(error instanceof StoreError) ? await renewing : error
        // Told to end, or another process reads them now: then they are read.
        if (why === undefined || why instanceof FencedError) return true
        throw why
      } finally {
        over.abort()
        await renewing
        await store.release().catch(() => undefined)
      }
    },
    run: async (signal, hear = () => undefined) => {
      found = hear
      while (!signal.aborted) {
        try {
          const now = clock.now()
          if (await store.claim(now, now + LEASE)) {
            ports.stateFailed(undefined)
            await reading(signal)
          } else await clock.sleepUntil(now + 2 * LOOK, signal)
        } catch (error) {
          if (signal.aborted) break
          if (error instanceof FencedError) continue
          if (!(error instanceof StoreError)) throw error
          ports.stateFailed(error)
          await clock.sleepUntil(clock.now() + STATE_RETRY, signal)
        }
      }
      await store.release().catch(() => undefined)
    },
  }
}

// A log that came onto a list after that list was first read is new: it is read from its first entry.
async function firstListed({ store }: TailPorts, lists: LogLists): Promise<ReadonlySet<string>> {
  const text = await store.document(FIRST_LISTED)
  const known = text === undefined ? {} : (JSON.parse(text) as Record<string, Record<string, 'old' | 'new'>>)
  let changed = false
  const fresh = new Set<string>()
  const old = new Set<string>()
  for (const { source, list } of lists.states) {
    if (list === undefined) continue
    const before = known[source.name]
    const now = (known[source.name] ??= {})
    for (const { id } of list.logs) {
      if (now[id] === undefined) {
        now[id] = before === undefined ? 'old' : 'new'
        changed = true
      }
      ;(now[id] === 'new' ? fresh : old).add(id)
    }
  }
  if (changed) await store.putDocument(FIRST_LISTED, JSON.stringify(known))
  for (const id of old) fresh.delete(id)
  return fresh
}

const FIRST_LISTED = 'first-listed'

// A log of which nothing could be verified is shown among the others, with the reason.
async function noteUnreadable({ store, clock }: TailPorts, log: ListedLog, states: Map<string, LogState>): Promise<void> {
  const message = unusableKey(log)
  const known = states.get(log.id)
  if (message === undefined || (known?.watched === true && known.unreadable !== undefined)) return
  const unreadable = { since: clock.now(), message }
  const { state } = await store.keep({ ...emptyState(log), unreadable }, NO_FINDS, clock.now())
  states.set(log.id, state)
}

function troublesOf(states: ReadonlyMap<string, LogState>, lists: LogLists, now: number): readonly OpenTrouble[] {
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
  for (const { description, behindSince, failing, position, head, cause, limit, watched, protocol, state, unreadable } of states.values()) {
    if (!watched) continue
    if (unreadable !== undefined) {
      const message = `${description}: it is not read, because ${unreadable.message}. Other logs are read. If a newer Certbell knows such keys, take that; else see whether its row in the log list is right`
      troubles.push({ component: `log:${description}`, kind: 'unreadable', since: unreadable.since, message })
      continue
    }
    const since = Math.min(behindSince ?? Infinity, failing?.since ?? Infinity)
    if (now - since < PATIENCE) {
      const age = now - (head?.timestamp ?? now)
      if (age < STALE[protocol] || state === 'readonly' || state === 'retired') continue
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

async function tailLog(
  ports: TailPorts,
  hosts: ReturnType<typeof createHosts>,
  log: ListedLog,
  states: Map<string, LogState>,
  fresh: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = ports
  const every = log.protocol === 'static-ct' ? ports.interval : 3 * ports.interval
  const opened = openReader(ports, hosts, log, states, fresh, signal)
  if (opened === undefined) return
  const { reader, behind } = opened
  let old: Promise<unknown> | undefined
  let oldFailed: unknown
  const behindOnce = async (): Promise<void> => {
    try {
      if (!(await readBehind(behind))) await clock.sleepUntil(clock.now() + BEHIND_AGAIN, signal)
    } catch (error) {
      oldFailed = error
    } finally {
      old = undefined
    }
  }
  for (let failures = 0; !signal.aborted;) {
    const began = clock.now()
    let until = began + every
    try {
      await reader.turn()
      failures = 0
      // Beside the end, and at its own pace.
      old ??= behindOnce()
      if (oldFailed !== undefined) {
        const error = oldFailed
        oldFailed = undefined
        throw error
      }
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error
      failures += 1
      await reader.failed(error)
      until = Math.max(error.until ?? 0, began + Math.min(30_000, every * 2 ** Math.min(10, failures - 1)))
    }
    // Not all at the same moment.
    await clock.sleepUntil(until + ports.random() * every * 0.1, signal)
  }
  await old
}

function openReader(
  ports: TailPorts,
  hosts: ReturnType<typeof createHosts>,
  log: ListedLog,
  states: Map<string, LogState>,
  fresh: boolean,
  signal: AbortSignal,
): { readonly reader: LogReader; readonly behind: LogContext } | undefined {
  // That was told when it was chosen.
  if (unusableKey(log) !== undefined) return undefined
  const allowance = createAllowance(ports.clock)
  const client = clientOf(ports, hosts, log, allowance)
  const behind = openLog(ports, log, client, allowance, states, signal, behindKey(log.id))
  const begin = async (received: ReceivedHead): Promise<'beginning' | 'end'> => {
    if (ports.start === 'beginning') return 'beginning'
    if (!fresh) return 'end'
    if (received.head.size <= ports.large) return 'beginning'
    await beginBehind(behind, received)
    return 'end'
  }
  return { reader: createLogReader(openLog(ports, log, client, allowance, states, signal), behind, begin), behind }
}

function clientOf(ports: TailPorts, hosts: ReturnType<typeof createHosts>, log: ListedLog, allowance: Allowance): LogClient {
  const { url, protocol } = log
  const key = readLogKey(log.key)
  const tally = createLogTally((outcome) => ports.report({ kind: 'log-request', log: log.description, outcome }))
  const way = createLogHttp({
    http: ports.http,
    clock: ports.clock,
    url,
    host: hosts(url),
    bandwidth: ports.bandwidth,
    userAgent: ports.userAgent,
    longestMs: ports.longestMs,
    heard: (outcome, until) => {
      allowance.heard(outcome, until)
      tally.heard(outcome)
    },
  })
  const { readPage } = ports
  const tiles = createStaticCt(way, key, url, readPage)
  if (protocol === 'static-ct') return tally.judging(tiles)
  const classic = createRfc6962(way, key, url, readPage)
  return tally.judging(ports.isHybrid(url) ? createHybrid(classic, tiles) : classic)
}
