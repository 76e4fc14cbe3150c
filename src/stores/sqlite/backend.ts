// State in a directory: one SQLite file in WAL mode. One transaction at a time within the process, `begin immediate` between processes.
import { join } from 'node:path'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Alert } from '../../watch/alert.ts'
import { StoreError } from '../../watch/errors.ts'
import type { Backend, StoredMessage, Transaction } from '../backend.ts'
import type { Control } from '../control.ts'
import { parseControl } from '../control.ts'
import { translate } from './errors.ts'
import type { Issuances } from './issuances.ts'
import { createIssuances } from './issuances.ts'
import { emptyWal, FILE_NAME, openDatabase, stillThere } from './open.ts'
import { createReader, readControl } from './reader.ts'
import type { MessageRow } from './schema.ts'

/** Opens (or makes) the state in `directory`; `shown` is how messages call it. Throws OwnerError or StoreError. */
export async function openSqlite(directory: string, shown: string): Promise<Backend> {
  const database = openDatabase(directory, shown)
  const path = join(directory, FILE_NAME)
  const check = stillThere(directory, shown)
  const issuances = createIssuances(database)
  const statements = createStatements(database)
  let tail: Promise<unknown> = Promise.resolve()

  const once = async <T>(body: (tx: Transaction) => Promise<T>, firm: boolean): Promise<T> => {
    try {
      check()
      if (firm) database.exec('pragma synchronous = full')
      try {
        statements.run('begin immediate')
        const before = readControl((sql) => statements.get(sql) as { readonly body?: unknown } | undefined, shown)
        const control = parseControl(before, shown)
        const result = await body(transaction(statements, control, issuances))
        const after = JSON.stringify(control)
        if (after !== before) statements.run('update control set body = ? where id = 1', after)
        statements.run('commit')
        return result
      } catch (error) {
        issuances.forget()
        // SQLite may have rolled back by itself (a full disk does that).
        if (database.isTransaction) statements.run('rollback')
        throw error
      } finally {
        if (firm) database.exec('pragma synchronous = normal')
      }
    } catch (error) {
      throw translate(error, shown, directory)
    }
  }

  return {
    transact: async (body, firm = false) => {
      // The next one waits for this one, however it ends.
      const run = tail.then(async () => {
        try {
          return await once(body, firm)
        } catch (error) {
          // What fills the disk may be our own write-ahead log, whose pages mostly have their place in the database.
          if (!(error instanceof StoreError && error.code === 'full' && emptyWal(database, path))) throw error
          return once(body, firm)
        }
      })
      tail = run.catch(() => undefined)
      return run
    },
    reader: createReader(database, shown, check),
    close: async () => {
      await tail
      database.close()
    },
  }
}

// So many are sorted in even if more are to come: what is known of them is in memory meanwhile, some 10 MB.
const MAX_UNSORTED = 200_000

/** Statements by their text, each prepared once. */
interface Statements {
  run(sql: string, ...values: readonly SQLInputValue[]): { readonly changes: number; readonly id: number }
  /** The first row; what columns it has is in the text. */
  get(sql: string, ...values: readonly SQLInputValue[]): unknown
  all(sql: string, ...values: readonly SQLInputValue[]): readonly unknown[]
}

function createStatements(database: DatabaseSync): Statements {
  const prepared = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    let statement = prepared.get(sql)
    if (statement === undefined) {
      statement = database.prepare(sql)
      prepared.set(sql, statement)
    }
    return statement
  }
  return {
    run: (sql, ...values) => {
      const { changes, lastInsertRowid } = prepare(sql).run(...values)
      return { changes: Number(changes), id: Number(lastInsertRowid) }
    },
    get: (sql, ...values) => prepare(sql).get(...values),
    all: (sql, ...values) => prepare(sql).all(...values),
  }
}

function transaction(db: Statements, control: Control, issuances: Issuances): Transaction {
  const stored = (row: MessageRow | undefined): StoredMessage | undefined => {
    if (row === undefined) return undefined
    const rows = db.all('select a.body from deliveries d join alerts a on a.seq = d.seq where d.message = ? order by a.seq', row.id) as readonly {
      body: string
    }[]
    return {
      id: row.id,
      sink: row.sink,
      composed: row.composed,
      attempts: row.attempts,
      ...(row.state === 'parked' && row.parked_until !== null && { parkedUntil: row.parked_until }),
      alerts: rows.map(({ body }) => JSON.parse(body) as Alert),
    }
  }
  return {
    control,
    known: async (ids) => issuances.known(ids, control.sortedIn),
    addIssuances: async (added, bulk) => {
      control.lastIssuance = issuances.add(added, control.lastIssuance, bulk)
      if (bulk && control.lastIssuance - control.sortedIn > MAX_UNSORTED) control.sortedIn = issuances.sortIn(control.sortedIn, control.lastIssuance)
    },
    sortIn: async () => {
      control.sortedIn = issuances.sortIn(control.sortedIn, control.lastIssuance)
    },
    countHostnames: async (covers) => issuances.countHostnames(covers),
    addAlerts: async (alerts, sinks, now) =>
      alerts.filter((alert) => {
        const { changes, id } = db.run(
          'insert into alerts (kind, id, body, at) values (?, ?, ?, ?) on conflict (kind, id) do nothing',
          alert.kind,
          alert.id,
          JSON.stringify(alert),
          now,
        )
        if (changes === 0) return false
        for (const sink of sinks) db.run('insert into deliveries (sink, seq, message) values (?, ?, null)', sink, id)
        return true
      }),
    noteFinal: async (id, final) => {
      db.run(
        `insert into finals (seq, body) select seq, ? from alerts
           where kind = 'certificate' and id = ? and json_extract(body, '$.precertificate') = 1 on conflict do nothing`,
        JSON.stringify(final),
        id,
      )
    },
    queued: async (sink, limit) => {
      const rows = db.all(
        'select a.seq, a.body from deliveries d join alerts a on a.seq = d.seq where d.sink = ? and d.message is null order by d.seq limit ?',
        sink,
        limit,
      ) as readonly { readonly seq: number; readonly body: string }[]
      return rows.map(({ seq, body }) => ({ seq, alert: JSON.parse(body) as Alert }))
    },
    countQueued: async (sink) => {
      const row = db.get('select count(*) n from deliveries where sink = ? and message is null', sink) as { readonly n: number }
      return row.n
    },
    addMessage: async (sink, composed, seqs, now) => {
      const { id } = db.run("insert into messages (sink, state, composed, attempts, created_at) values (?, 'open', ?, 0, ?)", sink, composed, now)
      for (const seq of seqs) db.run('update deliveries set message = ? where sink = ? and seq = ?', id, sink, seq)
      return id
    },
    openMessage: async (sink) =>
      stored(db.get("select * from messages where sink = ? and state = 'open' order by id limit 1", sink) as MessageRow | undefined),
    firstParked: async (sink) =>
      stored(db.get("select * from messages where sink = ? and state = 'parked' order by parked_until limit 1", sink) as MessageRow | undefined),
    updateMessage: async (id, { state, answer, at, until }) =>
      db.run(
        `update messages set state = ?1, answer = ?2, attempted_at = ?3, attempts = attempts + 1, parked_until = coalesce(?4, parked_until),
           composed = iif(?1 = 'delivered', '', composed) where id = ?5 and state <> 'delivered'`,
        state,
        answer,
        at,
        until ?? null,
        id,
      ).changes > 0,
    document: async (name) => (db.get('select body from documents where name = ?', name) as { readonly body: string } | undefined)?.body,
    putDocument: async (name, text) => {
      db.run('insert into documents (name, body) values (?, ?) on conflict (name) do update set body = excluded.body', name, text)
    },
    prune: async (expiredBefore, deliveredBefore) => {
      db.run('delete from known where tbs in (select tbs from issuances where not_after < ?)', expiredBefore)
      db.run('delete from issuances where not_after < ?', expiredBefore)
      db.run(
        `delete from alerts where at < ?1 and not exists (
           select 1 from deliveries d left join messages m on m.id = d.message
           where d.seq = alerts.seq and (m.id is null or m.state <> 'delivered' or m.attempted_at >= ?1))`,
        deliveredBefore,
      )
      db.run('delete from deliveries where seq not in (select seq from alerts)')
      db.run('delete from finals where seq not in (select seq from alerts)')
      db.run("delete from messages where state = 'delivered' and id not in (select message from deliveries where message is not null)")
    },
  }
}
