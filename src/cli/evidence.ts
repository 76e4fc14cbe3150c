// What a log sent and should not have, kept as it came: one file with the bytes, one that says where and when they came from.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { State } from '../config/config.ts'

/** So many files are kept: a log that lies for months must not fill the disk. */
const MOST = 2000

/** Keeps evidence below the state directory, under a name that `name` gives rise to; says where. */
export async function keepEvidence(
  state: State,
  name: string,
  bytes: Uint8Array,
  about: Readonly<Record<string, unknown>>,
): Promise<readonly string[]> {
  // State in a bucket and reading logs do not go together.
  if (state.kind !== 'directory') return []
  const folder = join(state.path, 'evidence')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (readdirSync(folder).length >= MOST) return []
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  // The name holds what a list calls a log: letters, digits and hyphens of it are enough.
  const file = `${name
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 100)}-${sha256.slice(0, 12)}`
  writeFileSync(join(folder, `${file}.bin`), bytes, { mode: 0o600 })
  writeFileSync(join(folder, `${file}.json`), `${JSON.stringify({ ...about, sha256, bytes: `${file}.bin` }, undefined, 2)}\n`, { mode: 0o600 })
  return [`evidence/${file}.bin`, `evidence/${file}.json`]
}
