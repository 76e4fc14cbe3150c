// Running and timing processes, and saying how a figure stands to its bar.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Ran {
  readonly seconds: number
  /** CPU time, seconds, to some 20 ms; undefined where /proc does not tell. */
  readonly cpuSeconds?: number
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
  let cpu = 0
  const look = setInterval(() => {
    peak = Math.max(peak, highWater(child.pid))
    cpu = Math.max(cpu, cpuOf(child.pid))
  }, 20)
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearInterval(look)
  return { seconds: (performance.now() - start) / 1000, code, out, ...(peak > 0 && { peakMiB: peak, cpuSeconds: cpu }) }
}

/** Highest resident set of a process so far, MiB; 0 where /proc does not tell. */
export function highWater(pid: number | undefined): number {
  return statusOf(pid, /VmHWM:\s+(\d+)/)
}

/** Resident set of a process now, MiB; 0 where /proc does not tell. */
export function resident(pid: number | undefined): number {
  return statusOf(pid, /VmRSS:\s+(\d+)/)
}

function statusOf(pid: number | undefined, field: RegExp): number {
  try {
    return Number(field.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

// Clock ticks of proc(5) stat are hundredths of a second everywhere that matters.
function cpuOf(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}

/** The least of several runs' seconds: what disturbs a machine only ever adds. */
export function least(runs: readonly Ran[]): number {
  return Math.min(...runs.map(({ seconds }) => seconds))
}

// The machine is shared, so it is the processor's time that counts, and of several rounds the least.
function cpuMs(task: () => void): number {
  const before = process.cpuUsage()
  task()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** The least ms of each task, taken in turns so that a disturbance meets them all. */
export function inTurns<const K extends string>(rounds: number, tasks: Readonly<Record<K, () => void>>): Readonly<Record<K, number>> {
  const best: Record<string, number> = {}
  for (let round = 0; round < rounds; round++)
    for (const [name, task] of Object.entries<() => void>(tasks)) best[name] = Math.min(best[name] ?? Infinity, cpuMs(task))
  return best as Record<K, number>
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
