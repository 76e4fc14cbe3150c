// The state for those who only look.
import type { Config } from '../config/config.ts'
import type { Reader } from '../stores/backend.ts'
import { openSqliteReader } from '../stores/sqlite/reader.ts'

/** Opens the state for reading beside whatever runs; undefined if there is none yet. */
export async function openReader({ state, aws }: Pick<Config, 'state' | 'aws'>): Promise<Reader | undefined> {
  if (state.kind === 'directory') return openSqliteReader(state.path, state.shown)
  const { openBucketReader } = await import('./bucket.ts')
  return openBucketReader(state, aws)
}
