// How fast a host may be asked, learned from its refusals (429): operators rarely say, and what they say is not always so (firehose.md, 3.3).
import type { SteadyClock } from '../clock.ts'
import { createTurns } from './turns.ts'

/** The time between two requests to one host: none until it refuses some. */
export interface Pace {
  /** Until the next request may be sent. */
  wait(signal: AbortSignal): Promise<void>
  /** It is sent. */
  sent(): void
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
/** Far from any pace that held, an answer speeds up by more: else a storm would be felt for an hour. */
const FAR = 3
const FAR_FASTER = 0.8
/** A pace holds at which so many answers came without a refusal. */
const HELD = 20
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
  // One after the other: who waits behind the next one waits by what is known then.
  const turns = createTurns()
  let lastAt = -Infinity
  // What was sent before the last refusal says nothing of what was done about it.
  let refusedAt = -Infinity
  let pauses = 0
  let until = 0
  const sent: number[] = []
  // Answers since it was last made slower: without any there is no telling whether slower would help.
  let answers = 0
  let isJudged = false
  // The spacing that was last too small, and the last one that held until it was.
  let limit = Infinity
  let held = LEAST
  const nextAt = (): number => Math.max(until, lastAt + spacing)
  const slowDown = (): void => {
    const tooFast = spacing > 0 ? spacing : usualGap(sent)
    // Where one that was sent more slowly than what was refused before is refused as well, there is no storm but a limit.
    if (answers >= HELD || tooFast <= limit) held = Math.max(LEAST, tooFast)
    limit = tooFast
    spacing = Math.min(MOST, Math.max(LEAST, SLOWER * tooFast))
    answers = 0
  }
  return {
    get slowed() {
      return spacing > 0
    },
    wait: async (signal) => {
      const leave = await turns.take(signal)
      try {
        for (let at = nextAt(); at > clock.now(); at = nextAt()) {
          await clock.sleepUntil(at, signal)
          signal.throwIfAborted()
        }
        lastAt = clock.now()
      } finally {
        leave()
      }
    },
    sent: () => {
      sent.push(clock.now())
      if (sent.length > REMEMBERED) sent.shift()
    },
    well: () => {
      pauses = 0
      answers += 1
      isJudged = false
      spacing *= spacing > FAR * held ? FAR_FASTER : FASTER
      if (spacing < NONE) spacing = 0
    },
    refused: (sentAt) => {
      const now = clock.now()
      if (sentAt < refusedAt) return Math.max(until, now)
      if (!isJudged) slowDown()
      isJudged = true
      refusedAt = now
      until = now + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(20, pauses))
      pauses += 1
      return until
    },
  }
}

// ms between two of them, as it is mostly: what was waited for as told says nothing of the rate.
function usualGap(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, n) => time - (times[n] ?? time))
  return gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0
}
