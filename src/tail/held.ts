// Answers of a log that are held for evidence while it shows whether anything is wrong with them.
import type { Received } from '../sources/log-entry.ts'

const MOST_BYTES = 4 * 1024 * 1024
const MOST_ANSWERS = 4

/** The first of them, and of each as much as there is room for: all or nothing. */
export function holding(held: readonly Received[], more: readonly Received[] = []): readonly Received[] {
  let room = MOST_BYTES - held.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const taken = more.slice(0, Math.max(0, MOST_ANSWERS - held.length)).map((each): Received => {
    if (each.bytes.length > room) return { url: each.url, bytes: new Uint8Array(), tooLarge: each.bytes.length }
    room -= each.bytes.length
    return each
  })
  return taken.length === 0 ? held : [...held, ...taken]
}
