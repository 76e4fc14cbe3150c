// Asking again: how long, how often, and what is worth it.

/** Time as an argument. */
export interface Time {
  /** ms since the epoch. */
  now(): number
  sleepUntil(time: number): Promise<void>
}

/** How patient we are with S3. */
export interface Patience {
  readonly time: Time
  /** In [0, 1). */
  readonly random: () => number
  /** ms that a call beginning now may take, retries included. There is always one attempt. */
  readonly timeLeft: () => number
  /** ms for one attempt. */
  readonly attemptMs: number
}

const FIRST_MS = 100
const LONGEST_MS = 5000

/** Time to sleep until before the `attempt`-th repetition (from 1); undefined if that is past `deadline`. Full jitter. */
export function nextAttempt(attempt: number, deadline: number, { time, random }: Patience): number | undefined {
  const at = time.now() + Math.max(1, random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt))
  return at < deadline ? at : undefined
}

/** True for an answer that says "later": the request was fine. */
export function isPassing(status: number, code = ''): boolean {
  return [408, 429, 500, 502, 503, 504].includes(status) || code === 'SlowDown' || code === 'RequestTimeout'
}
