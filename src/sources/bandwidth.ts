// Our own cap on what all logs together may take: an answer is paid for with time. How large it is shows when it is there, so each request is charged
// with the size of those before it, and set right then; else all that are under way at once would come for free.
import type { Clock } from '../clock.ts'
import { steadyClock } from '../clock.ts'

/** A cap, or none. */
export interface Bandwidth {
  /** Until a request may be made. Whoever asked says how many bytes came, once; undefined: it was not made. Rejects with the signal's reason. */
  wait(signal: AbortSignal): Promise<(bytes: number | undefined) => void>
  /** Requests wait for it. */
  readonly short: boolean
}

/** No cap. */
export const UNLIMITED: Bandwidth = { wait: async () => () => undefined, short: false }

/** At most so many bytes a second on average; one answer may come at once, whatever its size. */
export function createBandwidth(bytesPerSecond: number, given: Clock): Bandwidth {
  const clock = steadyClock(given)
  // When all that came, and all that is under way, is paid for.
  let paidAt = 0
  let waiting = 0
  let usual = 0
  const pay = (bytes: number): void => {
    paidAt += (bytes / bytesPerSecond) * 1000
  }
  return {
    get short() {
      return waiting > 0
    },
    wait: async (signal) => {
      waiting += 1
      try {
        while (paidAt > clock.now()) {
          signal.throwIfAborted()
          await clock.sleepUntil(paidAt, signal)
        }
      } finally {
        waiting -= 1
      }
      signal.throwIfAborted()
      paidAt = Math.max(paidAt, clock.now())
      const charged = usual
      pay(charged)
      return (bytes) => {
        if (bytes === undefined) {
          pay(-charged)
          return
        }
        usual = usual === 0 ? bytes : 0.9 * usual + 0.1 * bytes
        pay(bytes - charged)
      }
    },
  }
}
