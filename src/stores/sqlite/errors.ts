// What SQLite says, in our words: whose fault it is decides what happens.
import { OwnerError, StoreError } from '../../watch/errors.ts'
import { damaged } from '../control.ts'

// Primary result codes, https://www.sqlite.org/rescode.html
const PERM = 3
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

/** Turns an error of node:sqlite into ours; any other comes back as it is. `place` is the directory, as shown. */
export function translate(error: unknown, place: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error
  const code = error.errcode % 256
  switch (code) {
    case CORRUPT:
    case NOTADB:
      return damaged(place, error)
    case FULL:
      return new StoreError('full', `the disk that holds the state at ${place} is full`, { cause: error })
    case BUSY:
    case LOCKED:
      return new StoreError('busy', `the state at ${place} was locked by another process for too long`, { cause: error })
    case IOERR:
      return new StoreError('io', `the state at ${place} cannot be read or written: ${error.message}`, { cause: error })
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
