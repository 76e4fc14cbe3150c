// The tables, and the ordered migrations that make them.
import type { Generated, Kysely } from 'kysely'
import { sql } from 'kysely'
import type { Migration, MigrationProvider } from 'kysely/migration'

export interface Tables {
  /** One row: the control document. */
  control: { id: number; body: string }
  issuances: IssuanceRow
  /**
   * Issuances of baselines under way, in order of arrival and without an index: keeping a random index in order for a hundred thousand of
   * them costs more than all the rest of a baseline. They are sorted in at its end, or when there are many.
   */
  arrivals: IssuanceRow
  alerts: { seq: Generated<number>; kind: string; id: string; body: string; at: number }
  /** One row for each alert and sink. `message` is null until it is composed. */
  deliveries: { sink: string; seq: number; message: number | null }
  /** `state` is `open`, `parked` or `delivered`. `composed` is emptied on delivery. */
  messages: {
    id: Generated<number>
    sink: string
    state: string
    composed: string
    attempts: number
    created_at: number
    attempted_at: number | null
    parked_until: number | null
    answer: string | null
  }
}

export interface IssuanceRow {
  /** Counted by the control document, over both tables. */
  seq: number
  /** 32 bytes. */
  tbs: Uint8Array
  /** JSON list; the names are as hostile as they come. */
  names: string
  /** JSON list, null if there is none. */
  ips: string | null
  issuer: string | null
  not_before: number
  not_after: number
  seen_at: number
  source: string
  rang: number
}

const first: Migration = {
  up: async (db: Kysely<unknown>) => {
    await db.schema
      .createTable('control')
      .addColumn('id', 'integer', (c) => c.primaryKey())
      .addColumn('body', 'text', (c) => c.notNull())
      .execute()
    for (const table of ['issuances', 'arrivals']) {
      await db.schema
        .createTable(table)
        .addColumn('seq', 'integer', (c) => c.primaryKey())
        .addColumn('tbs', 'blob', (c) => (table === 'issuances' ? c.notNull().unique() : c.notNull()))
        .addColumn('names', 'text', (c) => c.notNull())
        .addColumn('ips', 'text')
        .addColumn('issuer', 'text')
        .addColumn('not_before', 'integer', (c) => c.notNull())
        .addColumn('not_after', 'integer', (c) => c.notNull())
        .addColumn('seen_at', 'integer', (c) => c.notNull())
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('rang', 'integer', (c) => c.notNull())
        .execute()
    }
    await db.schema
      .createTable('alerts')
      .addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('id', 'text', (c) => c.notNull())
      .addColumn('body', 'text', (c) => c.notNull())
      .addColumn('at', 'integer', (c) => c.notNull())
      .addUniqueConstraint('alerts_kind_id', ['kind', 'id'])
      .execute()
    await db.schema
      .createTable('deliveries')
      .addColumn('sink', 'text', (c) => c.notNull())
      .addColumn('seq', 'integer', (c) => c.notNull())
      .addColumn('message', 'integer')
      .addPrimaryKeyConstraint('deliveries_key', ['sink', 'seq'])
      .execute()
    // The queue: alerts in no message yet, in order.
    await db.schema
      .createIndex('deliveries_queue')
      .on('deliveries')
      .columns(['sink', 'seq'])
      .where(sql<null>`message`, 'is', null)
      .execute()
    await db.schema.createIndex('deliveries_message').on('deliveries').column('message').execute()
    await db.schema
      .createTable('messages')
      .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('sink', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('composed', 'text', (c) => c.notNull())
      .addColumn('attempts', 'integer', (c) => c.notNull())
      .addColumn('created_at', 'integer', (c) => c.notNull())
      .addColumn('attempted_at', 'integer')
      .addColumn('parked_until', 'integer')
      .addColumn('answer', 'text')
      .execute()
    await db.schema
      .createIndex('messages_undelivered')
      .on('messages')
      .columns(['sink', 'state', 'id'])
      .where(sql<string>`state`, '!=', sql.lit('delivered'))
      .execute()
  },
}

const MIGRATIONS: Readonly<Record<string, Migration>> = { '001-first': first }

/** The migrations in order. */
export const migrations: MigrationProvider = { getMigrations: async () => ({ ...MIGRATIONS }) }

/** Names of the migrations that this version knows. */
export const knownMigrations: readonly string[] = Object.keys(MIGRATIONS)
