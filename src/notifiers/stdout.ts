// Standard output as a sink: a JSON line for each alert where a program reads, a few lines where a person does.
import type { Alert } from '../watch/alert.ts'
import { sinceLogged } from '../watch/delay.ts'
import { printable, safeJson } from '../watch/printable.ts'
import type { Notifier } from './notifier.ts'
import { prettyAlert } from './pretty.ts'

export interface StdoutOptions {
  readonly mode: 'json' | 'pretty'
  /** Resolves when the text was taken; rejects if the reader is gone. */
  readonly write: (text: string) => Promise<void>
  readonly color: boolean
  readonly timezone?: string
}

/** The sink named `stdout`: one alert a message, no spacing. */
export function createStdout(options: StdoutOptions): Notifier {
  const { mode, write, color, timezone } = options
  return {
    name: 'stdout',
    batch: 1,
    spacingMs: 0,
    compose(alerts, { now }) {
      const looks = { color, ...(timezone !== undefined && { timezone }) }
      return alerts.flatMap((alert) => (mode === 'json' ? [safeJson(line(alert, now))] : prettyAlert(alert, now, looks))).join('\n')
    },
    async send(composed) {
      try {
        await write(`${composed}\n`)
        return { kind: 'delivered', answer: 'written' }
      } catch (error) {
        return { kind: 'retry', answer: printable(error instanceof Error ? error.message : 'not written', 200) }
      }
    },
  }
}

// The alert as it is kept, and what is of this line alone: how long it took from the log to here.
function line(alert: Alert, now: Date): Alert & { readonly delay_seconds?: number } {
  const ms = sinceLogged(alert, now.getTime())
  return ms === undefined ? alert : { ...alert, delay_seconds: ms / 1000 }
}
