// Time as an argument: tests step it, `app` gives the real one.

export interface Clock {
  /** ms since the epoch. */
  now(): number
  /** Resolves at or after the time (ms since the epoch), or as soon as `signal` is aborted. */
  sleepUntil(time: number, signal?: AbortSignal): Promise<void>
}

// Timers count on while a machine sleeps or its clock is set; looking at the clock at least this often catches up with both.
const LOOK_MS = 15_000

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleepUntil: async (time, signal) => {
    const start = Date.now()
    // A clock set back must not stretch a sleep: what was asked for is a span from now.
    const deadline = performance.now() + Math.max(0, time - start)
    while (signal?.aborted !== true && Date.now() < time && performance.now() < deadline) {
      const left = Math.min(LOOK_MS, Math.max(1, Math.min(time - Date.now(), deadline - performance.now())))
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, left)
        signal?.addEventListener('abort', done, { once: true })
      })
    }
  },
}
