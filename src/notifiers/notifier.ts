// The contract of a sink: alerts are laid out once (pure), frozen by the store, and sent as they are until the sink takes them.
import type { Alert } from '../watch/alert.ts'
import type { LayoutContext, Outcome } from '../watch/delivery.ts'

export type { LayoutContext, Outcome } from '../watch/delivery.ts'

export interface Notifier {
  /** Unique and stable: the queue hangs on it. Never a URL. */
  readonly name: string
  /** How many certificates one message may hold. */
  readonly batch: number
  /** Least time between the starts of two attempts, ms. */
  readonly spacingMs: number
  /** Alerts to the text that is stored and sent. Pure. */
  compose(alerts: readonly Alert[], context: LayoutContext): string
  /** One attempt with a composed text. Never throws for what the other side does. */
  send(composed: string, now: () => Date): Promise<Outcome>
}
