// `certbell check`: what the configuration means. It asks and sends nothing, and makes no state; where there is one, it says since when the logs are read for names that were added.
import type { Plan } from '../../app.ts'
import { planRun } from '../../app.ts'
import type { Config, LogListSource, LogsConfig } from '../../config/config.ts'
import { ParseError } from '../../ct/errors.ts'
import { OwnerError, StoreError } from '../../watch/errors.ts'
import type { Item } from '../../watch/item.ts'
import { itemKey } from '../../watch/item.ts'
import { safeJson } from '../../watch/printable.ts'
import { grouped, plural, span } from '../../watch/words.ts'
import { exposedFiles } from '../exposed.ts'
import { openReader } from '../reader.ts'
import { intervals, itemWords } from '../heading.ts'
import type { Session } from '../session.ts'
import { table } from '../table.ts'
import type { AddedItem } from '../watched-since.ts'
import { addedText, readAddedItems } from '../watched-since.ts'

const MANY = 50

/** Runs the command; the exit code. */
export async function check(session: Session): Promise<number> {
  const plan = planRun(session.config, process.stdout.isTTY, session.version)
  const added = await addedOf(session.config)
  session.out(
    session.flags.json === true
      ? `${safeJson(checkDocument(session.config, plan, added))}\n`
      : `${checkText(session.config, plan, added).join('\n')}\n`,
  )
  return 0
}

// Read where there is a state, and left alone where there is none, or one that cannot be read: that is for doctor to say.
async function addedOf(config: Config): Promise<readonly AddedItem[]> {
  if (config.logs === false) return []
  try {
    const reader = await openReader(config)
    if (reader === undefined) return []
    try {
      return await readAddedItems(config, reader)
    } finally {
      await reader.close()
    }
  } catch (error) {
    const expected = [OwnerError, StoreError, ParseError, SyntaxError].some((kind) => error instanceof kind)
    if (!expected) throw error
    return []
  }
}

/** The configuration's meaning for machines; `schema/check.schema.json` describes it. */
export function checkDocument(config: Config, plan: Plan, added: readonly AddedItem[] = []): Readonly<Record<string, unknown>> {
  const every = intervals(plan)
  const name = (item: Item): Record<string, unknown> => ({
    item: item.text,
    key: itemKey(item),
    kind: item.kind === 'name' ? (item.exact ? 'exact' : 'subtree') : item.kind,
    ...(item.kind === 'name' && config.certspotter !== false && { interval_seconds: Math.round((item.exact ? every.single : every.full) / 1000) }),
    ...sinceOf(item, added),
  })
  return {
    schema: 'certbell.check/1',
    ...(config.file !== undefined && { file: config.file }),
    watch: config.watch.map(name),
    folded: config.folded.map(({ item, into }) => ({ item: item.text, into: into.text })),
    exclude: config.exclude.map((item) => item.text),
    sources: [
      ...(config.certspotter === false
        ? []
        : [
            {
              kind: 'certspotter',
              token: config.certspotter.token !== undefined,
              quota: config.certspotter.quota,
              baseline: config.certspotter.baseline,
            },
          ]),
      ...(config.logs === false ? [] : [logsDocument(config.logs)]),
    ],
    sinks: plan.setup.sinks,
    state: config.state.kind === 'directory' ? config.state.path : config.state.shown,
    notes: notes(config, plan, added),
  }
}

function checkText(config: Config, plan: Plan, added: readonly AddedItem[]): readonly string[] {
  const every = intervals(plan)
  const rows: string[][] = []
  const add = (title: string, lines: readonly string[]): void => {
    for (const [index, line] of lines.entries()) rows.push([index === 0 ? `  ${title}` : '', line])
  }
  const how = (item: Item): string =>
    item.kind === 'name' && config.certspotter !== false ? `every ${span(item.exact ? every.single : every.full)}` : ''
  const inside = config.folded.map(({ item, into }) => `${item.text} is inside ${into.text}`)
  const shown = config.watch.slice(0, MANY)
  add('watch', [
    ...table(shown.map((item) => [item.text, itemWords(item, config.logs !== false), how(item)])),
    ...(config.watch.length > MANY ? [`and ${grouped(config.watch.length - MANY)} more`] : []),
    ...inside.slice(0, MANY),
    ...(inside.length > MANY ? [`and ${grouped(inside.length - MANY)} more that are inside others`] : []),
  ])
  if (config.exclude.length > 0)
    add('exclude', [
      config.exclude
        .slice(0, MANY)
        .map((item) => item.text)
        .join(', '),
    ])
  add('sources', sourceWords(config))
  add('sinks', [plan.setup.sinks.join(', ') || 'none: alerts are kept, and nobody is told'])
  add('state', [config.state.kind === 'directory' ? `${config.state.path} (SQLite)` : config.state.shown])
  if (config.listen !== undefined) add('listen', [`${config.listen.host}:${config.listen.port} for /livez, /healthz and /metrics`])
  if (config.heartbeat !== undefined) add('heartbeat', ['an address is asked for at least once a minute while all is well'])
  for (const [index, note] of notes(config, plan, added).entries()) rows.push([index === 0 ? '  note' : '', note])
  return [`${config.file ?? 'The configuration'} is fine.`, ...table(rows)]
}

function sourceWords({ certspotter, logs }: Config): readonly string[] {
  const words: string[] = []
  if (certspotter !== false) {
    const { token, quota } = certspotter
    words.push(
      `Cert Spotter API, ${token === undefined ? 'without a token' : 'with a token'}: ${plural(quota.full, 'query', 'queries')} an hour for names with all below, ${grouped(quota.single)} for names alone`,
    )
  }
  if (logs !== false) words.push(logsWords(logs))
  return words
}

function logsWords({ lists, only, start, intervalMs, bandwidth }: LogsConfig): string {
  const which = only.length === 0 ? 'all that are live' : `those called ${only.join(', ')}`
  const from = start === 'end' ? 'from where each ends when it is first read' : 'from its first entry'
  const cap = bandwidth === undefined ? '' : `, at most ${grouped((8 * bandwidth) / 1000)} kbit/s`
  return `the logs themselves (${which}, by the ${lists.length === 1 ? 'list' : 'lists'} ${lists.map(listName).join(', ')}): ${from}, a look every ${span(intervalMs)} at static logs and every ${span(3 * intervalMs)} at others${cap}`
}

function listName(list: LogListSource): string {
  return list.kind === 'file' ? list.shown : list.kind === 'url' ? list.url : list.kind
}

function logsDocument({ lists, only, start, intervalMs, bandwidth }: LogsConfig): Readonly<Record<string, unknown>> {
  return {
    kind: 'logs',
    lists: lists.map(listName),
    only,
    start,
    interval_seconds: Math.round(intervalMs / 1000),
    ...(bandwidth !== undefined && { bits_per_second: 8 * bandwidth }),
  }
}

function sinceOf(item: Item, added: readonly AddedItem[]): Readonly<Record<string, string>> {
  const since = added.find((each) => each.item === item)?.since
  return since === undefined ? {} : { in_logs_since: new Date(since).toISOString() }
}

function notes(config: Config, plan: Plan, added: readonly AddedItem[]): readonly string[] {
  const found = [
    ...config.warnings,
    ...exposedFiles(config, process.cwd()).map(({ what, remedy }) => `${what}: ${remedy}`),
    ...addedText(added, Date.now()),
  ]
  if (config.certspotter === false) return found
  const { full } = intervals(plan)
  const count = plan.setup.items.filter(({ queryClass }) => queryClass === 'full').length
  if (count > 0 && full >= 20 * 60_000) {
    found.push(
      `${plural(config.certspotter.quota.full, 'full-domain query', 'full-domain queries')} an hour for ${plural(count, 'name')}: each is looked at every ${span(full)}. A larger plan mends that`,
    )
  }
  if (config.certspotter.token === undefined)
    found.push('without a token the API counts by IP address, and is meant for trying out: get a key at https://sslmate.com/account/api_credentials')
  return found
}
