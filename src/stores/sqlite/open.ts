// Opening the state directory: made whole or not at all, and never begun anew over something that is there.
import { closeSync, existsSync, linkSync, mkdirSync, openSync, readdirSync, readSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { OwnerError, StoreError } from '../../watch/errors.ts'
import { damaged, emptyControl } from '../control.ts'
import { nodeSqliteDialect } from './dialect.ts'
import { translate } from './errors.ts'
import type { Tables } from './schema.ts'
import { knownMigrations, migrations } from './schema.ts'

const FILE_NAME = 'certbell.db'
/** How long one process waits for another's transaction: those take milliseconds. */
const BUSY_MS = 5000

/** An open database: by queries, and bare for what is done a hundred thousand times. One connection; destroying `db` closes it. */
export interface Opened {
  readonly db: Kysely<Tables>
  readonly database: DatabaseSync
}

/** Opens the database of a state directory, making both if there are none. Throws OwnerError or StoreError. */
export async function openDatabase(directory: string, shown: string): Promise<Opened> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const path = join(directory, FILE_NAME)
    if (!existsSync(path)) await create(directory, path)
    checkFile(path, shown)
    // Looked at with reading eyes first: a connection that writes would turn any database into one with a write-ahead log.
    const look = connect(path, true)
    try {
      await checkVersion(look.db, shown)
    } finally {
      await look.db.destroy()
    }
    const opened = connect(path, false)
    const { db } = opened
    try {
      await migrate(db)
      return opened
    } catch (error) {
      await db.destroy()
      throw error
    }
  } catch (error) {
    throw translate(fileError(error, shown), shown)
  }
}

/** Opens it for reading only; undefined if there is none. It neither makes nor migrates anything. */
export async function openForReading(directory: string, shown: string): Promise<Opened | undefined> {
  const path = join(directory, FILE_NAME)
  if (!existsSync(path)) return undefined
  try {
    checkFile(path, shown)
    const opened = connect(path, true)
    const { db } = opened
    try {
      await checkVersion(db, shown)
      return opened
    } catch (error) {
      await db.destroy()
      throw error
    }
  } catch (error) {
    throw translate(fileError(error, shown), shown)
  }
}

function connect(path: string, readOnly: boolean): Opened {
  const database = new DatabaseSync(path, { readOnly, timeout: BUSY_MS })
  try {
    if (!readOnly) {
      // NORMAL: whatever dies, the file is whole and consistent. A power cut (not a crash) may take the last steps as a whole: what they found
      // is found again, and rings again. That is the at-least-once that is promised, at half the price of a sync for each step.
      database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 4000; pragma journal_size_limit = 4194304')
    }
    database.exec('pragma cache_size = -4000')
  } catch (error) {
    database.close()
    throw error
  }
  return { db: new Kysely<Tables>({ dialect: nodeSqliteDialect(database) }), database }
}

// Made under another name and linked into place when it is whole: a process killed in between leaves no half-made state behind, and an
// empty or cut-off file under the real name is damage, never a first run.
async function create(directory: string, path: string): Promise<void> {
  const draft = `${path}.new-${process.pid}`
  for (const name of readdirSync(directory)) {
    const pid = /^certbell\.db\.new-(\d+)(-wal|-shm|-journal)?$/.exec(name)?.[1]
    if (pid !== undefined && (Number(pid) === process.pid || !running(Number(pid)))) unlinkSync(join(directory, name))
  }
  closeSync(openSync(draft, 'wx', 0o600))
  try {
    const { db } = connect(draft, false)
    await migrate(db)
    await db
      .insertInto('control')
      .values({ id: 1, body: JSON.stringify(emptyControl()) })
      .execute()
    await db.destroy()
    try {
      linkSync(draft, path)
    } catch (error) {
      // Another process was first, or the file system has no links.
      if (!existsSync(path)) {
        if (codeOf(error) === 'EEXIST') return
        renameSync(draft, path)
      }
    }
  } finally {
    for (const end of ['', '-wal', '-shm']) if (existsSync(draft + end)) unlinkSync(draft + end)
  }
}

function running(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

// The header says how many pages there are. A file that was cut off would otherwise be found out only when a lost page is asked for.
function checkFile(path: string, shown: string): void {
  const size = statSync(path).size
  if (size < 100) throw damaged(shown)
  const header = Buffer.alloc(100)
  const file = openSync(path, 'r')
  try {
    readSync(file, header, 0, 100, 0)
  } finally {
    closeSync(file)
  }
  if (header.toString('latin1', 0, 16) !== 'SQLite format 3\0') throw damaged(shown)
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16)
  // With a write-ahead log beside it the file may rightly be shorter: the pages are there.
  const log = `${path}-wal`
  if (!(existsSync(log) && statSync(log).size > 0) && header.readUInt32BE(28) * pageSize > size) throw damaged(shown)
}

async function checkVersion(db: Kysely<Tables>, shown: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db).catch((error: unknown) => {
    if (error instanceof Error && /no such table/.test(error.message)) throw damaged(shown, error)
    throw error
  })
  const newer = rows.find(({ name }) => !knownMigrations.includes(name))
  if (newer !== undefined) {
    throw new OwnerError(
      'state-newer',
      `the state at ${shown} was written by a newer Certbell (it has "${newer.name.slice(0, 60)}", unknown here). Install that version again, or use another state directory`,
    )
  }
}

async function migrate(db: Kysely<Tables>): Promise<void> {
  const { error } = await new Migrator({ db, provider: migrations }).migrateToLatest()
  if (error !== undefined) throw error
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function fileError(error: unknown, shown: string): unknown {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return new StoreError('full', `the disk that holds the state at ${shown} is full`, { cause: error })
  // ENOENT: what Node says of a directory that is to be made on a read-only file system.
  if (code !== undefined && ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOENT', 'ELOOP', 'ENAMETOOLONG'].includes(code)) {
    return new OwnerError(
      'state-access',
      `the state directory ${shown} cannot be used (${code}). It must be a directory that belongs to the user that runs certbell`,
      { cause: error },
    )
  }
  return error
}
