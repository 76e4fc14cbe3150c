// What others wait for may take its fair time, and no more.
import type { Clock } from '../clock.ts'

const LOOK = 500

/** Something that has begun. */
export interface Hurry {
  /** Aborted once it has taken so long that it is unfair, and others wait. */
  readonly signal: AbortSignal
  /** It is over. */
  end(): void
}

/** From now on. `fair`: ms. */
export function createHurry(clock: Clock, fair: number, isAwaited: () => boolean): Hurry {
  const [hurry, over] = [new AbortController(), new AbortController()]
  const began = clock.now()
  const look = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await clock.sleepUntil(clock.now() + LOOK, over.signal)
      if (!over.signal.aborted && clock.now() - began >= fair && isAwaited()) hurry.abort()
    }
  }
  void look()
  return { signal: hurry.signal, end: () => over.abort() }
}
