// What a tick came to: counted while it happens.
import type { MonitorEvent } from '../monitor.ts'
import type { Summary } from '../lambda.ts'
import type { Overview } from '../stores/overview.ts'

export interface Tally {
  hear(event: MonitorEvent): void
  /** The other side refused a secret of ours: there may be a newer one. */
  refused(): boolean
  /** `view` is undefined where the state could not be read; `more`: troubles that it does not hold. */
  sum(view: Overview | undefined, more: readonly string[]): Summary
}

/** Counts from nothing. */
export function createTally(): Tally {
  const names = new Set<string>()
  let news = 0
  let delivered = 0
  let refused = false
  return {
    hear: (event) => {
      if (event.kind === 'asked') {
        names.add(event.work.key)
        news += event.news
      } else if (event.kind === 'refused') refused ||= event.failure.kind === 'credential'
      else if (event.kind === 'sent') {
        if (event.outcome.kind === 'delivered') delivered += event.message.alerts.length
        refused ||= event.outcome.kind === 'dead'
      }
    },
    refused: () => refused,
    sum: (view, more) => ({
      polled: names.size,
      new: news,
      delivered,
      pending: view === undefined ? -1 : view.sinks.reduce((sum, { waiting, parked }) => sum + waiting + parked, 0),
      trouble: [...more, ...(view?.reasons ?? []).map(({ component, message }) => `${component}: ${message}`)],
    }),
  }
}
