// Starting: certbell --version beside node doing nothing.
import { join } from 'node:path'
import { bar, least, run } from './measure.ts'

/** Ratio of `certbell --version` to `node -e 0`. */
export async function startup(): Promise<void> {
  const ours = []
  const bare = []
  for (let n = 0; n < 15; n++) {
    bare.push(await run(process.execPath, ['-e', '0']))
    ours.push(await run(process.execPath, [join(import.meta.dirname, '..', 'bin', 'certbell.js'), '--version']))
  }
  bar('certbell --version to node -e 0', least(ours) / least(bare), { most: 2.5 })
}
