// Kysely on node:sqlite: one connection, statements prepared once, rows streamed where there are many.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely'
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'

// Multi-row inserts have one text for each number of rows; beyond this the oldest are prepared anew.
const MAX_STATEMENTS = 200

/** A dialect over an open database. Transactions are the caller's (`begin immediate`): kysely's own would begin without the write lock. */
export function nodeSqliteDialect(database: DatabaseSync): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver(database),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

function driver(database: DatabaseSync): Driver {
  const single = connection(database)
  const nothing = async (): Promise<void> => {}
  return {
    init: nothing,
    acquireConnection: async () => single,
    beginTransaction: async () => database.exec('begin immediate'),
    commitTransaction: async () => database.exec('commit'),
    rollbackTransaction: async () => database.exec('rollback'),
    releaseConnection: nothing,
    destroy: async () => database.close(),
  }
}

function connection(database: DatabaseSync): DatabaseConnection {
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql)
    if (statement === undefined) {
      const oldest = statements.size >= MAX_STATEMENTS ? statements.keys().next().value : undefined
      if (oldest !== undefined) statements.delete(oldest)
      statement = database.prepare(sql)
      statements.set(sql, statement)
    }
    return statement
  }
  return {
    executeQuery: async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
      const statement = prepare(query.sql)
      const parameters = query.parameters as SQLInputValue[]
      if (statement.columns().length > 0) return { rows: statement.all(...parameters) as R[] }
      const { changes, lastInsertRowid } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    },
    async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
      let rows: R[] = []
      // A statement of its own: the shared one might be run again while this iteration is under way.
      for (const row of database.prepare(query.sql).iterate(...(query.parameters as SQLInputValue[]))) {
        rows.push(row as R)
        if (rows.length >= chunkSize) {
          yield { rows }
          rows = []
        }
      }
      if (rows.length > 0) yield { rows }
    },
  }
}
