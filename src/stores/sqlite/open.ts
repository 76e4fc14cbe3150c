// Opening the state directory: made whole or not at all, and never begun anew over something that is there.
import { chmodSync, closeSync, existsSync, linkSync, mkdirSync, openSync, readdirSync, readSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { OwnerError, StoreError } from '../../watch/errors.ts'
import { damaged, emptyControl } from '../control.ts'
import { translate } from './errors.ts'
import { MIGRATIONS } from './schema.ts'

/** The database's name in its directory. */
export const FILE_NAME = 'certbell.db'
/** How long one process waits for another's transaction: those take milliseconds. */
const BUSY_MS = 5000
/**
 * When so many pages are in the write-ahead log they are moved into the database, and it is written from its beginning again: 1 MiB. Each step writes whole
 * pages, some 50 kB of them for an alert that is found, composed and sent, so a log that may grow large fills a small disk with what is hardly anything.
 */
const WAL_PAGES = 256
/** What a log that had to grow beyond that keeps of it (bytes). */
const WAL_KEEPS = 2 * 1024 * 1024

/** Opens the database of a state directory, making both if there are none. Throws OwnerError or StoreError. */
export function openDatabase(directory: string, shown: string): DatabaseSync {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const path = join(directory, FILE_NAME)
    if (!existsSync(path)) create(directory, path)
    checkFile(path, shown)
    // Looked at with reading eyes first: a connection that writes would turn any database into one with a write-ahead log.
    openChecked(path, true, shown).close()
    tighten(directory)
    return openChecked(path, false, shown)
  } catch (error) {
    throw translate(fileError(error, shown), shown, directory)
  }
}

/** Opens it for reading only; undefined if there is none. It neither makes nor migrates anything. */
export function openForReading(directory: string, shown: string): DatabaseSync | undefined {
  const path = join(directory, FILE_NAME)
  if (!existsSync(path)) return undefined
  try {
    checkFile(path, shown)
    return openChecked(path, true, shown)
  } catch (error) {
    throw translate(fileError(error, shown), shown, directory)
  }
}

function openChecked(path: string, readOnly: boolean, shown: string): DatabaseSync {
  const database = connect(path, readOnly)
  try {
    checkVersion(database, shown)
    if (!readOnly) {
      // Left by one that was killed. On a full disk it may be what fills it.
      if (walBytes(path) > WAL_KEEPS) emptyWal(database, path)
      migrate(database)
    }
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * Moves what is in the write-ahead log at `path` into the database and gives its room back to the disk. False if that gained nothing: it was empty, somebody
 * reads from it, or the pages that the database lacks have no room either.
 */
export function emptyWal(database: DatabaseSync, path: string): boolean {
  const before = walBytes(path)
  try {
    // Whoever reads is done in milliseconds; who is not is not waited for with all else standing still.
    database.exec('pragma busy_timeout = 200; pragma wal_checkpoint(truncate)')
  } catch {
    // As it was; the next one who needs room tries again.
  } finally {
    database.exec(`pragma busy_timeout = ${BUSY_MS}`)
  }
  return walBytes(path) < before
}

function walBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
}

function connect(path: string, readOnly: boolean): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly, timeout: BUSY_MS })
  try {
    if (!readOnly) {
      // NORMAL: whatever dies, the file is whole and consistent. A power cut (not a crash) may take the last steps as a whole: what they found
      // is found again, and rings again. That is the at-least-once that is promised, at half the price of a sync for each step. A query that was
      // counted must not be forgotten so; see `firm` in backend.ts.
      database.exec(
        `pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = ${WAL_PAGES}; pragma journal_size_limit = ${WAL_KEEPS}`,
      )
    }
    database.exec('pragma cache_size = -4000')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

// Made under another name and linked into place when it is whole: a process killed in between leaves no half-made state behind, and an
// empty or cut-off file under the real name is damage, never a first run.
function create(directory: string, path: string): void {
  const draft = `${path}.new-${process.pid}`
  for (const name of readdirSync(directory)) {
    const pid = /^certbell\.db\.new-(\d+)(-wal|-shm|-journal)?$/.exec(name)?.[1]
    if (pid !== undefined && (Number(pid) === process.pid || !running(Number(pid)))) unlinkSync(join(directory, name))
  }
  closeSync(openSync(draft, 'wx', 0o600))
  try {
    const database = connect(draft, false)
    try {
      migrate(database)
      database.prepare('insert into control (id, body) values (1, ?)').run(JSON.stringify(emptyControl()))
    } finally {
      database.close()
    }
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

// Ours alone, also where it was made by hand or copied. A directory that holds anything else is the owner's to decide about; doctor speaks of it.
function tighten(directory: string): void {
  try {
    const names = readdirSync(directory)
    for (const name of names.filter(isOurs)) if ((statSync(join(directory, name)).mode & 0o077) !== 0) chmodSync(join(directory, name), 0o600)
    if (isShared(directory) && names.every(isOurs)) chmodSync(directory, 0o700)
  } catch {
    // Not the owner of it: then others decide who reads.
  }
}

function isOurs(name: string): boolean {
  return name === 'last-said-straight' || name.startsWith(FILE_NAME)
}

/** True if others than its owner may look into the directory. */
export function isShared(directory: string): boolean {
  return (statSync(directory).mode & 0o077) !== 0
}

function running(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/**
 * A check that the open database is still the one under its name: a file that was removed or replaced goes on taking writes that nobody will ever see.
 * It throws StoreError('lost').
 */
export function stillThere(directory: string, shown: string): () => void {
  const path = join(directory, FILE_NAME)
  const mine = statSync(path)
  return () => {
    const now = statSync(path, { throwIfNoEntry: false })
    if (now !== undefined && now.ino === mine.ino && now.dev === mine.dev) return
    throw new StoreError(
      'lost',
      `the state at ${shown} was removed or replaced while certbell ran. Put it back, or start certbell again: then every name gets a new baseline`,
    )
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
  if (existsSync(log) && statSync(log).size > 0) return
  if (header.readUInt32BE(28) * pageSize > size) throw damaged(shown)
  // What would be refused is not opened: SQLite would leave its log and index beside it.
  refuseNewer(header.readUInt32BE(60), shown)
}

function checkVersion(database: DatabaseSync, shown: string): void {
  const version = versionOf(database)
  // Ours never has 0 under its real name: it is made whole before it gets that.
  if (version === 0) throw damaged(shown)
  refuseNewer(version, shown)
}

function refuseNewer(version: number, shown: string): void {
  if (version > MIGRATIONS.length) {
    throw new OwnerError(
      'state-newer',
      `the state at ${shown} was written by a newer Certbell (its version is ${version}, this one knows ${MIGRATIONS.length}). Install that version again, or use another state directory`,
    )
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('pragma user_version').get()?.['user_version'])
}

function migrate(database: DatabaseSync): void {
  if (versionOf(database) === MIGRATIONS.length) return
  database.exec('begin immediate')
  try {
    // Another process may have been at it while we waited.
    for (const step of MIGRATIONS.slice(versionOf(database))) database.exec(step)
    database.exec(`pragma user_version = ${MIGRATIONS.length}; commit`)
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
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
