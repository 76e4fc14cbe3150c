// State in a directory: one SQLite file in WAL mode. One transaction at a time within the process, `begin immediate` between processes.
import type { Kysely } from 'kysely'
import type { Alert } from '../../watch/alert.ts'
import type { Backend, StoredMessage, Transaction } from '../backend.ts'
import type { Control } from '../control.ts'
import { parseControl } from '../control.ts'
import { translate } from './errors.ts'
import type { Issuances } from './issuances.ts'
import { createIssuances } from './issuances.ts'
import { openDatabase } from './open.ts'
import { createReader, readControl } from './reader.ts'
import type { Tables } from './schema.ts'

/** Opens (or makes) the state in `directory`; `shown` is how messages call it. Throws OwnerError or StoreError. */
export async function openSqlite(directory: string, shown: string): Promise<Backend> {
  const { db, database } = await openDatabase(directory, shown)
  const issuances = createIssuances(database)
  const writeControl = database.prepare('update control set body = ? where id = 1')
  let tail: Promise<unknown> = Promise.resolve()

  const transact = async <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
    // The next one waits for this one, however it ends.
    const run = tail.then(() => once(body))
    tail = run.catch(() => undefined)
    return run
  }

  const once = async <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
    try {
      database.exec('begin immediate')
      try {
        const before = readControl(database, shown)
        const control = parseControl(before, shown)
        const result = await body(transaction(db, control, issuances))
        const after = JSON.stringify(control)
        if (after !== before) writeControl.run(after)
        database.exec('commit')
        return result
      } catch (error) {
        issuances.forget()
        // SQLite may have rolled back by itself (a full disk does that).
        if (database.isTransaction) database.exec('rollback')
        throw error
      }
    } catch (error) {
      throw translate(error, shown)
    }
  }

  return {
    transact,
    reader: createReader(db, database, shown),
    close: async () => {
      await tail
      await db.destroy()
    },
  }
}

function transaction(db: Kysely<Tables>, control: Control, issuances: Issuances): Transaction {
  return {
    control,
    known: async (ids) => issuances.known(ids),
    addIssuances: async (added, bulk) => {
      control.lastIssuance = issuances.add(added, control.lastIssuance, bulk)
    },
    sortIn: async () => issuances.sortIn(),
    countHostnames: async (covers) => issuances.countHostnames(covers),
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
      await db.deleteFrom('arrivals').where('not_after', '<', expiredBefore).execute()
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
