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

/** A clock that never goes back: what the other one is set back by is added from then on. It has to be looked at now and then to notice. */
export interface SteadyClock extends Clock {
  /** The time (ms) on this clock at which the other one shows `time`, as they stand to each other now. */
  at(time: number): number
  /** The other way round. */
  shown(time: number): number
}

/** For what keeps distances: a time that was noted before somebody set the clock back must hold up nobody until the clock gets there again. */
export function steadyClock(clock: Clock): SteadyClock {
  let back = 0
  let latest = -Infinity
  const now = (): number => {
    const shown = clock.now()
    back = Math.max(back, latest - shown)
    latest = shown + back
    return latest
  }
  return {
    now,
    // In pieces: one that the clock is set back in says nothing of how long it took.
    sleepUntil: async (time, signal) => {
      for (let at = now(); at < time && signal?.aborted !== true; at = now()) await clock.sleepUntil(Math.min(time, at + LOOK_MS) - back, signal)
    },
    at: (time) => {
      now()
      return time + back
    },
    shown: (time) => {
      now()
      return time - back
    },
  }
}
