// Memory for answers: one log can neither fill it nor keep others from it, and who waits goes on when it may.
import assert from 'node:assert/strict'
import { setImmediate as settled } from 'node:timers/promises'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { readLogKey } from '../../src/ct/log-key.ts'
import type { Http } from '../../src/http.ts'
import { NetworkError } from '../../src/http.ts'
import { createHttp } from '../../src/http-undici.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import type { CtFault, CtHost, LogProtocol } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { UNLIMITED } from '../../src/sources/bandwidth.ts'
import { createHosts } from '../../src/sources/hosts.ts'
import type { Hold, InFlight } from '../../src/sources/in-flight.ts'
import { createInFlight } from '../../src/sources/in-flight.ts'
import { createTurns } from '../../src/sources/turns.ts'
import type { LogClient } from '../../src/sources/log-client.ts'
import { entriesIn } from '../../src/sources/log-entry.ts'
import { LogFailure } from '../../src/sources/log-failure.ts'
import type { LogHttp } from '../../src/sources/log-http.ts'
import { createLogHttp } from '../../src/sources/log-http.ts'
import { steppedTime } from '../support/stepped-time.ts'
import { readPagesHere } from '../../src/sources/read-page.ts'
import { createRfc6962 } from '../../src/sources/rfc6962.ts'
import { createStaticCt } from '../../src/sources/static-ct.ts'
import { createSieve } from '../../src/watch/sieve.ts'
import { itemOf } from '../support/items.ts'

const never = new AbortController().signal
const MIB = 1_048_576

/** Takes room, and says whether it was had. */
function asked(hold: Hold, bytes: number, signal = never): { had: boolean; readonly room: Promise<void> | undefined } {
  const room = hold.admit?.(bytes, signal)
  const state = { had: room === undefined, room }
  room?.then(
    () => (state.had = true),
    () => undefined,
  )
  return state
}

describe('room', () => {
  it('one log has its share, and its first answer whatever it needs', async () => {
    const inFlight = createInFlight({ all: 100, one: 40, least: 5 })
    const log = inFlight.log()
    const [first, second, third] = [log.usual(), log.usual(), log.usual()]
    assert.ok(asked(first, 30).had)
    assert.ok(asked(second, 10).had)
    const waits = asked(second, 1)
    const waitsToo = asked(third, 30)
    assert.ok(!waits.had && !waitsToo.had)
    // More than the log's share.
    assert.ok(asked(first, 50).had)
    assert.equal(inFlight.held, 90)
    first.close()
    first.close()
    await settled()
    assert.ok(waits.had)
    assert.ok(!waitsToo.had, 'the second is the first now, and has 11')
    second.close()
    await settled()
    assert.ok(waitsToo.had)
    third.close()
    assert.equal(inFlight.held, 0)
  })

  it('whatever some logs hold, another goes on', () => {
    const inFlight = createInFlight({ all: 100, one: 40, least: 5 })
    for (let n = 0; n < 3; n++) {
      const log = inFlight.log()
      const [first, second] = [log.usual(), log.usual()]
      asked(first, 30)
      asked(second, 10)
    }
    const log = inFlight.log()
    const [first, second, third] = [log.usual(), log.usual(), log.usual()]
    assert.ok(asked(first, 1).had)
    assert.ok(asked(second, 4).had, 'a little for each log')
    assert.ok(!asked(third, 1).had)
    assert.ok(asked(first, 200).had)
  })

  it('whoever is aborted waits no more, and holds up nobody', async () => {
    const log = createInFlight({ all: 10, one: 10, least: 0 }).log()
    const [first, second, third] = [log.usual(), log.usual(), log.usual()]
    asked(first, 10)
    const stop = new AbortController()
    const impatient = asked(second, 5, stop.signal)
    const stays = asked(third, 5)
    stop.abort()
    await assert.rejects(async () => impatient.room, { name: 'AbortError' })
    second.close()
    first.close()
    await settled()
    assert.ok(stays.had)
    await assert.rejects(async () => asked(log.usual(), 20, AbortSignal.abort()).room, { name: 'AbortError' })
  })

  it('large ones take turns, in order, and who gives up is passed over', async () => {
    const turns = createTurns()
    const told: string[] = []
    const leave = await turns.take(never)
    const stop = new AbortController()
    const left = turns.take(stop.signal)
    const then = turns.take(never).then((done) => {
      told.push('second')
      return done
    })
    const last = turns.take(never).then((done) => {
      told.push('third')
      return done
    })
    assert.ok(turns.isAwaited())
    stop.abort()
    await assert.rejects(left, { name: 'AbortError' })
    leave()
    const next = await then
    await settled()
    assert.deepEqual(told, ['second'])
    next()
    const end = await last
    assert.ok(!turns.isAwaited())
    end()
    const again = await turns.take(never)
    again()
  })
})

/** A log of the sandbox, and how much was held and asked for while it was read. */
interface Watched {
  readonly client: LogClient
  readonly host: CtHost
  readonly inFlight: InFlight
  readonly size: number
  /** Of usual answers, bytes at most. */
  most: number
  /** Requests for large ones, in all, and at once at most. */
  large: number
  largeAtOnce: number
}

async function watched(t: { after(end: () => Promise<void>): void }, protocol: LogProtocol, chainBytes: number, count: number): Promise<Watched> {
  const host = await startCtHost()
  t.after(async () => host.close())
  const log = createCtLog({ name: 'one' })
  const filler = makeFiller({ count: 4, names: (n) => [`n${n}.acme.example.com`], notBefore: new Date() })
  const padded = filler.map((one) => ({ ...one, chain: [...one.chain, { ...one.chain[0]!, der: Buffer.alloc(chainBytes, 7) }] }))
  log.addMany(count, padded)
  log.publish()
  const { url } = host.serve(log, { protocol })
  const network = createHttp()
  t.after(async () => network.close())
  const inFlight = createInFlight()
  let largeNow = 0
  const watching: Http = async (request) => {
    const { admit } = request
    const isLarge = request.maxBytes > 4 * MIB
    if (isLarge) seen.largeAtOnce = Math.max(seen.largeAtOnce, ++largeNow)
    if (isLarge) seen.large += 1
    try {
      return await network.http({
        ...request,
        ...(admit !== undefined && {
          admit: (bytes, signal) => {
            const room = admit(bytes, signal)
            seen.most = Math.max(seen.most, inFlight.held)
            return room
          },
        }),
      })
    } finally {
      if (isLarge) largeNow -= 1
    }
  }
  const way = createLogHttp({
    http: watching,
    clock: systemClock,
    url,
    host: createHosts(systemClock)(url),
    bandwidth: UNLIMITED,
    room: inFlight.log(),
    userAgent: 'test',
    longestMs: 60_000,
  })
  const read = readPagesHere(createSieve([itemOf('acme.example.com')]))
  const create = protocol === 'static-ct' ? createStaticCt : createRfc6962
  const client = create(way, readLogKey(log.keys.spki), url, read)
  const seen: Watched = { client, host, inFlight, size: count, most: 0, large: 0, largeAtOnce: 0 }
  return seen
}

describe('a log', () => {
  it('a page of more than is usual is read, and the next one as usual', async (t) => {
    const seen = await watched(t, 'rfc6962', 20_000, 300)
    const page = await seen.client.page(0, 256, 300, never, true)
    assert.equal(entriesIn(page), 256)
    assert.equal(page.kept.length, 256)
    assert.ok((page.received?.[0]?.bytes.length ?? 0) > 4 * MIB)
    assert.equal(seen.large, 1)
    assert.equal(entriesIn(await seen.client.page(256, 300, 300, never)), 44)
    assert.equal(seen.large, 1)
    assert.equal(seen.inFlight.held, 0)
  })

  const spoiled: readonly [string, LogProtocol, CtFault][] = [
    ['endless pages', 'rfc6962', 'endless'],
    ['endless tiles', 'static-ct', 'endless'],
    ['bombs for pages', 'rfc6962', 'gzipbomb'],
    ['bombs for tiles', 'static-ct', 'gzipbomb'],
  ]
  for (const [what, protocol, fault] of spoiled)
    it(`${what}: little is held, and large ones are asked for one at a time`, async (t) => {
      const seen = await watched(t, protocol, 0, 24 * 256)
      seen.host.setFault(({ kind }) => (kind === 'get-entries' || kind === 'data-tile' ? fault : undefined))
      const stop = new AbortController()
      let failed = 0
      const all = Array.from({ length: 24 }, async (_, n) => {
        await assert.rejects(seen.client.page(n * 256, (n + 1) * 256, seen.size, stop.signal), (error: Error) => {
          if (!stop.signal.aborted) assert.match(error.message, /larger than 64 MiB/)
          return true
        })
        if (++failed === 3) stop.abort()
      })
      await Promise.all(all)
      assert.equal(seen.largeAtOnce, 1)
      assert.ok(seen.large >= 3)
      assert.ok(seen.most <= 20 * MIB, `${seen.most} bytes were held`)
      assert.equal(seen.inFlight.held, 0)
      // It heals.
      seen.host.setFault(undefined)
      assert.equal(entriesIn(await seen.client.page(0, 256, seen.size, never)), 256)
    })
})

it('a large answer that stops in its middle ends while others wait, and takes its time while none does', async () => {
  const clock = steppedTime()
  const began = clock.now()
  const inFlight = createInFlight()
  const asked: string[] = []
  /** Large answers: of `slow` they begin at once, and then nothing comes; others take a second. */
  const http: Http = async ({ url, maxBytes, signal }) => {
    const isLarge = maxBytes > 4 * MIB
    if (!isLarge) throw new NetworkError('too-large', 'it is larger than 4 MiB', true)
    asked.push(url)
    const slow = url.includes('slow')
    await clock.sleepUntil(clock.now() + (slow ? 60_000 : 1000), signal ?? never)
    signal?.throwIfAborted()
    if (slow) throw new NetworkError('timeout', 'no answer in 60 s', true)
    return { status: 200, headers: {}, body: Buffer.from('whole') }
  }
  const wayTo = (url: string) =>
    createLogHttp({
      http,
      clock,
      url,
      host: createHosts(clock)(url),
      bandwidth: UNLIMITED,
      room: inFlight.log(),
      userAgent: 'test',
      longestMs: 60_000,
    })
  const get = async (way: LogHttp): Promise<string> => {
    try {
      return await way.getPacked('tile', { timeoutMs: 60_000, maxBytes: 64 * MIB }, never, async ({ bytes }) => Buffer.from(bytes).toString())
    } catch (error) {
      return error instanceof LogFailure ? `${error.kind} after ${(clock.now() - began) / 1000} s` : String(error)
    }
  }
  const [slow, well] = [wayTo('https://slow.sandbox.test/'), wayTo('https://well.sandbox.test/')]
  const first = get(slow)
  const second = clock.sleepUntil(began + 1000, never).then(async () => get(well))
  const third = clock.sleepUntil(began + 10_000, never).then(async () => get(slow))
  await clock.run(began + 80_000)
  assert.equal(await second, 'whole')
  assert.match(await first, /^slow after 5(?:\.\d+)? s$/)
  assert.match(await third, /^slow after 70(?:\.\d+)? s$/, 'nobody waited for it')
  assert.equal(asked.length, 3)
})
