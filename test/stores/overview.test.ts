import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Control, ItemState, SinkState } from '../../src/stores/control.ts'
import { emptyControl } from '../../src/stores/control.ts'
import type { LogOverview } from '../../src/stores/log-overview.ts'
import { overview } from '../../src/stores/overview.ts'
import type { Setup } from '../../src/stores/store.ts'
import { DAY, HOUR, MINUTE, T0, setup } from './support.ts'

/** A state in which all is well, and what is to be changed in it. */
const state = (change: (control: Control) => void = () => undefined): Control => {
  const control = emptyControl()
  control.items['example.com'] = {
    queryClass: 'full',
    addedAt: T0 - DAY,
    full: false,
    found: 12,
    polledAt: T0 - MINUTE,
    succeededAt: T0 - MINUTE,
    cursor: 'x',
  }
  control.credentials['c'] = { spent: { full: [[T0 / 1000 - 60, 1, 0]], single: [] }, fence: 3, succeededAt: T0 - MINUTE }
  control.sinks['slack'] = { fence: 1, delivered: 4, deliveredAt: T0 - HOUR, lastAnswer: 'ok' }
  change(control)
  return control
}
const look = (control: Control, more: { readonly waiting?: Record<string, { waiting: number; parked: number }>; readonly setup?: Setup } = {}) =>
  overview(control, more.waiting ?? {}, more.setup ?? setup(), T0)
const item = (control: Control, change: Partial<ItemState>) => Object.assign(control.items['example.com']!, change)
const sink = (control: Control, change: Partial<SinkState>) => Object.assign(control.sinks['slack']!, change)
const api = (since: number) => ({ since, failures: 2, kind: 'api' as const, message: 'the API answers 500' })

describe('overview: the reasons', () => {
  const table: readonly {
    readonly why: string
    readonly in: Control
    readonly waiting?: Record<string, { waiting: number; parked: number }>
    readonly out: readonly (readonly [string, RegExp])[]
  }[] = [
    { why: 'all is well', in: state(), out: [] },
    { why: 'alerts that wait their turn are no fault', in: state(), waiting: { slack: { waiting: 3, parked: 0 } }, out: [] },
    { why: 'the API fails', in: state((c) => (c.credentials['c']!.failing = api(T0 - MINUTE))), out: [['certspotter', /500/]] },
    {
      why: 'the API fails, and the name with it: once',
      in: state((c) => ((c.credentials['c']!.failing = api(T0)), item(c, { failing: api(T0) }))),
      out: [['certspotter', /500/]],
    },
    {
      why: 'a name fails',
      in: state((c) => item(c, { failing: { ...api(T0), kind: 'name', message: 'refused' } })),
      out: [['certspotter:example.com', /refused/]],
    },
    {
      why: 'a name is overdue',
      in: state((c) => item(c, { succeededAt: T0 - 2 * HOUR })),
      out: [['certspotter/overdue', /example\.com not looked at for 2 h: start certbell watch/]],
    },
    {
      why: 'a name is overdue, and it is the API that says so',
      in: state((c) => (item(c, { succeededAt: T0 - 2 * HOUR }), (c.credentials['c']!.blocked = { setAt: T0, until: T0 + 5 * MINUTE }))),
      out: [['certspotter/overdue', /told us to wait until 08:20 UTC/]],
    },
    {
      why: 'the runner died',
      in: state((c) => (c.runner = { owner: 'x', startedAt: T0 - DAY, seenAt: T0 - HOUR, dueAt: T0 - 2 * MINUTE })),
      out: [['runner', /2 min ago: it has died or hangs/]],
    },
    {
      why: 'the runner is a little late',
      in: state((c) => (c.runner = { owner: 'x', startedAt: T0 - DAY, seenAt: T0 - HOUR, dueAt: T0 - MINUTE })),
      out: [],
    },
    {
      why: 'a sink fails',
      in: state((c) => sink(c, { failing: { since: T0 - MINUTE, attempts: 3, answer: '503', dead: false } })),
      waiting: { slack: { waiting: 1, parked: 0 } },
      out: [['sink:slack', /takes no messages \(503\)\. 1 alert waits, none is lost/]],
    },
    {
      why: 'a sink is dead',
      in: state((c) => sink(c, { failing: { since: T0, attempts: 1, answer: '404 no_service', dead: true } })),
      out: [['sink:slack', /refuses messages \(404 no_service\)/]],
    },
    {
      why: 'a message is parked',
      in: state(),
      waiting: { slack: { waiting: 0, parked: 2 } },
      out: [['sink:slack/message', /2 alerts.*certbell alerts --pending/]],
    },
    {
      why: 'a trouble was told: in its words',
      in: state((c) => (c.troubles['certspotter'] = { component: 'certspotter', kind: 'api', since: T0, message: 'as told' })),
      out: [['certspotter', /^as told$/]],
    },
    {
      why: 'troubles of names and sinks that are no longer ours',
      in: state(
        (c) => (
          (c.troubles['certspotter:gone.example'] = {
            component: 'certspotter:gone.example',
            kind: 'name',
            since: T0,
            message: 'm',
            names: ['gone.example'],
          }),
          (c.troubles['sink:old'] = { component: 'sink:old', kind: 'dead', since: T0, message: 'm' })
        ),
      ),
      out: [],
    },
  ]
  for (const row of table)
    it(row.why, () => {
      const { reasons, well } = look(row.in, row.waiting === undefined ? {} : { waiting: row.waiting })
      assert.deepEqual(
        reasons.map(({ component }) => component),
        row.out.map(([component]) => component),
      )
      for (const [n, [, message]] of row.out.entries()) assert.match(reasons[n]?.message ?? '', message)
      assert.equal(well, row.out.length === 0)
    })
})

describe('overview: names, sinks and quota', () => {
  const names: readonly (readonly [string, Control, object])[] = [
    ['steady', state(), { state: 'steady', nextPoll: T0 + 5 * MINUTE, lag: 0, found: 12, lastSuccess: T0 - MINUTE }],
    [
      'never asked',
      state((c) => (c.items['example.com'] = { queryClass: 'full', addedAt: T0, full: false, found: 0 })),
      { state: 'new', nextPoll: T0, lag: 0, found: 0 },
    ],
    [
      'in its baseline',
      state((c) => item(c, { baseline: { startedAt: T0, pages: 1, count: 100, issuers: {} } })),
      { state: 'baseline', nextPoll: T0, lag: 0, found: 12, lastSuccess: T0 - MINUTE },
    ],
    [
      'failing',
      state((c) => item(c, { failing: api(T0), retry: { setAt: T0, until: T0 + HOUR } })),
      { state: 'failing', nextPoll: T0 + HOUR, lag: 0, found: 12, lastSuccess: T0 - MINUTE, lastError: 'the API answers 500' },
    ],
    [
      'blocked',
      state((c) => (c.credentials['c']!.blocked = { setAt: T0, until: T0 + 30 * MINUTE })),
      { state: 'steady', nextPoll: T0 + 30 * MINUTE, lag: 0, found: 12, lastSuccess: T0 - MINUTE },
    ],
    [
      'without quota',
      state((c) => (c.credentials['c']!.spent.full = [[T0 / 1000 - 60, 10, 0]])),
      { state: 'steady', nextPoll: T0 - MINUTE + 1000 + HOUR, lag: 0, found: 12, lastSuccess: T0 - MINUTE },
    ],
    [
      'late',
      state((c) => item(c, { succeededAt: T0 - HOUR, polledAt: T0 - HOUR })),
      { state: 'steady', nextPoll: T0 - 54 * MINUTE, lag: 54 * MINUTE, found: 12, lastSuccess: T0 - HOUR },
    ],
  ]
  for (const [why, control, out] of names)
    it(`a name that is ${why}`, () => assert.deepEqual(look(control).names, [{ key: 'example.com', queryClass: 'full', ...out }]))

  it('sinks that are ok, unused, failing and dead', () => {
    const control = state((c) => {
      c.sinks['b'] = { fence: 0, delivered: 0 }
      c.sinks['c'] = {
        fence: 0,
        delivered: 1,
        failing: { since: T0 - MINUTE, attempts: 1, answer: '500', dead: false },
        next: { setAt: T0, until: T0 + MINUTE },
      }
      c.sinks['d'] = { fence: 0, delivered: 1, failing: { since: T0, attempts: 1, answer: 'no_team', dead: true } }
    })
    const { sinks } = look(control, { setup: setup({ sinks: ['slack', 'b', 'c', 'd', 'new'] }), waiting: { c: { waiting: 2, parked: 1 } } })
    assert.deepEqual(
      sinks.map(({ sink, state, waiting, parked, nextAttempt }) => [sink, state, waiting, parked, nextAttempt]),
      [
        ['slack', 'ok', 0, 0, undefined],
        ['b', 'unused', 0, 0, undefined],
        ['c', 'failing', 2, 1, T0 + MINUTE],
        ['d', 'dead', 0, 0, undefined],
        ['new', 'unused', 0, 0, undefined],
      ],
    )
  })

  it('what is left of the quota, and when more comes free', () => {
    assert.deepEqual(look(state()).quota, { full: { limit: 10, left: 9, nextFree: T0 - MINUTE + 1000 + HOUR }, single: { limit: 100, left: 100 } })
  })

  it('says of an empty state that nothing was looked at yet, until somebody runs', () => {
    const { reasons, names, found, quota } = look(emptyControl())
    assert.deepEqual([names[0]?.state, found, quota.full.left], ['new', 0, 10])
    assert.match(reasons[0]?.message ?? '', /no name was looked at yet: start certbell watch/)
    const begun = emptyControl()
    begun.runner = { owner: 'x', startedAt: T0, seenAt: T0, dueAt: T0 + MINUTE }
    assert.equal(look(begun).well, true)
  })

  it('a log that misbehaves is named at once, and once', () => {
    const liar: LogOverview = {
      log: 'Sandbox ‘liar’ log',
      logId: 'x',
      operator: 'Certbell sandbox',
      type: 'rfc6962',
      state: 'readonly',
      size: 9,
      position: 9,
      verified: 9,
      lagMs: MINUTE,
      lagEntries: 0,
      cause: 'misbehaves',
      lastError: 'its tree head cannot be reconciled with what it signed before',
      seenAt: T0,
    }
    const down: LogOverview = { ...liar, log: 'down', cause: 'down', lastError: 'no connection' }
    const reasons = (control: Control) => overview(control, {}, setup({ logs: true }), T0, [liar, down]).reasons
    const message = `${liar.log} misbehaves: ${liar.lastError}. It is read on when it shows a head that continues what was verified; certbell alerts has what it did`
    assert.deepEqual(reasons(state()), [{ component: `log:${liar.log}`, message, since: T0 - MINUTE }])
    const trouble = { component: `log:${liar.log}`, kind: 'behind', since: T0 - HOUR, message: 'not read for 1 h' }
    assert.deepEqual(
      reasons(state((c) => (c.troubles[trouble.component] = trouble))).map(({ message: told }) => told),
      ['not read for 1 h'],
    )
  })

  it('says that there is nothing to ask for', () => {
    assert.match(look(emptyControl(), { setup: setup({ names: [] }) }).reasons[0]?.message ?? '', /no name is asked for/)
  })
})
