// 5,000 entries a second over 50 logs, half of them RFC 6962, one in a hundred ours: how long from publication to the alert on standard output.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { bar, highWater } from './measure.ts'

const CERTBELL = join(import.meta.dirname, '..', 'bin', 'certbell.js')
const [LOGS, RATE, EVERY, SECONDS] = [50, 5000, 100, 40]
const ITEMS = 10_000

/** Latency and memory of steady tailing. Seconds are of this machine; the sandbox shares its cores. */
export async function tailing(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-tailing-'))
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
      `     ${delays.length} of ${matches} matches rang; p50 ${at(0.5).toFixed(1)} s, p95 ${at(0.95).toFixed(1)} s, p99 ${at(0.99).toFixed(1)} s`,
    )
    bar('tailing: matches that rang', delays.length / matches, { least: 1, most: 1 })
    bar('tailing: publication to alert, p50', at(0.5), { most: 3 }, 's')
    bar('tailing: publication to alert, p99', at(0.99), { most: 10 }, 's')
    bar('tailing: resident memory', peak, { most: 200 }, 'MiB')
  } finally {
    server.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}
