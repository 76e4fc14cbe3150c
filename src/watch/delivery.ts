// What the outbox and the sinks say to each other.

/** What a layout may know besides the alerts themselves. */
export interface LayoutContext {
  /** When the message is composed; spans such as "3 min ago" are reckoned from it, for ever. */
  readonly now: Date
  /** The sink has just come back: since when it was away, and how many alerts waited when the message was composed. */
  readonly outage?: { readonly since: Date; readonly waiting: number }
}

/** What became of one attempt. */
export type Outcome =
  /** The sink has it. */
  | { readonly kind: 'delivered'; readonly answer: string }
  /**
   * Not now: the same message again, at `at` at the earliest if that is given, else after the usual back-off.
   * `limited`: we were told to slow down, which is an order and not a failure.
   */
  | { readonly kind: 'retry'; readonly answer: string; readonly at?: Date; readonly limited?: boolean }
  /** The sink itself is gone (webhook deleted, token revoked): hourly, and the owner is told. */
  | { readonly kind: 'dead'; readonly answer: string }
  /** The sink refuses this message in each form that we have: parked, so that later ones pass. */
  | { readonly kind: 'parked'; readonly answer: string }
