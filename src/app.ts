// The pipes are laid here, once: a configuration and the world in, everything opened and wired out.
import { createHash } from 'node:crypto'
import type { Clock } from './clock.ts'
import type { Config, LogsConfig, State } from './config/config.ts'
import type { Http } from './http.ts'
import { createMonitor, sayStraight } from './monitor.ts'
import type { Monitor, MonitorEvent, MonitorPorts } from './monitor.ts'
import type { Notifier } from './notifiers/notifier.ts'
import { createSlack } from './notifiers/slack.ts'
import { createStdout } from './notifiers/stdout.ts'
import { createCertSpotter } from './sources/certspotter.ts'
import type { CertSpotter } from './sources/certspotter.ts'
import type { AskedItem } from './sources/certspotter-page.ts'
import { createPageReader } from './sources/certspotter-page.ts'
import type { Backend, Reader } from './stores/backend.ts'
import { createStore } from './stores/durable.ts'
import type { Owner } from './stores/lease.ts'
import type { Inherited } from './stores/predecessor.ts'
import { readInherited } from './stores/predecessor.ts'
import type { Setup, Store } from './stores/store.ts'
import type { Tail } from './tail/tail.ts'
import { OwnerError, StoreError } from './watch/errors.ts'
import type { Item } from './watch/item.ts'
import { itemKey } from './watch/item.ts'
import { createMatcher } from './watch/match.ts'
import type { QueryClass } from './watch/schedule.ts'

/** Everything that a run needs of the world outside. */
export interface World {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly http: Http
  readonly owner: Owner
  readonly version: string
  readonly openState: (config: Pick<Config, 'state' | 'aws'>) => Promise<Backend>
  /**
   * What the predecessor kept under these names, as it stands; an Error where it cannot be read. Names that it did not keep are not in it. Throws
   * OwnerError where nobody can tell whether it kept any.
   */
  readonly readInherited: (config: Pick<Config, 'predecessor' | 'aws'>, names: readonly string[]) => Promise<ReadonlyMap<string, string | Error>>
  readonly stdout: { readonly isTty: boolean; readonly color: boolean; readonly write: (text: string) => Promise<void> }
  /**
   * Opens the reading of logs, where that can be done. Throws OwnerError if no log list is known and none can be had; a signal that is aborted meanwhile ends
   * the waiting for one.
   */
  readonly openTail?: (
    config: Config,
    logs: LogsConfig,
    plan: Plan,
    backend: Backend,
    report: (event: MonitorEvent) => void,
    signal?: AbortSignal,
  ) => Promise<Tail>
  /** See MonitorPorts.straight; for the place that the state lives in. */
  readonly straight: (state: State) => MonitorPorts['straight']
  /** Aborted once the run is to end: what opening waits for is not waited for any more. */
  readonly stopping?: AbortSignal
  /** Longest times for one request, ms. */
  readonly timeouts: { readonly ask: number; readonly send: number }
  readonly warn: (message: string) => void
}

/** What a configuration comes to, without anything opened: enough for `check` and `status`. */
export interface Plan {
  readonly setup: Setup
  readonly items: ReadonlyMap<string, AskedItem>
  readonly userAgent: string
  /** How standard output is used as a sink. */
  readonly stdout: 'pretty' | 'json' | 'off'
}

export interface App {
  readonly config: Config
  readonly plan: Plan
  readonly store: Store
  readonly reader: Reader
  readonly monitor: Monitor
  readonly notifiers: readonly Notifier[]
  /** Reads the logs; undefined if they are not to be read. */
  readonly tail: Tail | undefined
  close(): Promise<void>
}

/** Decides what a run with this configuration watches and where it rings. `json` is the flag. */
export function planRun(config: Config, isTty: boolean, version: string, json = false): Plan {
  const items = new Map<string, AskedItem>()
  const asked: { key: string; queryClass: QueryClass }[] = []
  if (config.certspotter !== false) {
    for (const item of config.watch) {
      if (item.kind !== 'name') continue
      const key = itemKey(item)
      items.set(key, { key, text: item.text, domain: item.domain, exact: item.exact })
      asked.push({ key, queryClass: item.exact ? 'single' : 'full' })
    }
  }
  const stdout = json ? 'json' : config.stdout !== 'auto' ? config.stdout : config.slack.length > 0 ? 'off' : isTty ? 'pretty' : 'json'
  const api = config.certspotter === false ? undefined : config.certspotter
  return {
    items,
    stdout,
    userAgent: `certbell/${version} (+${config.contact ?? 'https://www.npmjs.com/package/certbell'})`,
    setup: {
      items: asked,
      credential: shortHash(`${api?.url}\n${api?.token ?? ''}`),
      quota: api?.quota ?? { full: 1, single: 1 },
      interval: api?.intervalMs ?? 'auto',
      baseline: api?.baseline ?? 'inventory',
      ...(config.logs !== false && { logs: true as const }),
      sinks: [...config.slack.map(({ name }) => name), ...(stdout === 'off' ? [] : ['stdout'])],
      addresses: Object.fromEntries(config.slack.map(({ name, url }) => [name, shortHash(url)])),
    },
  }
}

// To tell one secret from another, and no more.
function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** The sinks of a run. */
export function createNotifiers(config: Config, plan: Plan, world: Pick<World, 'http' | 'stdout' | 'timeouts'>): readonly Notifier[] {
  const slack = config.slack.map(({ name, url }) =>
    createSlack({ name, url, http: world.http, timeoutMs: world.timeouts.send, userAgent: plan.userAgent }),
  )
  if (plan.stdout === 'off') return slack
  return [...slack, createStdout({ mode: plan.stdout, write: world.stdout.write, color: world.stdout.color })]
}

/** The Cert Spotter source of a run. */
export function createSource(config: Config, plan: Plan, world: Pick<World, 'http' | 'timeouts'>): CertSpotter {
  const api = config.certspotter === false ? undefined : config.certspotter
  return createCertSpotter({
    http: world.http,
    url: api?.url ?? '',
    ...(api?.token !== undefined && { token: api.token }),
    userAgent: plan.userAgent,
    timeoutMs: world.timeouts.ask,
    readPage: createPageReader(createMatcher(config.watch, config.exclude)),
  })
}

/** Opens and wires everything. Throws OwnerError or StoreError if the state cannot be used. */
export async function openApp(
  config: Config,
  world: World,
  report: (event: MonitorEvent) => void,
  json = false,
  makeStore: typeof createStore = createStore,
): Promise<App> {
  const plan = planRun(config, world.stdout.isTty, world.version, json)
  const notifiers = createNotifiers(config, plan, world)
  const straight = world.straight(config.state)
  let backend: Backend | undefined
  try {
    backend = await world.openState(config)
    const { reader } = backend
    const setup = await withInherited(plan.setup, config, plan.items, reader, world)
    const byKey = new Map(config.watch.map((item) => [itemKey(item), item]))
    const store = await makeStore(backend, setup, world.owner, (key) => coveredBy(byKey.get(key)), world.clock.now())
    const monitor = createMonitor({
      store,
      ask: createSource(config, plan, world),
      items: plan.items,
      notifiers,
      clock: world.clock,
      random: world.random,
      askMs: world.timeouts.ask,
      // The full form, Slack's pause of a second, and the plain form.
      sendMs: 2 * world.timeouts.send + 1000,
      report,
      straight,
    })
    const tail = config.logs === false ? undefined : await openLogs(config, config.logs, plan, backend, world, report)
    return { config, plan, store, reader, monitor, notifiers, tail, close: async () => store.close() }
  } catch (error) {
    // A disk that is full before anything was opened is no less worth telling.
    if (error instanceof StoreError) await sayStraight(error, { clock: world.clock, straight, notifiers })
    await backend?.close()
    throw error
  }
}

async function openLogs(
  config: Config,
  logs: LogsConfig,
  plan: Plan,
  backend: Backend,
  world: World,
  report: (event: MonitorEvent) => void,
): Promise<Tail> {
  if (world.openTail === undefined)
    throw new OwnerError(
      'logs',
      'the logs cannot be read here: that needs a process that stays. Remove `logs`, or run certbell watch on a machine of its own',
    )
  return world.openTail(config, logs, plan, backend, report, world.stopping)
}

function coveredBy(item: Item | undefined): (name: string) => boolean {
  if (item === undefined) return () => false
  const matcher = createMatcher([item], [])
  const below = item.kind === 'name' && !item.exact ? `.${item.domain}` : undefined
  return (name) => (below !== undefined && name.endsWith(below)) || matcher.match([name], []).matched.length > 0
}

// The predecessor kept an id for each domain: that is where a name without a state here goes on.
async function withInherited(setup: Setup, config: Config, items: Plan['items'], reader: Reader, world: World): Promise<Setup> {
  if (config.predecessor.bucket === undefined && config.predecessor.directory === undefined) return setup
  const known = (await reader.control()).items
  const names = new Map<string, readonly string[]>()
  for (const { key } of setup.items) {
    const asked = items.get(key)
    if (asked !== undefined && known[key] === undefined) names.set(key, [...new Set([asked.domain, asked.text.replace(/^=/, '')])])
  }
  if (names.size === 0) return setup
  const kept = await world.readInherited(config, [...new Set([...names.values()].flat())])
  return {
    ...setup,
    items: setup.items.map((entry) => {
      for (const name of names.get(entry.key) ?? []) {
        const inherited = inheritedFrom(kept.get(name))
        if (inherited === undefined) continue
        if ('cursor' in inherited) return { ...entry, cursor: inherited.cursor }
        world.warn(`the predecessor's state of ${name} is not used: ${inherited.problem}. The name gets a baseline; what it was is left as it is`)
      }
      return entry
    }),
  }
}

function inheritedFrom(content: string | Error | undefined): Inherited | undefined {
  if (content instanceof Error) return { problem: content.message }
  return content === undefined ? undefined : readInherited(content)
}
