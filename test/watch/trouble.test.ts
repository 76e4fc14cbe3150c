import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Alert } from '../../src/watch/alert.ts'
import type { Failing, NameHealth, OpenTrouble, SourceHealth } from '../../src/watch/trouble.ts'
import { isOverdue, judgeSource } from '../../src/watch/trouble.ts'

const MIN = 60_000
const HOUR = 60 * MIN
const NOW = Date.UTC(2026, 10, 6, 8)
const failing = (minutesAgo: number, kind: Failing['kind'] = 'api', failures = 3): Failing => ({
  since: NOW - minutesAgo * MIN,
  failures,
  kind,
  message: `${kind} fails`,
})
const name = (key: string, more: { readonly failing?: Failing; readonly minutesAgo?: number; readonly interval?: number } = {}): NameHealth => ({
  key,
  lookedAt: NOW - (more.minutesAgo ?? 1) * MIN,
  interval: more.interval ?? 6 * MIN,
  ...(more.failing !== undefined && { failing: more.failing }),
})
const health = (names: readonly NameHealth[], more: Partial<SourceHealth> = {}): SourceHealth => ({ now: NOW, names, ...more })
const open = (component: string, kind: string): Record<string, OpenTrouble> => ({
  [component]: { component, kind, since: NOW - 2 * HOUR, message: 'as told' },
})
const said = (alerts: readonly Alert[]): string[] => alerts.map((alert) => `${alert.kind} ${'component' in alert ? alert.component : ''}`)

describe('judgeSource', () => {
  const table: readonly {
    readonly why: string
    readonly in: SourceHealth
    readonly open?: Record<string, OpenTrouble>
    readonly late?: boolean
    readonly out: readonly string[]
  }[] = [
    { why: 'all is well', in: health([name('a')]), out: [] },
    { why: 'the API fails for 14 min: the noise of the world', in: health([name('a')], { failing: failing(14) }), out: [] },
    { why: 'the API fails for 15 min', in: health([name('a')], { failing: failing(15) }), out: ['trouble certspotter'] },
    { why: 'the token is refused: at once', in: health([name('a')], { failing: failing(0, 'credential', 1) }), out: ['trouble certspotter'] },
    { why: 'told already', in: health([name('a')], { failing: failing(60) }), open: open('certspotter', 'api'), out: [] },
    {
      why: 'told already, and now it is the token',
      in: health([name('a')], { failing: failing(60, 'credential') }),
      open: open('certspotter', 'api'),
      out: ['trouble certspotter'],
    },
    { why: 'over', in: health([name('a')]), open: open('certspotter', 'api'), out: ['recovered certspotter'] },
    { why: 'a name is refused: at once', in: health([name('a', { failing: failing(0, 'name', 1) })]), out: ['trouble certspotter:a'] },
    { why: 'a name fails for long', in: health([name('a', { failing: failing(15) })]), out: ['trouble certspotter:a'] },
    { why: 'a name fails for long, but only twice', in: health([name('a', { failing: failing(60, 'api', 2) })]), out: [] },
    {
      why: 'two names are refused: one alert each, they have reasons of their own',
      in: health([name('a', { failing: failing(0, 'name') }), name('b', { failing: failing(0, 'name') })]),
      out: ['trouble certspotter:a', 'trouble certspotter:b'],
    },
    {
      why: 'names that fail with the API say nothing more',
      in: health([name('a', { failing: failing(60) }), name('b', { failing: failing(60) })], { failing: failing(60) }),
      out: ['trouble certspotter'],
    },
    { why: 'a name is taken again', in: health([name('a')]), open: open('certspotter:a', 'name'), out: ['recovered certspotter:a'] },
    {
      why: 'a name that was told stays told while the API fails',
      in: health([name('a', { failing: failing(60, 'name') })], { failing: failing(20) }),
      open: open('certspotter:a', 'name'),
      out: ['trouble certspotter'],
    },
    { why: 'not looked at for three intervals, but no hour', in: health([name('a', { minutesAgo: 59 })]), out: [] },
    { why: 'not looked at for an hour', in: health([name('a', { minutesAgo: 60 })]), out: ['trouble certspotter/overdue'] },
    {
      why: 'several are one trouble',
      in: health([name('a', { minutesAgo: 60 }), name('b', { minutesAgo: 70 })]),
      out: ['trouble certspotter/overdue'],
    },
    { why: 'not looked at for an hour, in the middle of a round', in: health([name('a', { minutesAgo: 60 })]), late: false, out: [] },
    {
      why: 'overdue for two names, told, still one',
      in: health([name('a', { minutesAgo: 60 })]),
      open: open('certspotter/overdue', 'overdue'),
      late: false,
      out: [],
    },
    {
      why: 'overdue because of the API, which was told',
      in: health([name('a', { minutesAgo: 90 })], { failing: failing(20) }),
      out: ['trouble certspotter'],
    },
    {
      why: 'overdue because of a refusal, which was told',
      in: health([name('a', { minutesAgo: 90, failing: failing(90, 'name') })]),
      open: open('certspotter:a', 'name'),
      out: [],
    },
    { why: 'overdue is over', in: health([name('a')]), open: open('certspotter/overdue', 'overdue'), out: ['recovered certspotter/overdue'] },
    { why: "a sink's trouble is none of the source's", in: health([name('a')]), open: open('sink:slack', 'dead'), out: [] },
  ]
  for (const row of table) it(row.why, () => assert.deepEqual(said(judgeSource(row.in, row.open ?? {}, row.late ?? true).alerts), row.out))

  it('remembers what it told, and leaves what is not its own', () => {
    const before = { ...open('sink:slack', 'dead'), ...open('certspotter', 'api') }
    const first = judgeSource(health([name('a', { minutesAgo: 90 })], { failing: failing(60) }), before, true)
    assert.deepEqual(Object.keys(first.open).sort(), ['certspotter', 'sink:slack'])
    assert.equal(first.open['certspotter']?.message, 'as told')
    const second = judgeSource(health([name('a')]), first.open, true)
    assert.deepEqual(Object.keys(second.open), ['sink:slack'])
  })

  it('tells a trouble with its component, beginning and remedy, and the recovery with its length', () => {
    const [trouble] = judgeSource(
      health([name('a', { minutesAgo: 125 }), name('b', { minutesAgo: 60 })], { blocked: 'the API told us to wait' }),
      {},
      true,
    ).alerts
    assert.ok(trouble?.kind === 'trouble')
    assert.equal(trouble.severity, 'high')
    assert.equal(trouble.since, '2026-11-06T05:55:00Z')
    assert.match(trouble.message, /^a, b: not looked at for 2 h 5 min, because the API told us to wait\. .*certbell doctor/)
    const [recovered] = judgeSource(health([name('a')]), open('certspotter', 'api'), true).alerts
    assert.ok(recovered?.kind === 'recovered')
    assert.match(recovered.message, /answers again, after 2 h/)
    assert.equal(recovered.id, `certspotter/api/${recovered.since}`)
  })

  it('the same trouble has the same id, a later one another', () => {
    const at = (minutes: number) => judgeSource(health([], { failing: failing(minutes) }), {}, true).alerts[0]?.id
    assert.equal(at(20), at(20))
    assert.notEqual(at(20), at(21))
  })
})

it('isOverdue: three intervals, and at least an hour', () => {
  const table: readonly (readonly [number, number, boolean])[] = [
    [59, 1, false],
    [60, 1, true],
    [179, 60, false],
    [180, 60, true],
  ]
  for (const [minutesAgo, interval, out] of table)
    assert.equal(isOverdue(name('a', { minutesAgo, interval: interval * MIN }), NOW), out, `${minutesAgo} of ${interval}`)
})
