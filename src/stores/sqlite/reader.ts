// The read-only side of the SQLite state: what status, certs, alerts and the web see. In WAL mode it waits for no writer.
import type { ListCounts } from '../list-counts.ts'
import { withListCounts } from '../list-counts.ts'
import type { DatabaseSync } from 'node:sqlite'
import type { Alert } from '../../watch/alert.ts'
import type { Reader } from '../backend.ts'
import { damaged, parseControl } from '../control.ts'
import type { AlertRecord, CertRecord, FinalCertificate } from '../store.ts'
import { translate } from './errors.ts'
import { openForReading } from './open.ts'
import type { IssuanceRow } from './schema.ts'

/** Opens the state in `directory` for reading beside whatever runs; undefined if there is none. */
export async function openSqliteReader(directory: string, shown: string): Promise<Reader | undefined> {
  const database = openForReading(directory, shown)
  return database === undefined ? undefined : createReader(database, shown)
}

const UNDELIVERED = "(m.id is null or m.state <> 'delivered')"

/** The reading side of an open database. `check` is called before each look. */
export function createReader(database: DatabaseSync, shown: string, check: () => void = () => undefined): Reader {
  const guarded = async <T>(read: () => T): Promise<T> => {
    try {
      check()
      return read()
    } catch (error) {
      throw translate(error, shown)
    }
  }
  return {
    control: async () =>
      guarded(() =>
        parseControl(
          readControl((sql) => database.prepare(sql).get(), shown),
          shown,
        ),
      ),
    alerts: async ({ pending, limit }) =>
      guarded(() => {
        const only = pending ? `where seq in (select d.seq from deliveries d left join messages m on m.id = d.message where ${UNDELIVERED})` : ''
        const rows = database.prepare(`select seq, body from alerts ${only} order by seq desc limit ?`).all(limit ?? -1)
        const finals = hasTable(database, 'finals') ? database.prepare('select body from finals where seq = ?') : undefined
        return rows.map((row): AlertRecord => {
          const final = finals?.get(Number(row['seq']))?.['body']
          return {
            alert: JSON.parse(String(row['body'])) as Alert,
            ...(final !== undefined && { final: JSON.parse(String(final)) as FinalCertificate }),
            deliveries: deliveriesOf(database, Number(row['seq'])),
          }
        })
      }),
    issuances: async (visit) =>
      guarded(() => {
        const rows = database.prepare('select * from issuances order by seq desc').iterate()
        for (const row of rows) if (!visit(certRecord(row as unknown as IssuanceRow))) break
      }),
    documents: async (prefix) =>
      guarded(() => {
        if (!hasTable(database, 'documents')) return new Map()
        const rows = database.prepare('select name, body from documents where substr(name, 1, ?) = ?').all(prefix.length, prefix)
        return new Map(rows.map((row) => [String(row['name']), String(row['body'])]))
      }),
    waiting: async () =>
      guarded(() => {
        const rows = database
          .prepare(
            `select d.sink, m.state = 'parked' parked, count(*) n from deliveries d left join messages m on m.id = d.message where ${UNDELIVERED} group by 1, 2`,
          )
          .all()
        const sinks = Object.create(null) as Record<string, { waiting: number; parked: number }>
        for (const row of rows) {
          const entry = (sinks[String(row['sink'])] ??= { waiting: 0, parked: 0 })
          entry[row['parked'] === 1 ? 'parked' : 'waiting'] += Number(row['n'])
        }
        return sinks
      }),
    close: async () => database.close(),
  }
}

// A state that no newer version has opened yet has fewer.
function hasTable(database: DatabaseSync, name: string): boolean {
  return database.prepare("select 1 from sqlite_master where type = 'table' and name = ?").get(name) !== undefined
}

function deliveriesOf(database: DatabaseSync, seq: number): AlertRecord['deliveries'] {
  const rows = database
    .prepare(
      'select d.sink, m.state, m.attempts, m.attempted_at, m.answer from deliveries d left join messages m on m.id = d.message where d.seq = ? order by d.sink',
    )
    .all(seq)
  return rows.map((row) => ({
    sink: String(row['sink']),
    state: row['state'] === 'delivered' || row['state'] === 'parked' ? row['state'] : Number(row['attempts'] ?? 0) > 0 ? 'retrying' : 'waiting',
    ...(typeof row['attempted_at'] === 'number' && { at: row['attempted_at'] }),
    ...(typeof row['answer'] === 'string' && { answer: row['answer'] }),
  }))
}

function certRecord(row: IssuanceRow): CertRecord {
  // The id is the API's own and opaque: it may have blanks.
  const blank = row.source.indexOf(' ')
  return {
    id: Buffer.from(row.tbs).toString('hex'),
    names: JSON.parse(row.names) as string[],
    ipAddresses: row.ips === null ? [] : (JSON.parse(row.ips) as string[]),
    ...withListCounts(typeof row.counts === 'string' ? (JSON.parse(row.counts) as ListCounts) : undefined),
    ...(row.issuer !== null && { issuer: row.issuer }),
    notBefore: row.not_before,
    notAfter: row.not_after,
    seenAt: row.seen_at,
    source: { kind: row.source.slice(0, blank), id: row.source.slice(blank + 1) },
    rang: row.rang === 1,
  }
}

/** The stored text of the control document. */
export function readControl(get: (sql: string) => { readonly body?: unknown } | undefined, shown: string): string {
  const body = get('select body from control where id = 1')?.body
  if (typeof body !== 'string') throw damaged(shown)
  return body
}
