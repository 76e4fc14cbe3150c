// A log of both ways: its tiles are a shorter way, and nothing waits for one that does not come, or is held up by one that is wrong.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../src/clock.ts'
import { steadyClock } from '../../src/clock.ts'
import { readLogKey } from '../../src/ct/log-key.ts'
import { NetworkError } from '../../src/http.ts'
import type { Http } from '../../src/http.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { UNLIMITED } from '../../src/sources/bandwidth.ts'
import { createHosts } from '../../src/sources/hosts.ts'
import { createHybrid, tilesWay } from '../../src/sources/hybrid.ts'
import type { LogClient } from '../../src/sources/log-client.ts'
import type { LogPage } from '../../src/sources/log-entry.ts'
import { LogFailure } from '../../src/sources/log-failure.ts'
import { createLogHttp } from '../../src/sources/log-http.ts'
import { createLogTally } from '../../src/sources/log-tally.ts'
import { createRfc6962 } from '../../src/sources/rfc6962.ts'
import { createStaticCt } from '../../src/sources/static-ct.ts'
import { steppedTime } from '../support/stepped-time.ts'
import { settableClock } from '../support/settable-clock.ts'

const never = new AbortController().signal
const HOUR = 3_600_000
const SIZE = 1_000_000

const pageAt = (start: number, endExclusive: number, fill: number, misplaced: readonly number[] = []): LogPage => ({
  start,
  hashes: Buffer.alloc(32 * (endExclusive - start), fill),
  kept: [],
  misplaced,
})

type Tile = (start: number, endExclusive: number, signal: AbortSignal) => Promise<LogPage>

/** A log of both ways whose tiles do as they are told; what each page came by. */
function hybrid(clock: Clock, tile: Tile) {
  const asked: string[] = []
  const note = (way: string, page: LogClient['page']): LogClient =>
    ({
      page: async (...args: Parameters<LogClient['page']>) => {
        asked.push(`${way} ${args[0] / 256}`)
        return page(...args)
      },
    }) as Partial<LogClient> as LogClient
  const tiles = note('tile', async (start, endExclusive, _size, signal) => tile(start, endExclusive, signal))
  const classic = note('get-entries', async (start, endExclusive, _size, signal) => {
    signal.throwIfAborted()
    return pageAt(start, endExclusive, 1)
  })
  const client = createHybrid(classic, tiles, steadyClock(clock))
  const page = async (n: number, signal = never) => client.page(n * 256, (n + 1) * 256, SIZE, signal)
  return { client, page, taken: () => asked.splice(0) }
}

const down = async (): Promise<never> => Promise.reject(new LogFailure('down', 'it answers 503', { status: 503 }))
const well: Tile = async (start, endExclusive) => pageAt(start, endExclusive, 2)

/** What has come by now: in stepped time nothing would ever come of waiting for it. */
async function here<T>(coming: Promise<T>): Promise<T> {
  const late = new Promise<never>((_resolve, reject) => setTimeout(() => reject(new Error('it has not come')), 100))
  return Promise.race([coming, late])
}

describe('tiles that hang', () => {
  /** A log over a network on which nothing under tile/ ever comes, in stepped time. */
  const hanging = () => {
    const clock = steppedTime()
    const began = clock.now()
    const asked: (readonly [at: number, what: string])[] = []
    const http: Http = async ({ url, timeoutMs, signal }) => {
      const what = url.includes('/tile/') ? 'tile' : 'get-entries'
      asked.push([clock.now() - began, what])
      if (what === 'tile') {
        await clock.sleepUntil(clock.now() + timeoutMs, signal)
        throw new NetworkError(signal?.aborted === true ? 'aborted' : 'timeout', 'no whole answer in time', true)
      }
      return { status: 200, headers: {}, body: Buffer.alloc(1) }
    }
    const url = 'https://log.test/'
    const host = createHosts(clock)(url)
    const way = createLogHttp({ http, clock, url, host, bandwidth: UNLIMITED, userAgent: 'test', longestMs: 60_000 })
    const key = readLogKey(createCtLog({ name: 'hangs' }).keys.spki)
    const readPage = async (_answer: unknown, { start }: { readonly start: number }): Promise<LogPage> => pageAt(start, start + 256, 1)
    const client = createHybrid(createRfc6962(way, key, url, readPage), createStaticCt(tilesWay(way), key, url, readPage), steadyClock(clock))
    return { clock, host, asked, client, page: async (n: number, signal = never) => client.page(n * 256, (n + 1) * 256, SIZE, signal) }
  }

  it('their entries come by get-entries within seconds, and the next are not asked for as tiles until a while is over', async () => {
    const { clock, asked, page } = hanging()
    const began = clock.now()
    const came = Promise.all([page(0), page(1), page(2)])
    await clock.run(began + 10_000)
    const pages = await here(came)
    assert.deepEqual(
      pages.map(({ start }) => start),
      [0, 256, 512],
    )
    assert.deepEqual(
      asked.splice(0).map(([at, what]) => `${at} ${what}`),
      ['0 tile', '0 tile', '0 tile', '3000 get-entries', '3000 get-entries', '3000 get-entries'],
    )
    for (let n = 3; n < 40; n++) await here(page(n))
    assert.deepEqual(new Set(asked.splice(0).map(([, what]) => what)), new Set(['get-entries']))
    // All three were one failure: 8 s of rest. Then one of two is tried, and the other does not wait for it.
    await clock.run(began + 11_000)
    const tried = page(40)
    await here(page(41))
    await clock.run(began + 20_000)
    await here(tried)
    assert.deepEqual(
      asked.splice(0).map(([at, what]) => `${at} ${what}`),
      ['11000 tile', '11000 get-entries', '14000 get-entries'],
    )
  })

  it('what the log has us wait for is no time of the tile', async () => {
    const { clock, host, asked, client } = hanging()
    const began = clock.now()
    host.told(began + 60_000)
    const came = client.page(0, 256, SIZE, never)
    await clock.run(began + 70_000)
    await here(came)
    assert.deepEqual(
      asked.map(([at, what]) => `${at} ${what}`),
      ['60000 tile', '63000 get-entries'],
    )
  })

  it('the rest is twice as long each time, an hour at most: so little is waited for in a day', async () => {
    const { clock, asked, page } = hanging()
    const began = clock.now()
    for (let minute = 0; minute < 1440; minute++) {
      const came = page(minute)
      await clock.run(began + (minute + 1) * 60_000)
      await here(came)
    }
    const tiles = asked.filter(([, what]) => what === 'tile').map(([at]) => at)
    assert.equal(asked.length - tiles.length, 1440)
    assert.ok(tiles.length >= 24 && tiles.length <= 36, `${tiles.length} tiles were asked for`)
    const gaps = tiles.map((at, n) => at - (tiles[n - 1] ?? 0))
    assert.ok(Math.max(...gaps) <= HOUR + 120_000, 'they are tried every hour')
  })
})

describe('tiles that fail', () => {
  it('a clock that is set back by hours does not keep them from being tried', async () => {
    const clock = settableClock()
    let tile: Tile = down
    const { page, taken } = hybrid(clock, async (...args) => tile(...args))
    await page(0)
    clock.set(-5 * HOUR)
    await page(1)
    assert.deepEqual(taken(), ['tile 0', 'get-entries 0', 'get-entries 1'])
    tile = well
    clock.set(9000)
    await page(2)
    assert.deepEqual(taken(), ['tile 2'])
  })

  it('one that is tried well is trusted, and a failure soon after is one more', async () => {
    const clock = steppedTime()
    const began = clock.now()
    let tile: Tile = down
    const { page, taken } = hybrid(clock, async (...args) => tile(...args))
    const at = async (ms: number, n: number, how = tile): Promise<readonly string[]> => {
      await clock.run(began + ms)
      tile = how
      await page(n)
      return taken()
    }
    assert.deepEqual(await at(0, 0), ['tile 0', 'get-entries 0'])
    assert.deepEqual(await at(7900, 1), ['get-entries 1'])
    assert.deepEqual(await at(8000, 2, well), ['tile 2'])
    assert.deepEqual(await at(8001, 3), ['tile 3'])
    assert.deepEqual(await at(9000, 4, down), ['tile 4', 'get-entries 4'])
    assert.deepEqual(await at(24_900, 5, well), ['get-entries 5'], '16 s')
    assert.deepEqual(await at(25_000, 6), ['tile 6'])
    assert.deepEqual(await at(60_000, 7, down), ['tile 7', 'get-entries 7'])
    assert.deepEqual(await at(68_000, 8, well), ['tile 8'], '8 s again, since they did well for longer than they rested')
  })

  it('one that was asked for before a failure and comes after it is read, and says nothing of the tiles', async () => {
    const clock = steppedTime()
    const late = Promise.withResolvers<void>()
    const { page, taken } = hybrid(clock, async (start, ...rest) => {
      if (start > 0) return down()
      await late.promise
      return well(start, ...rest)
    })
    const first = page(0)
    await page(1)
    late.resolve()
    assert.equal((await first).hashes[0], 2)
    await page(2)
    assert.deepEqual(taken(), ['tile 0', 'tile 1', 'get-entries 1', 'get-entries 2'])
  })

  it('one that is given up while it is tried is tried again by the next page', async () => {
    const clock = steppedTime()
    let tile: Tile = down
    const { page, taken } = hybrid(clock, async (...args) => tile(...args))
    await page(0)
    await clock.run(clock.now() + 8000)
    tile = async (_start, _endExclusive, signal) => {
      await clock.sleepUntil(Infinity, signal)
      signal.throwIfAborted()
      return assert.fail('it never comes')
    }
    const stop = new AbortController()
    const given = page(1, stop.signal)
    stop.abort()
    await assert.rejects(given, { name: 'AbortError' })
    assert.deepEqual(taken(), ['tile 0', 'get-entries 0', 'tile 1'], 'nothing is asked for after that')
    tile = well
    await page(2)
    assert.deepEqual(taken(), ['tile 2'])
  })

  it('a refusal for asking too often is one of the log, and nothing is asked for the other way', async () => {
    const clock = steppedTime()
    const until = clock.now() + 30_000
    let refuses = true
    const { page, taken } = hybrid(clock, async (...args) =>
      refuses ? Promise.reject(new LogFailure('limited', 'it refuses requests for now (429)', { until, status: 429 })) : well(...args),
    )
    await assert.rejects(page(0), (error: LogFailure) => error.kind === 'limited' && error.until === until)
    refuses = false
    await page(0)
    assert.deepEqual(taken(), ['tile 0', 'tile 0'], 'the tiles are trusted as before')
  })

  it('what is no failure of the log is thrown', async () => {
    const { page, taken } = hybrid(steppedTime(), async () => Promise.reject(new TypeError('a mistake of ours')))
    await assert.rejects(page(0), TypeError)
    assert.deepEqual(taken(), ['tile 0'])
  })
})

describe('tiles that are wrong', () => {
  it('are let be for an hour once get-entries made the root that they did not', async () => {
    const clock = steppedTime()
    const began = clock.now()
    const { client, page, taken } = hybrid(clock, well)
    const { signed } = createLogTally(() => undefined).judging(client)
    assert.equal((await signed?.client.page(0, 256, SIZE, never, true))?.hashes[0], 1)
    assert.deepEqual(taken(), ['get-entries 0'])
    await page(0)
    assert.deepEqual(taken(), ['tile 0'], 'that alone says nothing yet')
    signed?.differed()
    signed?.differed()
    await page(1)
    await clock.run(began + HOUR - 1)
    await page(2)
    assert.deepEqual(taken(), ['get-entries 1', 'get-entries 2'])
    await clock.run(began + HOUR)
    await page(3)
    await page(4)
    assert.deepEqual(taken(), ['tile 3', 'tile 4'])
  })

  it('and what comes by get-entries alone is counted as all else is', async () => {
    const told: string[] = []
    const tally = createLogTally((outcome) => told.push(outcome))
    const classic = {
      page: async (): Promise<LogPage> => {
        tally.heard('ok')
        throw new LogFailure('broken', 'its page of entries cannot be read')
      },
    } as Partial<LogClient> as LogClient
    const { signed } = tally.judging(createHybrid(classic, classic, steadyClock(steppedTime())))
    await assert.rejects(async () => signed?.client.page(0, 256, SIZE, never, true), LogFailure)
    assert.deepEqual(told, ['broken'])
  })

  it('rest for a while, and no less, when one fails after that hour', async () => {
    const clock = steppedTime()
    const { client, page, taken } = hybrid(clock, down)
    client.signed?.differed()
    await clock.run(clock.now() + HOUR)
    await page(0)
    await page(1)
    assert.deepEqual(taken(), ['tile 0', 'get-entries 0', 'get-entries 1'])
  })

  it('one with entries that say they are of another place is not read', async () => {
    const { page, taken } = hybrid(steppedTime(), async (start, endExclusive) => pageAt(start, endExclusive, 2, [start]))
    assert.deepEqual((await page(0)).misplaced, [])
    await page(1)
    assert.deepEqual(taken(), ['tile 0', 'get-entries 0', 'get-entries 1'])
  })
})
