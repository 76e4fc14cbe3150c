import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import type { Control } from '../../src/stores/control.ts'
import { emptyControl, parseControl, rebase } from '../../src/stores/control.ts'
import { OwnerError } from '../../src/watch/errors.ts'
import { HOUR, MINUTE, T0 } from './support.ts'

const credential = () => ({ spent: { full: [], single: [] }, fence: 0 })
const item = () => ({ queryClass: 'full' as const, addedAt: T0 - HOUR, full: false, found: 0 })

describe('rebase', () => {
  /** A control document of ten past eight, seen an hour earlier. */
  const future = (): Control => {
    const control = emptyControl()
    const at = T0 + HOUR
    control.credentials['c'] = {
      ...credential(),
      spent: {
        full: [
          [T0 / 1000 - 60, 1, 0],
          [at / 1000 - 10, 2, 1],
        ],
        single: [[at / 1000, 5, 0]],
      },
      blocked: { setAt: at, until: at + 306_000 },
      pause: { setAt: at, until: at + 2000 },
      lease: { owner: 'x', fence: 7, setAt: at, until: at + 45_000 },
      failing: { since: at, failures: 1, kind: 'api', message: 'm' },
    }
    control.items['example.com'] = {
      ...item(),
      polledAt: at,
      succeededAt: at,
      retry: { setAt: at, until: at + HOUR },
      failing: { since: at, failures: 1, kind: 'api', message: 'm' },
    }
    control.sinks['slack'] = {
      fence: 1,
      delivered: 0,
      attemptAt: at,
      next: { setAt: at, until: at + 5 * MINUTE },
      lease: { owner: 'x', fence: 1, setAt: at, until: at + 36_000 },
    }
    return control
  }

  it('keeps the length of every appointment, and counts what was spent as spent now', () => {
    const control = future()
    assert.equal(rebase(control, T0), true)
    const [c, i, s] = [control.credentials['c'], control.items['example.com'], control.sinks['slack']]
    assert.deepEqual([c?.blocked?.until, c?.pause?.until, c?.lease?.until], [T0 + 306_000, T0 + 2000, T0 + 45_000])
    assert.deepEqual(c?.spent, {
      full: [
        [T0 / 1000 - 60, 1, 0],
        [T0 / 1000, 2, 1],
      ],
      single: [[T0 / 1000, 5, 0]],
    })
    assert.deepEqual([c?.failing?.since, c?.lease?.fence, c?.lease?.owner], [T0, 7, 'x'])
    assert.deepEqual([i?.polledAt, i?.succeededAt, i?.retry?.until, i?.failing?.since], [0, T0, T0 + HOUR, T0])
    assert.deepEqual([s?.attemptAt, s?.next?.until, s?.lease?.until], [T0, T0 + 5 * MINUTE, T0 + 36_000])
    assert.equal(rebase(control, T0), false, 'once is enough')
  })

  it('leaves the past as it is', () => {
    const control = future()
    const before = JSON.stringify(control)
    assert.equal(rebase(control, T0 + HOUR), false)
    assert.equal(JSON.stringify(control), before)
  })

  it('leaves nothing to wait for that is longer than it was meant, whenever it is looked at', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5 * HOUR, max: 5 * HOUR }), (shift) => {
        const now = T0 + shift
        const control = future()
        rebase(control, now)
        const { blocked, pause, lease } = control.credentials['c']!
        if (now < T0 + HOUR) assert.equal(blocked?.until, now + 306_000)
        for (const appointment of [blocked, pause, lease, control.sinks['slack']?.next]) assert.ok((appointment?.setAt ?? 0) <= now)
        for (const [second] of control.credentials['c']!.spent.full) assert.ok(second * 1000 <= now)
      }),
    )
  })
})

describe('parseControl', () => {
  it('reads what was written, with keys of any kind', () => {
    const control = emptyControl()
    for (const key of ['__proto__', 'constructor', 'toString', '=__proto__', 'example.com']) {
      control.items[key] = item()
      control.credentials[key] = credential()
      control.sinks[key] = { fence: 0, delivered: 3 }
      control.troubles[key] = { component: key, kind: 'k', since: T0, message: 'm' }
      control.alerts[key] = 2
    }
    const text = JSON.stringify(control)
    const read = parseControl(text, 'the state')
    assert.equal(JSON.stringify(read), text)
    assert.deepEqual(Object.keys(read.items), ['__proto__', 'constructor', 'toString', '=__proto__', 'example.com'])
    assert.equal(read.sinks['__proto__']?.delivered, 3)
    assert.equal(({} as Record<string, unknown>)['delivered'], undefined)
  })

  it('finds nothing in an empty one, not even what every object has', () => {
    const control = parseControl(JSON.stringify(emptyControl()), 'the state')
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) assert.equal(control.items[key], undefined, key)
  })

  const table: readonly (readonly [string, string])[] = [
    ['', 'state-damaged'],
    ['{"version":1', 'state-damaged'],
    ['null', 'state-damaged'],
    ['[]', 'state-damaged'],
    ['1', 'state-damaged'],
    ['{}', 'state-damaged'],
    ['{"version":0}', 'state-damaged'],
    ['{"version":"1"}', 'state-damaged'],
    ['{"version":1}', 'state-damaged'],
    ['{"version":1,"items":null,"credentials":{},"sinks":{},"troubles":{},"alerts":{}}', 'state-damaged'],
    ['{"version":1,"items":{},"credentials":{},"sinks":{},"troubles":{},"alerts":7}', 'state-damaged'],
    ['{"version":2}', 'state-newer'],
    ['{"version":2,"items":[]}', 'state-newer'],
  ]
  for (const [text, code] of table)
    it(`refuses ${text === '' ? 'nothing' : text}`, () =>
      assert.throws(
        () => parseControl(text, 'here'),
        (error) => error instanceof OwnerError && error.code === code && /here/.test(error.message),
      ))
})
