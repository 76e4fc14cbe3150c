// The real program with a finger on the trigger: it kills itself (SIGKILL) at the n-th time it comes by a chosen step.
// Its clock runs fast. Run as: node test/support/entry.ts JSON
import { AsyncLocalStorage } from 'node:async_hooks'
import { writeFileSync } from 'node:fs'
import { openApp } from '../../src/app.ts'
import type { Clock } from '../../src/clock.ts'
import type { Config } from '../../src/config/config.ts'
import { runPass } from '../../src/daemon.ts'
import type { Http } from '../../src/http.ts'
import { createHttp } from '../../src/http-undici.ts'
import { processOwner } from '../../src/process-owner.ts'
import { createStore } from '../../src/stores/durable.ts'
import { openSqlite } from '../../src/stores/sqlite/backend.ts'
import type { Store } from '../../src/stores/store.ts'
import { itemOf } from './items.ts'

export const STEPS = [
  'after-request',
  'before-commit',
  'inside-commit',
  'after-commit',
  'before-send',
  'after-send',
  'before-settle',
  'inside-settle',
  'after-settle',
] as const
export type Step = (typeof STEPS)[number]

// As fast as SPEED seconds a second: the second between two messages costs a test next to nothing.
const SPEED = 25

export interface EntryOptions {
  readonly api: string
  readonly slack: string
  readonly state: string
  readonly names: readonly string[]
  /** ms since the epoch at which its clock starts. */
  readonly startAt: number
  readonly kill?: { readonly step: Step; readonly n: number }
  readonly askMs?: number
  readonly sendMs?: number
}

async function run(options: EntryOptions): Promise<number> {
  let passed = 0
  let inFlight = false
  const step = (name: Step): void => {
    if (options.kill?.step !== name) return
    passed += 1
    if (passed < options.kill.n) return
    // Slack may have this one, and nobody will know: the only message that may come twice.
    if (inFlight) writeFileSync(`${options.state}.in-flight`, '')
    process.kill(process.pid, 'SIGKILL')
  }
  const clock = fastClock(options.startAt)
  const net = createHttp()
  const http: Http = async (request) => {
    if (request.method === 'POST') step('before-send')
    const response = await net.http(request)
    step(request.method === 'POST' ? 'after-send' : 'after-request')
    return response
  }
  // Whose transaction it is: sources and sinks have theirs side by side.
  const inside = new AsyncLocalStorage<Step>()
  const app = await openApp(
    config(options),
    {
      clock,
      random: () => 0,
      http,
      owner: processOwner(),
      version: '0.0.0',
      openState: async ({ state }) => {
        const backend = await openSqlite(options.state, state.shown)
        return {
          ...backend,
          transact: async (body) =>
            backend.transact(async (tx) => {
              const result = await body(tx)
              const at = inside.getStore()
              if (at !== undefined) step(at)
              return result
            }),
        }
      },
      readInherited: async () => new Map(),
      stdout: { isTty: false, color: false, write: async () => undefined },
      straight: () => ({ last: () => 0, mark: () => undefined }),
      timeouts: { ask: options.askMs ?? 5000, send: options.sendMs ?? 5000 },
      warn: (message) => console.error(message),
    },
    () => undefined,
    false,
    async (...parts) => triggered(await createStore(...parts), step, inside, (sending) => (inFlight = sending)),
  )
  const { failed } = await runPass(app, clock, { wait: true, signal: new AbortController().signal })
  await app.close()
  await net.close()
  return failed ? 1 : 0
}

function triggered(store: Store, step: (name: Step) => void, inside: AsyncLocalStorage<Step>, sending: (yes: boolean) => void): Store {
  return {
    ...store,
    nextMessage: async (...parts) => {
      const next = await store.nextMessage(...parts)
      sending(next.kind === 'message')
      return next
    },
    commit: async (...parts) => {
      step('before-commit')
      const done = await inside.run('inside-commit', async () => store.commit(...parts))
      step('after-commit')
      return done
    },
    settle: async (...parts) => {
      step('before-settle')
      const done = await inside.run('inside-settle', async () => store.settle(...parts))
      sending(false)
      step('after-settle')
      return done
    },
  }
}

function fastClock(startAt: number): Clock {
  const began = performance.now()
  const now = (): number => Math.floor(startAt + (performance.now() - began) * SPEED)
  return {
    now,
    sleepUntil: async (time, signal) => {
      const ms = Math.min(Math.max(1, (time - now()) / SPEED), 10_000)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
      })
    },
  }
}

function config(options: EntryOptions): Config {
  return {
    watch: options.names.map(itemOf),
    folded: [],
    exclude: [],
    slack: [{ name: 'slack', url: options.slack }],
    stdout: 'off',
    certspotter: { url: options.api, quota: { full: 1000, single: 1000 }, intervalMs: 1000, baseline: 'inventory' },
    logs: false,
    state: { kind: 'directory', path: options.state, shown: options.state },
    predecessor: {},
    aws: { ownCredentials: false },
    logFormat: 'text',
    debug: false,
    quiet: true,
    proxy: {},
    secrets: [],
    secretFiles: [],
    warnings: [],
  }
}

if (import.meta.main) {
  const options = JSON.parse(process.argv[2] ?? '{}') as EntryOptions
  process.exitCode = await run(options)
}
