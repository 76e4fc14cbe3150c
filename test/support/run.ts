// Running the built command as a user does, and holding all that it says to what output must never be.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const BIN = join(import.meta.dirname, '..', '..', 'bin', 'certbell.js')
/** Secrets of every test that has any: whole or in part, they are in no output. */
export const TOKEN = 'k9_TestTokenNeverPrintMe'
export const WEBHOOK_PATH = '/services/T0TESTS01/B0TESTS01/hKq7NeverPrintThisWebhook'
const SECRETS = [TOKEN, 'NeverPrintMe', 'hKq7NeverPrintThisWebhook', 'NeverPrintThis', 'B0TESTS01']

export interface Ran {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly bin?: string
  /** ms; then it is killed and the test fails. */
  readonly timeout?: number
  /** Called with the process, to signal it or to look at it. */
  readonly with?: (child: ChildProcess, said: () => string) => Promise<void>
}

/** Runs certbell in a scrubbed environment. Fails if it prints a secret, a stack trace or (in a pipe) anything that a terminal would obey. */
export async function certbell(args: readonly string[], options: RunOptions): Promise<Ran> {
  const env = Object.fromEntries(
    Object.entries({
      PATH: process.env['PATH'],
      HOME: options.cwd,
      XDG_STATE_HOME: join(options.cwd, 'xdg'),
      TZ: 'UTC',
      LANG: 'C.UTF-8',
      ...options.env,
    }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  const child = spawn(process.execPath, [options.bin ?? BIN, ...args], { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk))
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? 60_000)
  const ended = new Promise<Ran>((resolve) => child.on('close', (code, signal) => resolve({ code, signal, out, err })))
  try {
    await options.with?.(child, () => out + err)
    const ran = await ended
    holdOutput(args, `${ran.out}\n${ran.err}`)
    return ran
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
  }
}

/** The environment of a run against sandbox servers, with the product's wall clock moved by `shiftMs` (test/support/shift-clock.cjs). */
export function shiftedEnv(place: { readonly api: string; readonly slack: string; readonly state: string }, shiftMs: number): Record<string, string> {
  return {
    MONITOR_DOMAINS: 'example.com',
    NODE_COMPILE_CACHE: join(tmpdir(), 'certbell-test-compile-cache'),
    CERTSPOTTER_API_URL: place.api,
    CERTSPOTTER_API_TOKEN: TOKEN,
    SLACK_WEBHOOK: place.slack,
    CERTBELL_STATE_DIR: place.state,
    NODE_OPTIONS: `--require ${join(import.meta.dirname, 'shift-clock.cjs')}`,
    CLOCK_SHIFT_MS: String(shiftMs),
  }
}

/** What no output of ours may hold. */
export function holdOutput(args: readonly string[], text: string): void {
  for (const secret of SECRETS) assert.ok(!text.includes(secret), `certbell ${args.join(' ')} prints a secret`)
  assert.doesNotMatch(text, /^\s+at .+\(?(?:file|node):.*:\d+/m, `certbell ${args.join(' ')} prints a stack trace`)
  assert.doesNotMatch(
    text,
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
    `certbell ${args.join(' ')} prints a control character`,
  )
}

/** Waits until something is so, looking every 20 ms; fails with `what` after `ms`. For processes and servers: they have clocks of their own. */
export async function until(condition: () => boolean, what: string, ms = 20_000): Promise<void> {
  const deadline = performance.now() + ms
  while (!condition()) {
    if (performance.now() > deadline) assert.fail(`not within ${ms} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
