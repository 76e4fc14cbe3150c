// The state for those who only look.
import type { DirectoryState, S3State } from '../config/config.ts'
import type { Reader } from '../stores/backend.ts'
import { openSqliteReader } from '../stores/sqlite/reader.ts'
import { OwnerError } from '../watch/errors.ts'

/** Opens the state for reading beside whatever runs; undefined if there is none yet. */
export async function openReader(state: DirectoryState | S3State): Promise<Reader | undefined> {
  if (state.kind === 's3') throw new OwnerError('state-s3', 'state in S3 comes with the next version; use a directory')
  return openSqliteReader(state.path, state.shown)
}
