// Whether the tiles are asked for of a log that need not have them: not for a while after one that did not come, and for longer after one that was wrong.
import type { SteadyClock } from '../clock.ts'

/** What came of a tile: nobody knows of one that was given up, or refused for asking too often. */
export type TileOutcome = 'came' | 'failed' | 'unknown'

/** The tiles of one log. */
export interface TileTrust {
  /** Undefined: no tile is to be asked for now. Else one is, and what came of it is to be said, once. */
  ask(): ((outcome: TileOutcome) => void) | undefined
  /** One was wrong. */
  distrust(): void
}

/** They rest so long (ms) after one that did not come, and twice as long each time; from the beginning again once they did well for as long as they rested. */
const FIRST_REST = 8000
const LONGEST_REST = 3_600_000
/** A wrong one is the same until somebody mends it, and is found only by reading everything twice. */
const DISTRUSTED_FOR = 3_600_000

/** They are trusted until one fails. */
export function createTileTrust(clock: SteadyClock): TileTrust {
  let isDoubted = false
  let wellSince = -Infinity
  let rest = 0
  let restUntil = -Infinity
  // Many are asked for at once and fail together, which is one failure; and what was asked for before it says nothing of the time after.
  let doubts = 0
  // After a rest one is tried, and no other is asked for until it shows what comes of it: each that hangs holds up its entries.
  let tried: object | undefined
  const doubt = (until: number): void => {
    isDoubted = true
    doubts += 1
    tried = undefined
    restUntil = until
  }
  return {
    ask: () => {
      if (isDoubted && (tried !== undefined || clock.now() < restUntil)) return undefined
      const me = {}
      const asked = doubts
      if (isDoubted) tried = me
      return (outcome) => {
        if (tried === me) tried = undefined
        if (asked !== doubts || outcome === 'unknown') return
        const now = clock.now()
        if (outcome === 'failed') {
          const isAgain = isDoubted || now - wellSince < rest
          rest = isAgain ? Math.min(LONGEST_REST, Math.max(FIRST_REST, 2 * rest)) : FIRST_REST
          doubt(now + rest)
        } else if (isDoubted) {
          isDoubted = false
          wellSince = now
        }
      }
    },
    distrust: () => doubt(Math.max(restUntil, clock.now() + DISTRUSTED_FOR)),
  }
}
