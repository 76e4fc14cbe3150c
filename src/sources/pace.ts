// How fast a host may be asked, learned from its refusals (429): operators rarely say, and what they say is not always so (firehose.md, 3.3).
import type { SteadyClock } from '../clock.ts'

/** The time between two requests to one host: none until it refuses some. */
export interface Pace {
  /** Until the next request may be sent. */
  wait(signal: AbortSignal): Promise<void>
  /** An answer came. */
  well(): void
  /** True while there is some time between. */
  readonly slowed: boolean
  /** A request that was sent at that time (ms) was refused. Returns when to come back, if the host does not say. */
  refused(sentAt: number): number
}

/** A refusal slows down by half, and an answer speeds up by so little that one request in forty is refused. */
const SLOWER = 1.5
const FASTER = 0.99
const LEAST = 100
const MOST = 60_000
const NONE = 20
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 30_000
/** The rate at which requests were sent when one was refused, by the last of them. */
const REMEMBERED = 16

/** Full speed. The clock must not go back: a request would wait until it gets to where it was. */
export function createPace(clock: SteadyClock): Pace {
  let spacing = 0
  let nextAt = 0
  // What was sent before the last refusal says nothing of the pace since.
  let slowedAt = -Infinity
  let pauses = 0
  let until = 0
  const sent: number[] = []
  return {
    get slowed() {
      return spacing > 0
    },
    wait: async (signal) => {
      const now = clock.now()
      const at = Math.max(now, nextAt)
      nextAt = at + spacing
      if (at > now) await clock.sleepUntil(at, signal)
      signal.throwIfAborted()
      sent.push(clock.now())
      if (sent.length > REMEMBERED) sent.shift()
    },
    well: () => {
      pauses = 0
      spacing *= FASTER
      if (spacing < NONE) spacing = 0
    },
    refused: (sentAt) => {
      const now = clock.now()
      if (sentAt < slowedAt) return Math.max(until, now)
      const usual = sent.length < 2 ? 0 : ((sent.at(-1) ?? now) - (sent[0] ?? now)) / (sent.length - 1)
      spacing = Math.min(MOST, Math.max(LEAST, SLOWER * (spacing > 0 ? spacing : usual)))
      slowedAt = now
      until = now + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(20, pauses))
      pauses += 1
      nextAt = until
      return until
    },
  }
}
