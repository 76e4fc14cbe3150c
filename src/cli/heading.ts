// What `watch` shows when it begins, and a name's inventory when its first run is done.
import type { Plan } from '../app.ts'
import type { Config } from '../config/config.ts'
import { issuerText } from '../notifiers/alert-words.ts'
import type { Reader } from '../stores/backend.ts'
import type { CertRecord } from '../stores/store.ts'
import type { Alert } from '../watch/alert.ts'
import type { Item } from '../watch/item.ts'
import { itemKey } from '../watch/item.ts'
import { createMatcher } from '../watch/match.ts'
import { printable } from '../watch/printable.ts'
import { plannedInterval } from '../watch/schedule.ts'
import { grouped, plural, span } from '../watch/words.ts'
import { dateText } from '../clock-text.ts'
import { table } from './table.ts'

/** How often each class of name is looked at, ms. */
export function intervals(plan: Plan): Readonly<Record<'full' | 'single', number>> {
  const count = (queryClass: 'full' | 'single'): number => Math.max(1, plan.setup.items.filter((item) => item.queryClass === queryClass).length)
  const of = (queryClass: 'full' | 'single'): number => plannedInterval(count(queryClass), plan.setup.quota[queryClass], plan.setup.interval)
  return { full: of('full'), single: of('single') }
}

/** An item in the owner's words: `example.com`, `=login.example.net`, with its A-labels if they differ. `logs`: whether they are read. */
export function itemWords(item: Item, logs: boolean): string {
  if (item.kind === 'all') return 'every certificate there is'
  if (item.kind === 'ip') return `IP addresses in certificates${logs ? '' : ': seen only in the logs'}`
  const scope = item.exact ? 'this name alone' : 'and everything below it'
  return item.unicode === undefined ? scope : `${scope}, as ${item.domain}`
}

/** The lines above everything. */
export function heading(config: Config, plan: Plan, version: string): readonly string[] {
  const every = intervals(plan)
  const sources = [
    ...(config.certspotter === false ? [] : [`Cert Spotter API, ${plural(config.certspotter.quota.full, 'query', 'queries')} an hour`]),
    ...(config.logs === false ? [] : ['the logs themselves']),
  ]
  const shown = config.watch.slice(0, 20)
  return [
    `certbell ${version}   ${plural(config.watch.length, 'name')} · ${sources.join(' and ') || 'no source'} · alerts to ${plan.setup.sinks.join(', ') || 'nobody'}`,
    ...table(
      shown.map((item) => [
        `  ${item.text}`,
        itemWords(item, config.logs !== false),
        item.kind === 'name' && config.certspotter !== false ? `looked at every ${span(item.exact ? every.single : every.full)}` : '',
      ]),
    ),
    ...(config.watch.length > shown.length ? [`  and ${grouped(config.watch.length - shown.length)} more`] : []),
    '',
  ]
}

/** Shows the inventory of each baseline that these alerts say is done: host names, issuers, the newest five certificates. */
export async function showInventories(
  alerts: readonly Alert[],
  reader: Reader,
  watch: readonly Item[],
  print: (text: string) => void,
): Promise<void> {
  for (const alert of alerts) {
    if (alert.kind !== 'inventory') continue
    const item = watch.find((candidate) => itemKey(candidate) === alert.item)
    if (item === undefined) continue
    for (const line of await inventory(alert, item, reader)) print(line)
  }
}

const SHOWN_NAMES = 12
const SHOWN_CERTIFICATES = 5

async function inventory(alert: Extract<Alert, { kind: 'inventory' }>, item: Item, reader: Reader): Promise<readonly string[]> {
  if (alert.count === 0) return []
  const matcher = createMatcher([item], [])
  const names = new Set<string>()
  let newest: CertRecord[] = []
  await reader.issuances((record) => {
    const { matched } = matcher.match(record.names, record.ipAddresses)
    if (matched.length === 0) return true
    for (const { name } of matched) names.add(name)
    newest = [...newest, record].sort((a, b) => b.notBefore - a.notBefore).slice(0, SHOWN_CERTIFICATES)
    return true
  })
  const sorted = [...names].sort()
  const more = sorted.length > SHOWN_NAMES ? ` … and ${grouped(sorted.length - SHOWN_NAMES)} more: certbell certs ${item.text}` : ''
  const issuers = alert.issuers.slice(0, 5).map((name, index) => `${issuerText({ friendly_name: name })} ${grouped(alert.issuer_counts[index] ?? 0)}`)
  return [
    ...(issuers.length > 0 ? [`  issuers    ${issuers.join(', ')}`] : []),
    ...(sorted.length > 0
      ? [
          `  names      ${sorted
            .slice(0, SHOWN_NAMES)
            .map((name) => printable(name, 80))
            .join(', ')}${more}`,
        ]
      : []),
    ...table(
      newest.map((record, index) => [
        index === 0 ? '  newest   ' : '           ',
        printable(matcher.match(record.names, record.ipAddresses).matched[0]?.name ?? '', 60),
        printable(record.issuer ?? '', 40),
        `${dateText(record.notBefore)} → ${dateText(record.notAfter)}`,
      ]),
    ),
  ]
}
