import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import type { NameState, Plan, PlanInput } from '../../src/watch/schedule.ts'
import { budgetLeft, live, plan, plannedInterval } from '../../src/watch/schedule.ts'
import { HOUR, mostInAnHour, numbers, simulate } from './simulate.ts'

const NOW = Date.UTC(2026, 10, 6, 8)
const SECOND = NOW / 1000
const MIN = 60_000
const ask = (key: string, backlog = false, queryClass: 'full' | 'single' = 'full'): Plan => ({ kind: 'ask', key, queryClass, backlog })
const wait = (ms: number, why: string) => ({ kind: 'wait', until: NOW + ms, why })
const name = (key: string, minutesAgo?: number, more: Partial<NameState> = {}): NameState => ({
  key,
  queryClass: 'full',
  backlog: false,
  baseline: false,
  ...(minutesAgo !== undefined && { polledAt: NOW - minutesAgo * MIN }),
  ...more,
})
const baseline = { backlog: true, baseline: true } as const
const input = (names: readonly NameState[], more: Partial<PlanInput> = {}): PlanInput => ({
  now: NOW,
  quota: { full: 10, single: 100 },
  interval: 'auto',
  spent: { full: [], single: [] },
  names,
  ...more,
})
/** So many polls and backlog queries, half an hour ago. */
const spent = (polls: number, backlog = 0): PlanInput['spent'] => ({ full: [[SECOND - 1800, polls, backlog]], single: [] })
const freeAgain = 1800_000 + 1000

describe('plan', () => {
  const table: readonly { readonly in: PlanInput; readonly out: unknown; readonly why: string }[] = [
    { in: input([]), out: { kind: 'wait', until: Infinity, why: 'nothing' }, why: 'nothing is watched' },
    { in: input([name('a')]), out: ask('a'), why: 'a new name is asked for at once' },
    { in: input([name('a', 50), name('b', 70)]), out: ask('b'), why: 'the least recently polled goes first' },
    { in: input([name('a', 70), name('b')]), out: ask('b'), why: 'one never polled goes before all' },
    { in: input([name('a', 5)]), out: wait(MIN, 'schedule'), why: 'one name on ten queries: every 6 min' },
    { in: input([name('a', 6)]), out: ask('a'), why: 'and then at once' },
    { in: input([name('a', 5)], { interval: 20 * MIN }), out: wait(15 * MIN, 'schedule'), why: 'a longer interval is kept' },
    { in: input([name('a', 70)], { spent: spent(10) }), out: wait(freeAgain, 'quota'), why: 'the quota is used' },
    {
      in: input([name('a', 70)], { spent: { full: [[SECOND - 3601, 10, 0]], single: [] } }),
      out: ask('a'),
      why: 'a second counts until all of it is an hour old',
    },
    { in: input([name('a', 70)], { spent: { full: [[SECOND - 3600, 10, 0]], single: [] } }), out: wait(1000, 'quota'), why: 'and not less' },
    { in: input([name('a', 70)], { blockedUntil: NOW + 306_000 }), out: wait(306_000, 'blocked'), why: 'Retry-After' },
    { in: input([name('a', 70)], { blockedUntil: NOW }), out: ask('a'), why: 'Retry-After is over' },
    { in: input([name('a', 1, baseline)]), out: ask('a', true), why: 'a baseline goes on at once' },
    { in: input([name('a', 1, baseline)], { spent: spent(0, 9) }), out: ask('a', true), why: 'alone it has all of the quota' },
    {
      in: input([name('a', 1, baseline), name('b', 3)], { spent: spent(2, 2) }),
      out: wait(freeAgain < 4.5 * MIN ? freeAgain : 4.5 * MIN, 'schedule'),
      why: 'beside a steady name it has a fifth',
    },
    { in: input([name('a', 1, baseline), name('b', 70)], { spent: spent(8, 0) }), out: ask('a', true), why: 'the fifth is kept free for it' },
    { in: input([name('a', 1, { backlog: true })]), out: ask('a', true), why: 'a full page goes on at once' },
    { in: input([name('a', 1, { backlog: true })], { spent: spent(1, 8) }), out: ask('a', true), why: 'a name alone drains with the whole quota' },
    { in: input([name('a', 70, { retryAt: NOW + MIN }), name('b', 65)]), out: ask('b'), why: 'a refused name waits, the others go on' },
    { in: input([name('a', 70, { retryAt: NOW + MIN })]), out: wait(MIN, 'schedule'), why: 'a refused name alone' },
    { in: input([name('a', -50)]), out: ask('a'), why: 'polled in the future: the clock was turned back' },
    { in: input([name('=a', 1, { queryClass: 'single' })]), out: ask('=a', false, 'single'), why: 'an exact name on a hundred: every 36 s' },
    {
      in: input([name('=a', 70, { queryClass: 'single' })], { spent: spent(10) }),
      out: ask('=a', false, 'single'),
      why: 'each class has a quota of its own',
    },
    { in: input([name('a', 60, { queryClass: 'single' }), name('b', 70)]), out: ask('b'), why: 'across classes the least recent goes first' },
    {
      in: input([name('a', 200), name('b', 190), name('c', 180), name('d', 210, baseline)], { quota: { full: 1, single: 1 } }),
      out: ask('d', true),
      why: 'with one query an hour whoever waited longest has it: no baseline starves',
    },
    {
      in: input([name('a', 220), name('b', 190), name('c', 180), name('d', 210, baseline)], { quota: { full: 1, single: 1 } }),
      out: ask('a'),
      why: 'with one query an hour no baseline pushes in either',
    },
  ]
  for (const row of table) it(row.why, () => assert.deepEqual(plan(row.in), row.out))
})

it('budgetLeft tells what is left and when the next comes free', () => {
  const now = NOW + 700
  assert.deepEqual(budgetLeft(10, [], now), { left: 10 })
  assert.deepEqual(
    budgetLeft(
      10,
      [
        [SECOND - 60, 2, 1],
        [SECOND - 30, 1, 0],
      ],
      now,
    ),
    { left: 6, nextFree: NOW - 60_000 + 1000 + HOUR },
  )
  assert.equal(budgetLeft(2, [[SECOND, 3, 1]], now).left, 0, 'never negative: the quota may have been lowered')
  assert.deepEqual(
    live(
      [
        [SECOND - 3601, 1, 0],
        [SECOND - 3600, 1, 0],
      ],
      now,
    ),
    [[SECOND - 3600, 1, 0]],
  )
})

it('plannedInterval announces the fair share, or the longer interval that was asked for', () => {
  const table: readonly (readonly [number, number, number | 'auto', number])[] = [
    [1, 10, 'auto', 6 * MIN],
    [10, 10, 'auto', HOUR],
    [50, 10, 'auto', 5 * HOUR],
    [1, 100, 'auto', 36_000],
    [1, 1_000_000, 'auto', 1000],
    [1, 10, 20 * MIN, 20 * MIN],
    [10, 10, 20 * MIN, HOUR],
  ]
  for (const [count, quota, interval, ms] of table)
    assert.equal(plannedInterval(count, quota, interval), ms, `${count} names, ${quota} an hour, ${interval}`)
})

const names = fc.array(
  fc.record({
    queryClass: fc.constantFrom('full' as const, 'single' as const),
    baselinePages: fc.nat(30),
    fullOnce: fc.integer({ min: 1, max: 50 }),
  }),
  { minLength: 1, maxLength: 20 },
)

it('never asks more than the quota in any hour of the API, whatever names, quota, interval, slowness and Retry-After', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 200 }),
      names,
      fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1000, max: 2 * HOUR })),
      fc.constantFrom(1, 500, 2000, 30_000),
      fc.constantFrom(0, 0.02, 0.2),
      fc.nat(),
      (full, single, drawn, interval, slowest, share, seed) => {
        const { asked } = simulate({
          names: drawn.map((given, n) => ({ ...given, key: String(n) })),
          quota: { full, single },
          interval,
          ms: 5 * HOUR,
          random: numbers(seed),
          slowest,
          blocks: { share, ms: HOUR },
        })
        assert.ok(asked.length > 0)
        assert.ok(mostInAnHour(asked, 'full') <= full, `${mostInAnHour(asked, 'full')} full queries of ${full}`)
        assert.ok(mostInAnHour(asked, 'single') <= single, `${mostInAnHour(asked, 'single')} single queries of ${single}`)
      },
    ),
    { numRuns: 150 },
  )
})

it('asks for a name no sooner than its interval, unless it is behind', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1000, max: HOUR }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(),
      (quota, interval, count, seed) => {
        const { asked } = simulate({
          names: Array.from({ length: count }, (_, n) => ({ key: String(n), queryClass: 'full' as const, baselinePages: 0 })),
          quota: { full: quota, single: 1 },
          interval,
          ms: 8 * HOUR,
          random: numbers(seed),
        })
        const last = new Map<string, number>()
        for (const { key, at } of asked) {
          assert.ok(at - (last.get(key) ?? -Infinity) >= interval)
          last.set(key, at)
        }
        assert.equal(last.size, count, 'every name was asked for')
      },
    ),
    { numRuns: 100 },
  )
})
