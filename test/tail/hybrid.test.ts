// A log of both ways, TrustAsia's, is an RFC 6962 log: what it serves as tiles may be wrong or hang, and it is read, and rings, as if it had none.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { otherTree, wrongRoot } from '../../src/sandbox/ct-lies.ts'
import type { CtFault, CtHost, CtRequest, ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import type { View } from '../../src/sandbox/ct-shown.ts'
import type { CtLog } from '../../src/sandbox/ct-log.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import type { TailOptions, TailRun } from './support.ts'
import { startTail } from './support.ts'

const NOW = new Date()
const FILLER = makeFiller({ count: 8, names: (n) => [`n${n}.stranger.test`], notBefore: NOW })

interface Scene {
  readonly place: CtHost
  readonly served: ServedLog
  readonly log: CtLog
  readonly start: (options?: TailOptions) => Promise<TailRun>
  /** So many full tiles more, each with a match in its middle, published: the matches. */
  readonly grow: (tiles: number) => readonly string[]
  /** How often a tile was asked for, and entries. */
  readonly asked: () => readonly [tiles: number, entries: number]
}

async function scene(t: TestContext): Promise<Scene> {
  const place = await startCtHost()
  t.after(async () => place.close())
  const log = createCtLog({ name: 'both', leafIndexes: false })
  const served = place.serve(log, { protocol: 'hybrid' })
  return {
    place,
    served,
    log,
    start: async (options) => {
      const run = await startTail([served], { isHybrid: () => true, ...options })
      t.after(async () => run.stop())
      return run
    },
    grow: (tiles) => {
      const ids: string[] = []
      for (let n = 0; n < tiles; n++) {
        log.addMany(128, FILLER)
        ids.push(issueTwins([log], { names: [`m${log.size}.watched.example`], notBefore: NOW }).issuance('1').tbs_sha256)
        log.addMany(127, FILLER)
      }
      log.publish()
      return ids
    },
    asked: () => [place.count('data-tile'), place.count('get-entries')],
  }
}

/** A view of the tiles from `first` on that has strangers' entries in them. */
const strange = (log: CtLog, first: number): View => otherTree(log, { shared: first * 256, size: log.size, submissions: FILLER })
const isTile = ({ kind, tile }: CtRequest, from: number): boolean => kind === 'data-tile' && (tile?.index ?? -1) >= from
const sorted = (ids: readonly string[]): readonly string[] => ids.toSorted()

/** That may be set ahead: what waits for it looks at it often. */
function aheadClock(): { readonly clock: Clock; readonly ahead: (ms: number) => void } {
  let by = 0
  const now = (): number => Date.now() + by
  return {
    clock: { now, sleepUntil: async (time, signal) => systemClock.sleepUntil(Date.now() + Math.min(time - now(), 300), signal) },
    ahead: (ms) => void (by += ms),
  }
}

describe('a tile that is wrong, of a log whose get-entries is right', () => {
  it('rings nothing, the match in it rings once, and the tiles are let be for an hour', async (t) => {
    const { served, log, start, grow, asked } = await scene(t)
    const { clock, ahead } = aheadClock()
    const ids = [...grow(3)]
    const wrong = strange(log, 1)
    served.show((request) => (isTile(request, 1) ? wrong : undefined))
    const run = await start({ clock })
    await run.caughtUp(served)
    assert.deepEqual(sorted(run.rung()), sorted(ids))
    assert.deepEqual(run.of('log-misbehaviour'), [])
    assert.equal(run.evidence.size, 0)
    const [tiles, entries] = asked()
    assert.equal(tiles, 3, 'read once')
    // What is new is in tiles that are wrong as well, and comes at once.
    served.show((request) => (request.kind === 'data-tile' ? { log: wrong.log! } : undefined))
    ids.push(...grow(2))
    await run.caughtUp(served)
    assert.deepEqual(asked(), [3, entries + 2])
    served.show(undefined)
    ahead(3_601_000)
    ids.push(...grow(2))
    await run.caughtUp(served)
    assert.equal(asked()[0], tiles + 1, 'one is tried again')
    ids.push(...grow(2))
    await run.caughtUp(served)
    assert.equal(asked()[0], tiles + 3, 'and then all are asked for')
    assert.deepEqual(sorted(run.rung()), sorted(ids))
    assert.deepEqual(run.of('log-misbehaviour'), [])
    assert.ok(run.of('certificate').every(({ source }) => source.kind === 'log' && source.verified))
  })

  it('and does so again after the process was begun anew in the middle of it', async (t) => {
    const { place, served, log, start, grow } = await scene(t)
    const ids = [...grow(3)]
    const wrong = strange(log, 1)
    served.show((request) => (isTile(request, 1) ? wrong : undefined))
    // The second reading does not come to its end.
    place.setFault(({ kind }) => (kind === 'get-entries' ? 'reset' : undefined))
    const run = await start()
    await run.until('it is read again', () => place.count('get-entries') > 1)
    place.setFault(undefined)
    await run.restart()
    await run.caughtUp(served)
    assert.deepEqual(sorted(run.rung()), sorted(ids))
    assert.deepEqual(run.of('log-misbehaviour'), [])
  })
})

describe('a log that lies rings, whatever its tiles are', () => {
  it('an entry that is wrong by both ways', async (t) => {
    const { served, log, start, grow } = await scene(t)
    grow(3)
    const flipped = { flipped: [300] }
    served.show(({ kind }) => (kind === 'data-tile' || kind === 'get-entries' ? flipped : undefined))
    const run = await start()
    await run.until('it rings', () => run.of('log-misbehaviour').length > 0)
    assert.match(JSON.stringify(run.of('log-misbehaviour')), /root-mismatch/)
    assert.ok(
      [...run.evidence.values()].some(({ url }) => String(url).includes('get-entries')),
      'what it signed for is the evidence',
    )
    served.show(undefined)
    await run.caughtUp(served)
    assert.equal(run.rung().length, 3)
    assert.equal(log.head.size, 768)
  })

  it('and what matches in tiles that are wrong as well rings, as not verified, once', async (t) => {
    const { served, log, start, grow, asked } = await scene(t)
    const ids = [...grow(3)]
    let wrong = strange(log, 1)
    const lie = (): void => {
      const head = wrongRoot(log)
      served.show((request) => (isTile(request, 1) ? wrong : request.kind === 'get-sth' ? head : undefined))
    }
    lie()
    const run = await start()
    await run.until('it rings', () => run.of('log-misbehaviour').length > 0)
    await run.until('so do the matches', () => run.rung().length >= 3)
    assert.deepEqual(sorted(run.rung()), sorted(ids))
    // Heads that make no tree are looked into: by what the log signs, too.
    const [tiles] = asked()
    ids.push(...grow(2))
    wrong = strange(log, 1)
    lie()
    await run.until('and what is new', () => run.rung().length >= 5)
    assert.deepEqual(sorted(run.rung()), sorted(ids))
    assert.equal(asked()[0], tiles)
    assert.ok(run.of('certificate').every(({ source }) => source.kind === 'log' && !source.verified))
  })
})

describe('tiles that do not come', () => {
  for (const fault of ['hang', 'stall'] as const satisfies readonly CtFault[])
    it(`${fault}: what is in them rings within 10 s, and what comes next at once`, async (t) => {
      const { place, served, start, grow, asked } = await scene(t)
      const run = await start({ longestMs: 60_000, interval: 50 })
      await run.until('it has begun', async () => (await run.state(served)) !== undefined)
      place.setFault(({ kind }) => (kind === 'data-tile' ? fault : undefined))
      const ids = [...grow(3)]
      await run.until('all ring', () => run.rung().length === 3, 8000)
      ids.push(...grow(2))
      await run.until('more ring', () => run.rung().length === 5, 2500)
      await run.caughtUp(served)
      assert.deepEqual(sorted(run.rung()), sorted(ids))
      assert.ok(asked()[0] <= 3)
      assert.equal((await run.state(served))?.failing, undefined)
    })

  it('429: it is the log that refuses us, and get-entries is not asked for instead', async (t) => {
    const { place, served, start, grow, asked } = await scene(t)
    const run = await start()
    await run.until('it has begun', async () => (await run.state(served)) !== undefined)
    place.setFault(({ kind }) => (kind === 'data-tile' ? { retryAfter: 1 } : undefined))
    const ids = grow(2)
    await run.until('it is limited', async () => (await run.state(served))?.failing?.kind === 'limited')
    place.setFault(undefined)
    await run.caughtUp(served)
    assert.deepEqual(sorted(run.rung()), sorted(ids))
    assert.equal(asked()[1], 0)
  })
})
