// The log lists over time: what vanishes from one, what is frozen, and what cannot be read.
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { logList } from '../../src/sandbox/ct-list.ts'
import type { LogRow } from '../../src/sandbox/ct-list.ts'
import type { ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { chooseLogs, skippedLogs, vanishedLogs, whyLeft } from '../../src/sources/log-choice.ts'
import type { KeptList, ListSource } from '../../src/sources/log-lists.ts'
import { createLogLists, frozenList } from '../../src/sources/log-lists.ts'

const HOUR = 3_600_000
const START = Date.UTC(2026, 10, 1)

/** As it is listed; nobody asks it. */
function served(name: string): ServedLog {
  const log = createCtLog({ name })
  const url = `https://${name}.sandbox.test/`
  return { log, protocol: 'static-ct', url, submissionUrl: url, origin: `${name}.sandbox.test`, show: () => undefined }
}

const idOf = ({ log }: ServedLog): string => log.keys.id.toString('base64')

/** One list whose rows the test sets, kept as the state would. */
function place(more: Partial<ListSource> = {}) {
  const kept = new Map<string, string>()
  let now = START
  let rows: readonly (ServedLog | LogRow)[] = []
  let madeAt: number | undefined
  const open = async () =>
    createLogLists({
      sources: [
        {
          name: 'google',
          isPublic: true,
          isSigned: true,
          every: HOUR,
          read: async () => ({ text: logList(rows, { madeAt: new Date(madeAt ?? now) }), tag: undefined }),
          ...more,
        },
      ],
      load: async (name) => {
        const text = kept.get(name)
        return text === undefined ? undefined : (JSON.parse(text) as KeptList)
      },
      save: async (name, list) => void kept.set(name, JSON.stringify(list)),
    })
  return {
    open,
    kept,
    /** The list from now on, and `hours` later. */
    set: (next: readonly (ServedLog | LogRow)[], hours = 1, made?: number): number => {
      rows = next
      madeAt = made
      now += hours * HOUR
      return now
    },
  }
}

describe('a log that vanishes from a list', () => {
  const [a, b, c] = [served('a'), served('b'), served('c')]
  const begun = (): boolean => true

  it('is read on for 72 h, over restarts, and then left', async () => {
    const at = place()
    const first = await at.open()
    await first.refresh(at.set([a, b, c]))
    const gone = at.set([a, c])
    await first.refresh(gone)
    assert.deepEqual([...chooseLogs(first.states, { only: [], begun }, gone).keys()].sort(), [a, b, c].map(idOf).sort())
    assert.deepEqual(
      [...chooseLogs(first.states, { only: [], begun: (id) => id !== idOf(b) }, gone).keys()].sort(),
      [a, c].map(idOf).sort(),
      'and not begun',
    )
    // Another process, a later list that has changed otherwise.
    const later = at.set([a], 40)
    const again = await at.open()
    const [before] = again.states
    assert.deepEqual(
      before?.gone?.map(({ since, log }) => [since, log.id, log.url, log.key.equals(b.log.keys.spki)]),
      [[gone, idOf(b), b.url, true]],
    )
    await again.refresh(later)
    const chosen = chooseLogs(again.states, { only: [], begun }, later)
    assert.deepEqual([...chosen.keys()].sort(), [a, b, c].map(idOf).sort())
    assert.deepEqual(vanishedLogs(again.states, chosen, later), [
      "Sandbox 'c' log has vanished from the log list google: it is read on for 3 days, since a list may be wrong",
    ])
    assert.ok(chooseLogs(again.states, { only: [], begun }, gone + 72 * HOUR - 1).has(idOf(b)))
    const ended = gone + 72 * HOUR
    assert.deepEqual([...chooseLogs(again.states, { only: [], begun }, ended).keys()].sort(), [a, c].map(idOf).sort())
    assert.match(whyLeft(again.states, idOf(b)), /is on no log list/)
    // Nothing of it is kept for ever.
    await again.refresh(at.set([a, c], 100))
    assert.doesNotMatch(at.kept.get('google') ?? '', /"gone"/)
  })

  it('that comes back is a listed one again, and its time begins anew should it vanish again', async () => {
    const at = place()
    const lists = await at.open()
    for (const rows of [[a, b], [a], [a, b]]) await lists.refresh(at.set(rows, 30))
    assert.equal(lists.states[0]?.gone?.length, 0)
    const gone = at.set([a], 30)
    await lists.refresh(gone)
    assert.equal(lists.states[0]?.gone?.[0]?.since, gone)
  })

  it('that the list calls rejected is left at once, whatever vanished before', async () => {
    const at = place()
    const lists = await at.open()
    await lists.refresh(at.set([a, b]))
    await lists.refresh(at.set([a]))
    const now = at.set([a, { served: b, state: 'rejected' }])
    await lists.refresh(now)
    assert.deepEqual([...chooseLogs(lists.states, { only: [], begun }, now).keys()], [idOf(a)])
    assert.match(whyLeft(lists.states, idOf(b)), /the log list google says that it is rejected/)
  })

  it('is not in a list that lacks half at once: that one is refused, and nothing has vanished', async () => {
    const at = place()
    const lists = await at.open()
    const many = ['d', 'e', 'f', 'g'].map(served)
    await lists.refresh(at.set(many))
    for (const left of [1, 2]) {
      await lists.refresh(at.set(many.slice(0, left)))
      const [state] = lists.states
      assert.match(state?.refused?.message ?? '', new RegExp(`${4 - left} logs of 4 are gone from it at once`))
      assert.deepEqual([state?.gone, state?.list?.logs.length], [[], 4])
    }
    await lists.refresh(at.set(many.slice(0, 3)))
    assert.equal(lists.states[0]?.refused, undefined)
  })
})

describe('a list that may be frozen', () => {
  const a = served('a')
  for (const { what, days, signed, frozen } of [
    { what: 'signed and of today', days: 0, signed: true, frozen: false },
    { what: 'signed and 13 days old', days: 13, signed: true, frozen: false },
    { what: 'signed and 15 days old', days: 15, signed: true, frozen: true },
    { what: 'without a signature, and 15 days old', days: 15, signed: false, frozen: false },
  ])
    it(`${what}: ${frozen ? 'told, and used' : 'no word'}`, async () => {
      const at = place({ isSigned: signed })
      const lists = await at.open()
      const now = at.set([a], 1, START + HOUR - days * 24 * HOUR)
      await lists.refresh(now)
      const [state] = lists.states
      assert.ok(state?.list?.logs.length === 1 && state.refused === undefined)
      const told = frozenList(state, now)
      assert.equal(told !== undefined, frozen)
      if (told !== undefined) assert.match(told.message, /log list google that we are given was made on 2026-10-17, 15 days ago\. It may be frozen/)
    })
})

it('a live log whose key is of a kind that no log may have is told', async () => {
  const at = place()
  const lists = await at.open()
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
  const key = publicKey.export({ format: 'der', type: 'spki' })
  const overrides = { key: key.toString('base64'), log_id: createHash('sha256').update(key).digest('base64') }
  const now = at.set([served('a'), { served: served('odd'), overrides }, { served: served('old'), overrides, state: 'rejected' }])
  await lists.refresh(now)
  const told = skippedLogs(lists.states, [], now).filter((text) => text.includes('key'))
  assert.deepEqual(told, [
    "Sandbox 'odd' log is not read: its key is neither ECDSA on P-256 nor RSA of 2048 bits, so nothing that it signs could be verified",
  ])
})

it('lists are asked at the same time, each once, and what is ended was not looked at', async () => {
  const asked: string[] = []
  const source = (name: string, read: ListSource['read']): ListSource => ({
    name,
    isPublic: false,
    isSigned: true,
    every: HOUR,
    read: async (...how) => {
      asked.push(name)
      return read(...how)
    },
  })
  const text = logList([served('a')])
  const lists = await createLogLists({
    sources: [
      source('hangs', async (_tag, signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped'))))),
      source('answers', async () => ({ text, tag: undefined })),
    ],
    load: async () => undefined,
    save: async () => undefined,
  })
  const over = new AbortController()
  const first = lists.refresh(START, over.signal)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    lists.states.map(({ list }) => list?.logs.length),
    [undefined, 1],
  )
  assert.equal(await lists.refresh(START + HOUR, over.signal), true)
  assert.deepEqual(asked, ['hangs', 'answers', 'answers'])
  over.abort()
  assert.equal(await first, true)
  assert.equal(lists.states[0]?.refused, undefined)
  void lists.refresh(START + HOUR, new AbortController().signal)
  assert.deepEqual(asked.slice(3), ['hangs'])
})

it('what was kept of a list under its name is known under its key', async () => {
  const at = place()
  const before = await at.open()
  const rows = ['a', 'b'].map(served)
  const gone = served('c')
  for (const each of [[...rows, gone], rows]) await before.refresh(at.set(each))
  const keyed = place({ key: '/etc/logs.json', name: 'logs.json' })
  keyed.kept.set('logs.json', at.kept.get('google') ?? '')
  await keyed.open()
  // And is shown otherwise the next time.
  const elsewhere = place({ key: '/etc/logs.json', name: '/etc/logs.json' })
  elsewhere.kept.set('/etc/logs.json', keyed.kept.get('/etc/logs.json') ?? '')
  const [state] = (await elsewhere.open()).states
  assert.deepEqual([state?.list?.logs.length, state?.gone?.map(({ log }) => log.id)], [2, [idOf(gone)]])
})
