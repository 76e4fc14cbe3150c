// Running and timing processes, and saying how a figure stands to its bar.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Ran {
  readonly seconds: number
  /** Highest resident set, MiB; undefined where /proc does not tell. */
  readonly peakMiB?: number
  readonly code: number | null
  readonly out: string
}

/** Runs a program to its end and times it. Its memory is looked at every 20 ms. */
export async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd?: string): Promise<Ran> {
  const start = performance.now()
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], ...(cwd !== undefined && { cwd }) })
  let out = ''
  let peak = 0
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()))
  const look = setInterval(() => (peak = Math.max(peak, highWater(child.pid))), 20)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearInterval(look)
  return { seconds: (performance.now() - start) / 1000, code, out, ...(peak > 0 && { peakMiB: peak }) }
}

function highWater(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** The least of several runs' seconds: what disturbs a machine only ever adds. */
export function least(runs: readonly Ran[]): number {
  return Math.min(...runs.map(({ seconds }) => seconds))
}

let missed = 0

/** Says a figure against its bar. */
export function bar(what: string, figure: number, limit: { readonly most?: number; readonly least?: number }, unit = '×'): void {
  const ok = (limit.most === undefined || figure <= limit.most) && (limit.least === undefined || figure >= limit.least)
  if (!ok) missed += 1
  const bound = limit.most === undefined ? `at least ${limit.least}` : `at most ${limit.most}`
  console.log(`${ok ? 'ok  ' : 'MISS'} ${what}: ${figure.toFixed(2)} ${unit} (${bound})`)
}

/** The exit code: 1 if a bar was missed. */
export function verdict(): number {
  return missed > 0 ? 1 : 0
}
