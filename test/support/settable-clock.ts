// A clock that may be set forward and back, as somebody sets the clock of a machine: what sleeps is woken by a jump ahead, and no later for one back.
import type { Clock } from '../../src/clock.ts'

/** The time of now, moved by what `set` was called with. */
export interface SettableClock extends Clock {
  /** By so many ms; less than zero is back. */
  set(ms: number): void
}

/** Not set yet. */
export function settableClock(): SettableClock {
  let shift = 0
  const now = (): number => Date.now() + shift
  return {
    now,
    set: (ms) => void (shift += ms),
    sleepUntil: async (time, signal) => {
      const deadline = performance.now() + time - now()
      while (now() < time && performance.now() < deadline && signal?.aborted !== true) await new Promise((resolve) => setTimeout(resolve, 10))
    },
  }
}
