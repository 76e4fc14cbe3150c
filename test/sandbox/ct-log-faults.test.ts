import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { request as httpRequest } from 'node:http'
import { readCheckpoint } from '../../src/ct/checkpoint.ts'
import { ParseError } from '../../src/ct/errors.ts'
import { readDataTile } from '../../src/ct/tile.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { rateLimit } from '../../src/sandbox/ct-log-faults.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { startCtHost, type CtFault, type CtHost, type ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { get, getJson, keyOf, readStatic, type Page } from './ct-reader.ts'

describe('a log that fails', () => {
  let host: CtHost
  let served: ServedLog

  before(async () => {
    host = await startCtHost()
    served = host.serve(createCtLog({ name: 'weak' }))
    served.log.addMany(300, makeFiller({ count: 8 }))
    served.log.publish()
    served.log.addMany(10, makeFiller({ count: 8 }))
  })
  after(() => host.close())
  afterEach(() => host.setFault(undefined))

  const entries = () => `${served.url}ct/v1/get-entries?start=0&end=99`
  const once = (fault: CtFault) => host.script.push(fault)

  it('truncated: fewer bytes than promised, then a reset', async () => {
    once('truncated')
    await assert.rejects(get(entries()))
    assert.equal((await get(entries())).status, 200)
  })

  it('reset, and no answer at all', async () => {
    once('reset')
    await assert.rejects(get(entries()))
    for (const fault of ['hang', 'stall'] as const) {
      once(fault)
      await assert.rejects(
        fetch(entries(), { signal: AbortSignal.timeout(100) }).then((response) => response.text()),
        { name: 'TimeoutError' },
      )
    }
  })

  it('refusals with a status', async () => {
    for (const status of [400, 404, 500, 503]) {
      once({ status, body: 'no' })
      assert.equal((await get(entries())).status, status)
    }
    assert.equal(host.requests.at(-1)!.status, 503)
    assert.deepEqual(host.requests.at(-1)!.fault, { status: 503, body: 'no' })
  })

  it('429 with Retry-After in both forms', async () => {
    once({ retryAfter: 7 })
    const seconds = await get(entries())
    assert.deepEqual([seconds.status, seconds.headers.get('retry-after')], [429, '7'])
    once({ retryAfter: new Date('2026-11-25T12:00:00Z'), status: 503 })
    const date = await get(entries())
    assert.deepEqual([date.status, date.headers.get('retry-after')], [503, 'Wed, 25 Nov 2026 12:00:00 GMT'])
  })

  it('HTML where JSON or a tile belongs', async () => {
    once('html200')
    const { status, bytes } = await get(`${served.url}tile/data/000`)
    assert.equal(status, 200)
    assert.match(bytes.toString(), /^<!DOCTYPE html>/)
  })

  it('short pages, and more entries than asked', async () => {
    const page = async () => (await getJson<Page>(entries())).entries.length
    for (const n of [1, 0, 99, 150, 310]) {
      once({ entries: n })
      assert.equal(await page(), n)
    }
    assert.equal(await page(), 100)
  })

  it('slow, then right or wrong', async () => {
    const begun = performance.now()
    once({ slow: 50 })
    assert.equal((await get(entries())).status, 200)
    once({ slow: 50, before: { status: 500 } })
    assert.equal((await get(entries())).status, 500)
    assert.ok(performance.now() - begun >= 99)
  })

  it('a tile cut in half, as if it were whole, and another one bit off', async () => {
    const whole = (await get(`${served.url}tile/data/000`)).bytes
    once({ keep: 0.5 })
    const half = (await get(`${served.url}tile/data/000`)).bytes
    assert.deepEqual(half, whole.subarray(0, Math.floor(whole.length / 2)))
    let read = 0
    assert.throws(() => readDataTile(half, 256, () => read++), ParseError)
    assert.ok(read > 100)
    once({ keep: 0.5, packed: true })
    // Node's fetch says nothing of a gzip stream that ends too soon; it gives what there is.
    const inflated = (await get(`${served.url}tile/data/000`)).bytes
    assert.ok(inflated.length < whole.length)
    assert.deepEqual(inflated, whole.subarray(0, inflated.length))
    once({ flip: -1 })
    const flipped = (await get(`${served.url}tile/0/000`)).bytes
    const honest = (await get(`${served.url}tile/0/000`)).bytes
    assert.equal(flipped.length, 8192)
    assert.equal(flipped.compare(honest, 0, 8191, 0, 8191), 0)
    assert.equal(flipped[8191]! ^ honest[8191]!, 1)
    assert.deepEqual((await get(`${served.url}tile/data/000`)).bytes, whole)
  })

  it('a checkpoint cut off is broken in form', async () => {
    for (const keep of [0, 0.1, 0.3, 0.9]) {
      once({ keep })
      const { bytes } = await get(`${served.url}checkpoint`)
      assert.throws(() => readCheckpoint(bytes, keyOf(served)), ParseError)
    }
  })

  it('a partial tile gone, the full one there', async () => {
    host.setFault((request) => (request.tile !== undefined && request.tile.width < 256 ? { status: 404 } : undefined))
    assert.equal((await get(`${served.url}tile/data/001.p/44`)).status, 404)
    assert.equal((await get(`${served.url}tile/data/000`)).status, 200)
    host.setFault(undefined)
    assert.equal((await readStatic(served)).entries.length, 300)
  })

  it('a gzip bomb', async () => {
    once('gzipbomb')
    const packed = await new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = []
      httpRequest(entries(), (response) => {
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)))
      })
        .on('error', reject)
        .end()
    })
    assert.ok(packed.length < 1_000_000)
    assert.throws(() => gunzipSync(packed, { maxOutputLength: 100_000_000 }), RangeError)
  })

  it('a limit of requests per second', async () => {
    let now = 0
    const clocked = await startCtHost({ clock: () => now })
    const limited = clocked.serve(createCtLog({ name: 'limited' }))
    clocked.setFault(rateLimit(2, { burst: 3 }))
    const statuses = async (n: number) => {
      const out: number[] = []
      for (let i = 0; i < n; i++) out.push((await get(`${limited.url}checkpoint`)).status)
      return out
    }
    assert.deepEqual(await statuses(4), [200, 200, 200, 429])
    now += 1000
    assert.deepEqual(await statuses(3), [200, 200, 429])
    assert.equal(clocked.count('checkpoint', { status: 429 }), 2)
    await clocked.close()
  })

  it('closes while requests hang', async () => {
    const closing = await startCtHost()
    const one = closing.serve(createCtLog({ name: 'one' }))
    closing.setFault(() => 'hang')
    const asked = get(`${one.url}checkpoint`)
    const rejected = assert.rejects(asked)
    while (closing.requests.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await closing.close()
    await rejected
  })
})
