// The read-only side of the SQLite state: what status, certs, alerts and the web see. In WAL mode it waits for no writer.
import type { DatabaseSync } from 'node:sqlite'
import type { Kysely } from 'kysely'
import type { Alert } from '../../watch/alert.ts'
import type { Reader } from '../backend.ts'
import { damaged, parseControl } from '../control.ts'
import type { AlertRecord, CertRecord } from '../store.ts'
import { translate } from './errors.ts'
import { openForReading } from './open.ts'
import type { IssuanceRow, Tables } from './schema.ts'

/** Opens the state in `directory` for reading beside whatever runs; undefined if there is none. */
export async function openSqliteReader(directory: string, shown: string): Promise<Reader | undefined> {
  const opened = await openForReading(directory, shown)
  return opened === undefined ? undefined : createReader(opened.db, opened.database, shown)
}

/** The reading side of an open database. */
export function createReader(db: Kysely<Tables>, database: DatabaseSync, shown: string): Reader {
  const guarded = async <T>(read: () => Promise<T>): Promise<T> => {
    try {
      return await read()
    } catch (error) {
      throw translate(error, shown)
    }
  }
  return {
    control: async () => guarded(async () => parseControl(readControl(database, shown), shown)),
    alerts: async ({ pending, limit }) =>
      guarded(async () => {
        let query = db.selectFrom('alerts').select(['seq', 'body']).orderBy('seq', 'desc')
        if (pending) {
          query = query.where('seq', 'in', (eb) =>
            eb
              .selectFrom('deliveries')
              .leftJoin('messages', 'messages.id', 'deliveries.message')
              .select('deliveries.seq')
              .where((or) => or.or([or('messages.id', 'is', null), or('messages.state', '!=', 'delivered')])),
          )
        }
        const rows = await (limit === undefined ? query : query.limit(limit)).execute()
        const records: AlertRecord[] = []
        for (const { seq, body } of rows) records.push({ alert: JSON.parse(body) as Alert, deliveries: await deliveriesOf(db, seq) })
        return records
      }),
    issuances: async (visit) =>
      guarded(async () => {
        // Both halves come by descending number, so this is a merge, not a sort.
        const rows = database.prepare('select * from arrivals union all select * from issuances order by seq desc').iterate()
        for (const row of rows) if (!visit(certRecord(row as unknown as IssuanceRow))) break
      }),
    waiting: async () =>
      guarded(async () => {
        const rows = await db
          .selectFrom('deliveries')
          .leftJoin('messages', 'messages.id', 'deliveries.message')
          .select((eb) => ['deliveries.sink', 'messages.state', eb.fn.countAll<number>().as('count')])
          .where((eb) => eb.or([eb('messages.id', 'is', null), eb('messages.state', '!=', 'delivered')]))
          .groupBy(['deliveries.sink', 'messages.state'])
          .execute()
        const sinks: Record<string, { waiting: number; parked: number }> = Object.create(null) as Record<string, { waiting: number; parked: number }>
        for (const { sink, state, count } of rows) {
          const entry = (sinks[sink] ??= { waiting: 0, parked: 0 })
          if (state === 'parked') entry.parked += count
          else entry.waiting += count
        }
        return sinks
      }),
    close: async () => db.destroy(),
  }
}

async function deliveriesOf(db: Kysely<Tables>, seq: number): Promise<AlertRecord['deliveries']> {
  const rows = await db
    .selectFrom('deliveries')
    .leftJoin('messages', 'messages.id', 'deliveries.message')
    .select(['deliveries.sink', 'messages.state', 'messages.attempts', 'messages.attempted_at', 'messages.answer'])
    .where('deliveries.seq', '=', seq)
    .orderBy('deliveries.sink')
    .execute()
  return rows.map((row) => ({
    sink: row.sink,
    state: row.state === 'delivered' ? 'delivered' : row.state === 'parked' ? 'parked' : (row.attempts ?? 0) > 0 ? 'retrying' : 'waiting',
    ...(row.attempted_at !== null && { at: row.attempted_at }),
    ...(row.answer !== null && { answer: row.answer }),
  }))
}

function certRecord(row: IssuanceRow): CertRecord {
  // The id is the API's own and opaque: it may have blanks.
  const blank = row.source.indexOf(' ')
  return {
    id: Buffer.from(row.tbs).toString('hex'),
    names: JSON.parse(row.names) as string[],
    ipAddresses: row.ips === null ? [] : (JSON.parse(row.ips) as string[]),
    ...(row.issuer !== null && { issuer: row.issuer }),
    notBefore: row.not_before,
    notAfter: row.not_after,
    seenAt: row.seen_at,
    source: { kind: row.source.slice(0, blank), id: row.source.slice(blank + 1) },
    rang: row.rang === 1,
  }
}

/** The stored text of the control document. */
export function readControl(database: DatabaseSync, shown: string): string {
  const body: unknown = database.prepare('select body from control where id = 1').get()?.['body']
  if (typeof body !== 'string') throw damaged(shown)
  return body
}
