// A baseline of 1,000 pages (100,000 issuances with DER) from loopback, the whole process, beside what the pages cost without us.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ran } from './measure.ts'
import { bar, least, run } from './measure.ts'

const ROUNDS = 5
const CERTBELL = join(import.meta.dirname, '..', 'bin', 'certbell.js')

/** Time, memory and disk of a large baseline; and what a poll that finds nothing writes. */
export async function baseline(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-bench-'))
  const server = spawn(process.execPath, ['--max-old-space-size=4000', join(import.meta.dirname, 'api-server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const url = await new Promise<string>((resolve) =>
      server.stdout.once('data', (chunk: Buffer) => resolve((JSON.parse(chunk.toString()) as { url: string }).url)),
    )
    const parse: Ran[] = []
    const x509: Ran[] = []
    const ours: Ran[] = []
    let state = ''
    for (let round = 0; round < ROUNDS; round++) {
      parse.push(await run(process.execPath, [join(import.meta.dirname, 'reference.ts'), url, 'parse']))
      x509.push(await run(process.execPath, [join(import.meta.dirname, 'reference.ts'), url, 'x509']))
      state = join(folder, `state-${round}`)
      const config = join(folder, 'certbell.yaml')
      writeFileSync(
        config,
        `watch: [example.com]\nstdout: 'off'\nstate: ${state}\ncertspotter: {url: '${url}', interval: 1s, quota: {full: 1000000, single: 1000000}}\n`,
      )
      const ran = await run(process.execPath, [CERTBELL, 'poll', '--wait', '--quiet', '--config', config])
      if (ran.code !== 0) throw new Error(`certbell poll: ${ran.code}: ${ran.out}`)
      ours.push(ran)
    }
    console.log(
      `     seconds: fetch and JSON.parse ${least(parse).toFixed(2)}, with X509Certificate ${least(x509).toFixed(2)}, certbell ${least(ours).toFixed(2)}`,
    )
    bar('baseline: X509Certificate for each, to certbell', least(x509) / least(ours), { least: 2 })
    bar('baseline: certbell to fetch and JSON.parse alone', least(ours) / least(parse), { most: 2.5 })
    const peaks = ours.map(({ peakMiB }) => peakMiB).filter((peak) => peak !== undefined)
    if (peaks.length > 0) bar('baseline: resident memory', Math.max(...peaks), { most: 150 }, 'MiB')
    bar('baseline: state on disk', statSync(join(state, 'certbell.db')).size / 1024 / 1024, { most: 60 }, 'MiB')
  } finally {
    server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}
