// Metrics for Prometheus. Labels are our own words and what a list calls a log: never a watched name, a token or anything from a certificate. People read
// them in terminals as well.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Overview } from '../stores/overview.ts'
import { printable } from '../watch/printable.ts'
import type { Recent } from './recent.ts'
import { createRecent } from './recent.ts'

/** Seconds from seeing a certificate to having sent it; from a log: from its timestamp on. */
export interface Delay {
  readonly source: 'certspotter' | 'log'
  readonly seconds: number
}

export interface Metrics {
  /** One query was asked. */
  asked(queryClass: string, outcome: 'ok' | 'wait' | 'failed'): void
  /** One request was made of a log. */
  requested(log: string, outcome: string): void
  /** One delivery was tried. `delays`: one for each certificate that the sink took. */
  sent(sink: string, outcome: string, delays: readonly Delay[]): void
  /** The exposition text. `alerts` are counts by `kind/severity` over the life of the state. */
  render(overview: Overview, alerts: Readonly<Record<string, number>>): Promise<string>
  readonly contentType: string
}

/** All logs together, as a source. */
const LOGS = 'log'

const DAY = 86_400_000
/** Of which quantiles are reckoned; the histogram has all. */
const MOST = 10_000

/** Metrics of one process. `now`: ms, as the clock has it. `inLogs`: how many names and addresses the logs are read for. */
export function createMetrics(version: string, now: () => number, inLogs: number): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const gauge = (name: string, help: string, labelNames: readonly string[] = []): Gauge =>
    new Gauge({ name, help, labelNames: [...labelNames], registers })
  const counter = (name: string, help: string, labelNames: readonly string[]): Counter =>
    new Counter({ name, help, labelNames: [...labelNames], registers })

  gauge('certbell_build_info', 'Always 1; the version is in the label.', ['version']).set({ version }, 1)
  const up = gauge('certbell_source_up', '1 if the source answered when last asked; of the logs, if one of them did.', ['source'])
  const success = gauge(
    'certbell_source_last_success_timestamp_seconds',
    'When the source last answered a query, or the newest head of a log came.',
    ['source'],
  )
  const left = gauge('certbell_api_queries_left', 'Queries of the hourly quota that are left.', ['class'])
  const queries = counter('certbell_api_queries_total', 'Queries asked by this process.', ['class', 'outcome'])
  const issuances = counter('certbell_issuances_total', 'Issuances taken in over the life of the state; of the logs, those that a log had first.', [
    'source',
  ])
  const alertCount = counter('certbell_alerts_total', 'Alerts made over the life of the state.', ['kind', 'severity'])
  const messages = counter('certbell_messages_total', 'Delivery attempts of this process.', ['sink', 'outcome'])
  const waiting = gauge('certbell_alerts_waiting', 'Alerts that a sink has not taken yet.', ['sink'])
  const watched = gauge('certbell_names_watched', 'Names watched through the source; of the logs, addresses too.', ['source'])
  const logLabels = ['log', 'log_id']
  const logSize = gauge('certbell_log_size', 'Entries of the newest head that the log signed.', logLabels)
  const logRead = gauge('certbell_log_position', 'Entries of the log that were read.', logLabels)
  const logVerified = gauge('certbell_log_verified_position', 'Entries of the log that were hashed into a head that it signed.', logLabels)
  const logLag = gauge('certbell_log_lag_entries', 'Entries of the log that were not read yet.', logLabels)
  const logLate = gauge('certbell_log_lag_seconds', 'Since when there are such entries, or the log fails.', logLabels)
  const logCause = gauge('certbell_log_lag_cause', 'Always 1, of a log that is behind or fails: why.', [...logLabels, 'cause'])
  const overdue = gauge('certbell_well', '1 if all is well, as certbell status says.')
  const logRequests = counter('certbell_log_requests_total', 'Requests of this process to the log.', ['log', 'outcome'])
  const delay = new Histogram({
    name: 'certbell_alert_delay_seconds',
    help: 'From the time an issuance was seen, or logged where it was read from a log, to the time a sink had taken its alert.',
    labelNames: ['source'],
    buckets: [1, 2, 5, 10, 30, 60, 300, 900, 3600, 86_400],
    registers,
  })
  const quantiles = gauge('certbell_alert_delay_recent_seconds', 'The same over the last 24 h: what that part of them did not exceed.', [
    'source',
    'quantile',
  ])
  const recent: Readonly<Record<Delay['source'], Recent>> = { certspotter: createRecent(DAY, MOST, now), log: createRecent(DAY, MOST, now) }

  return {
    requested: (log, outcome) => logRequests.inc({ log: printable(log), outcome }),
    asked: (queryClass, outcome) => queries.inc({ class: queryClass, outcome }),
    sent: (sink, outcome, delays) => {
      messages.inc({ sink, outcome })
      for (const { source, seconds } of delays) {
        delay.observe({ source }, Math.max(0, seconds))
        recent[source].add(Math.max(0, seconds))
      }
    },
    render: async (overview, alerts) => {
      const source = 'certspotter'
      const reading = overview.logs.length > 0
      up.reset()
      // The API is none of the sources where it is asked for nothing.
      const isAsked = overview.names.length > 0 || !reading
      if (isAsked) up.set({ source }, overview.reasons.some(({ component }) => component === 'certspotter') ? 0 : 1)
      if (reading) {
        up.set({ source: LOGS }, overview.logs.some(({ size, lastError }) => size !== undefined && lastError === undefined) ? 1 : 0)
        success.set({ source: LOGS }, Math.max(0, ...overview.logs.map(({ seenAt }) => seenAt ?? 0)) / 1000)
      }
      if (overview.lastSuccess !== undefined) success.set({ source }, overview.lastSuccess / 1000)
      watched.reset()
      if (isAsked) watched.set({ source }, overview.names.length)
      if (reading) watched.set({ source: LOGS }, inLogs)
      left.set({ class: 'full' }, overview.quota.full.left)
      left.set({ class: 'single' }, overview.quota.single.left)
      issuances.reset()
      issuances.inc({ source }, overview.found)
      if (reading) issuances.inc({ source: LOGS }, overview.foundInLogs)
      alertCount.reset()
      for (const [key, count] of Object.entries(alerts)) {
        const [kind = '', severity = ''] = key.split('/')
        alertCount.inc({ kind, severity }, count)
      }
      waiting.reset()
      for (const sink of overview.sinks) waiting.set({ sink: sink.sink }, sink.waiting + sink.parked)
      for (const metric of [logSize, logRead, logVerified, logLag, logLate, logCause]) metric.reset()
      for (const each of overview.logs) {
        const labels = { log: printable(each.log), log_id: each.logId }
        if (each.size !== undefined) logSize.set(labels, each.size)
        logRead.set(labels, each.position)
        logVerified.set(labels, each.verified)
        logLag.set(labels, each.lagEntries)
        logLate.set(labels, each.lagMs / 1000)
        if (each.cause !== undefined) logCause.set({ ...labels, cause: each.cause }, 1)
      }
      quantiles.reset()
      for (const each of ['certspotter', 'log'] as const) {
        // A source that rang nothing for a day has no such line, rather than one that says 0.
        for (const { part, value } of recent[each].quantiles([0.5, 0.95, 0.99])) quantiles.set({ source: each, quantile: String(part) }, value)
      }
      overdue.set(overview.well ? 1 : 0)
      return registry.metrics()
    },
    contentType: registry.contentType,
  }
}
