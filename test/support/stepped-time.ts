// Hours that pass in moments: for what paces itself.
import type { Clock } from '../../src/clock.ts'

/** Time that goes on to the next thing that somebody waits for, once nobody has anything left to do. */
export function steppedTime(): Clock & { run(until: number): Promise<void> } {
  let now = 1_760_000_000_000
  const waiting = new Set<{ readonly time: number; readonly wake: () => void }>()
  return {
    now: () => now,
    sleepUntil: async (time, signal) =>
      new Promise<void>((resolve) => {
        if (signal?.aborted === true || time <= now) {
          resolve()
          return
        }
        const entry = {
          time,
          wake: () => {
            waiting.delete(entry)
            resolve()
          },
        }
        waiting.add(entry)
        signal?.addEventListener('abort', entry.wake, { once: true })
      }),
    run: async (until) => {
      while (now < until) {
        await new Promise((resolve) => setImmediate(resolve))
        const next = [...waiting].reduce<number>((least, { time }) => Math.min(least, time), until)
        now = next
        for (const entry of waiting) if (entry.time <= now) entry.wake()
      }
    },
  }
}
