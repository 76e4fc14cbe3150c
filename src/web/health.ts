// What /healthz answers, and the heartbeat says: the overview's first line for machines.
import type { Overview } from '../stores/overview.ts'

export interface HealthDocument {
  readonly well: boolean
  readonly reasons: readonly { readonly component: string; readonly message: string; readonly since?: string }[]
  readonly checked_at: string
}

/** The overview as /healthz shows it. */
export function healthDocument(overview: Overview, now: number): HealthDocument {
  return {
    well: overview.well,
    reasons: overview.reasons.map(({ component, message, since }) => ({
      component,
      message,
      ...(since !== undefined && { since: new Date(since).toISOString() }),
    })),
    checked_at: new Date(now).toISOString(),
  }
}
