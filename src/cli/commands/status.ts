// `certbell status`: is all well, and if not, what to do. It reads the state only, beside whatever runs.
import { planRun } from '../../app.ts'
import { look } from '../../stores/look.ts'
import type { Overview } from '../../stores/overview.ts'
import { printable, safeJson } from '../../watch/printable.ts'
import { grouped, plural, span } from '../../watch/words.ts'
import { openReader } from '../reader.ts'
import { saidStraightAt } from '../straight.ts'
import type { Session } from '../session.ts'
import { clockText } from '../../clock-text.ts'
import { logDocument, logRows, logsText } from '../log-rows.ts'
import { table } from '../table.ts'
import type { AddedItem } from '../watched-since.ts'
import { addedText, readAddedItems } from '../watched-since.ts'

/** Runs the command; the exit code: 0 if all is well. */
export async function status(session: Session): Promise<number> {
  const now = Date.now()
  const plan = planRun(session.config, process.stdout.isTTY, session.version)
  const reader = await openReader(session.config)
  if (reader === undefined) {
    const message = 'Nothing was run yet: there is no state. Start certbell watch, or certbell poll'
    if (session.flags.json === true)
      session.out(
        `${safeJson({ schema: 'certbell.status/1', well: false, checked_at: new Date(now).toISOString(), reasons: [{ component: 'state', message }], sources: [], names: [], sinks: [] })}\n`,
      )
    else session.out(`Not well: ${message}.\n`)
    return 1
  }
  try {
    const view = withStraight(await look(reader, plan.setup, now), saidStraightAt(session.config.state), now)
    const added = await readAddedItems(session.config, reader)
    if (session.flags.json === true) session.out(`${safeJson(statusDocument(view, now, added))}\n`)
    else session.out(`${statusText(view, now, added).join('\n')}\n`)
    return view.well ? 0 : 1
  } finally {
    await reader.close()
  }
}

/** Who reads the logs tries again every 30 s, and takes the time back once it can write. Small things can be written meanwhile. */
const TRIED_AGAIN = 90_000

// What could not be written was said straight, and left its time behind. A later success says that it is over.
function withStraight(view: Overview, { said, failed }: ReturnType<typeof saidStraightAt>, now: number): Overview {
  const isFailing = failed <= now && now - failed < TRIED_AGAIN
  const written = Math.max(view.runner?.seenAt ?? 0, view.lastSuccess ?? 0, ...view.logs.map(({ seenAt }) => seenAt ?? 0))
  if (!isFailing && said <= written) return view
  const message = 'the state could not be written and reading stopped: see whether the disk is full, then certbell doctor'
  return { ...view, well: false, reasons: [{ component: 'state', message, since: Math.max(said, isFailing ? failed : 0) }, ...view.reasons] }
}

/** The overview for machines; `schema/status.schema.json` describes it. */
export function statusDocument(view: Overview, now: number, added: readonly AddedItem[]): Readonly<Record<string, unknown>> {
  const time = (ms: number | undefined, key: string): Record<string, string> =>
    ms === undefined || !Number.isFinite(ms) ? {} : { [key]: new Date(ms).toISOString() }
  return {
    schema: 'certbell.status/1',
    well: view.well,
    checked_at: new Date(now).toISOString(),
    reasons: view.reasons.map(({ component, message, since }) => ({ component, message, ...time(since, 'since') })),
    sources:
      view.names.length === 0
        ? []
        : [
            {
              source: 'certspotter',
              found: view.found,
              ...time(view.lastSuccess, 'last_success'),
              ...time(view.nextPoll, 'next_poll'),
              ...time(view.blockedUntil, 'blocked_until'),
              quota: Object.fromEntries(
                Object.entries(view.quota).map(([key, { limit, left, nextFree }]) => [key, { limit, left, ...time(nextFree, 'next_free') }]),
              ),
            },
          ],
    names: view.names.map((name) => ({
      name: name.key,
      state: name.state,
      found: name.found,
      lag_seconds: Math.round(name.lag / 1000),
      ...time(name.lastSuccess, 'last_success'),
      ...time(name.nextPoll, 'next_poll'),
      ...(name.lastError !== undefined && { last_error: name.lastError }),
    })),
    ...(view.logs.length > 0 && { logs: view.logs.map(logDocument) }),
    ...(added.length > 0 && { added: added.map(({ item, since, before }) => ({ item: item.text, ...time(since, 'since'), before })) }),
    sinks: view.sinks.map((sink) => ({
      sink: sink.sink,
      state: sink.state,
      delivered: sink.delivered,
      waiting: sink.waiting,
      parked: sink.parked,
      ...time(sink.failingSince, 'failing_since'),
      ...time(sink.nextAttempt, 'next_attempt'),
      ...time(sink.lastDelivery, 'last_delivery'),
      ...(sink.lastAnswer !== undefined && { last_answer: sink.lastAnswer }),
    })),
    ...(view.runner !== undefined && {
      runner: { overdue: view.runner.overdue, ...time(view.runner.startedAt, 'started_at'), ...time(view.runner.dueAt, 'due_at') },
    }),
  }
}

/** The first line says it all. */
export function statusText(view: Overview, now: number, added: readonly AddedItem[]): readonly string[] {
  const when = (ms: number | undefined): string => (ms === undefined || !Number.isFinite(ms) ? '-' : clockText(ms, now))
  const due = (ms: number | undefined): string => (ms !== undefined && ms <= now ? 'now' : when(ms))
  const [first, ...others] = view.reasons
  const lines = [
    first === undefined
      ? wellLine(view, now)
      : `Not well: ${printable(first.message, 400)}${first.since === undefined ? '' : ` (since ${when(first.since)})`}.`,
  ]
  for (const reason of others) lines.push(`  also: ${printable(reason.message, 400)}`)
  lines.push('')
  if (view.names.length > 0) {
    const full = view.names.some(({ queryClass }) => queryClass === 'full') ? quotaWords(view.quota.full, now, '') : undefined
    const single = view.names.some(({ queryClass }) => queryClass === 'single') ? quotaWords(view.quota.single, now, ' for names alone') : undefined
    lines.push(
      ...table([
        ['source', 'last success', 'next', 'found', 'state'],
        [
          'Cert Spotter',
          when(view.lastSuccess),
          due(view.nextPoll),
          grouped(view.found),
          [full, single].filter((words) => words !== undefined).join(', '),
        ],
        ...view.names.map((name) => [
          `  ${printable(name.key, 60)}`,
          when(name.lastSuccess),
          due(name.nextPoll),
          grouped(name.found),
          name.lastError === undefined
            ? name.lag > 0 && name.state !== 'baseline'
              ? `${name.state}, late by ${span(name.lag)}`
              : name.state
            : printable(name.lastError, 120),
        ]),
      ]),
    )
  }
  if (view.logs.length > 0) lines.push(...table(logRows(view.logs, now)))
  for (const text of addedText(added, now)) lines.push(`  ${printable(text, 400)}`)
  lines.push(
    ...table([
      ['sink', 'delivered', 'waiting', 'last answer'],
      ...view.sinks.map((sink) => [
        sink.sink,
        grouped(sink.delivered),
        grouped(sink.waiting + sink.parked),
        sink.lastAnswer === undefined
          ? 'nothing sent yet, ok'
          : `${printable(sink.lastAnswer, 120)}${sink.failingSince === undefined ? '' : `, failing since ${when(sink.failingSince)}, next try ${due(sink.nextAttempt)}`}`,
      ]),
    ]),
  )
  return lines
}

function wellLine(view: Overview, now: number): string {
  const seen = view.names.map(({ lastSuccess }) => lastSuccess)
  const fresh = seen.every((time) => time !== undefined) && seen.length > 0 ? Math.max(...seen.map((time) => now - (time ?? now))) : undefined
  const names =
    fresh === undefined
      ? `${plural(view.names.length, 'name')} watched`
      : `${plural(view.names.length, 'name')} looked at within the last ${span(Math.max(fresh, 1000))}`
  const looked = [...(view.names.length > 0 || view.logs.length === 0 ? [names] : []), ...(view.logs.length > 0 ? [logsText(view.logs)] : [])].join(
    ', ',
  )
  const waits = view.sinks.reduce((sum, sink) => sum + sink.waiting, 0)
  return `All is well: ${looked}, ${waits === 0 ? 'nothing waits' : `${plural(waits, 'alert')} on the way`}.`
}

function quotaWords(quota: { readonly limit: number; readonly left: number; readonly nextFree?: number }, now: number, what: string): string {
  const free = quota.left < quota.limit && quota.nextFree !== undefined ? `, next free ${clockText(quota.nextFree, now)}` : ''
  return `${grouped(quota.left)} of ${plural(quota.limit, 'query', 'queries')} left${what}${free}`
}
