// A log that is read from far behind: what was read is proved on the way, and one wrong answer among many is found.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { alteredEntry } from '../../src/sandbox/ct-lies.ts'
import type { CtHost, ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import type { TailOptions, TailRun } from './support.ts'
import { startTail } from './support.ts'

const NOW = new Date()
const FILLER = makeFiller({ count: 8, names: (n) => [`n${n}.stranger.test`], notBefore: NOW })

/** A static log of 6,000 entries and one more, the first that is ours. */
async function far(
  t: TestContext,
  before: (place: CtHost, served: ServedLog) => void,
  options?: TailOptions,
): Promise<{ run: TailRun; served: ServedLog; id: string }> {
  const place = await startCtHost()
  t.after(async () => place.close())
  const served = place.serve(createCtLog({ name: 'far' }), { protocol: 'static-ct' })
  const id = issueTwins([served.log], { names: ['a.watched.example'], notBefore: NOW }).issuance('1').tbs_sha256
  served.log.addMany(6000, FILLER)
  served.log.publish()
  before(place, served)
  const run = await startTail([served], options)
  t.after(async () => run.stop())
  return { run, served, id }
}

describe('an RFC 6962 log read from far behind', () => {
  for (const shows of [true, false]) {
    it(shows ? 'is verified on the way' : 'that gives no proof is verified at its end', async (t) => {
      const place = await startCtHost()
      t.after(async () => place.close())
      const served = place.serve(createCtLog({ name: 'far' }), { protocol: 'rfc6962' })
      const id = issueTwins([served.log], { names: ['a.watched.example'], notBefore: NOW }).issuance('1').tbs_sha256
      served.log.addMany(6000, FILLER)
      served.log.publish()
      let blocked = true
      place.setFault(({ kind, query }) => {
        if (kind === 'get-sth-consistency') return shows ? { slow: 400 } : { status: 404, retryAfter: 0 }
        return blocked && kind === 'get-entries' && Number(query.get('start')) >= 3072 ? { retryAfter: 1, status: 503 } : undefined
      })
      const run = await startTail([served])
      t.after(async () => run.stop())
      await run.until('it is read as far as that goes', async () => (await run.state(served))?.position.size === 3072)
      if (shows) await run.until('some of it is verified', async () => ((await run.state(served))?.verified.size ?? 0) > 0)
      else assert.equal((await run.state(served))?.verified.size, 0)
      await run.restart()
      blocked = false
      await run.caughtUp(served)
      assert.deepEqual(run.rung(), [id])
    })
  }
})

describe('a static log read from far behind', () => {
  it('is verified on the way, and what rings says so', async (t) => {
    let blocked = true
    const { run, served, id } = await far(t, (place) =>
      place.setFault(({ kind, tile }) => (blocked && kind === 'data-tile' && (tile?.index ?? 0) >= 12 ? { retryAfter: 1, status: 503 } : undefined)),
    )
    await run.until('it rings', () => run.rung().length > 0)
    // Tiles of hashes may come a moment late: then it rings as it is.
    await run.until('it is verified up to where it was read', async () => (await run.state(served))?.verified.size === 12 * 256)
    const state = await run.state(served)
    assert.equal(state?.position.size, 12 * 256)
    assert.ok((state?.recent.length ?? 0) === 0, 'no head was reached yet')
    await run.restart()
    blocked = false
    await run.caughtUp(served)
    assert.deepEqual(run.rung(), [id])
  })

  it('one tile that is not what was hashed: verified up to it, and the tile is kept', async (t) => {
    const { run, served } = await far(t, (_, served) => served.show(() => alteredEntry(10 * 256 + 7)))
    await run.until('it is told', () => run.of('log-misbehaviour').length > 0)
    const [alert] = run.of('log-misbehaviour')
    assert.equal(alert?.misbehaviour, 'root-mismatch')
    const { size } = (await run.state(served))?.verified ?? { size: -1 }
    assert.ok(size <= 10 * 256, `${size} cannot be verified`)
    const kept = [...run.evidence.values()].map(({ url }) => String(url))
    assert.equal(kept.length, 2, kept.join())
    assert.match(kept[1] ?? '', /tile\/data\/010$/)
    served.show(undefined)
    served.log.addMany(1, FILLER)
    served.log.publish()
    await run.caughtUp(served)
  })

  it('without tiles of hashes it is verified at its end', async (t) => {
    const { run, served, id } = await far(t, (place) => place.setFault(({ kind }) => (kind === 'tile' ? { status: 404, retryAfter: 1 } : undefined)))
    await run.caughtUp(served)
    assert.deepEqual(run.rung(), [id])
  })

  it('an entry that changes between two readings is named', async (t) => {
    let readings = 0
    const { run } = await far(
      t,
      (_, served) =>
        served.show(({ kind, tile }) => {
          if (kind !== 'data-tile' || tile?.index !== 22) return undefined
          readings += 1
          return alteredEntry(readings % 2 === 1 ? 22 * 256 + 3 : 22 * 256 + 4)
        }),
      { interval: 10_000 },
    )
    await run.until('it is told', () => run.of('log-misbehaviour').length > 0)
    const [about] = [...run.evidence.values()]
    assert.deepEqual(about?.['entries_that_differed'], [22 * 256 + 3, 22 * 256 + 4])
  })
})
