// A week on the free plan, in a second. What "fair share of the rest" means here:
//   the rest is the quota without what baselines and full pages had of it, and without the fifth that is kept for them while there are any;
//   a name's fair share is the time that the rest takes for one query of each name that is polled: N x 3600 s / rest an hour, spread evenly,
//   or, where a burst has used the hour's quota already (new names are asked for at once), until the rolling hour has let go of enough of it.
// No name waits longer than 1.2 x that between two polls, from the first hour on.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plannedInterval } from '../../src/watch/schedule.ts'
import type { Simulated, SimulatedName } from './simulate.ts'
import { DAY, HOUR, gaps, mostInAnHour, numbers, simulate } from './simulate.ts'

const FREE = { full: 10, single: 100 }
const WEEK = 7 * DAY

const count = (n: number, more: Partial<SimulatedName> = {}): SimulatedName[] =>
  Array.from({ length: n }, (_, index) => ({ key: `${more.queryClass ?? 'full'} ${index}`, queryClass: 'full', baselinePages: 1, ...more }))

/** Baselines of 1, 2, 5, 14 … pages: most names have few certificates, some very many. */
const mixed = (names: readonly SimulatedName[]): SimulatedName[] =>
  names.map((name, n) => ({ ...name, baselinePages: [1, 2, 5, 14, 1, 40, 3, 1, 1, 120][n % 10]! }))

const cases: readonly { readonly why: string; readonly names: readonly SimulatedName[]; readonly blocks?: { share: number; ms: number } }[] = [
  { why: '1 name', names: count(1) },
  { why: '10 names', names: count(10) },
  { why: '50 names', names: count(50) },
  { why: '1 name with a baseline of 500 pages', names: count(1, { baselinePages: 500 }) },
  { why: '10 names with baselines of 1 to 120 pages', names: mixed(count(10)) },
  { why: '50 names with baselines of 1 to 120 pages', names: mixed(count(50)) },
  { why: '10 names whose last page is now and then full', names: mixed(count(10, { fullOnce: 20 })) },
  { why: '50 names, every third page full', names: count(50, { fullOnce: 3 }) },
  { why: '9 steady names and one whose baseline never ends', names: [...count(9), { key: 'huge', queryClass: 'full', baselinePages: 1_000_000 }] },
  { why: '50 exact names', names: count(50, { queryClass: 'single' }) },
  { why: '10 names and 50 exact names, with baselines', names: [...mixed(count(10)), ...mixed(count(50, { queryClass: 'single' }))] },
]

/** When the `n`-th query from `from` on can be asked at the earliest, after those that were asked at `times` (ascending) in the hour before. */
const earliest = (times: readonly number[], quota: number, from: number, n: number): number => {
  const counted = [...times]
  let at = from
  for (let asked = 0; asked < n; asked++) {
    const oldest = counted.at(-quota)
    if (oldest !== undefined) at = Math.max(at, oldest + HOUR)
    counted.push(at)
  }
  return at
}

const tooLong = (run: Simulated, names: readonly SimulatedName[]): string[] => {
  const found: string[] = []
  for (const { key, queryClass } of names) {
    const quota = FREE[queryClass]
    const mine = run.asked.filter((query) => query.queryClass === queryClass)
    let first = 0
    for (const { from, to } of gaps(mine, key, run.end)) {
      while (mine[first]!.at <= from - HOUR) first += 1
      let [polled, had, meanwhile, behind] = [0, 0, 0, false]
      const before: number[] = []
      for (let n = first; n < mine.length && mine[n]!.at <= to; n++) {
        const query = mine[n]!
        if (query.at <= from) before.push(query.at)
        else if (query.backlog) meanwhile += 1
        if (query.backlog) had += 1
        if (query.at >= from) polled = Math.max(polled, query.polled)
        behind ||= query.behind
      }
      // What is kept for those that are behind, and what they had: whichever is more.
      const fifth = behind ? (Math.ceil(quota / 5) * (to - from)) / HOUR : 0
      const even = ((polled + Math.max(had, fifth)) * HOUR) / quota
      const share = Math.max(even, earliest(before, quota, from, polled + Math.max(meanwhile, Math.floor(fifth))) - from)
      if (to - from > 1.2 * share) found.push(`${key}: ${Math.round((to - from) / 60_000)} min, at most ${Math.round((1.2 * share) / 60_000)} min`)
    }
  }
  return found
}

describe('a week on the free plan', () => {
  for (const { why, names } of cases) {
    it(`${why}: within the quota, fair, and baselines have their fifth`, () => {
      const run = simulate({ names, quota: FREE, ms: WEEK, random: numbers(7) })
      for (const queryClass of ['full', 'single'] as const) {
        const most = mostInAnHour(run.asked, queryClass)
        assert.ok(most <= FREE[queryClass], `${most} ${queryClass} queries in an hour`)
        if (names.some((name) => name.queryClass === queryClass))
          assert.ok(most > FREE[queryClass] * 0.8, `only ${most} ${queryClass} queries in the best hour`)
        const fifth = Math.ceil(FREE[queryClass] / 5)
        const slow = poorHours(run, queryClass, fifth)
        assert.deepEqual(slow, [], 'hours in which baselines had less than a fifth')
      }
      assert.deepEqual(tooLong(run, names), [])
    })
  }

  for (const n of [1, 10, 50]) {
    for (const queryClass of ['full', 'single'] as const) {
      it(`${n} ${queryClass} names are polled as often as was announced`, () => {
        const names = count(n, { queryClass })
        const run = simulate({ names, quota: FREE, ms: WEEK, random: numbers(n) })
        const announced = plannedInterval(n, FREE[queryClass], 'auto')
        // The first round is over when every name has been asked for twice.
        for (const { key } of names) {
          const spans = [...gaps(run.asked, key, run.end)].slice(1, -1).map(({ from, to }) => to - from)
          assert.ok(spans.length > 10)
          const mean = spans.reduce((sum, ms) => sum + ms, 0) / spans.length
          assert.ok(Math.abs(mean - announced) <= 0.2 * announced, `${key}: every ${mean / 60_000} min, announced ${announced / 60_000}`)
          assert.ok(Math.max(...spans) <= 1.2 * announced, `${key}: ${Math.max(...spans) / 60_000} min once`)
        }
      })
    }
  }

  it('an interval longer than the fair share is kept as it was announced', () => {
    const interval = 20 * 60_000
    const run = simulate({ names: count(2), quota: FREE, interval, ms: DAY, random: numbers(1) })
    const spans = [...gaps(run.asked, 'full 1', run.end)].slice(1, -1).map(({ from, to }) => to - from)
    for (const ms of spans) assert.ok(ms >= plannedInterval(2, FREE.full, interval) && ms <= 1.2 * interval, `${ms / 60_000} min`)
  })

  it('an interval shorter than the fair share comes to what was announced, hour by hour', () => {
    const run = simulate({ names: count(2), quota: FREE, interval: 1000, ms: DAY, random: numbers(1) })
    const mean = DAY / run.asked.filter(({ key }) => key === 'full 1').length
    const announced = plannedInterval(2, FREE.full, 1000)
    assert.ok(Math.abs(mean - announced) <= 0.2 * announced, `every ${mean / 60_000} min, announced ${announced / 60_000}`)
    // Quick at first; once an hour is over, no longer blind than announced.
    const settled = [...gaps(run.asked, 'full 1', run.end)].filter(({ from }) => from > run.asked[0]!.at + 2 * HOUR)
    assert.ok(Math.max(...settled.map(({ from, to }) => to - from)) <= 1.2 * announced)
  })

  it('a lone baseline has the whole quota: 500 pages take 50 hours', () => {
    const run = simulate({ names: count(1, { baselinePages: 500 }), quota: FREE, ms: WEEK, random: numbers(3) })
    const hours = (run.baselinesDone - run.asked[0]!.at) / HOUR
    assert.ok(hours >= 49 && hours <= 51, `${hours} h`)
  })

  it('with a single query an hour nobody starves: names and baselines take turns', () => {
    const names = [...count(3, { baselinePages: 0 }), { key: 'huge', queryClass: 'full' as const, baselinePages: 1000 }]
    const run = simulate({ names, quota: { full: 1, single: 1 }, ms: WEEK, random: numbers(4) })
    assert.ok(mostInAnHour(run.asked, 'full') <= 1)
    for (const { key } of names) {
      const times = run.asked.filter((query) => query.key === key).length
      assert.ok(times >= 30, `${key} was asked ${times} times in 168 hours`)
    }
  })

  it('Retry-After again and again costs time, and no more', () => {
    const names = mixed(count(10))
    const run = simulate({ names, quota: FREE, ms: WEEK, random: numbers(5), blocks: { share: 0.1, ms: HOUR } })
    assert.ok(mostInAnHour(run.asked, 'full') <= FREE.full)
    for (const { key } of names) assert.ok(Math.max(...[...gaps(run.asked, key, run.end)].map(({ from, to }) => to - from)) < 8 * HOUR)
  })
})

/** Starts of the hours that were full of baselines, and in which these had less than `fifth` queries. */
function poorHours(run: Simulated, queryClass: 'full' | 'single', fifth: number): number[] {
  const mine = run.asked.filter((query) => query.queryClass === queryClass)
  const poor: number[] = []
  for (let n = 0; n < mine.length; n++) {
    const from = mine[n]!
    // Our own second of caution makes an hour of the plan a little longer than one of the clock.
    const window = mine.slice(n).filter((query) => query.at < from.at + HOUR + 60_000)
    if (!window.every(({ baselines }) => baselines) || mine[n + window.length]?.baselines !== true) continue
    if (window.filter(({ backlog }) => backlog).length < fifth) poor.push(from.at)
  }
  return poor
}
