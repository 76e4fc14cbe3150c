// Logs as slow and as strict as they are in the field (firehose.md, 3.3), in time that is stepped: they are kept up with.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { growTree } from '../../src/ct/compact-range.ts'
import type { ListedLog } from '../../src/ct/log-list.ts'
import { UNLIMITED } from '../../src/sources/bandwidth.ts'
import type { LogClient } from '../../src/sources/log-client.ts'
import { createHosts } from '../../src/sources/hosts.ts'
import { LogFailure } from '../../src/sources/log-failure.ts'
import { readPagesHere } from '../../src/sources/read-page.ts'
import type { LogState } from '../../src/stores/log-state.ts'
import { openMemory } from '../../src/stores/memory.ts'
import { createTailStore } from '../../src/stores/tail.ts'
import { createAllowance } from '../../src/sources/allowance.ts'
import { openLog } from '../../src/tail/context.ts'
import { createLogReader } from '../../src/tail/log-reader.ts'
import type { TailPorts } from '../../src/tail/ports.ts'
import { createSieve } from '../../src/watch/sieve.ts'
import { steppedTime } from '../support/stepped-time.ts'

interface Slow {
  readonly perSecond: number
  readonly pageSize: number
  /** ms that an answer takes. */
  readonly takes: number
  /** Requests a second that the log allows; the rest are refused. */
  readonly allows?: number
}

/** Reads such a log for so many minutes, from its beginning: what is behind at the end of each, and how many requests were refused. */
async function read(
  { perSecond, pageSize, takes, allows = Infinity }: Slow,
  minutes: number,
): Promise<{ behind: number[]; refused: number; asked: number }> {
  const clock = steppedTime()
  const began = clock.now()
  const leaf = Buffer.alloc(32, 7)
  const tree = growTree()
  const size = (): number => Math.floor(((clock.now() - began) / 1000) * perSecond)
  let [refused, asked] = [0, 0]
  let second = 0
  let inSecond = 0
  const host = createHosts(clock)('https://slow.sandbox.test/')
  const answer = async <T>(signal: AbortSignal, make: () => T): Promise<T> =>
    host.run(host, signal, async () => {
      asked += 1
      const at = Math.floor(clock.now() / 1000)
      inSecond = at === second ? inSecond + 1 : 1
      second = at
      if (inSecond > allows) {
        refused += 1
        throw new LogFailure('limited', 'it refuses requests for now (429)', { until: host.refused(clock.now(), undefined), status: 429 })
      }
      const made = make()
      await clock.sleepUntil(clock.now() + takes, signal)
      signal.throwIfAborted()
      host.well()
      return made
    })
  const client: LogClient = {
    head: async (signal) =>
      answer(signal, () => {
        while (tree.size < size()) tree.append(leaf)
        const head = { size: tree.size, timestamp: clock.now(), rootHash: tree.root(), signature: Buffer.alloc(8) }
        return { head, valid: true, received: Buffer.alloc(0), url: 'log' }
      }),
    page: async (start, endExclusive, _size, signal) =>
      answer(signal, () => {
        const count = Math.min(endExclusive - start, pageSize)
        return { start, hashes: Buffer.alloc(32 * count, leaf), kept: [], misplaced: [] }
      }),
    edge: async () => tree.range(),
    isPrefix: async () => undefined,
    proves: async () => undefined,
    proofEvery: 30_000,
    boundary: (start) => (Math.floor(start / pageSize) + 1) * pageSize,
  }
  const store = createTailStore(openMemory(), [], { id: 'me', alive: () => true })
  await store.claim(began, Infinity)
  const ports: TailPorts = {
    store,
    lists: { states: [], refresh: async () => false },
    http: async () => assert.fail('no request'),
    clock,
    random: () => 0.5,
    userAgent: 'test',
    longestMs: 60_000,
    readPage: readPagesHere(createSieve([])),
    sift: () => undefined,
    interval: 3000,
    bandwidth: UNLIMITED,
    isHybrid: () => false,
    start: 'beginning',
    large: Infinity,
    only: [],
    keepEvidence: async () => [],
    report: () => undefined,
  }
  const log: ListedLog = {
    id: 'id',
    key: Buffer.alloc(0),
    description: 'slow',
    operator: 'test',
    protocol: 'rfc6962',
    url: 'http://127.0.0.1/',
    mmd: 86_400,
  } as unknown as ListedLog
  const states = new Map<string, LogState>()
  const over = new AbortController()
  const context = openLog({ ports, log, client, host, allowance: createAllowance(clock), states, signal: over.signal })
  const reader = createLogReader(context, context, async () => 'beginning')
  const reading = (async () => {
    while (!over.signal.aborted) {
      await reader.turn().catch((error: unknown) => {
        if (!over.signal.aborted && !(error instanceof LogFailure)) throw error
      })
      await clock.sleepUntil(clock.now() + 3000, over.signal)
    }
  })()
  const behind: number[] = []
  for (let minute = 1; minute <= minutes; minute++) {
    await clock.run(began + minute * 60_000)
    behind.push(size() - (states.get('id')?.position.size ?? 0))
  }
  over.abort()
  await reading
  return { behind, refused, asked }
}

describe('a log is kept up with', () => {
  it('that takes 30 s for an answer and grows by 130 entries a second', async () => {
    const { behind } = await read({ perSecond: 130, pageSize: 256, takes: 30_000 }, 15)
    // What came while one round of answers was under way, and while the head before it was.
    for (const entries of behind.slice(6)) assert.ok(entries < 130 * 150, behind.join())
  })

  it('that gives 32 entries at a time, in a second, and grows by 100', async () => {
    const { behind } = await read({ perSecond: 100, pageSize: 32, takes: 1000 }, 5)
    for (const entries of behind.slice(1)) assert.ok(entries < 100 * 15, behind.join())
  })

  it('that refuses more than 2 requests a second, and grows by 200', async () => {
    const { behind, refused, asked } = await read({ perSecond: 200, pageSize: 256, takes: 300, allows: 2 }, 10)
    for (const entries of behind.slice(5)) assert.ok(entries < 200 * 60, behind.join())
    assert.ok(refused < asked / 4, `${refused} of ${asked} were refused`)
  })
})
