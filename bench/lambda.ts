// The Lambda bundle's cold start: importing it, beside importing Amazon's S3 client alone. A new process for each.
import { join } from 'node:path'
import { bar, run } from './measure.ts'

const ROOT = join(import.meta.dirname, '..')
const TIMES = 15

/** Milliseconds that a new process takes to import a module. */
async function importing(module: string): Promise<number> {
  const code = `const t = performance.now(); await import(${JSON.stringify(module)}); console.log(performance.now() - t)`
  // Lambda has no cache of compiled code.
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const { out } = await run(process.execPath, ['--input-type=module', '-e', code], env, ROOT)
  return Number(out.trim())
}

/** Ratio of the two, and the bundle's own time. */
export async function lambda(): Promise<void> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let n = 0; n < TIMES; n++) {
    ours.push(await importing(join(ROOT, 'dist', 'lambda', 'index.mjs')))
    theirs.push(await importing('@aws-sdk/client-s3'))
  }
  bar('cold import of the Lambda bundle to that of @aws-sdk/client-s3', Math.min(...ours) / Math.min(...theirs), { most: 0.6 })
}
