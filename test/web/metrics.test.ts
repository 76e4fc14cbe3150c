// What /metrics says, from what happened and from how things stand.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { emptyControl } from '../../src/stores/control.ts'
import type { LogOverview } from '../../src/stores/log-overview.ts'
import { overview } from '../../src/stores/overview.ts'
import type { Setup } from '../../src/stores/store.ts'
import { createMetrics } from '../../src/web/metrics.ts'
import { HOSTILE_TEXTS, UNSAFE } from '../support/hostile.ts'

const SETUP: Setup = { items: [], credential: 'x', quota: { full: 1, single: 1 }, interval: 'auto', baseline: 'inventory', logs: true, sinks: [] }
const LOG: LogOverview = {
  log: 'one',
  logId: 'x',
  operator: 'x',
  type: 'static-ct',
  state: 'usable',
  size: 3,
  position: 3,
  verified: 3,
  lagMs: 0,
  lagEntries: 0,
  cause: undefined,
  lastError: undefined,
  seenAt: 1_780_000_000_000,
}
const look = (logs: readonly LogOverview[], more: Partial<Setup> = {}) => {
  const control = emptyControl()
  control.foundInLogs = 7
  return overview(control, {}, { ...SETUP, ...more }, 0, logs)
}

/** The samples of one metric, by their labels. */
function samples(text: string, name: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))].map(([, labels = '', value]) => [labels, Number(value)]),
  )
}

describe('the logs as a source', () => {
  for (const { what, logs, up } of [
    { what: 'one answers, one does not', logs: [LOG, { ...LOG, log: 'two', lastError: 'it answers 503' }], up: 1 },
    { what: 'none answers', logs: [{ ...LOG, lastError: 'it answers 503' }], up: 0 },
    { what: 'none was reached yet', logs: [{ ...LOG, size: undefined }], up: 0 },
  ])
    it(what, async () => {
      const text = await createMetrics('1', Date.now, 3).render(look(logs), {})
      assert.deepEqual(samples(text, 'certbell_source_up'), { 'source="log"': up })
      assert.equal(samples(text, 'certbell_issuances_total')['source="log"'], 7)
      assert.equal(samples(text, 'certbell_source_last_success_timestamp_seconds')['source="log"'], 1_780_000_000)
    })

  it('is none where no log is read, and one beside the API', async () => {
    const metrics = createMetrics('1', Date.now, 3)
    assert.deepEqual(samples(await metrics.render(look([]), {}), 'certbell_source_up'), { 'source="certspotter"': 1 })
    const both = look([LOG], { items: [{ key: 'example.com', queryClass: 'full' }] })
    assert.deepEqual(
      samples(await metrics.render(both, {}), 'certbell_source_up'),
      { 'source="certspotter"': 0, 'source="log"': 1 },
      'no name was looked at yet',
    )
    assert.deepEqual(samples(await metrics.render(both, {}), 'certbell_names_watched'), { 'source="certspotter"': 1, 'source="log"': 3 })
    assert.deepEqual(samples(await metrics.render(look([LOG]), {}), 'certbell_names_watched'), { 'source="log"': 3 })
    assert.deepEqual(samples(await metrics.render(look([]), {}), 'certbell_names_watched'), { 'source="certspotter"': 0 })
  })

  it('what a list calls a log turns no terminal', async () => {
    const metrics = createMetrics('1', Date.now, 3)
    for (const hostile of HOSTILE_TEXTS) {
      metrics.requested(hostile, 'ok')
      const text = await metrics.render(look([{ ...LOG, log: hostile, lagEntries: 1, lagMs: 1000, cause: 'down' }]), {})
      assert.doesNotMatch(text.replaceAll('\n', ''), UNSAFE, JSON.stringify(hostile))
    }
    metrics.requested('a \u001b[31m\u202elog', 'slow')
    assert.equal(
      samples(await metrics.render(look([LOG]), {}), 'certbell_log_requests_total')['log="a \\\\u{1b}[31m\\\\u{202e}log",outcome="slow"'],
      1,
    )
  })

  it('requests of each log by outcome, and no more labels than that', async () => {
    const metrics = createMetrics('1', Date.now, 3)
    for (const outcome of ['ok', 'ok', 'limited', '5xx']) metrics.requested('one', outcome)
    assert.deepEqual(samples(await metrics.render(look([LOG]), {}), 'certbell_log_requests_total'), {
      'log="one",outcome="ok"': 2,
      'log="one",outcome="limited"': 1,
      'log="one",outcome="5xx"': 1,
    })
  })
})

describe('the cause of a lag', () => {
  it('is a label while there is one', async () => {
    const metrics = createMetrics('1', Date.now, 3)
    const late: LogOverview = { ...LOG, size: 9, lagEntries: 6, lagMs: 60_000, cause: 'limited' }
    assert.deepEqual(samples(await metrics.render(look([late]), {}), 'certbell_log_lag_cause'), { 'log="one",log_id="x",cause="limited"': 1 })
    assert.deepEqual(samples(await metrics.render(look([{ ...late, cause: 'down' }]), {}), 'certbell_log_lag_cause'), {
      'log="one",log_id="x",cause="down"': 1,
    })
    assert.deepEqual(samples(await metrics.render(look([LOG]), {}), 'certbell_log_lag_cause'), {})
  })
})

describe('the delay of alerts', () => {
  it('p50, p95 and p99 are of the last day, and of nothing where nothing rang', async () => {
    let now = 1_780_000_000_000
    const metrics = createMetrics('1', () => now, 3)
    // A day of catching up, which must not spoil the next.
    for (let n = 0; n < 500; n++) metrics.sent('slack', 'delivered', [{ source: 'log', seconds: 86_400 }])
    now += 25 * 3_600_000
    for (let n = 1; n <= 100; n++) metrics.sent('slack', 'delivered', [{ source: 'log', seconds: n / 10 }])
    metrics.sent('slack', 'retry', [])
    const text = await metrics.render(look([LOG]), {})
    assert.deepEqual(samples(text, 'certbell_alert_delay_recent_seconds'), {
      'source="log",quantile="0.5"': 5,
      'source="log",quantile="0.95"': 9.5,
      'source="log",quantile="0.99"': 9.9,
    })
    assert.equal(samples(text, 'certbell_alert_delay_seconds_count')['source="log"'], 600)
    assert.equal(samples(text, 'certbell_alert_delay_seconds_bucket')['le="10",source="log"'], 100)
    now += 25 * 3_600_000
    assert.deepEqual(samples(await metrics.render(look([LOG]), {}), 'certbell_alert_delay_recent_seconds'), {})
  })

  it('one is all of them, and none is negative', async () => {
    const metrics = createMetrics('1', Date.now, 3)
    metrics.sent('slack', 'delivered', [{ source: 'certspotter', seconds: -3 }])
    assert.deepEqual(Object.values(samples(await metrics.render(look([]), {}), 'certbell_alert_delay_recent_seconds')), [0, 0, 0])
  })
})
