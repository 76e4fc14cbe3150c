// What is read ahead is bounded in bytes, whatever a log has in its pages; and all of it comes, in order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { systemClock } from '../../src/clock.ts'
import type { LogClient } from '../../src/sources/log-client.ts'
import type { LogPage } from '../../src/sources/log-entry.ts'
import { entriesIn, receivedOf } from '../../src/sources/log-entry.ts'
import { createWindow, readAhead } from '../../src/sources/read-ahead.ts'

const MIB = 1_048_576
const PAGE = 256

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
// Memory outside the heap is counted until its second collection, or so.
const held = (): number =>
  Math.min(
    ...Array.from({ length: 3 }, () => {
      collect()
      return process.memoryUsage().arrayBuffers
    }),
  )

/** Pages of `count` entries and so many bytes, asked for with a full window; `first` settles before the first is there. */
function reading(pages: number, count: number, bytes: number, first: Promise<void>) {
  const asked: number[] = []
  const size = pages * PAGE
  const page = async (start: number, endExclusive: number): Promise<LogPage> => {
    asked.push(start)
    if (start === 0) await first
    const memory = new Uint8Array(bytes)
    const entries = Math.min(count, endExclusive - start)
    memory.fill(start / count, 0, entries * 32)
    return { start, hashes: Buffer.from(memory.buffer, 0, entries * 32), kept: [], misplaced: [] }
  }
  const client = { page, boundary: (start) => (Math.floor(start / PAGE) + 1) * PAGE } as Partial<LogClient> as LogClient
  const window = createWindow()
  for (let n = 0; n < 64; n++) window.succeeded()
  const signal = new AbortController().signal
  const never = (): void => assert.fail('nothing fails')
  const options = { client, window, clock: systemClock, random: Math.random, signal, attempts: Infinity, patience: Infinity, keep: false }
  return { asked, read: readAhead(0, size, size, { ...options, failed: never, succeeded: never }) }
}

async function settle(): Promise<void> {
  for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve))
}

void test('pages behind one that hangs: what is too much is dropped, and asked for again in its turn', async () => {
  const first = Promise.withResolvers<void>()
  const before = held()
  const { asked, read } = reading(40, PAGE, 10 * MIB, first.promise)
  const begun = read.next()
  await settle()
  assert.equal(asked.length, 32)
  assert.ok(held() - before <= 34 * MIB, `${held() - before} bytes wait`)
  first.resolve()
  let at = 0
  let most = 0
  for (let next = await begun; next.done !== true; next = await read.next()) {
    assert.equal(next.value.start, at)
    at += entriesIn(next.value)
    await settle()
    most = Math.max(most, held() - before)
  }
  assert.equal(at, 40 * PAGE)
  assert.ok(most <= 66 * MIB, `${most} bytes were held`)
  assert.equal(new Set(asked).size, 40)
  assert.ok(asked.length < 80, `${asked.length} were asked for`)
})

void test('pages behind one that hangs: usual ones wait all, and are asked for once', async () => {
  const first = Promise.withResolvers<void>()
  const { asked, read } = reading(60, PAGE, MIB / 2, first.promise)
  const begun = read.next()
  await settle()
  first.resolve()
  let pages = 0
  for (let next = await begun; next.done !== true; next = await read.next()) pages += 1
  assert.equal(pages, 60)
  assert.equal(asked.length, 60)
})

void test('parts that come in many answers: neither the first nor those behind it are gathered without end', async () => {
  const first = Promise.withResolvers<void>()
  const before = held()
  // One entry an answer, of 4 MiB: 1 GiB for each part.
  const { asked, read } = reading(2, 1, 4 * MIB, first.promise)
  const begun = read.next()
  await settle()
  assert.ok(held() - before <= 40 * MIB, `${held() - before} bytes wait`)
  first.resolve()
  let at = 0
  let most = 0
  for (let next = await begun; next.done !== true && at < 40; next = await read.next()) {
    assert.equal(next.value.start, at)
    assert.deepEqual(
      [...new Set(next.value.hashes)],
      Array.from({ length: entriesIn(next.value) }, (_, n) => at + n),
    )
    at += entriesIn(next.value)
    await settle()
    most = Math.max(most, held() - before)
  }
  await read.return(undefined)
  assert.ok(most <= 112 * MIB, `${most} bytes were held`)
  assert.ok(asked.length < 256)
})

void test('an answer is copied as evidence unless it is too large', () => {
  assert.deepEqual(receivedOf('https://log.test/x', Buffer.from('it')), { url: 'https://log.test/x', bytes: Buffer.from('it') })
  assert.deepEqual(receivedOf('https://log.test/x', Buffer.alloc(9 * MIB)), {
    url: 'https://log.test/x',
    bytes: new Uint8Array(),
    tooLarge: 9 * MIB,
  })
})
