// State in a directory: one SQLite file in WAL mode. One transaction at a time within the process, `begin immediate` between processes.
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import type { Alert } from '../../watch/alert.ts'
import type { Backend, NewIssuance, StoredMessage, Transaction } from '../backend.ts'
import type { Control } from '../control.ts'
import { parseControl } from '../control.ts'
import { translate } from './errors.ts'
import { openDatabase } from './open.ts'
import { createReader, readControl } from './reader.ts'
import type { Tables } from './schema.ts'

/** Opens (or makes) the state in `directory`; `shown` is how messages call it. Throws OwnerError or StoreError. */
export async function openSqlite(directory: string, shown: string): Promise<Backend> {
  const db = await openDatabase(directory, shown)
  let tail: Promise<unknown> = Promise.resolve()

  const transact = async <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
    // The next one waits for this one, however it ends.
    const run = tail.then(() => once(body))
    tail = run.catch(() => undefined)
    return run
  }

  const once = async <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
    try {
      await sql`begin immediate`.execute(db)
      try {
        const before = await readControl(db, shown)
        const control = parseControl(before, shown)
        const result = await body(transaction(db, control))
        const after = JSON.stringify(control)
        if (after !== before) await db.updateTable('control').set({ body: after }).where('id', '=', 1).execute()
        await sql`commit`.execute(db)
        return result
      } catch (error) {
        // SQLite may have rolled back by itself (a full disk does that).
        await sql`rollback`.execute(db).catch(() => undefined)
        throw error
      }
    } catch (error) {
      throw translate(error, shown)
    }
  }

  return {
    transact,
    reader: createReader(db, shown),
    close: async () => {
      await tail
      await db.destroy()
    },
  }
}

// SQLite's own limit of parameters is far higher; this keeps the number of statement texts small.
const CHUNK = 100

function transaction(db: Kysely<Tables>, control: Control): Transaction {
  return {
    control,
    known: async (ids) => {
      const found = new Set<string>()
      for (let at = 0; at < ids.length; at += CHUNK) {
        const some = ids.slice(at, at + CHUNK).map((id) => Buffer.from(id, 'hex'))
        const rows = await db.selectFrom('issuances').select('tbs').where('tbs', 'in', some).execute()
        for (const { tbs } of rows) found.add(Buffer.from(tbs).toString('hex'))
      }
      return found
    },
    addIssuances: async (issuances) => {
      for (let at = 0; at < issuances.length; at += CHUNK) {
        await db
          .insertInto('issuances')
          .values(issuances.slice(at, at + CHUNK).map(issuanceRow))
          .onConflict((conflict) => conflict.column('tbs').doNothing())
          .execute()
      }
    },
    countHostnames: async (covers) => {
      const names = new Set<string>()
      for await (const row of db.selectFrom('issuances').select('names').stream(500)) {
        for (const name of JSON.parse(row.names) as string[]) if (covers(name)) names.add(name)
      }
      return names.size
    },
    addAlerts: async (alerts, sinks, now) => {
      const added: Alert[] = []
      for (const alert of alerts) {
        const row = await db
          .insertInto('alerts')
          .values({ kind: alert.kind, id: alert.id, body: JSON.stringify(alert), at: now })
          .onConflict((conflict) => conflict.columns(['kind', 'id']).doNothing())
          .returning('seq')
          .executeTakeFirst()
        if (row === undefined) continue
        added.push(alert)
        if (sinks.length > 0)
          await db
            .insertInto('deliveries')
            .values(sinks.map((sink) => ({ sink, seq: row.seq, message: null })))
            .execute()
      }
      return added
    },
    queued: async (sink, limit) => {
      const rows = await db
        .selectFrom('deliveries')
        .innerJoin('alerts', 'alerts.seq', 'deliveries.seq')
        .select(['alerts.seq', 'alerts.body'])
        .where('sink', '=', sink)
        .where('message', 'is', null)
        .orderBy('deliveries.seq')
        .limit(limit)
        .execute()
      return rows.map(({ seq, body }) => ({ seq, alert: JSON.parse(body) as Alert }))
    },
    countQueued: async (sink) => {
      const row = await db
        .selectFrom('deliveries')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('sink', '=', sink)
        .where('message', 'is', null)
        .executeTakeFirstOrThrow()
      return row.count
    },
    addMessage: async (sink, composed, seqs, now) => {
      const { id } = await db
        .insertInto('messages')
        .values({ sink, state: 'open', composed, attempts: 0, created_at: now, attempted_at: null, parked_until: null, answer: null })
        .returning('id')
        .executeTakeFirstOrThrow()
      await db.updateTable('deliveries').set({ message: id }).where('sink', '=', sink).where('seq', 'in', seqs).execute()
      return id
    },
    openMessage: async (sink) => {
      const row = await db
        .selectFrom('messages')
        .selectAll()
        .where('sink', '=', sink)
        .where('state', '=', 'open')
        .orderBy('id')
        .limit(1)
        .executeTakeFirst()
      return row === undefined ? undefined : stored(db, row)
    },
    firstParked: async (sink) => {
      const row = await db
        .selectFrom('messages')
        .selectAll()
        .where('sink', '=', sink)
        .where('state', '=', 'parked')
        .orderBy('parked_until')
        .limit(1)
        .executeTakeFirst()
      return row === undefined ? undefined : stored(db, row)
    },
    updateMessage: async (id, change) => {
      const result = await db
        .updateTable('messages')
        .set((eb) => ({
          state: change.state,
          answer: change.answer,
          attempted_at: change.at,
          attempts: eb('attempts', '+', 1),
          ...(change.until !== undefined && { parked_until: change.until }),
          ...(change.state === 'delivered' && { composed: '' }),
        }))
        .where('id', '=', id)
        .where('state', '!=', 'delivered')
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },
    prune: async (expiredBefore, deliveredBefore) => {
      await db.deleteFrom('issuances').where('not_after', '<', expiredBefore).execute()
      const undelivered = db
        .selectFrom('deliveries')
        .leftJoin('messages', 'messages.id', 'deliveries.message')
        .select('deliveries.seq')
        .where((eb) =>
          eb.or([eb('messages.id', 'is', null), eb('messages.state', '!=', 'delivered'), eb('messages.attempted_at', '>=', deliveredBefore)]),
        )
      await db.deleteFrom('alerts').where('at', '<', deliveredBefore).where('seq', 'not in', undelivered).execute()
      await db.deleteFrom('deliveries').where('seq', 'not in', db.selectFrom('alerts').select('seq')).execute()
      const used = db.selectFrom('deliveries').select('message').where('message', 'is not', null)
      await db.deleteFrom('messages').where('state', '=', 'delivered').where('id', 'not in', used).execute()
    },
  }
}

function issuanceRow(issuance: NewIssuance): Omit<Tables['issuances'], 'seq'> {
  return {
    tbs: Buffer.from(issuance.id, 'hex'),
    names: JSON.stringify(issuance.names),
    ips: issuance.ipAddresses.length > 0 ? JSON.stringify(issuance.ipAddresses) : null,
    issuer: issuance.issuer ?? null,
    not_before: issuance.notBefore,
    not_after: issuance.notAfter,
    seen_at: issuance.seenAt,
    source: `${issuance.source.kind} ${issuance.source.id}`,
    rang: issuance.rang ? 1 : 0,
  }
}

async function stored(
  db: Kysely<Tables>,
  row: { id: number; sink: string; composed: string; attempts: number; parked_until: number | null; state: string },
): Promise<StoredMessage> {
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('alerts', 'alerts.seq', 'deliveries.seq')
    .select('alerts.body')
    .where('message', '=', row.id)
    .orderBy('alerts.seq')
    .execute()
  return {
    id: row.id,
    sink: row.sink,
    composed: row.composed,
    attempts: row.attempts,
    ...(row.state === 'parked' && row.parked_until !== null && { parkedUntil: row.parked_until }),
    alerts: rows.map(({ body }) => JSON.parse(body) as Alert),
  }
}
