// Times of day for people, in the time zone of the machine that says them.

/** `HH:MM` in the machine's own time zone, with the day if it is not `now`'s. */
export function clockText(time: number, now: number): string {
  const date = new Date(time)
  const hours = `${pad(date.getHours())}:${pad(date.getMinutes())}`
  if (date.toDateString() === new Date(now).toDateString()) return hours
  return `${dateText(time)} ${hours}`
}

/** `2026-11-25` in the machine's own time zone. */
export function dateText(time: number): string {
  const date = new Date(time)
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}

function pad(n: number): string {
  return String(n).padStart(2, '0')
}
