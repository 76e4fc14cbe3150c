// A million entries in one go, the log served from memory by a process of its own: memory over the run, and what a second core gives.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { FIXTURES } from './fixtures.ts'
import { bar, resident, run } from './measure.ts'

const CERTBELL = join(import.meta.dirname, '..', 'bin', 'certbell.js')
const ENTRIES = 1_000_000
const ITEMS = 10_000
const ROUNDS = 3

// As bin/run.js sets them.
const FLAGS = ['--external-memory-accounted-in-global-limit', '--heap-growing-percent=25']
/** One core, for all that a process does: its collector and its compiler as well. */
const ONE_CORE = ['taskset', '-c', '0']

/** Memory of a long catch-up, by protocol; and two cores to one. */
export async function long(): Promise<void> {
  for (const protocol of ['static-ct', 'rfc6962'] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'certbell-long-'))
    const server = spawn(process.execPath, ['--max-old-space-size=6000', join(import.meta.dirname, 'log-server.ts'), String(ENTRIES), protocol], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      // Seconds to fill it.
      const said = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
      const { list } = JSON.parse(String((await said.next()).value)) as { list: string }
      writeFileSync(join(folder, 'logs.json'), list)
      const names = ['watched.example', ...Array.from({ length: ITEMS - 1 }, (_, n) => `brand${n}.example`)]
      writeFileSync(join(folder, 'names.txt'), names.join('\n'))
      const two = await catchUpOnce(folder, [])
      const [first, second] = [0, 1].map((half) => Math.max(...two.samples.filter((_, n) => Math.floor((2 * n) / two.samples.length) === half)))
      console.log(`     long, ${protocol}: ${Math.round(ENTRIES / two.seconds)} entries/s`)
      bar(`long, ${protocol}: resident memory`, Math.max(first ?? 0, second ?? 0), { most: 200 }, 'MiB')
      bar(`long, ${protocol}: memory in the second half to the first`, (second ?? 0) / (first ?? 0), { most: 1.05 })
      if (protocol === 'static-ct') {
        const one = await catchUpOnce(folder, ONE_CORE)
        // The log's server takes its part of the second core as well, and starting up is in it: no bar.
        console.log(`     long, ${protocol}: the whole process over HTTP, two cores to one: ${(one.seconds / two.seconds).toFixed(2)} ×`)
      }
    } finally {
      server.kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
  await secondCore()
}

interface CaughtUp {
  readonly seconds: number
  /** Resident memory, MiB, some twenty times a second. */
  readonly samples: readonly number[]
}

async function catchUpOnce(folder: string, before: readonly string[]): Promise<CaughtUp> {
  writeFileSync(
    join(folder, 'certbell.yaml'),
    "watch: '@names.txt'\ncertspotter: false\nlogs: {lists: [./logs.json], start: beginning}\nstdout: json\nstate: ./state\n",
  )
  rmSync(join(folder, 'state'), { recursive: true, force: true })
  const [file, ...args] = [...before, process.execPath, CERTBELL, 'poll', '--quiet']
  const start = performance.now()
  const child = spawn(file, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  const samples: number[] = []
  const look = setInterval(() => {
    const now = resident(child.pid)
    if (now > 0) samples.push(now)
  }, 50)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearInterval(look)
  if (code !== 0) throw new Error(`certbell poll: ${code}`)
  return { seconds: (performance.now() - start) / 1000, samples }
}

/**
 * What is measured: real tiles from their packed bytes through the pool, the tree and the matcher, by one process that may use one core, and by one that
 * may use two; the best of several rounds of each, taken in turns. What is not: the network, the log's server and SQLite, of which a machine with two cores
 * would have to do the first two on the very same cores.
 */
async function secondCore(): Promise<void> {
  if (!existsSync(FIXTURES)) {
    console.log(`     long: no fixtures at ${FIXTURES}; set CERTBELL_FIXTURES`)
    return
  }
  const rate = async (before: readonly string[], workers: number): Promise<number> => {
    const [file, ...args] = [...before, process.execPath, ...FLAGS, join(import.meta.dirname, 'pipeline.ts'), String(workers)]
    const { out, code } = await run(file, args)
    if (code !== 0) throw new Error(`pipeline: ${out}`)
    return (JSON.parse(out) as { readonly rate: number }).rate
  }
  const best = { one: 0, two: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    best.one = Math.max(best.one, await rate(ONE_CORE, 0))
    best.two = Math.max(best.two, await rate(['taskset', '-c', '0,1'], 1))
  }
  console.log(`     long: from packed tiles, ${Math.round(best.one)} entries/s on one core, ${Math.round(best.two)} on two`)
  bar('long: catching up on two cores to one', best.two / best.one, { least: 1.6 })
}
