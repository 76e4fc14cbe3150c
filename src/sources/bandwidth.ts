// Our own cap on what all logs together may take: what was received is paid for with time, before the next is asked for.
import type { Clock } from '../clock.ts'

/** A cap, or none. */
export interface Bandwidth {
  /** Until what was received has been paid for. */
  wait(signal: AbortSignal): Promise<void>
  /** So many bytes came. */
  received(bytes: number): void
  /** Requests wait for it. */
  readonly short: boolean
}

/** No cap. */
export const UNLIMITED: Bandwidth = { wait: async () => undefined, received: () => undefined, short: false }

/** At most so many bytes a second on average; one answer may come at once, whatever its size. */
export function createBandwidth(bytesPerSecond: number, clock: Clock): Bandwidth {
  // When all that came is paid for.
  let paidAt = 0
  let waiting = 0
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
    },
    received: (bytes) => {
      paidAt = Math.max(paidAt, clock.now()) + (bytes / bytesPerSecond) * 1000
    },
  }
}
