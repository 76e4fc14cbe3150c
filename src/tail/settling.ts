// Waiting for something for a while, again and again.
import type { Clock } from '../clock.ts'

/**
 * Whether a promise settles within so many ms; to be asked any number of times. It holds on to the promise once: what is waited for by each question would
 * be let go only when it settles, which may take days.
 */
export function settling(promise: Promise<unknown>): (clock: Clock, ms: number, signal: AbortSignal) => Promise<boolean> {
  let isSettled = false
  let wake = (): void => undefined
  const settle = (): void => {
    isSettled = true
    wake()
  }
  promise.then(settle, settle)
  return async (clock, ms, signal) => {
    if (isSettled) return true
    const over = new AbortController()
    wake = () => over.abort()
    const aborted = (): void => over.abort()
    signal.addEventListener('abort', aborted)
    try {
      if (!signal.aborted) await clock.sleepUntil(clock.now() + ms, over.signal)
    } finally {
      signal.removeEventListener('abort', aborted)
    }
    return isSettled || signal.aborted
  }
}
