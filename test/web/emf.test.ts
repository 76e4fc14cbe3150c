// The metric line held against the specification of the Embedded Metric Format.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { emptyControl } from '../../src/stores/control.ts'
import { overview } from '../../src/stores/overview.ts'
import { emfLine, oldestLookAge } from '../../src/web/emf.ts'

const NOW = Date.UTC(2026, 10, 6, 8, 15)
const RUN = { polled: 2, new: 3, delivered: 1, trouble: 0 }
const SETUP = {
  items: [
    { key: 'example.com', queryClass: 'full' },
    { key: 'example.net', queryClass: 'full' },
  ],
  credential: 'x',
  quota: { full: 10, single: 100 },
  interval: 'auto',
  baseline: 'inventory',
  sinks: ['slack', 'ops'],
} as const

const control = () => {
  const state = emptyControl()
  const item = { queryClass: 'full', full: false, found: 0 } as const
  state.items['example.com'] = { ...item, addedAt: NOW - 900_000, succeededAt: NOW - 61_500 }
  state.items['example.net'] = { ...item, addedAt: NOW - 600_000 }
  return state
}
const WAITING = { slack: { waiting: 4, parked: 1 }, ops: { waiting: 2, parked: 0 } }
const state = (waiting: Parameters<typeof overview>[1] = {}) => ({
  view: overview(control(), waiting, SETUP, NOW),
  oldestLookAge: oldestLookAge(control(), SETUP, NOW) ?? NaN,
})

interface Line {
  readonly _aws: {
    readonly Timestamp: number
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string
      readonly Dimensions: readonly (readonly string[])[]
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[]
    }[]
  }
  readonly [key: string]: unknown
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
function hold(text: string): Line {
  assert.match(text, /^[^\n]+\n$/, 'one line')
  assert.ok(Buffer.byteLength(text) < 262_144)
  const line = JSON.parse(text) as Line
  assert.ok(Number.isInteger(line['_aws'].Timestamp) && line['_aws'].Timestamp > 1e12, 'ms since the epoch')
  for (const { Namespace, Dimensions, Metrics } of line['_aws'].CloudWatchMetrics) {
    assert.match(Namespace, /^[A-Za-z0-9_.#/-]{1,1024}$/)
    assert.ok(!Namespace.startsWith('AWS/'))
    assert.ok(Metrics.length > 0 && Metrics.length <= 100)
    for (const dimensions of Dimensions) {
      assert.ok(dimensions.length <= 30)
      for (const name of dimensions) {
        const value = line[name]
        assert.ok(typeof value === 'string' && value.length >= 1 && value.length <= 1024, name)
      }
    }
    for (const { Name, Unit } of Metrics) {
      assert.ok(['Count', 'Seconds'].includes(Unit), Unit)
      const value = line[Name]
      assert.ok(typeof value === 'number' && Number.isFinite(value), Name)
    }
    assert.equal(new Set(Metrics.map(({ Name }) => Name)).size, Metrics.length)
  }
  return line
}

describe('the metric line', () => {
  it('keeps to the format, and has one dimension', () => {
    const line = hold(emfLine('certbell', NOW, RUN, state(WAITING)))
    assert.deepEqual(
      line['_aws'].CloudWatchMetrics.map(({ Namespace, Dimensions }) => [Namespace, Dimensions]),
      [['Certbell', [['FunctionName']]]],
    )
    const { _aws: aws, ...values } = line
    assert.deepEqual(values, {
      FunctionName: 'certbell',
      Polled: 2,
      New: 3,
      Delivered: 1,
      Pending: 7,
      Trouble: 0,
      OldestLookAgeSeconds: 600,
      QueriesLeftFull: 10,
    })
    assert.deepEqual(
      aws.CloudWatchMetrics[0]?.Metrics.map(({ Name }) => Name),
      Object.keys(values).slice(1),
    )
  })

  it('names no watched name', () => {
    assert.doesNotMatch(emfLine('certbell', NOW, RUN, state(WAITING)), /example/)
  })

  it('leaves out what is not known, so that an alarm on missing data rings', () => {
    const line = hold(emfLine('certbell', NOW, { ...RUN, trouble: 1 }))
    assert.deepEqual(Object.keys(line), ['_aws', 'FunctionName', 'Polled', 'New', 'Delivered', 'Trouble'])
  })

  it('the age is that of the name that was looked at longest ago; none is older than its beginning', () => {
    assert.equal(oldestLookAge(control(), SETUP, NOW), 600)
    assert.equal(oldestLookAge(control(), { ...SETUP, items: SETUP.items.slice(0, 1) }, NOW), 61.5)
    assert.equal(oldestLookAge(control(), SETUP, NOW - 10_000_000), 0)
    assert.equal(oldestLookAge(emptyControl(), SETUP, NOW), undefined)
    assert.equal(oldestLookAge(control(), { ...SETUP, items: [] }, NOW), undefined)
  })
})
