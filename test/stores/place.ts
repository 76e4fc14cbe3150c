// A place where state lives, as the contract's tests want it: new for each, open as often as there are processes, removed afterwards.
import type { OpenPlace } from './support.ts'

/** A new place for each test. `open` may be called several times for it: several processes. */
export type MakePlace = () => Promise<Place>

export interface Place {
  readonly open: OpenPlace
  /** Transactions of several views may be under way at once in one thread. */
  readonly atOnce: boolean
  remove(): Promise<void>
}

/** Runs a test on a new place and removes it afterwards. */
export const on = (make: MakePlace, run: (open: OpenPlace, place: Place) => Promise<void>) => async (): Promise<void> => {
  const place = await make()
  try {
    await run(place.open, place)
  } finally {
    await place.remove()
  }
}
