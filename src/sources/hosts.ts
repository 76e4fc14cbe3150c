// Manners towards hosts: shards of one operator share one, and with it a number of requests in flight and the order to wait.
import type { Clock, SteadyClock } from '../clock.ts'
import { steadyClock } from '../clock.ts'
import { span } from '../watch/words.ts'
import { LogFailure } from './log-failure.ts'
import { createPace } from './pace.ts'

/** One host, for all who read from it. */
export interface Host {
  /**
   * Runs `send` when the host has a place free and nothing to wait for. Rejects with the signal's reason if that is aborted meanwhile, and with LogFailure
   * if the host asked to be left alone for longer than `patience` (ms).
   */
  run<T>(signal: AbortSignal, send: () => Promise<T>, patience?: number): Promise<T>
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

/** Requests in flight at one host, all its logs together. */
const IN_FLIGHT = 48

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
  let inFlight = 0
  let blockedUntil = 0
  const pace = createPace(clock)
  const waiting = new Set<() => void>()
  // Whoever gives up waiting must not be the one that is woken.
  const freed = async (signal: AbortSignal): Promise<void> =>
    new Promise<void>((resolve) => {
      const done = (): void => {
        waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
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
    run: async (signal, send, patience = Infinity) => {
      while (inFlight >= IN_FLIGHT) {
        signal.throwIfAborted()
        await freed(signal)
      }
      inFlight += 1
      try {
        // Whoever waits for its turn is told of a refusal as well.
        do {
          await unblocked(signal, patience)
          await pace.wait(signal)
        } while (blockedUntil > clock.now())
        pace.sent()
        return await send()
      } finally {
        inFlight -= 1
        const [next] = waiting
        next?.()
      }
    },
  }
}
