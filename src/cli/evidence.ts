// What a log sent and should not have, kept as it came: one file with the bytes, one that says where and when they came from.
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { State } from '../config/config.ts'
import { grouped } from '../watch/words.ts'

/** A log that lies for months must not fill the disk. */
export interface EvidenceLimits {
  /** Of one log and kind so many are kept: the first, and the newest. */
  readonly each: number
  /** All of it together, bytes. */
  readonly total: number
}

const LIMITS: EvidenceLimits = { each: 20, total: 256 * 1024 * 1024 }

/** Keeps evidence below the state directory, under a name that `name` gives rise to; says where. Throws Error with what is in the way, in words. */
export async function keepEvidence(
  state: State,
  name: string,
  bytes: Uint8Array,
  about: Readonly<Record<string, unknown>>,
  limits: EvidenceLimits = LIMITS,
): Promise<readonly string[]> {
  // State in a bucket and reading logs do not go together.
  if (state.kind !== 'directory') return []
  const folder = join(state.path, 'evidence')
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  // The name holds what a list calls a log: letters, digits and hyphens of it are enough. What tells kind and size stands at its end.
  const file = `${name
    .replace(/[^A-Za-z0-9]+/g, '-')
    .slice(-100)
    .replace(/^-+|-+$/g, '')}-${sha256.slice(0, 12)}`
  const files = [`evidence/${file}.bin`, `evidence/${file}.json`]
  const told = `${JSON.stringify({ ...about, sha256, bytes: `${file}.bin` }, undefined, 2)}\n`
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const kept = keptIn(folder)
    // The same once more: when it came first is what counts.
    if (kept.some((each) => each.file === file && each.whole)) return files
    makeRoom(folder, kept, { file, size: bytes.length + Buffer.byteLength(told) }, limits)
    writeFileSync(join(folder, `${file}.bin`), bytes, { mode: 0o600 })
    writeFileSync(join(folder, `${file}.json`), told, { mode: 0o600 })
    return files
  } catch (error) {
    // Half of it would say what it is not.
    if (error instanceof NoRoom) throw error
    remove(folder, file)
    throw new Error(wordsOf(error), { cause: error })
  }
}

class NoRoom extends Error {}

/** One piece of evidence: both its files, or what there is of them. */
interface Kept {
  readonly file: string
  readonly size: number
  readonly at: number
  readonly whole: boolean
}

function keptIn(folder: string): readonly Kept[] {
  const found = new Map<string, { size: number; at: number; parts: number }>()
  for (const name of readdirSync(folder)) {
    const file = /^(.+-[0-9a-f]{12})\.(?:bin|json)$/.exec(name)?.[1]
    const stat = file === undefined ? undefined : lstatSync(join(folder, name), { throwIfNoEntry: false })
    if (file === undefined || stat === undefined) continue
    const one = found.get(file) ?? { size: 0, at: Infinity, parts: 0 }
    found.set(file, { size: one.size + stat.size, at: Math.min(one.at, stat.mtimeMs), parts: one.parts + 1 })
  }
  return [...found].map(([file, { size, at, parts }]) => ({ file, size, at, whole: parts === 2 })).sort((a, b) => a.at - b.at)
}

// Of each log and kind the first stays, whatever comes.
function makeRoom(
  folder: string,
  kept: readonly Kept[],
  next: { readonly file: string; readonly size: number },
  { each, total }: EvidenceLimits,
): void {
  const groups = Map.groupBy(kept, ({ file }) => groupOf(file))
  const alike = groups.get(groupOf(next.file)) ?? []
  const gone = new Set(alike.slice(1, 1 + Math.max(0, alike.length + 1 - each)))
  const firsts = new Set([...groups.values()].map(([first]) => first))
  let size = next.size + kept.reduce((sum, one) => sum + (gone.has(one) ? 0 : one.size), 0)
  for (const one of kept) {
    if (size <= total) break
    if (firsts.has(one) || gone.has(one)) continue
    gone.add(one)
    size -= one.size
  }
  if (size > total)
    throw new NoRoom(
      `the folder evidence in the state directory may hold ${grouped(Math.floor(total / 1_048_576))} MiB, and nothing more in it may go. Move its files elsewhere`,
    )
  for (const { file } of gone) remove(folder, file)
}

// LOG-KIND, without size and hash.
function groupOf(file: string): string {
  return file.replace(/-\d+-[0-9a-f]{12}$/, '')
}

function remove(folder: string, file: string): void {
  for (const end of ['bin', 'json']) {
    try {
      rmSync(join(folder, `${file}.${end}`), { force: true })
    } catch {
      // What cannot be written can often not be removed either.
    }
  }
}

function wordsOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full. Make room'
  return `the folder evidence in the state directory cannot be written (${code}). Make it a directory of the user that runs certbell`
}
