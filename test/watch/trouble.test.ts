import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Alert } from '../../src/watch/alert.ts'
import type { Failing, Moment, NameHealth, OpenTrouble, SourceHealth } from '../../src/watch/trouble.ts'
import { isOverdue } from '../../src/watch/name-trouble.ts'
import { judgeSource } from '../../src/watch/trouble.ts'

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
/** A trouble of names that was told so many minutes ago. */
const openOf = (names: readonly string[], minutesAgo = 120, reason = 'name/name fails'): Record<string, OpenTrouble> => ({
  [`certspotter:${names[0]}`]: {
    component: `certspotter:${names[0]}`,
    kind: 'name',
    since: NOW - 2 * HOUR,
    message: 'as told',
    names,
    reason,
    toldAt: NOW - minutesAgo * MIN,
  },
})
const said = (alerts: readonly Alert[]): string[] => alerts.map((alert) => `${alert.kind} ${'component' in alert ? alert.component : ''}`)

describe('judgeSource', () => {
  const table: readonly {
    readonly why: string
    readonly in: SourceHealth
    readonly open?: Record<string, OpenTrouble>
    readonly moment?: Moment
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
    { why: 'a name fails for long, but only twice', in: health([name('a', { failing: failing(50, 'api', 2) })]), out: [] },
    {
      why: 'a name fails twice, and is overdue by it: told with its cause',
      in: health([name('a', { minutesAgo: 60, failing: failing(50, 'api', 2) })]),
      out: ['trouble certspotter:a'],
    },
    {
      why: 'a name is refused, in the middle of a round: others may follow',
      in: health([name('a', { failing: failing(0, 'name', 1) })]),
      moment: 'step',
      out: [],
    },
    {
      why: 'two names are refused for one reason: one alert, by the first',
      in: health([name('a', { failing: failing(1, 'name') }), name('b', { failing: failing(2, 'name') })]),
      out: ['trouble certspotter:b'],
    },
    {
      why: 'two names are refused for different reasons: one alert each',
      in: health([name('a', { failing: failing(0, 'name') }), name('b', { failing: { ...failing(0, 'name'), reason: 'invalid_parameter' } })]),
      out: ['trouble certspotter:a', 'trouble certspotter:b'],
    },
    {
      why: 'names that are refused for one reason in words of their own',
      in: health(['a', 'b'].map((key) => name(key, { failing: { ...failing(0, 'name'), message: `no ${key}`, reason: 'not_allowed_by_plan' } }))),
      out: ['trouble certspotter:a'],
    },
    {
      why: 'another name is refused for a reason that was told less than an hour ago: gathered',
      in: health([name('a', { failing: failing(59, 'name') }), name('b', { failing: failing(1, 'name') })]),
      open: openOf(['a'], 59),
      out: [],
    },
    {
      why: 'an hour later those that were gathered are one alert',
      in: health([name('a', { failing: failing(60, 'name') }), ...['b', 'c'].map((key) => name(key, { failing: failing(30, 'name') }))]),
      open: openOf(['a'], 60),
      out: ['trouble certspotter:b'],
    },
    {
      why: 'for another reason at once',
      in: health([name('a', { failing: failing(59, 'name') }), name('b', { failing: { ...failing(1, 'name'), reason: 'other' } })]),
      open: openOf(['a'], 1),
      out: ['trouble certspotter:b'],
    },
    {
      why: 'told at a time that is still to come: the clock was turned back',
      in: health([name('a', { failing: failing(60, 'name') }), name('b', { failing: failing(1, 'name') })]),
      open: openOf(['a'], -120),
      out: ['trouble certspotter:b'],
    },
    {
      why: 'one of several is taken again: the trouble of the others goes on',
      in: health([name('a'), name('b', { failing: failing(90, 'name') })]),
      open: openOf(['a', 'b']),
      out: [],
    },
    {
      why: 'all of several are taken again',
      in: health([name('a'), name('b')]),
      open: openOf(['a', 'b']),
      moment: 'step',
      out: ['recovered certspotter:a'],
    },
    {
      why: 'names that fail with the API say nothing more',
      in: health([name('a', { failing: failing(60) }), name('b', { failing: failing(60) })], { failing: failing(60) }),
      out: ['trouble certspotter'],
    },
    { why: 'a name is taken again', in: health([name('a')]), open: openOf(['a']), out: ['recovered certspotter:a'] },
    {
      why: 'a name that was told stays told while the API fails',
      in: health([name('a', { failing: failing(60, 'name') })], { failing: failing(20) }),
      open: openOf(['a']),
      out: ['trouble certspotter'],
    },
    { why: 'not looked at for three intervals, but no hour', in: health([name('a', { minutesAgo: 59 })]), out: [] },
    { why: 'not looked at for an hour', in: health([name('a', { minutesAgo: 60 })]), out: ['trouble certspotter/overdue'] },
    {
      why: 'several are one trouble',
      in: health([name('a', { minutesAgo: 60 }), name('b', { minutesAgo: 70 })]),
      out: ['trouble certspotter/overdue'],
    },
    { why: 'not looked at for an hour, in the middle of a round', in: health([name('a', { minutesAgo: 60 })]), moment: 'review', out: [] },
    {
      why: 'overdue for two names, told, still one',
      in: health([name('a', { minutesAgo: 60 })]),
      open: open('certspotter/overdue', 'overdue'),
      moment: 'review',
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
      open: openOf(['a']),
      out: [],
    },
    {
      why: 'overdue because it fails for long, which is told as that',
      in: health([name('a', { minutesAgo: 90, failing: failing(90) })]),
      out: ['trouble certspotter:a'],
    },
    {
      why: 'overdue, told, is not over because it is known why',
      in: health([name('a', { minutesAgo: 90, failing: failing(90) })]),
      open: { ...open('certspotter/overdue', 'overdue'), ...openOf(['a']) },
      out: [],
    },
    { why: 'overdue is over', in: health([name('a')]), open: open('certspotter/overdue', 'overdue'), out: ['recovered certspotter/overdue'] },
    { why: "a sink's trouble is none of the source's", in: health([name('a')]), open: open('sink:slack', 'dead'), out: [] },
  ]
  for (const row of table) it(row.why, () => assert.deepEqual(said(judgeSource(row.in, row.open ?? {}, row.moment ?? 'late').alerts), row.out))

  it('remembers what it told, and leaves what is not its own', () => {
    const before = { ...open('sink:slack', 'dead'), ...open('certspotter', 'api') }
    const first = judgeSource(health([name('a', { minutesAgo: 90 })], { failing: failing(60) }), before, 'late')
    assert.deepEqual(Object.keys(first.open).sort(), ['certspotter', 'sink:slack'])
    assert.equal(first.open['certspotter']?.message, 'as told')
    const second = judgeSource(health([name('a')]), first.open, 'late')
    assert.deepEqual(Object.keys(second.open), ['sink:slack'])
  })

  it('tells a trouble with its component, beginning and remedy, and the recovery with its length', () => {
    const [trouble] = judgeSource(
      health([name('a', { minutesAgo: 125 }), name('b', { minutesAgo: 60 })], { blocked: 'the API told us to wait' }),
      {},
      'late',
    ).alerts
    assert.ok(trouble?.kind === 'trouble')
    assert.equal(trouble.severity, 'high')
    assert.equal(trouble.since, '2026-11-06T05:55:00Z')
    assert.match(trouble.message, /^a, b: not looked at for 2 h 5 min, because the API told us to wait\. .*certbell doctor/)
    const [recovered] = judgeSource(health([name('a')]), open('certspotter', 'api'), 'late').alerts
    assert.ok(recovered?.kind === 'recovered')
    assert.match(recovered.message, /answers again, after 2 h/)
    assert.equal(recovered.id, `certspotter/api/${recovered.since}`)
  })

  it('names that fail alike are all in the alert, and the first few in its words', () => {
    const keys = ['a', 'b', 'c', 'd', 'e']
    const refused = health(keys.map((key, n) => name(key, { failing: failing(9 - n, 'name', 1) })))
    const [trouble, ...more] = judgeSource(refused, {}, 'review').alerts
    assert.ok(trouble?.kind === 'trouble')
    assert.deepEqual([trouble.items, more], [keys, []])
    assert.equal(trouble.message, '5 names fail alike: a, b, c and 2 more. The first: name fails')
    assert.equal(trouble.id, `certspotter:a/name/${trouble.since}`)
    const [recovered] = judgeSource(health([name('a')]), openOf(keys), 'step').alerts
    assert.deepEqual(recovered?.kind === 'recovered' ? recovered.items : [], keys)
    assert.match(recovered?.reason ?? '', /^Certbell sees a, b, c and 2 more again, after 2 h/)
    const reason = (names: readonly NameHealth[]) => judgeSource(health(names), openOf(['a', 'b']), 'step').alerts[0]?.reason
    assert.match(reason([name('b')]) ?? '', /^Certbell sees a, b again/)
    assert.equal(reason([name('c')]), 'This is no trouble any more, after 2 h: a, b are not watched any more.')
    assert.equal(reason([]), 'This is no trouble any more, after 2 h: the Cert Spotter API is not asked for anything any more.')
  })

  it('the same trouble has the same id, a later one another', () => {
    const at = (minutes: number) => judgeSource(health([], { failing: failing(minutes) }), {}, 'late').alerts[0]?.id
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
