// `certbell certs`: the inventory, newest first.
import { distance } from 'fastest-levenshtein'
import { ParseError } from '../../ct/errors.ts'
import type { Reader } from '../../stores/backend.ts'
import { logIdOf, readLogStates } from '../../stores/log-state.ts'
import type { CertRecord } from '../../stores/store.ts'
import { createIpRanges } from '../../watch/ip-ranges.ts'
import type { IpItem } from '../../watch/ip-ranges.ts'
import type { Item } from '../../watch/item.ts'
import { parseItem } from '../../watch/item.ts'
import { createMatcher } from '../../watch/match.ts'
import { printable, safeJson } from '../../watch/printable.ts'
import { grouped } from '../../watch/words.ts'
import { openReader } from '../reader.ts'
import type { Session } from '../session.ts'
import { Exit } from '../session.ts'
import { dateText } from '../../clock-text.ts'
import { table } from '../table.ts'

const SHOWN = 50

/** Runs the command; the exit code. `limit` is for text; JSON has all unless it is given. */
export async function certs(session: Session, name: string | undefined, limit: number | undefined): Promise<number> {
  const asked = name === undefined ? undefined : askedFor(name)
  const only = asked && createMatcher([asked], [])
  const reader = await openReader(session.config)
  const records: CertRecord[] = []
  let count = 0
  let logs: ReadonlyMap<string, string> = new Map()
  const most = limit ?? (session.flags.json === true ? Infinity : SHOWN)
  try {
    await reader?.issuances((record) => {
      if (only !== undefined && only.match(record.names, record.ipAddresses).matched.length === 0) return true
      count += 1
      if (session.flags.json === true) {
        if (count <= most) session.out(`${safeJson(certDocument(record))}\n`)
        return count < most
      }
      if (records.length < most) records.push(record)
      return true
    })
    if (reader !== undefined && records.some(({ source }) => source.kind === 'log')) logs = await descriptions(reader)
  } finally {
    await reader?.close()
  }
  if (asked !== undefined && !isWatched(session.config.watch, asked)) {
    // An empty answer would look like good news, and what is known may not be all.
    if (count === 0) throw notWatched(session.config.watch, asked)
    session.log('warn', `${printable(asked.text, 80)} is not watched: these are known from before, or have another name that is`)
  }
  if (session.flags.json === true) return 0
  if (count === 0) session.out('No certificate is known yet.\n')
  else {
    const rows = records.map((record) => [
      namesText(record),
      printable(record.issuer ?? 'unknown issuer', 40),
      `${dateText(record.notBefore)} → ${dateText(record.notAfter)}`,
      dateText(record.seenAt),
      whereText(record, logs),
    ])
    session.out(`${table([['names', 'issuer', 'validity', 'first seen', 'where'], ...rows]).join('\n')}\n`)
    if (count > records.length) session.out(`… and ${grouped(count - records.length)} more. Write --limit ${count}, or --json for all\n`)
  }
  return 0
}

/** An issuance for machines; `schema/cert.schema.json` describes it. */
export function certDocument(record: CertRecord): Readonly<Record<string, unknown>> {
  return {
    schema: 'certbell.cert/1',
    tbs_sha256: record.id,
    names: record.names,
    ip_addresses: record.ipAddresses,
    ...(record.namesCount !== undefined && { names_count: record.namesCount }),
    ...(record.ipAddressesCount !== undefined && { ip_addresses_count: record.ipAddressesCount }),
    ...(record.issuer !== undefined && { issuer: record.issuer }),
    not_before: new Date(record.notBefore).toISOString(),
    not_after: new Date(record.notAfter).toISOString(),
    first_seen: new Date(record.seenAt).toISOString(),
    source: record.source,
    rang: record.rang,
  }
}

function askedFor(name: string): Item {
  const parsed = parseItem(name)
  if ('problem' in parsed) throw new Exit(2, `certs: ${parsed.problem}`)
  return parsed.item
}

// Whether all of it is watched, or something in it.
function isWatched(watch: readonly Item[], asked: Item): boolean {
  if (watch.some(({ kind }) => kind === 'all')) return true
  if (asked.kind === 'name') {
    return (
      createMatcher(watch, []).match([asked.domain], []).matched.length > 0 ||
      watch.some((item) => item.kind === 'name' && item.domain.endsWith(`.${asked.domain}`))
    )
  }
  return asked.kind === 'ip' && watch.some((item) => item.kind === 'ip' && (covers(item, asked) || covers(asked, item)))
}

function covers(wide: IpItem, { bytes, prefix }: IpItem): boolean {
  const ranges = createIpRanges()
  ranges.add(wide)
  return ranges.broadest(bytes, prefix) !== undefined
}

function notWatched(watch: readonly Item[], asked: Item): Exit {
  const nearest = [...watch].sort((a, b) => distance(a.text, asked.text) - distance(b.text, asked.text))[0]
  const hint =
    nearest !== undefined && distance(nearest.text, asked.text) <= Math.max(2, asked.text.length / 3)
      ? ` Did you mean ${printable(nearest.text, 80)}?`
      : ''
  return new Exit(2, `certs: ${printable(asked.text, 80)} is not watched.${hint}`)
}

// What the logs are called, by id. A certificate is shown without that, too.
async function descriptions(reader: Reader): Promise<ReadonlyMap<string, string>> {
  try {
    return new Map((await readLogStates(reader)).map(({ id, description }) => [logIdOf(id), description]))
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return new Map()
  }
}

function namesText(record: CertRecord): string {
  const [first = ''] = [...record.names, ...record.ipAddresses]
  const others = (record.namesCount ?? record.names.length) + (record.ipAddressesCount ?? record.ipAddresses.length) - 1
  return printable(first, 60) + (others > 0 ? ` +${grouped(others)}` : '')
}

function whereText({ source: { kind, id } }: CertRecord, logs: ReadonlyMap<string, string>): string {
  if (kind !== 'log') return `${kind === 'certspotter' ? 'Cert Spotter' : printable(kind, 20)} ${printable(id, 40)}`
  // LOG-ID:INDEX
  const [, logId = id, index = ''] = /^(.*):(\d{1,16})$/.exec(id) ?? []
  return `${printable(logs.get(logId) ?? `log ${logId}`, 60)}${index === '' ? '' : `, entry ${grouped(Number(index))}`}`
}
