/** What a duration looks like: `45s`, `5m`, `6h`, `30d`. */
const DURATION = /^(?:[1-9][0-9]{0,7})[smhd]$/

const DAY_MS = 86_400_000

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS }

// Nobody means more, and timers and dates hold it with ease.
const MAX_MS = 365 * DAY_MS

/** Milliseconds of `5m`, or a problem in words that follow the value. */
export function parseDuration(text: string): { readonly ms: number } | { readonly problem: string } {
  if (!DURATION.test(text)) return { problem: `is not a duration. Write ${meant(text)}` }
  const ms = Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? NaN)
  return ms > MAX_MS ? { problem: 'is too long. Write 365d at most' } : { ms }
}

/** The duration that was probably meant. */
function meant(text: string): string {
  const match = /^\s*([1-9][0-9]{0,5})\s*(s|sec|m|min|h|hr|d|second|minute|hour|day)?s?\.?\s*$/i.exec(text)
  if (match === null) return '5m'
  return `${match[1]}${(match[2] ?? 's').slice(0, 1).toLowerCase()}`
}
