// A static log's tile that can never be read to its end holds up the log for some attempts, and no longer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLogKey } from '../../src/ct/log-key.ts'
import { leafHash } from '../../src/ct/merkle.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { LogFailure } from '../../src/sources/log-failure.ts'
import type { LogHttp } from '../../src/sources/log-http.ts'
import { readPagesHere } from '../../src/sources/read-page.ts'
import { createStaticCt } from '../../src/sources/static-ct.ts'
import { createSieve } from '../../src/watch/sieve.ts'
import { itemOf } from '../support/items.ts'

const never = new AbortController().signal
const client = (answers: (path: string) => Buffer) => {
  const http: LogHttp = {
    get: async (path) => answers(path),
    getPacked: async (path, { maxBytes }, _signal, use) => use({ bytes: answers(path), encoding: undefined, maxBytes }),
  }
  return createStaticCt(
    http,
    readLogKey(createCtLog({ name: 'holes' }).keys.spki),
    'https://log.test/',
    readPagesHere(createSieve([itemOf('example.com')])),
  )
}

void test('a hole in a tile is asked for again, and then passed over; what is no tile never is', async () => {
  const leaf = Buffer.alloc(30)
  leaf.writeUInt16BE(9, 8)
  const tile = Buffer.concat([leaf, Buffer.alloc(50, 0x55)])
  let body = tile
  let out = false
  const asks: string[] = []
  const log = client((path) => {
    asks.push(path)
    if (out) throw new LogFailure('down', 'status 503')
    return path.startsWith('tile/0/') ? Buffer.concat([leafHash(leaf, 2), leafHash(leaf, 2)]) : body
  })
  const ask = async () => log.page(0, 2, 2, never)
  await assert.rejects(ask, /entry_type/)
  out = true
  await assert.rejects(ask, /503/)
  out = false
  await assert.rejects(ask, /entry_type/)
  const { kept, hashes } = await ask()
  assert.deepEqual(
    kept.map(({ index, why }) => [index, why !== undefined]),
    [
      [0, true],
      [1, true],
    ],
  )
  assert.deepEqual(hashes.subarray(0, 32), leafHash(leaf, 2))
  assert.equal(asks.length, 3 * 3 + 1)
  assert.equal((await ask()).kept.length, 2, 'at once, from then on')
  body = Buffer.from('<!DOCTYPE html>'.repeat(20))
  for (let n = 0; n < 5; n++) await assert.rejects(ask, LogFailure)
})

void test('a partial tile that is gone is in the full one, whatever the store says of it', async () => {
  for (const [status, fallsBack] of [
    [404, true],
    [403, true],
    [410, true],
    [400, true],
    [429, false],
    [503, false],
    [undefined, false],
  ] as const) {
    const asked: string[] = []
    const log = client((path) => {
      asked.push(path)
      throw new LogFailure('broken', 'no', status === undefined ? {} : { status })
    })
    await assert.rejects(async () => log.page(0, 10, 10, never), LogFailure)
    assert.deepEqual(asked, ['tile/data/000.p/10', ...(fallsBack ? ['tile/data/000'] : [])], String(status))
  }
})
