// Manners towards hosts: shards of one operator share one, and with it a number of requests in flight and the order to wait.
import type { Clock } from '../clock.ts'

/** One host, for all who read from it. */
export interface Host {
  /** Runs `send` when the host has a place free and nothing to wait for. Rejects with the signal's reason if that is aborted meanwhile. */
  run<T>(signal: AbortSignal, send: () => Promise<T>): Promise<T>
  /** It asked to be left alone until then, ms. */
  block(until: number): void
}

/** Requests in flight at one host, all its logs together. */
const IN_FLIGHT = 48

/** The hosts of a process, by `host:port`. */
export function createHosts(clock: Clock): (url: string) => Host {
  const hosts = new Map<string, Host>()
  return (url) => {
    const { host: key } = new URL(url)
    let host = hosts.get(key)
    if (host === undefined) {
      host = createHost(clock)
      hosts.set(key, host)
    }
    return host
  }
}

function createHost(clock: Clock): Host {
  let inFlight = 0
  let blockedUntil = 0
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
  return {
    block: (until) => (blockedUntil = Math.max(blockedUntil, until)),
    run: async (signal, send) => {
      while (inFlight >= IN_FLIGHT) {
        signal.throwIfAborted()
        await freed(signal)
      }
      inFlight += 1
      try {
        while (blockedUntil > clock.now()) {
          signal.throwIfAborted()
          await clock.sleepUntil(blockedUntil, signal)
        }
        signal.throwIfAborted()
        return await send()
      } finally {
        inFlight -= 1
        const [next] = waiting
        next?.()
      }
    },
  }
}
