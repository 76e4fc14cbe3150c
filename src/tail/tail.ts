// Reading logs: each goes round on its own, and what one does delays no other. A turn of a log is: its head, the entries up to it, their root.
import type { ListedLog } from '../ct/log-list.ts'
import { steadyClock } from '../clock.ts'
import { createHosts } from '../sources/hosts.ts'
import { createInFlight } from '../sources/in-flight.ts'
import { chooseLogs, skippedLogs, unusableKey, vanishedLogs, whyLeft } from '../sources/log-choice.ts'
import type { LogState } from '../stores/log-state.ts'
import { logIdOf, rebaseLog } from '../stores/log-state.ts'
import { FencedError } from '../stores/store.ts'
import { NO_FINDS } from '../stores/tail.ts'
import { retryAfter, StoreError } from '../watch/errors.ts'
import { readBehind } from './behind.ts'
import { failureOf } from './failure-of.ts'
import { firstListed } from './first-listed.ts'
import type { TailPorts } from './ports.ts'
import { emptyState, isBegun, listed } from './state.ts'
import { createRunning } from './running.ts'
import { openReader } from './tail-log.ts'
import { goneOf, troublesOf } from './troubles.ts'

/** Who hears of what comes of reading them. */
export interface TailHearer {
  /** Alerts were made. */
  readonly found?: () => void
  /** The state could not be written; undefined: it was again. */
  readonly stateFailed?: (error: StoreError | undefined) => Promise<void>
}

/** Everything that is read of logs. */
export interface Tail {
  /** Reads until the signal. Throws OwnerError. */
  run(signal: AbortSignal, hear?: TailHearer): Promise<void>
  /** Reads every log to its end of now, once; false if some could not be read. Throws StoreError and OwnerError. */
  pass(signal: AbortSignal): Promise<boolean>
}

/** How long the right to read is taken for, and how often it is renewed. */
const LEASE = 60_000
const RENEW = 15_000
const LOOK = 2000
/** One look takes no longer, unless no time went by for us. */
const ASLEEP = 60_000
/** Small things can be kept on a disk where large ones cannot: what was read for so long can be kept as well. */
const WELL_AGAIN = 10_000
/** Whatever a list has to say is mostly there by then, and is waited for. */
const FIRST_LOOK = 5000
/** What the lists say holds for a time, so the logs are chosen anew though no list has changed. */
const CHOOSE_EVERY = 3_600_000
/** A pass ends: a request that failed so often in a row is left to the next. */
const PASS_ATTEMPTS = 4
/** And whoever asks to be left alone for longer is left alone. */
const PASS_PATIENCE = 5000
/** Nor is an answer waited for longer. */
const PASS_LONGEST = 20_000

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
  const steady = steadyClock(clock)
  const hosts = createHosts(clock, steady)
  const inFlight = createInFlight()

  // Who asked to be left alone asked that of every run.
  const load = async (): Promise<Map<string, LogState>> => {
    const states = new Map(await store.states(clock.now()))
    for (const { url, limit } of states.values()) if (limit?.until !== undefined) hosts(url).told(limit.until)
    return states
  }

  // Until the signal, whatever else takes its time. Throws FencedError and StoreError.
  const renew = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleepUntil(clock.now() + RENEW, signal)
      if (!signal.aborted && !(await store.claim(clock.now(), clock.now() + LEASE))) throw new FencedError('reading the logs')
    }
  }

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

  // What is not read any more is no trouble, however far behind it was; and what is chosen again is, though it does not answer.
  const followChoice = async (states: Map<string, LogState>, chosen: ReadonlyMap<string, ListedLog>): Promise<void> => {
    for (const [key, state] of states) {
      const id = logIdOf(key)
      const log = chosen.get(id)
      const watched = log !== undefined
      // Its name, address and state are the list's at once, though it may not answer for days.
      const row = log === undefined || key !== id ? {} : listed(log)
      const isSame = Object.entries(row).every(([member, value]) => state[member as keyof typeof row] === value)
      if (state.watched === watched && isSame) continue
      const { state: kept } = await store.keep({ ...state, ...row, watched }, NO_FINDS, clock.now())
      states.set(key, kept)
      if (key === id && !watched) ports.report({ kind: 'log-skipped', message: `${state.description} ${whyLeft(lists.states, id)}` })
    }
  }

  const review = async (states: ReadonlyMap<string, LogState>, now: number, from: number): Promise<void> => {
    const alerts = await store.review(troublesOf(states, lists, now, from), (trouble) => goneOf(trouble, states, lists), now)
    ports.report({ kind: 'alerts', alerts })
  }

  const reading = async (signal: AbortSignal, well: () => Promise<void>): Promise<void> => {
    const states = await load()
    const stop = new AbortController()
    const all = AbortSignal.any([signal, stop.signal])
    let broken: unknown
    const end = (error: unknown): void => {
      broken ??= error
      stop.abort()
    }
    const running = createRunning({ ports, hosts, inFlight, states }, all, end)
    let reviewedAt = -Infinity
    let choseAt = -Infinity
    let hasChanged = false
    let wake = (): void => undefined
    // A server that does not answer for minutes holds up nothing but its own list.
    const looks = new Set<Promise<void>>()
    const refresh = async (now: number): Promise<void> => {
      try {
        if (!(await lists.refresh(now, all))) return
        hasChanged = true
        wake()
      } catch (error) {
        end(error)
      }
    }
    const look = async (now: number): Promise<void> => {
      const looking = refresh(now).finally(() => looks.delete(looking))
      looks.add(looking)
      return looking
    }
    const renewing = renew(all).catch(end)
    try {
      const began = clock.now()
      let from = began
      await Promise.race([look(began), clock.sleepUntil(began + FIRST_LOOK, all)])
      for (let before = began; !all.aborted;) {
        const now = clock.now()
        steady.now()
        // What is kept while a log is read is mended as it is kept, and this is for what is not.
        if (now < before) {
          from = Math.min(from, now)
          for (const [key, state] of states) states.set(key, rebaseLog(state, now))
        }
        // The machine slept, or we were stopped: what was noted before says nothing of now.
        if (now - before > ASLEEP) from = now
        before = now
        void look(now)
        // Hundreds of rows, and the same ones nearly always.
        if (hasChanged || now - choseAt >= CHOOSE_EVERY || now < choseAt) {
          choseAt = now
          hasChanged = false
          const { fresh, chosen } = await choose(states, now)
          await running.leave(chosen)
          await followChoice(states, chosen)
          running.begin(chosen, fresh)
        }
        if (now - reviewedAt >= RENEW || now < reviewedAt) {
          reviewedAt = now
          await review(states, now, from)
        }
        await well()
        if (hasChanged) continue
        const awake = new AbortController()
        wake = () => awake.abort()
        await clock.sleepUntil(clock.now() + LOOK, AbortSignal.any([all, awake.signal]))
      }
    } finally {
      stop.abort()
      await Promise.all([renewing, ...looks, running.ended()])
    }
    if (broken !== undefined) throw broken
  }

  const readOnce = async (signal: AbortSignal): Promise<boolean> => {
    const now = clock.now()
    await lists.refresh(now, signal)
    const states = await load()
    const { fresh, chosen } = await choose(states, now)
    await followChoice(states, chosen)
    const went = await Promise.all(
      [...chosen.values()].map(async (log) => {
        const patient = { ...ports, attempts: PASS_ATTEMPTS, patience: PASS_PATIENCE, longestMs: Math.min(ports.longestMs, PASS_LONGEST) }
        const opened = openReader({ ports: patient, hosts, inFlight, states }, log, fresh.has(log.id), signal)
        if (opened === undefined) return true
        const { reader, behind } = opened
        try {
          await reader.turn()
          await readBehind(behind)
          return true
        } catch (error) {
          const failure = failureOf(error, signal)
          await reader.failed(failure)
          // To wait as one was told is no failure.
          return failure.until !== undefined
        }
      }),
    )
    await review(states, clock.now(), -Infinity)
    return went.every(Boolean)
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
    run: async (signal, hear = {}) => {
      found = hear.found ?? found
      let hasFailed = false
      while (!signal.aborted) {
        try {
          const now = clock.now()
          if (await store.claim(now, now + LEASE)) {
            const claimedAt = steady.now()
            const well = async (): Promise<void> => {
              if (!hasFailed || steady.now() - claimedAt < WELL_AGAIN) return
              hasFailed = false
              await hear.stateFailed?.(undefined)
            }
            await reading(signal, well)
          } else await clock.sleepUntil(now + 2 * LOOK, signal)
        } catch (error) {
          if (signal.aborted) break
          if (error instanceof FencedError) continue
          if (!(error instanceof StoreError)) throw error
          hasFailed = true
          await hear.stateFailed?.(error)
          await clock.sleepUntil(clock.now() + retryAfter(error), signal)
        }
      }
      await store.release().catch(() => undefined)
    },
  }
}

// A log of which nothing could be verified is shown among the others, with the reason.
async function noteUnreadable({ store, clock }: TailPorts, log: ListedLog, states: Map<string, LogState>): Promise<void> {
  const message = unusableKey(log)
  const known = states.get(log.id)
  if (message === undefined || (known?.watched === true && known.unreadable !== undefined)) return
  const unreadable = { since: clock.now(), message }
  const { state } = await store.keep({ ...emptyState(log), unreadable }, NO_FINDS, clock.now())
  states.set(log.id, state)
}
