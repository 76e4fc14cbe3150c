// 5,000 entries a second over 50 logs, half of them RFC 6962, one in a hundred ours: how long from publication to the alert on standard output.
// Once with an empty state, and once with one that knows a million issuances.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fillState } from './known.ts'
import { bar, highWater } from './measure.ts'

const CERTBELL = join(import.meta.dirname, '..', 'bin', 'certbell.js')
const [LOGS, RATE, EVERY, SECONDS] = [50, 5000, 100, 40]
const ITEMS = 10_000

const KNOWN = 1_000_000

/** Latency and memory of steady tailing. Seconds are of this machine; the sandbox shares its cores. */
export async function tailing(): Promise<void> {
  const without = await tailOnce(0)
  const withMany = await tailOnce(KNOWN)
  bar('tailing: memory for a million known issuances', withMany - without, { most: 40 }, 'MiB')
}

/** Highest resident memory, MiB. */
async function tailOnce(known: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-tailing-'))
  // Before the logs begin to grow.
  if (known > 0) await fillState(join(folder, 'state'), known)
  const server = spawn(
    process.execPath,
    ['--max-old-space-size=3000', join(import.meta.dirname, 'growing-logs.ts'), ...[LOGS, RATE, EVERY, SECONDS].map(String)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  try {
    const said = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
    const { list } = JSON.parse(String((await said.next()).value)) as { list: string }
    writeFileSync(join(folder, 'logs.json'), list)
    const items = ['watched.example', ...Array.from({ length: ITEMS - 1 }, (_, n) => `brand${n}.example`)]
    writeFileSync(join(folder, 'names.txt'), items.join('\n'))
    writeFileSync(
      join(folder, 'certbell.yaml'),
      "watch: '@names.txt'\ncertspotter: false\nlogs: {lists: [./logs.json], start: end}\nstdout: json\nstate: ./state\n",
    )
    const child = spawn(process.execPath, [CERTBELL, 'watch', '--quiet'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
    const delays: number[] = []
    createInterface({ input: child.stdout }).on('line', (line) => {
      const alert = JSON.parse(line) as { readonly kind: string; readonly logged_at?: string }
      if (alert.kind === 'certificate') delays.push(Date.now() - Date.parse(alert.logged_at ?? ''))
    })
    const { matches } = JSON.parse(String((await said.next()).value)) as { matches: number }
    for (let n = 0; n < 200 && delays.length < matches; n++) await new Promise((resolve) => setTimeout(resolve, 100))
    const peak = highWater(child.pid)
    child.kill('SIGTERM')
    await new Promise((resolve) => child.on('close', resolve))
    delays.sort((a, b) => a - b)
    const at = (share: number): number => (delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? Infinity) / 1000
    console.log(
      `     tailing, ${known} known: ${delays.length} of ${matches} matches rang; p50 ${at(0.5).toFixed(1)} s, p95 ${at(0.95).toFixed(1)} s, p99 ${at(0.99).toFixed(1)} s`,
    )
    bar(`tailing, ${known} known: matches that rang`, delays.length / matches, { least: 1, most: 1 })
    bar(`tailing, ${known} known: publication to alert, p50`, at(0.5), { most: 3 }, 's')
    bar(`tailing, ${known} known: publication to alert, p99`, at(0.99), { most: 10 }, 's')
    bar(`tailing, ${known} known: resident memory`, peak, { most: 200 }, 'MiB')
    return peak
  } finally {
    server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}
