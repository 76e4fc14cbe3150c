// When to come back: what the other side asks for, or else our own back-off.

const WEEK = 7 * 24 * 3_600_000
const HTTP_DATE =
  /^(?:\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT|\w{6,9}, \d{2}-\w{3}-\d{2} \d{2}:\d{2}:\d{2} GMT|\w{3} \w{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4})$/

/**
 * The time that a `Retry-After` header names, in seconds or as an HTTP date: never before `now`, and at most 7 days after it, since the other side writes it.
 * Undefined if the header is absent or neither of both.
 */
export function parseRetryAfter(value: string | undefined, now: Date): Date | undefined {
  const text = value?.trim() ?? ''
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : dateMs(text) - now.getTime()
  if (Number.isNaN(ms)) return undefined
  return new Date(now.getTime() + Math.min(Math.max(0, Math.ceil(ms)), WEEK))
}

// Date.parse takes far more than HTTP dates ("Tuesday 3" is one to it), so the form is looked at first. An asctime has no zone and means UTC.
function dateMs(text: string): number {
  if (!HTTP_DATE.test(text)) return Number.NaN
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
}

/** Ms until the next try after the `attempt`-th failure in a row (1 is the first): 1 to 2 s, doubling up to 5 min, the upper half at random so that many do not come back at once. */
export function backoff(attempt: number, random: () => number): number {
  // 2^30 s is far over the cap, and keeps the power finite after years of failures.
  const base = Math.min(300_000, 2000 * 2 ** Math.min(30, Math.max(0, attempt - 1)))
  return base / 2 + (random() * base) / 2
}
