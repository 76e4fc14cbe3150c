// The machine's own Node, where it is older than what we run on: how the platform did what we do ourselves differs from one to the other.
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { FIXTURES } from './fixtures.ts'
import { run } from './measure.ts'

/** Runs a file of bench/ that prints JSON under the first Node before 22 on the PATH; undefined if there is none. */
export async function underOlderNode(file: string): Promise<{ readonly version: string; readonly result: unknown } | undefined> {
  const older = olderNode()
  if (older === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'certbell-bench-older-'))
  try {
    const outfile = join(folder, 'alone.mjs')
    await build({
      entryPoints: [join(import.meta.dirname, file)],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile,
      packages: 'bundle',
      external: ['esbuild'],
    })
    const { code, out } = await run(older.path, [outfile], { ...process.env, CERTBELL_FIXTURES: FIXTURES })
    if (code !== 0) throw new Error(`${file} under Node ${older.version}: ${out}`)
    return { version: older.version, result: JSON.parse(out) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function olderNode(): { readonly path: string; readonly version: string } | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'node')
    if (!existsSync(path)) continue
    const version = /^v((\d+)\.\S+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))
    if (version !== null && Number(version[2]) < 22) return { path, version: version[1] ?? '' }
  }
  return undefined
}
