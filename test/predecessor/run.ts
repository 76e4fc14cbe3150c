// The whole of Certbell but its process: a configuration as the predecessor had it, the sandbox's servers, and a clock that is stepped.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { openApp } from '../../src/app.ts'
import type { App, World } from '../../src/app.ts'
import type { Clock } from '../../src/clock.ts'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createHttp } from '../../src/http-undici.ts'
import type { MonitorEvent } from '../../src/monitor.ts'
import type { CertSpotterApi, CertSpotterApiOptions } from '../../src/sandbox/certspotter-api.ts'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import type { ApiIssuance } from '../../src/sandbox/issuance.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import type { Slack } from '../../src/sandbox/slack.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import type { Backend } from '../../src/stores/backend.ts'
import { memoryRoot, openMemory } from '../../src/stores/memory.ts'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
export const T0 = Date.UTC(2026, 10, 6, 8, 15)

export interface RunOptions {
  /** As MONITOR_DOMAINS had it. */
  readonly domains: string
  readonly env?: Readonly<Record<string, string>>
  /** A configuration file besides. */
  readonly yaml?: string
  readonly quota?: CertSpotterApiOptions['quota']
  readonly askMs?: number
  readonly openState?: () => Promise<Backend>
  /** Files, for the predecessor's state. */
  readonly files?: Readonly<Record<string, string>>
}

export interface Run {
  readonly api: CertSpotterApi
  readonly slack: Slack
  readonly config: Config
  readonly events: readonly MonitorEvent[]
  readonly warnings: readonly string[]
  app: App
  now(): number
  /** One pass: asks for all that is due, then delivers all that is due. True if something failed. */
  pass(): Promise<boolean>
  /** Passes, each when the one before said, for so long. */
  goOn(ms: number): Promise<void>
  /** The process dies as it is, and another one begins. */
  killAndRestart(): Promise<void>
  /** Makes a certificate and adds it to the API's order of discovery. */
  issue(names: readonly string[], more?: Partial<Parameters<typeof makeIssuance>[0]>): ApiIssuance
  /** Text and blocks of every message that Slack took. */
  said(): string[]
}

export function config(options: RunOptions, api: string, slack: string): Config {
  const files: Record<string, string> = { ...options.files, ...(options.yaml !== undefined && { '/work/certbell.yaml': options.yaml }) }
  const loaded = loadConfig({
    flags: {},
    env: { MONITOR_DOMAINS: options.domains, CERTSPOTTER_API_URL: api, SLACK_WEBHOOK: slack, ...options.env },
    cwd: '/work',
    home: '/home/ana',
    readFile: (path) => files[path],
  })
  assert.ok('config' in loaded, JSON.stringify(loaded))
  return loaded.config
}

function inherited({ files }: RunOptions, { directory }: Config['predecessor'], names: readonly string[]): Map<string, string> {
  return new Map(
    names.flatMap((name) => {
      const content = files?.[`${directory}/${name}`]
      return content === undefined ? [] : [[name, content] as const]
    }),
  )
}

/** Starts it all; it ends with the test. */
export async function start(t: TestContext, options: RunOptions): Promise<Run> {
  let time = T0
  let process = 1
  const clock: Clock = { now: () => time, sleepUntil: async () => Promise.reject(new Error('nobody sleeps here')) }
  const api = await startCertSpotterApi({ clock: () => time, ...(options.quota !== undefined && { quota: options.quota }) })
  const slack = await startSlack()
  const net = createHttp()
  const given = config(options, api.url, slack.url)
  const root = memoryRoot()
  const ids = createIds()
  const events: MonitorEvent[] = []
  const warnings: string[] = []
  const openProcess = async (): Promise<App> => {
    const mine = `process ${process}`
    const world: World = {
      clock,
      random: () => 0.5,
      http: net.http,
      owner: { id: mine, alive: (id) => id === mine },
      version: '0.0.0',
      openState: options.openState ?? (async () => openMemory(root)),
      readInherited: async ({ predecessor }, names) => inherited(options, predecessor, names),
      stdout: { isTty: false, color: false, write: async () => undefined },
      straight: () => ({ last: () => 0, mark: () => undefined }),
      timeouts: { ask: options.askMs ?? 5000, send: 2000 },
      warn: (message) => void warnings.push(message),
    }
    return openApp(given, world, (event) => void events.push(event))
  }
  t.after(async () => {
    await run.app.close()
    await net.close()
    await api.close()
    await slack.close()
  })

  let next = T0
  const pass = async (): Promise<boolean> => {
    let failed = false
    const note = (did: { kind: string; failed?: boolean; failing?: boolean; until?: number }): boolean => {
      failed ||= did.failed === true || did.failing === true
      if (did.kind === 'wait') next = Math.min(next, did.until ?? Infinity)
      return did.kind === 'wait'
    }
    next = Infinity
    while (!note(await run.app.monitor.askNext())) continue
    await run.app.monitor.review(true)
    for (const notifier of run.app.notifiers) {
      for (;;) {
        const did = await run.app.monitor.deliverNext(notifier)
        if (did.kind === 'wait' && did.why === 'spacing') time = did.until
        else if (note(did)) break
      }
    }
    return failed
  }
  const run: Run = {
    api,
    slack,
    config: given,
    events,
    warnings,
    app: await openProcess(),
    now: () => time,
    pass,
    goOn: async (ms) => {
      const end = time + ms
      for (;;) {
        await pass()
        if (time >= end) return
        time = Math.min(end, Math.max(time + SECOND, next))
      }
    },
    killAndRestart: async () => {
      process += 1
      run.app = await openProcess()
    },
    issue: (names, more = {}) => {
      const made = makeIssuance({ id: ids(), names, notBefore: new Date(time - MINUTE), ...more })
      api.add(made)
      return made
    },
    said: () => slack.messages.map(({ payload }) => JSON.stringify(payload)),
  }
  return run
}

/** How many of Slack's messages say this. */
export const times = (run: Run, text: string): number => run.said().filter((message) => message.includes(text)).length
