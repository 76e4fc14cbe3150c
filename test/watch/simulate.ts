// A pure run of the plan against a stepped clock: one credential, one request in flight, the API's own reckoning in milliseconds.
// It keeps account as the store does: a query counts when it is asked, and from its answer on at the time of the answer.
import type { NameState, PlanInput, QueryClass } from '../../src/watch/schedule.ts'
import { plan } from '../../src/watch/schedule.ts'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR

/** A name to watch: how many pages its baseline has, and how often a later page is full. */
export interface SimulatedName {
  readonly key: string
  readonly queryClass: QueryClass
  /** 0: it is steady from the start. */
  readonly baselinePages: number
  readonly fullOnce?: number
}

export interface Simulation {
  readonly names: readonly SimulatedName[]
  readonly quota: Readonly<Record<QueryClass, number>>
  readonly interval?: number | 'auto'
  readonly ms: number
  readonly start?: number
  /** In [0, 1). */
  readonly random: () => number
  /** Longest request, ms. */
  readonly slowest?: number
  /** Share of answers that ask to be left alone, and for how long at most. */
  readonly blocks?: { readonly share: number; readonly ms: number }
}

/** One query as the simulation saw it. `arrived` is when the API counts it. */
export interface Asked {
  readonly key: string
  readonly queryClass: QueryClass
  readonly at: number
  readonly arrived: number
  readonly backlog: boolean
  /** Names of its class that were being polled at that time, whether any had a baseline, and whether any had pages left to read. */
  readonly polled: number
  readonly baselines: boolean
  readonly behind: boolean
  /** Its baseline was done with this query, or before. */
  readonly steady: boolean
}

export interface Simulated {
  readonly asked: readonly Asked[]
  readonly end: number
  /** When the last baseline was done. */
  readonly baselinesDone: number
}

export function simulate(given: Simulation): Simulated {
  const { names, quota, interval = 'auto', random, slowest = 2000, blocks } = given
  const start = given.start ?? Date.UTC(2026, 10, 6, 8, 0, 0, 250)
  let now = start
  let blockedUntil: number | undefined
  let baselinesDone = start
  const spent: Record<QueryClass, [number, number, number][]> = { full: [], single: [] }
  const states = new Map(
    names.map((name) => [name.key, { pages: name.baselinePages, full: false, asked: false, polledAt: undefined as number | undefined }]),
  )
  const asked: Asked[] = []
  const view = (): NameState[] =>
    names.map(({ key, queryClass }) => {
      const state = states.get(key)!
      const baseline = state.asked && state.pages > 0
      return { key, queryClass, backlog: baseline || state.full, baseline, ...(state.polledAt !== undefined && { polledAt: state.polledAt }) }
    })
  while (now < start + given.ms) {
    for (const kind of ['full', 'single'] as const) spent[kind] = spent[kind].filter(([second]) => second * 1000 > now - 2 * HOUR)
    const input: PlanInput = { now, quota, interval, spent, names: view(), ...(blockedUntil !== undefined && { blockedUntil }) }
    const decision = plan(input)
    if (decision.kind === 'wait') {
      if (!(decision.until > now)) throw new Error(`told at ${now} to wait until ${decision.until}`)
      now = Math.min(decision.until, start + given.ms)
      continue
    }
    const { key, queryClass, backlog } = decision
    const state = states.get(key)!
    const duration = Math.floor(random() * slowest)
    const peers = input.names.filter((name) => name.queryClass === queryClass)
    asked.push({
      key,
      queryClass,
      at: now,
      arrived: now + Math.floor(random() * (duration + 1)),
      backlog,
      polled: peers.filter((name) => !name.baseline).length,
      baselines: peers.some((name) => name.baseline),
      behind: peers.some((name) => name.backlog),
      steady: state.pages <= 1,
    })
    const duringBaseline = state.pages > 0
    state.asked = true
    state.polledAt = now
    now += duration
    spent[queryClass].push([Math.floor(now / 1000), backlog ? 0 : 1, backlog ? 1 : 0])
    if (state.pages > 0) state.pages -= 1
    if (duringBaseline && state.pages === 0) baselinesDone = now
    const { fullOnce } = names.find((name) => name.key === key)!
    state.full = !duringBaseline && fullOnce !== undefined && random() < 1 / fullOnce
    if (blocks !== undefined && random() < blocks.share) blockedUntil = now + Math.floor(random() * blocks.ms)
  }
  return { asked, end: now, baselinesDone }
}

/** The most queries of a class that the API counts in any hour. */
export function mostInAnHour(asked: readonly Asked[], queryClass: QueryClass): number {
  const times = asked.filter((query) => query.queryClass === queryClass).map(({ arrived }) => arrived)
  let most = 0
  let first = 0
  for (let last = 0; last < times.length; last++) {
    while (times[last]! - times[first]! >= HOUR) first += 1
    most = Math.max(most, last - first + 1)
  }
  return most
}

/** The spans between the queries for a name whose baseline is done, the last one up to the end. */
export function* gaps(asked: readonly Asked[], key: string, end: number): Generator<{ readonly from: number; readonly to: number }> {
  let before: Asked | undefined
  for (const query of asked) {
    if (query.key !== key) continue
    if (before?.steady === true) yield { from: before.at, to: query.at }
    before = query
  }
  if (before?.steady === true) yield { from: before.at, to: end }
}

/** A small generator of numbers in [0, 1), the same for the same seed (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
