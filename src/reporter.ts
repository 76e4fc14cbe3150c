// What happens, in words: log lines in a pipe, a quieter and dated column on a terminal.
import type { MonitorEvent } from './monitor.ts'
import { body, headline } from './notifiers/alert-sentences.ts'
import type { Level } from './log.ts'
import type { Alert } from './watch/alert.ts'
import { printable } from './watch/printable.ts'
import { grouped, plural, span } from './watch/words.ts'
import { clockText } from './clock-text.ts'

/** One thing to say: about what, in which words, how loud. */
export interface Line {
  readonly level: Level
  readonly about: string
  readonly text: string
}

/** The words for an event. `quota` is the limit of each class of query. */
export function linesOf(event: MonitorEvent, quota: Readonly<Record<'full' | 'single', number>>, now: number): readonly Line[] {
  switch (event.kind) {
    case 'asked':
      return askedLines(event, quota, now)
    case 'refused':
      if (event.failure.kind === 'wait') {
        return [{ level: 'info', about: 'certspotter', text: `${event.failure.message} until ${clockText(event.failure.until, now)}` }]
      }
      return [{ level: 'warn', about: event.work.key, text: event.failure.message }]
    case 'alerts':
      return event.alerts.map((alert) => alertLine(alert, now))
    case 'sent':
      return sentLines(event)
    case 'log-begun':
      return [{ level: 'info', about: event.log, text: `begun at entry ${grouped(event.at)}` }]
    case 'log-read':
      return [{ level: 'debug', about: event.log, text: `${plural(event.entries, 'entry', 'entries')} read, ${grouped(event.verified)} verified` }]
    case 'log-skipped':
      return [{ level: 'warn', about: 'logs', text: event.message }]
    case 'log-request':
      return []
    case 'log-failed':
      return [{ level: 'debug', about: event.log, text: event.message }]
    case 'taken-over':
      return [{ level: 'warn', about: 'state', text: `${event.what}; nothing is lost` }]
    case 'state-failed':
      return [
        { level: 'error', about: 'state', text: `${event.error.message}. Nothing was kept of this step; reading stops until it can be written` },
      ]
  }
}

function askedLines(
  event: Extract<MonitorEvent, { kind: 'asked' }>,
  quota: Readonly<Record<'full' | 'single', number>>,
  now: number,
): readonly Line[] {
  const { progress, work } = event
  const lines: Line[] = []
  if (progress.downFor !== undefined) lines.push({ level: 'info', about: work.key, text: `back after ${span(progress.downFor)}` })
  if (progress.phase === 'baseline' && !progress.baselineDone) {
    const next = progress.next === undefined || progress.next <= now ? 'next page at once' : `next page ${clockText(progress.next, now)}`
    const left =
      quota[work.queryClass] >= 100_000 ? '' : ` (${grouped(progress.left)} of ${plural(quota[work.queryClass], 'query', 'queries')} left this hour)`
    lines.push({ level: 'info', about: work.key, text: `baseline: ${plural(progress.count, 'certificate')} so far, ${next}${left}` })
  } else {
    lines.push({
      level: 'debug',
      about: work.key,
      text: `${plural(event.entries, 'entry', 'entries')}, ${grouped(event.news)} new, in ${span(event.ms)}`,
    })
  }
  return lines
}

function alertLine(alert: Alert, now: number): Line {
  const level: Level = alert.kind === 'trouble' || alert.kind === 'malformed' || alert.kind === 'log-misbehaviour' ? 'warn' : 'info'
  const about =
    alert.kind === 'certificate'
      ? (alert.matched[0]?.name ?? 'certificate')
      : alert.kind === 'inventory'
        ? alert.item
        : alert.kind === 'malformed'
          ? alert.source.kind === 'log'
            ? alert.source.log
            : 'certspotter'
          : 'log' in alert
            ? alert.log
            : 'component' in alert
              ? alert.component
              : 'certbell'
  // The trouble itself was said when it happened; this says that it rings.
  const text = alert.kind === 'certificate' || alert.kind === 'trouble' ? headline(alert) : body(alert, new Date(now))
  return { level, about: printable(about, 80), text: printable(text, 600) }
}

function sentLines(event: Extract<MonitorEvent, { kind: 'sent' }>): readonly Line[] {
  const { message, outcome } = event
  if (message.sink === 'stdout' && outcome.kind === 'delivered') return []
  const what = plural(message.alerts.length, 'alert')
  const waits = plural(message.alerts.length, 'alert waits', 'alerts wait')
  switch (outcome.kind) {
    case 'delivered':
      return [
        {
          level: message.attempts > 0 ? 'info' : 'debug',
          about: message.sink,
          text: `${what} delivered${message.attempts > 0 ? ` at attempt ${message.attempts + 1}` : ''} in ${span(event.ms)}`,
        },
      ]
    case 'retry':
      return [{ level: 'warn', about: message.sink, text: `${outcome.answer}; ${waits}, tried again soon` }]
    case 'dead':
      return [
        {
          level: 'error',
          about: message.sink,
          text: `refuses messages: ${outcome.answer}; ${waits}, tried hourly. Make a new webhook, then run certbell test-alert`,
        },
      ]
    case 'parked':
      return [
        {
          level: 'error',
          about: message.sink,
          text: `refuses this message in each form: ${outcome.answer}; it waits and is tried hourly, later ones pass it`,
        },
      ]
  }
}
