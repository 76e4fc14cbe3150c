// What a source hands over, and the store takes in as a whole.
import type { MalformedEntry, Sighting } from './issuance.ts'

/** What asking found: everything up to `cursor`, and whether the source has more at once. */
export interface Step {
  readonly sightings: readonly Sighting[]
  readonly malformed: readonly MalformedEntry[]
  /** Opaque. Absent: where it was. */
  readonly cursor?: string
  /** The page was full. */
  readonly more: boolean
  /** Entries on the page, readable or not. */
  readonly entries: number
}

/** Why asking found nothing out. Times in ms. */
export type Failure =
  /** 429, or any `Retry-After`: the whole credential waits. Not a failure of anything. */
  | { readonly kind: 'wait'; readonly until: number; readonly message: string }
  /**
   * `until`: it was told as well when to come back. `spent` is false if the query surely never reached the API: it is taken off the budget again.
   * `reason`: the same for all names that are refused alike, though their messages differ.
   */
  | {
      readonly kind: 'credential' | 'name' | 'api'
      readonly message: string
      readonly spent: boolean
      readonly until?: number
      readonly reason?: string
    }
