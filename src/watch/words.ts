// English for numbers, spans and lists, the same on every surface: terminal, Slack, status, dashboard.

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A span in ms as people say it: `0.8 s`, `13 s`, `3 min`, `2 h 10 min`, `1 day 4 h`, `90 days`. Rounded down; a negative one is `0 s`. */
export function span(ms: number): string {
  if (!(ms > 0)) return '0 s'
  if (ms < SECOND) return `${Math.max(0.1, Math.floor(ms / 100) / 10)} s`
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  if (ms < DAY) return two(ms, HOUR, 'h', MINUTE, 'min')
  const days = Math.floor(ms / DAY)
  const hours = Math.floor((ms % DAY) / HOUR)
  // Beyond three days nobody counts hours.
  return days < 3 && hours > 0 ? `${plural(days, 'day')} ${hours} h` : plural(days, 'day')
}

function two(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small)
  return `${Math.floor(ms / large)} ${largeName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`
}

/** How long before (`3 min ago`) or after (`in 2 h`) `now` something is; within a second it is `just now`. Both in ms. */
export function ago(time: number, now: number): string {
  const ms = now - time
  if (Math.abs(ms) < SECOND) return 'just now'
  return ms > 0 ? `${span(ms)} ago` : `in ${span(-ms)}`
}

/** A whole number with thousands separators: `3,214`. */
export function grouped(n: number): string {
  return Math.trunc(n)
    .toString()
    .replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, ',')
}

/** A number and its thing: `1 certificate`, `3,214 certificates`, `2 queries`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`
}

/** The first `max` of a list, and how many more there are: `a, b and 3 more`. */
export function listed(items: readonly string[], max = 3): string {
  if (items.length <= max) return items.join(', ')
  return `${items.slice(0, max).join(', ')} and ${grouped(items.length - max)} more`
}
