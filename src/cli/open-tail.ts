// Reading the logs, opened and wired: a part of its own, since most runs do without it.
import { availableParallelism } from 'node:os'
import type { Plan, World } from '../app.ts'
import type { Config, LogsConfig } from '../config/config.ts'
import { listSource } from '../log-list-sources.ts'
import type { MonitorEvent } from '../monitor.ts'
import { createBandwidth, UNLIMITED } from '../sources/bandwidth.ts'
import { isHybrid } from '../sources/hybrid.ts'
import type { KeptList } from '../sources/log-lists.ts'
import { createLogLists } from '../sources/log-lists.ts'
import { createSift } from '../sources/log-sift.ts'
import type { PagePool } from '../sources/page-pool.ts'
import { createPagePool } from '../sources/page-pool.ts'
import type { Backend } from '../stores/backend.ts'
import { LIST_DOCUMENTS } from '../stores/log-state.ts'
import type { TailStore } from '../stores/tail.ts'
import { createTailStore } from '../stores/tail.ts'
import { LARGE } from '../tail/behind.ts'
import type { Tail } from '../tail/tail.ts'
import { createTail } from '../tail/tail.ts'
import { OwnerError } from '../watch/errors.ts'
import { itemKey } from '../watch/item.ts'
import { createMatcher } from '../watch/match.ts'
import { createSieve } from '../watch/sieve.ts'
import { keepEvidence } from './evidence.ts'
import { beforeOf, sentence, WATCHED_SINCE } from './watched-since.ts'

/** See World.openTail. */
export async function openTail(
  world: World,
  config: Config,
  { lists, only, start, intervalMs, bandwidth }: LogsConfig,
  plan: Plan,
  backend: Backend,
  report: (event: MonitorEvent) => void,
  stopping?: AbortSignal,
): Promise<Tail> {
  const store = createTailStore(backend, plan.setup.sinks, world.owner)
  await sayFromWhen(store, config, world)
  const known = await createLogLists({
    sources: lists.map((source) => listSource(source, world.http, plan.userAgent)),
    load: async (key) => {
      const text = await store.document(LIST_DOCUMENTS + key)
      return text === undefined ? undefined : (JSON.parse(text) as KeptList)
    },
    save: async (key, list) => store.putDocument(LIST_DOCUMENTS + key, JSON.stringify(list)),
  })
  const isNone = (): boolean => known.states.every(({ list }) => list === undefined)
  // Else they are looked at while the logs are read.
  if (isNone()) await known.refresh(world.clock.now(), stopping)
  // Told to end before there was one: then nothing is read, and nothing is amiss.
  if (isNone() && stopping?.aborted !== true) {
    throw new OwnerError('log-list', `there is no log to read. ${known.states.map(({ refused }) => refused?.message ?? '').join('. ')}`)
  }
  const sieve = createSieve(config.watch)
  const pool = createPagePool({ sieve, most: Math.min(MOST_WORKERS, availableParallelism() - 1), now: () => performance.now() })
  const tail = createTail({
    store,
    lists: known,
    http: world.http,
    clock: world.clock,
    random: world.random,
    userAgent: plan.userAgent,
    longestMs: 2 * world.timeouts.ask,
    readPage: pool.read,
    sift: createSift(createMatcher(config.watch, config.exclude)),
    interval: intervalMs,
    bandwidth: bandwidth === undefined ? UNLIMITED : createBandwidth(bandwidth, world.clock),
    isHybrid,
    large: LARGE,
    start,
    only,
    keepEvidence: async (name, bytes, about) => keepEvidence(config.state, name, bytes, about),
    report,
  })
  return {
    run: async (signal, hear) => endingAfter(pool, tail.run(signal, hear)),
    pass: async (signal) => endingAfter(pool, tail.pass(signal)),
  }
}

async function endingAfter<T>(pool: PagePool, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } finally {
    await pool.end()
  }
}

/** One core is for everything else; and with three more, the logs are what is waited for. */
const MOST_WORKERS = 3

// Logs that were begun earlier were read without a name that is new: said once, since it is easy to take for more.
async function sayFromWhen(store: TailStore, config: Config, { clock, warn }: World): Promise<void> {
  const { watch } = config
  const text = await store.document(WATCHED_SINCE)
  const since = text === undefined ? {} : (JSON.parse(text) as Record<string, number>)
  const fresh = watch.filter((item) => since[itemKey(item)] === undefined)
  const keys = new Set(watch.map(itemKey))
  // One that is taken out is forgotten: should it come back, it was not looked for meanwhile.
  if (fresh.length === 0 && Object.keys(since).every((key) => keys.has(key))) return
  const now = clock.now()
  await store.putDocument(WATCHED_SINCE, JSON.stringify(Object.fromEntries(watch.map((item) => [itemKey(item), since[itemKey(item)] ?? now]))))
  if (text === undefined) return
  for (const [before, items] of Map.groupBy(fresh, (item) => beforeOf(item, config))) warn(sentence(items, 'from now on', before))
}
