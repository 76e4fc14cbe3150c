// What SQLite says, in our words: whose fault it is decides what happens.
import { statfsSync } from 'node:fs'
import { OwnerError, StoreError } from '../../watch/errors.ts'
import { damaged } from '../control.ts'

// Primary result codes, https://www.sqlite.org/rescode.html
const ERROR = 1
const PERM = 3
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

/** Turns an error of node:sqlite into ours; any other comes back as it is. `place` is how the directory is shown. */
export function translate(error: unknown, place: string, directory?: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error
  const code = error.errcode % 256
  switch (code) {
    case ERROR:
      // Our statements are right, so what they miss was taken away.
      return /no such (?:table|column)/.test(error.message) ? damaged(place, error) : error
    case CORRUPT:
    case NOTADB:
      return damaged(place, error)
    case FULL:
      return full(place, error)
    case IOERR:
      // Where the write-ahead log's index cannot be made for want of room, SQLite speaks of an I/O error only.
      if (directory !== undefined && hasNoRoom(directory)) return full(place, error)
      return new StoreError('io', `the state at ${place} cannot be read or written: ${error.message}`, { cause: error })
    case BUSY:
    case LOCKED:
      return new StoreError('busy', `the state at ${place} was locked by another process for too long`, { cause: error })
    case PERM:
    case READONLY:
    case CANTOPEN:
      return new OwnerError(
        'state-access',
        `the state at ${place} cannot be written: ${error.message}. Check who owns it: it must belong to the user that runs certbell`,
        { cause: error },
      )
    default:
      return error
  }
}

function full(place: string, cause: unknown): StoreError {
  return new StoreError('full', `the disk that holds the state at ${place} is full`, { cause })
}

const LITTLE = 256 * 1024

function hasNoRoom(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize < LITTLE
  } catch {
    return false
  }
}
