// `certbell certs`: the inventory, newest first.
import { distance } from 'fastest-levenshtein'
import type { CertRecord } from '../../stores/store.ts'
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
  const only = name === undefined ? undefined : createMatcher([askedFor(session, name)], [])
  const reader = await openReader(session.config)
  const records: CertRecord[] = []
  let count = 0
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
  } finally {
    await reader?.close()
  }
  if (session.flags.json === true) return 0
  if (count === 0) session.out('No certificate is known yet.\n')
  else {
    const rows = records.map((record) => [
      namesText(record),
      printable(record.issuer ?? 'unknown issuer', 40),
      `${dateText(record.notBefore)} → ${dateText(record.notAfter)}`,
      dateText(record.seenAt),
      whereText(record),
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

// A name that is not watched has no certificates here: an empty answer would look like good news.
function askedFor(session: Session, name: string): Item {
  const parsed = parseItem(name)
  if ('problem' in parsed) throw new Exit(2, `certs: ${parsed.problem}`)
  const { watch } = session.config
  const asked = parsed.item
  const watched =
    asked.kind === 'name'
      ? createMatcher(watch, []).match([asked.domain], []).matched.length > 0 ||
        watch.some((item) => item.kind === 'name' && item.domain.endsWith(`.${asked.domain}`))
      : watch.some((item) => item.text === asked.text)
  if (watched) return asked
  const nearest = [...watch].sort((a, b) => distance(a.text, asked.text) - distance(b.text, asked.text))[0]
  const hint =
    nearest !== undefined && distance(nearest.text, asked.text) <= Math.max(2, asked.text.length / 3)
      ? ` Did you mean ${printable(nearest.text, 80)}?`
      : ''
  throw new Exit(2, `certs: ${printable(asked.text, 80)} is not watched.${hint}`)
}

function namesText(record: CertRecord): string {
  const [first = ''] = [...record.names, ...record.ipAddresses]
  const others = (record.namesCount ?? record.names.length) + (record.ipAddressesCount ?? record.ipAddresses.length) - 1
  return printable(first, 60) + (others > 0 ? ` +${grouped(others)}` : '')
}

function whereText(record: CertRecord): string {
  return `${record.source.kind === 'certspotter' ? 'Cert Spotter' : printable(record.source.kind, 20)} ${printable(record.source.id, 40)}`
}
