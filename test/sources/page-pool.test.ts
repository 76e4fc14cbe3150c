// Pages read on other threads: the same as here, whatever the bytes are and whatever becomes of the threads.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import type { LogPage } from '../../src/sources/log-entry.ts'
import { LogFailure } from '../../src/sources/log-failure.ts'
import type { PagePool } from '../../src/sources/page-pool.ts'
import { createPagePool } from '../../src/sources/page-pool.ts'
import type { PackedAnswer, PageKind, ReadPage } from '../../src/sources/read-page.ts'
import { readPagesHere } from '../../src/sources/read-page.ts'
import { createSieve } from '../../src/watch/sieve.ts'
import { fixture, needsFixtures } from '../ct/fixtures.ts'
import { itemOf } from '../support/items.ts'

const sieve = createSieve(['acme.example.com', '=h17.globex.example.net', 'watched.example', '192.0.2.5', '2001:db8::/32'].map(itemOf))
const here = readPagesHere(sieve)
const never = new AbortController().signal
const MAX = 64 * 1024 * 1024

const answerOf = (bytes: Uint8Array, encoding: string | undefined, maxBytes = MAX): PackedAnswer => ({ bytes, encoding, maxBytes })
const tileAt = (start: number, width = 256): PageKind => ({ kind: 'data-tile', start, width })
const entriesAt = (start: number): PageKind => ({ kind: 'get-entries', start, count: 256 })
const sunlight = (n: number): Buffer => fixture(`static-ct-trees/sunlight/size-03300/tile/data/${String(n).padStart(3, '0')}`)

/** A pool with one worker that takes pages. */
async function ready(more: Partial<Parameters<typeof createPagePool>[0]> = {}): Promise<PagePool> {
  // Busy once, and no time goes by.
  let ms = 0
  const pool = createPagePool({ sieve, most: 1, now: () => (ms = Math.min(1000, ms + 100)), startAt: 0, ...more })
  await pool.read(answerOf(gzipSync('?'), 'gzip'), tileAt(0), never).catch(() => undefined)
  await until(() => pool.workers === 1)
  return pool
}

async function until(is: () => boolean): Promise<void> {
  for (let n = 0; !is(); n++) {
    assert.ok(n < 1000, 'it does not come about')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** What reading comes to, to be compared. */
async function outcome(read: ReadPage, answer: PackedAnswer, kind: PageKind): Promise<unknown> {
  try {
    return await read(answer, kind, never)
  } catch (error) {
    assert.ok(error instanceof LogFailure, String(error))
    return { kind: error.kind, message: error.message }
  }
}

describe('a worker reads as this thread does', () => {
  let pool: PagePool
  after(async () => pool.end())
  const same = async (answer: PackedAnswer, kind: PageKind): Promise<unknown> => {
    pool ??= await ready()
    // One at a time, so that each goes to the worker.
    const [there, expected] = [await outcome(pool.read, answer, kind), await outcome(here, answer, kind)]
    assert.deepEqual(there, expected)
    assert.equal(pool.workers, 1)
    return there
  }

  it("a real log's tiles, packed in every way", needsFixtures, async () => {
    for (let n = 0; n < 12; n++) {
      const plain = gunzipSync(sunlight(n))
      const page = (await same(answerOf(sunlight(n), 'gzip'), tileAt(n * 256))) as LogPage
      assert.deepEqual(page.hashes, fixture(`static-ct-trees/sunlight/size-03300/tile/0/${String(n).padStart(3, '0')}`))
      assert.ok(Buffer.isBuffer(page.hashes))
      for (const { leafHash, entry } of page.kept)
        for (const bytes of [leafHash, entry?.der]) assert.equal(bytes?.buffer, page.hashes.buffer, 'one piece of memory of its own')
      await same(answerOf(plain, undefined), tileAt(n * 256))
      await same(answerOf(deflateSync(plain), 'deflate'), tileAt(n * 256, 100))
      await same(answerOf(brotliCompressSync(plain.subarray(0, 100_000)), 'br'), tileAt(n * 256, 70))
      // Every index is another than its place.
      assert.equal(((await same(answerOf(sunlight(n), 'gzip'), tileAt(7 * 2 ** 32))) as LogPage).misplaced.length, 256)
    }
  })

  it('real entries of RFC 6962 logs', needsFixtures, async () => {
    const rows = JSON.parse(fixture('rfc6962-live-entries.json').toString()) as readonly { leaf_input: string; extra_data: string }[]
    const entries = rows.map(({ leaf_input, extra_data }) => ({ leaf_input, extra_data }))
    const page = (await same(answerOf(gzipSync(JSON.stringify({ entries })), 'gzip'), entriesAt(2 ** 33))) as LogPage
    assert.equal(page.hashes.length, rows.length * 32)
    await same(answerOf(Buffer.from(JSON.stringify({ entries: [...entries, { leaf_input: 'AAAB' }, { leaf_input: '' }] })), undefined), entriesAt(0))
    await same(answerOf(Buffer.from(JSON.stringify({ entries: [{ leaf_input: 'AA' }] })), undefined), entriesAt(0))
  })

  it('hostile bytes', needsFixtures, async () => {
    const tile = gunzipSync(sunlight(3))
    const page = Buffer.from('{"entries":[{"leaf_input":"AAAAAAE=","extra_data":"AA=="},{"leaf_input":"","extra_data":[{}]}]}')
    const spoilt = (bytes: Buffer): fc.Arbitrary<Buffer> =>
      fc
        .tuple(
          fc.array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })), { maxLength: 6 }),
          fc.integer({ min: 0, max: bytes.length }),
        )
        .map(([changes, end]) => {
          const copy = Buffer.from(bytes)
          for (const [at, value] of changes) copy[at] = value
          return end % 3 === 0 ? copy.subarray(0, end) : copy
        })
    const answer = fc.oneof(
      fc.tuple(spoilt(tile), fc.constantFrom('gzip', undefined, 'deflate', 'br', 'zstd'), fc.boolean()),
      fc.tuple(spoilt(page), fc.constantFrom('gzip', undefined), fc.boolean()),
      fc.tuple(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        fc.constantFrom('gzip', 'x-gzip', undefined),
        fc.boolean(),
      ),
    )
    const kind = fc.oneof(
      fc.record({ kind: fc.constant('data-tile' as const), start: fc.nat().map((n) => n * 256), width: fc.integer({ min: 64, max: 256 }) }),
      fc.nat().map(entriesAt),
    )
    await fc.assert(
      fc.asyncProperty(answer, kind, async ([bytes, encoding, packed], kind) => {
        await same(answerOf(packed && encoding === 'gzip' ? gzipSync(bytes) : bytes, encoding), kind)
      }),
      { numRuns: 300 },
    )
  })

  it('a bomb, broken packing, an encoding that nobody asked for', async () => {
    const bomb = gzipSync(Buffer.alloc(2_000_000))
    for (const [answer, expected] of [
      [answerOf(bomb, 'gzip', 1_048_576), { kind: 'broken', message: 'the answer is larger than 1 MiB' }],
      [answerOf(Buffer.from('this is no gzip'), 'gzip'), { kind: 'broken', message: 'the compressed answer is broken' }],
      [answerOf(bomb.subarray(0, 100), 'gzip'), { kind: 'broken', message: 'the compressed answer is broken' }],
      [answerOf(bomb, 'zstd'), { kind: 'broken', message: 'the answer has an encoding that was not asked for' }],
      [
        answerOf(Buffer.from('[]'), undefined),
        { kind: 'broken', message: 'its page of entries cannot be read: get-entries: is not a JSON object at byte 0' },
      ],
    ] as const)
      assert.deepEqual(await same(answer, entriesAt(0)), expected)
  })

  it('with the same tables, and not with a copy', () => {
    const { names, addresses } = sieve.data
    for (const table of [names, addresses?.table])
      for (const { buffer } of [table?.keys, table?.values].map((each) => each ?? assert.fail())) assert.ok(buffer instanceof SharedArrayBuffer)
  })

  it('many at once, each its own', needsFixtures, async () => {
    pool ??= await ready()
    const orders = Array.from({ length: 60 }, (_, n) => ({ answer: answerOf(sunlight(n % 12), 'gzip'), kind: tileAt((n % 12) * 256, 256 - (n % 5)) }))
    const pages = await Promise.all(orders.map(async ({ answer, kind }) => pool.read(answer, kind, never)))
    for (const [n, { answer, kind }] of orders.entries()) assert.deepEqual(pages[n], await here(answer, kind, never))
  })
})

describe('workers', () => {
  const page = answerOf(Buffer.from(JSON.stringify({ entries: [{ leaf_input: 'AAAB' }, { leaf_input: 'AAAC' }] })), undefined)
  const entry = (code: string): URL =>
    new URL(
      `data:text/javascript,${encodeURIComponent(`import { parentPort as port } from 'node:worker_threads'; ${code}; port.postMessage('ready')`)}`,
    )
  const reads = async (pool: PagePool): Promise<void> =>
    assert.deepEqual(await pool.read(page, entriesAt(0), never), await here(page, entriesAt(0), never))

  for (const [what, code] of [
    ['ends', "port.on('message', () => process.exit(0))"],
    ['throws', "port.on('message', () => { throw new Error('no') })"],
    ['runs out of memory', "port.on('message', () => { for (const all = []; ;) all.push([all.length]) })"],
  ] as const) {
    it(`one that ${what}: its pages are read here, and after three of them there is no other for ten minutes`, async () => {
      // Busy once, and no time goes by.
      let ms = 0
      let ahead = 0
      const pool = await ready({ entry: entry(code), now: () => (ms = Math.min(1000, ms + 100)) + ahead })
      await Promise.all([reads(pool), reads(pool), reads(pool), reads(pool), reads(pool)])
      assert.equal(pool.workers, 0)
      if (what === 'runs out of memory') return
      for (let n = 0; n < 2; n++) {
        await reads(pool)
        await until(() => pool.workers === 1)
        await reads(pool)
        assert.equal(pool.workers, 0)
      }
      await reads(pool)
      await new Promise((resolve) => setTimeout(resolve, 200))
      assert.equal(pool.workers, 0)
      ahead = 600_000
      await reads(pool)
      await until(() => pool.workers === 1)
      await pool.end()
    })
  }

  it('one that is not there: everything is read here', async () => {
    const pool = createPagePool({ sieve, most: 3, now: () => performance.now(), startAt: 0, entry: new URL('file:///nowhere/page-worker.js') })
    for (let n = 0; n < 20; n++) {
      await reads(pool)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    assert.equal(pool.workers, 0)
  })

  it('one that gives up a page, or says something of pages that nobody asked for', async () => {
    const pool = await ready({
      entry: entry("port.on('message', ({ id }) => { for (const n of [id + 1, id - 1, 'x', id, id]) port.postMessage({ id: n, ms: 1 }) })"),
    })
    await Promise.all([reads(pool), reads(pool), reads(pool), reads(pool)])
    await pool.end()
  })

  it('who aborts is told at once, and others are not', async () => {
    const pool = await ready({ entry: entry("port.on('message', () => undefined)") })
    const stop = new AbortController()
    const asked = Array.from({ length: 8 }, async (_, n) => pool.read(page, entriesAt(0), n % 2 === 0 ? stop.signal : never))
    const settled = Promise.allSettled(asked)
    stop.abort(new Error('stopped'))
    await assert.rejects(asked[0] ?? assert.fail(), /stopped/)
    await assert.rejects(pool.read(page, entriesAt(0), stop.signal), /stopped/)
    // What it still has, and never answers, is read when it is ended.
    await pool.end()
    assert.deepEqual(
      (await settled).map(({ status }) => status),
      Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? 'rejected' : 'fulfilled')),
    )
    assert.equal(pool.workers, 0)
    await reads(pool)
    await pool.end()
  })

  it('are started by much reading alone, for full pages, and end when there is little', async () => {
    let ms = 0
    const now = (): number => (ms += 10)
    const busy = createPagePool({ sieve, most: 1, now })
    for (let n = 0; n < 200; n++) await busy.read(page, { ...entriesAt(0), count: 63 } as PageKind, never)
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.equal(busy.workers, 0, 'small pages')
    for (let n = 0; n < 1000 && busy.workers === 0; n++) {
      await reads(busy)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => busy.workers === 1)
    ms += 60_000
    await until(() => busy.workers === 0)
    // As many, and hours between.
    const idle = createPagePool({ sieve, most: 1, now: () => (ms += 20) })
    for (let n = 0; n < 500; n++) {
      ms += 100
      await reads(idle)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.equal(idle.workers, 0)
  })

  it('hold no process that has nothing else to do', () => {
    const code = `
      import { createPagePool } from './src/sources/page-pool.ts'
      import { createSieve } from './src/watch/sieve.ts'
      const pool = createPagePool({ sieve: createSieve([]), most: 2, now: () => performance.now(), startAt: 0 })
      const read = () => pool.read({ bytes: Buffer.from('{"entries":[]}'), maxBytes: 100 }, { kind: 'get-entries', start: 0, count: 256 }, new AbortController().signal)
      await read()
      while (pool.workers === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      await read()
      console.log('done')`
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: join(import.meta.dirname, '..', '..'), timeout: 20_000 })
    assert.equal(out.toString(), 'done\n')
  })
})
