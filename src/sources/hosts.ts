// Manners towards hosts: shards of one operator share one, and with it a number of requests in flight and the order to wait.
import type { Clock, SteadyClock } from '../clock.ts'
import { steadyClock } from '../clock.ts'
import { span } from '../watch/words.ts'
import { LogFailure } from './log-failure.ts'
import { createPace } from './pace.ts'
import { parked } from './turns.ts'

/** One host, for all who read from it. */
export interface Host {
  /**
   * Runs `send` for a log when the host has a place free and nothing to wait for. Rejects with the signal's reason if that is aborted meanwhile, and with
   * LogFailure if the host asked to be left alone for longer than `patience` (ms). `who` is the same for all requests of one log.
   */
  run<T>(who: object, signal: AbortSignal, send: () => Promise<T>, patience?: number): Promise<T>
  /** Until when it is left alone, ms; in the past if it is not. */
  readonly blockedUntil: number
  /** It refused requests that came faster than they do now. */
  readonly slowed: boolean
  /** It gave an answer. */
  well(): void
  /** It asked to be left alone until then (ms), as is known from before. */
  told(until: number): void
  /** It refused a request that was sent at that time (ms) and asked to be left alone until `told`, if it said so. Returns until when it is. */
  refused(sentAt: number, told: number | undefined): number
}

/** Requests in flight at one host: what each log may have, however much the others hang, and what all may have beyond that together. */
const OWN = 2
const SHARED = 40

/** A host that is left alone until then (ms), as it asked. */
export function leftAlone(until: number, now: number): LogFailure {
  return new LogFailure('limited', `its host refuses requests for ${span(until - now)} more`, { until })
}

/** The hosts of a process, by `host:port`. All times are those of `clock`; what is kept of them is kept on `steady`, which whoever gives it looks at. */
export function createHosts(clock: Clock, steady: SteadyClock = steadyClock(clock)): (url: string) => Host {
  const hosts = new Map<string, Host>()
  return (url) => {
    const { host: key } = new URL(url)
    let host = hosts.get(key)
    if (host === undefined) {
      host = createHost(steady)
      hosts.set(key, host)
    }
    return host
  }
}

function createHost(clock: SteadyClock): Host {
  let blockedUntil = 0
  const pace = createPace(clock)
  const places = createPlaces()
  const unblocked = async (signal: AbortSignal, patience: number): Promise<void> => {
    while (blockedUntil > clock.now()) {
      signal.throwIfAborted()
      if (blockedUntil - clock.now() > patience) throw leftAlone(clock.shown(blockedUntil), clock.shown(clock.now()))
      await clock.sleepUntil(blockedUntil, signal)
    }
  }
  return {
    get slowed() {
      return pace.slowed
    },
    well: () => pace.well(),
    refused: (sentAt, told) => {
      // Who says how long says enough.
      blockedUntil = Math.max(blockedUntil, told === undefined ? pace.refused(clock.at(sentAt)) : clock.at(told))
      return clock.shown(blockedUntil)
    },
    told: (until) => {
      blockedUntil = Math.max(blockedUntil, clock.at(until))
    },
    get blockedUntil() {
      return clock.shown(blockedUntil)
    },
    run: async (who, signal, send, patience = Infinity) => {
      const leave = await places.take(who, signal)
      try {
        // Whoever waits for its turn is told of a refusal as well.
        do {
          await unblocked(signal, patience)
          await pace.wait(signal)
        } while (blockedUntil > clock.now())
        pace.sent()
        return await send()
      } finally {
        leave()
      }
    },
  }
}

// Places at a host, first come, first served: but a log with fewer than it may have in any case is not kept waiting by the others.
function createPlaces(): { take(who: object, signal: AbortSignal): Promise<() => void> } {
  const taken = new Map<object, number>()
  let shared = 0
  const waiting = new Set<{ readonly who: object; readonly go: () => void }>()
  const countOf = (who: object): number => taken.get(who) ?? 0
  const mayHave = (who: object): boolean => countOf(who) < OWN || shared < SHARED
  const add = (who: object): void => {
    const count = countOf(who)
    taken.set(who, count + 1)
    if (count >= OWN) shared += 1
  }
  const remove = (who: object): void => {
    const count = countOf(who)
    if (count > OWN) shared -= 1
    if (count > 1) taken.set(who, count - 1)
    else taken.delete(who)
    for (const each of waiting) if (mayHave(each.who)) each.go()
  }
  return {
    take: async (who, signal) => {
      signal.throwIfAborted()
      if (mayHave(who)) add(who)
      else
        await parked(signal, (go) => {
          // Taken as it is given: whoever is woken next must not find it free.
          const each = {
            who,
            go: () => {
              add(who)
              go()
            },
          }
          waiting.add(each)
          return () => waiting.delete(each)
        })
      return () => remove(who)
    },
  }
}
