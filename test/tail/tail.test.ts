// Reading the sandbox's logs, honest and failing ones: every match rings once, and every entry is hashed into what the log signed.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import { createAuthority } from '../../src/sandbox/ct-authority.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { alteredEntry, brokenSignature, headAt, inTurn, otherTree, rollback, wrongRoot } from '../../src/sandbox/ct-lies.ts'
import type { CtFault, CtHost, CtRequest, ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import type { CtLog } from '../../src/sandbox/ct-log.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { oddSubmissions } from '../../src/sandbox/ct-oddities.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { openSqlite } from '../../src/stores/sqlite/backend.ts'
import { createBandwidth } from '../../src/sources/bandwidth.ts'
import type { TailOptions, TailRun } from './support.ts'
import { startTail } from './support.ts'

const NOW = new Date()
const FILLER = makeFiller({ count: 8, names: (n) => [`n${n}.stranger.test`], notBefore: NOW })

/** Adds so many entries, matching precertificates among filler: their TBS hashes. */
function fill(log: CtLog, count: number, ...names: readonly string[]): readonly string[] {
  log.addMany(Math.floor(count / 2), FILLER)
  const ids = names.map((name) => issueTwins([log], { names: [name], notBefore: NOW }).issuance('1').tbs_sha256)
  log.addMany(count - names.length - Math.floor(count / 2), FILLER)
  return ids
}

async function host(t: TestContext): Promise<CtHost> {
  const started = await startCtHost()
  t.after(async () => started.close())
  return started
}

async function read(t: TestContext, served: readonly ServedLog[], options?: TailOptions): Promise<TailRun> {
  const run = await startTail(served, options)
  t.after(async () => run.stop())
  return run
}

const sorted = (ids: readonly string[]): readonly string[] => ids.toSorted()

for (const protocol of ['static-ct', 'rfc6962'] as const) {
  describe(`a log is read: ${protocol}`, () => {
    it('from its beginning, and on as it grows, each match once and verified', async (t) => {
      const served = (await host(t)).serve(createCtLog({ name: 'one' }), { protocol })
      const { log } = served
      const ids = [...fill(log, 700, 'a.watched.example', 'b.watched.example')]
      log.publish()
      const run = await read(t, [served])
      await run.caughtUp(served)
      for (let n = 0; n < 5; n++) {
        ids.push(...fill(log, 30, `n${n}.watched.example`))
        log.publish()
        await run.caughtUp(served)
      }
      assert.deepEqual(sorted(run.rung()), sorted(ids))
      const sources = run.of('certificate').map(({ source }) => source)
      for (const source of sources) assert.equal(source.kind === 'log' && source.log_id, log.keys.id.toString('base64'))
      // What is found rings before the verdict on its head only where that takes its time, as on a machine that has much else to do.
      assert.ok(sources.filter((source) => source.kind === 'log' && source.verified).length > ids.length / 2)
      assert.deepEqual(run.of('log-misbehaviour'), [])
      assert.deepEqual(run.of('malformed'), [])
    })

    it('from its end: nothing of before rings, all that comes after does', async (t) => {
      const served = (await host(t)).serve(createCtLog({ name: 'end' }), { protocol })
      const { log } = served
      fill(log, 771, 'old.watched.example')
      log.publish()
      const run = await read(t, [served], { start: 'end' })
      await run.until('it has begun', async () => (await run.state(served))?.begunFrom === log.size)
      const ids = fill(log, 40, 'new.watched.example')
      log.publish()
      await run.caughtUp(served)
      assert.deepEqual(run.rung(), ids)
    })

    it('an empty log, which then grows', async (t) => {
      const served = (await host(t)).serve(createCtLog({ name: 'empty' }), { protocol })
      const run = await read(t, [served], { start: 'end' })
      await run.until('it has begun', async () => (await run.state(served)) !== undefined)
      const ids = fill(served.log, 3, 'first.watched.example')
      served.log.publish()
      await run.caughtUp(served)
      assert.deepEqual(run.rung(), ids)
    })

    it('a process that is ended and begun again goes on where it was', async (t) => {
      const served = (await host(t)).serve(createCtLog({ name: 'again' }), { protocol })
      const ids = [...fill(served.log, 300, 'a.watched.example')]
      served.log.publish()
      const run = await read(t, [served])
      await run.caughtUp(served)
      for (let n = 0; n < 3; n++) {
        ids.push(...fill(served.log, 100, `n${n}.watched.example`))
        served.log.publish()
        await run.restart()
        await run.caughtUp(served)
      }
      assert.deepEqual(sorted(run.rung()), sorted(ids))
    })

    it('one that appears on the list later is read from its first entry', async (t) => {
      const place = await host(t)
      const [one, two] = [place.serve(createCtLog({ name: 'known' }), { protocol }), place.serve(createCtLog({ name: 'later' }), { protocol })]
      fill(one.log, 10, 'old.watched.example')
      const ids = fill(two.log, 300, 'new.watched.example')
      one.log.publish()
      two.log.publish()
      const run = await read(t, [one], { start: 'end' })
      await run.until('it has begun', async () => (await run.state(one)) !== undefined)
      run.lists = [one, two]
      await run.caughtUp(two)
      assert.deepEqual(run.rung(), ids)
    })

    it('one that appears later and is large: its end at once, what it has from before behind that', async (t) => {
      const place = await host(t)
      const [one, two] = [place.serve(createCtLog({ name: 'known' }), { protocol }), place.serve(createCtLog({ name: 'large' }), { protocol })]
      one.log.publish()
      const old = fill(two.log, 3000, 'old.watched.example')
      two.log.publish()
      const run = await read(t, [one], { start: 'end', large: 1000 })
      await run.until('it has begun', async () => (await run.state(one)) !== undefined)
      // Its first pages are slow: the end does not wait for them.
      place.setFault(({ log, kind, tile, query }) => {
        const page = kind === 'data-tile' ? (tile?.index ?? 0) * 256 : kind === 'get-entries' ? Number(query.get('start')) : Infinity
        return log === 'large' && page < 1000 ? { slow: 1200 } : undefined
      })
      run.lists = [one, two]
      await run.until('its end is begun', async () => (await run.state(two))?.begunFrom === 3000)
      const ids = fill(two.log, 100, 'new.watched.example')
      two.log.publish()
      await run.caughtUp(two)
      assert.deepEqual(run.rung(), ids)
      await run.restart()
      await run.until('all of it was read', () => run.rung().length === 2)
      assert.deepEqual(run.rung(), [...ids, ...old])
    })

    it('what cannot be read rings as malformed, and what is odd rings as what it is', async (t) => {
      const served = (await host(t)).serve(createCtLog({ name: 'odd' }), { protocol })
      const odd = oddSubmissions(createAuthority(), 'odd.watched.example', '203.0.113.7', NOW)
      for (const { submission } of odd) served.log.add(submission)
      served.log.publish()
      const run = await read(t, [served], { watch: ['watched.example', '203.0.113.0/24'] })
      await run.caughtUp(served)
      assert.equal(run.rung().length, odd.filter(({ readable }) => readable).length)
      const [malformed] = run.of('malformed')
      assert.ok(malformed && 'entries' in malformed)
      assert.equal(malformed.count, odd.filter(({ readable }) => !readable).length)
      assert.deepEqual(
        malformed.entries.map(({ index }) => index),
        odd.flatMap(({ readable }, index) => (readable ? [] : [index])),
      )
    })

    it('entries of a kind that nobody knows ring as malformed, and hold up nothing', async (t) => {
      const place = await host(t)
      const served = place.serve(createCtLog({ name: 'strange' }), { protocol })
      const authority = createAuthority()
      const strange = (entryType: number): void => {
        const { certificate } = issueTwins([], { names: ['strange.watched.example'], notBefore: NOW })
        served.log.add({ certificate, chain: authority.chain, entryType })
      }
      const at: number[] = []
      const ids: string[] = []
      // The first, two together, the last of a full tile, and the last of all.
      for (let n = 0; n < 400; n++) {
        if ([0, 40, 41, 255, 399].includes(n)) {
          at.push(n)
          strange(n % 2 === 0 ? 7 : 0xffff)
        } else if (n % 50 === 3) ids.push(...fill(served.log, 1, `n${n}.watched.example`))
        else served.log.addMany(1, FILLER)
      }
      served.log.publish()
      const run = await read(t, [served])
      await run.caughtUp(served)
      assert.deepEqual(sorted(run.rung()), sorted(ids))
      const malformed = run.of('malformed').flatMap((alert) => ('entries' in alert ? alert.entries : []))
      // The first rings at once, and those that came after it within a minute.
      const state = await run.state(served)
      const found = [...malformed, ...(state?.malformed.entries ?? [])]
      assert.deepEqual(
        found.map(({ index }) => index),
        at,
      )
      for (const { why, leaf_hash: hash } of found) {
        assert.match(why, /entry_type: is (?:7|65535), which nobody knows/)
        assert.match(hash, /^[0-9a-f]{64}$/)
      }
      assert.deepEqual(run.of('log-misbehaviour'), [])
    })

    const faults: readonly (readonly [string, (request: CtRequest) => CtFault | undefined])[] = [
      ['answers cut off', () => 'truncated'],
      ['answers cut where it hurts', () => ({ keep: 0.5 })],
      ['HTML', () => 'html200'],
      ['an empty body', () => 'empty'],
      ['connections reset', () => 'reset'],
      ['hung sockets', () => 'hang'],
      ['a body that stalls', () => 'stall'],
      ['400', () => ({ status: 400 })],
      ['404', () => ({ status: 404 })],
      ['500', () => ({ status: 500 })],
      ['503', () => ({ status: 503 })],
      ['a gzip bomb', () => 'gzipbomb'],
      ['a redirect', () => ({ redirect: 'http://127.0.0.1:9/' })],
    ]
    for (const [what, fault] of faults) {
      it(`every third request fails: ${what}`, async (t) => {
        const place = await host(t)
        const served = place.serve(createCtLog({ name: 'faulty' }), { protocol })
        const ids = [...fill(served.log, 900, 'a.watched.example', 'b.watched.example')]
        served.log.publish()
        let n = 0
        place.setFault((request) => (++n % 3 === 0 ? fault(request) : undefined))
        const run = await read(t, [served], { longestMs: 400 })
        await run.caughtUp(served)
        ids.push(...fill(served.log, 300, 'c.watched.example'))
        served.log.publish()
        await run.caughtUp(served)
        assert.deepEqual(sorted(run.rung()), sorted(ids))
        assert.deepEqual(run.of('log-misbehaviour'), [])
        assert.deepEqual(run.of('malformed'), [])
      })
    }

    it('a refusal that says how long is obeyed', async (t) => {
      const place = await host(t)
      const served = place.serve(createCtLog({ name: 'limited' }), { protocol })
      fill(served.log, 600, 'a.watched.example')
      served.log.publish()
      let refusedAt = 0
      place.setFault(({ kind, time }) => {
        if (refusedAt !== 0 || kind === 'checkpoint' || kind === 'get-sth') return undefined
        refusedAt = time
        return { retryAfter: 2 }
      })
      const run = await read(t, [served])
      await run.until('it was refused', () => refusedAt > 0)
      await run.caughtUp(served)
      // What was on its way already may still come.
      const early = place.requests.filter(({ time }) => time > refusedAt + 500 && time < refusedAt + 1950)
      assert.deepEqual(
        early.map(({ path }) => path),
        [],
      )
    })

    for (const [what, fault, kind] of [
      ['gzip that ends too early, in a whole answer', { keep: 0.9, packed: true }, 'broken'],
      ['a connection that breaks off in the middle', 'truncated', 'down'],
    ] as const)
      it(`the cause of ${what} is ${kind}`, async (t) => {
        const place = await host(t)
        const served = place.serve(createCtLog({ name: 'one' }), { protocol })
        fill(served.log, 300, 'a.watched.example')
        served.log.publish()
        place.setFault(({ kind: asked }) => (asked === 'get-entries' || asked === 'data-tile' ? fault : undefined))
        const run = await read(t, [served], { idle: true })
        assert.equal(await run.pass(), false)
        assert.equal((await run.state(served))?.failing?.kind, kind)
      })

    it('a log that fails for long delays no other, is shown with its cause, and is caught up with', async (t) => {
      const place = await host(t)
      const [good, bad] = [place.serve(createCtLog({ name: 'good' }), { protocol }), place.serve(createCtLog({ name: 'bad' }), { protocol })]
      const ids = [...fill(good.log, 300, 'a.watched.example'), ...fill(bad.log, 300, 'b.watched.example')]
      good.log.publish()
      bad.log.publish()
      place.setFault(({ log, kind }) => (log === 'bad' && kind !== 'checkpoint' && kind !== 'get-sth' ? { status: 503 } : undefined))
      const run = await read(t, [good, bad])
      await run.caughtUp(good)
      await run.until('its failure is kept', async () => (await run.state(bad))?.failing !== undefined)
      const state = await run.state(bad)
      assert.deepEqual([state?.head?.size, state?.position.size, state?.failing?.kind], [300, 0, 'down'])
      place.setFault(() => undefined)
      await run.caughtUp(bad)
      assert.equal((await run.state(bad))?.failing, undefined)
      assert.deepEqual(sorted(run.rung()), sorted(ids))
    })
  })

  describe(`a log lies: ${protocol}`, () => {
    interface Lie {
      readonly what: string
      readonly kind: string
      readonly tell: (served: ServedLog) => void
      /** Whether reading is verified to the end while it lies. */
      readonly readOn?: boolean
    }
    const lies: readonly Lie[] = [
      { what: 'a signature with a bit flipped', kind: 'wrong-signature', tell: (served) => served.show(() => brokenSignature(served.log)) },
      { what: 'a root of no tree', kind: 'root-mismatch', tell: (served) => served.show(() => wrongRoot(served.log)) },
      { what: 'an entry that is not the one it hashed', kind: 'root-mismatch', tell: (served) => served.show(() => alteredEntry(310)) },
      {
        what: 'two trees of one size',
        kind: 'split-view',
        tell: (served) => {
          const other = otherTree(served.log, { shared: 200, size: 300, submissions: FILLER })
          served.show(() => other)
        },
      },
      {
        what: 'a larger tree that does not continue the one verified',
        kind: 'root-mismatch',
        tell: (served) => {
          const other = otherTree(served.log, { shared: 200, size: 500, submissions: FILLER })
          served.show(() => other)
        },
      },
      {
        what: 'a tree that shrank and is no beginning of what was verified',
        kind: 'shrunken-tree',
        tell: (served) => {
          const other = otherTree(served.log, { shared: 100, size: 250, submissions: FILLER })
          // Its tiles may be the honest ones: it is the head that lies.
          served.show(({ kind: asked }) => (asked === 'checkpoint' || asked === 'get-sth' ? other : undefined))
        },
      },
      {
        what: 'a head from the future',
        kind: 'future-timestamp',
        readOn: true,
        tell: (served) => served.show(() => headAt(served.log, Date.now() + 3_600_000)),
      },
      {
        what: 'a larger tree that is older',
        kind: 'timestamp-back',
        readOn: true,
        tell: (served) => served.show(() => headAt(served.log, Date.now() - 3_600_000)),
      },
    ]
    for (const { what, kind, tell, readOn } of lies) {
      it(`${what}: rings once, with evidence, and freezes nothing`, async (t) => {
        const place = await host(t)
        const [served, other] = [place.serve(createCtLog({ name: 'liar' }), { protocol }), place.serve(createCtLog({ name: 'honest' }), { protocol })]
        const ids = [...fill(served.log, 300, 'a.watched.example')]
        served.log.publish()
        const run = await read(t, [served, other])
        await run.caughtUp(served)
        if (kind !== 'split-view' && kind !== 'shrunken-tree') {
          ids.push(...fill(served.log, 100, 'b.watched.example'))
          served.log.publish()
        }
        tell(served)
        await run.until('it is told', () => run.of('log-misbehaviour').length > 0)
        ids.push(...fill(other.log, 50, 'c.watched.example'))
        other.log.publish()
        await run.caughtUp(other)
        if (readOn === true) await run.caughtUp(served)
        else assert.equal((await run.state(served))?.verified.size, 300)
        await new Promise((resolve) => setTimeout(resolve, 400))
        const [alert, ...more] = run.of('log-misbehaviour')
        assert.deepEqual([alert?.misbehaviour, alert?.severity, more], [kind, 'high', []])
        assert.ok(alert && alert.evidence.length > 0)
        // The head; and where entries do not fit, an answer with them.
        assert.ok(run.evidence.size === 1 || (kind === 'root-mismatch' && run.evidence.size === 2))
        served.show(undefined)
        ids.push(...fill(served.log, 100, 'd.watched.example'))
        served.log.publish()
        await run.caughtUp(served)
        assert.deepEqual(sorted(run.rung()), sorted(ids))
      })
    }

    it('a smaller head alone is no lie, nor are heads that go back and forth', async (t) => {
      const served = (await host(t)).serve(createCtLog({ name: 'replicas' }), { protocol })
      const ids = [...fill(served.log, 200, 'a.watched.example')]
      served.log.publish()
      const run = await read(t, [served])
      await run.caughtUp(served)
      ids.push(...fill(served.log, 200, 'b.watched.example'))
      served.log.publish()
      const old = rollback(served.log, 200)
      served.show(inTurn(undefined, old, old, undefined))
      await run.caughtUp(served)
      ids.push(...fill(served.log, 200, 'c.watched.example'))
      served.log.publish()
      await run.caughtUp(served)
      assert.deepEqual(sorted(run.rung()), sorted(ids))
      assert.deepEqual(run.of('log-misbehaviour'), [])
    })
  })
}

describe('issuances over several logs', () => {
  it('precertificate and certificate, in several logs read in step, are one alert', async (t) => {
    const place = await host(t)
    const served = [
      place.serve(createCtLog({ name: 'a' }), { protocol: 'static-ct' }),
      place.serve(createCtLog({ name: 'b' }), { protocol: 'rfc6962' }),
      place.serve(createCtLog({ name: 'c' }), { protocol: 'static-ct' }),
    ]
    const logs = served.map(({ log }) => log)
    const run = await read(t, served)
    const ids: string[] = []
    for (let n = 0; n < 20; n++) {
      const twins = issueTwins(logs, { names: [`n${n}.watched.example`], notBefore: NOW })
      twins.logCertificate(logs)
      ids.push(twins.issuance('1').tbs_sha256)
    }
    for (const log of logs) log.publish()
    await run.caughtUp(...served)
    assert.deepEqual(sorted(run.rung()), sorted(ids))
  })

  for (const kind of ['memory', 'sqlite'] as const) {
    it(`the certificate itself, seen later, is noted with the alert and does not ring: ${kind}`, async (t) => {
      const place = await host(t)
      const [a, b] = [
        place.serve(createCtLog({ name: 'a' }), { protocol: 'static-ct' }),
        place.serve(createCtLog({ name: 'b' }), { protocol: 'rfc6962' }),
      ]
      const folder = mkdtempSync(join(tmpdir(), 'certbell-finals-'))
      t.after(() => rmSync(folder, { recursive: true, force: true }))
      const run = await read(t, [a, b], kind === 'memory' ? {} : { backend: async () => openSqlite(folder, folder) })
      const first = issueTwins([a.log], { names: ['first.watched.example'], notBefore: NOW })
      const second = issueTwins([a.log], { names: ['second.watched.example'], notBefore: NOW })
      const alone = issueTwins([a.log, b.log], { names: ['alone.watched.example'], notBefore: NOW })
      a.log.publish()
      b.log.publish()
      await run.caughtUp(a, b)
      first.logCertificate([b.log])
      b.log.publish()
      await run.caughtUp(b)
      first.logCertificate([a.log])
      second.logCertificate([a.log])
      a.log.publish()
      await run.caughtUp(a)
      const finals = new Map((await run.records()).map(({ alert, final }) => [alert.id, final]))
      const [one, two] = [first, second].map((twins) => twins.issuance('1').tbs_sha256)
      assert.equal(run.rung().length, 3)
      assert.equal(finals.size, 3)
      const noted = finals.get(one ?? '')
      assert.ok(noted?.source.kind === 'log')
      assert.equal(noted.source.log_id, b.log.keys.id.toString('base64'), 'where it was seen first')
      assert.match(noted.certSha256, /^[0-9a-f]{64}$/)
      assert.notEqual(noted.certSha256, run.of('certificate').find(({ id }) => id === one)?.cert_sha256)
      assert.ok(finals.get(two ?? '') !== undefined)
      assert.equal(finals.get(alone.issuance('1').tbs_sha256), undefined)
    })
  }

  it('a partial tile that is gone is read from the full one', async (t) => {
    const place = await host(t)
    const served = place.serve(createCtLog({ name: 'partial' }), { protocol: 'static-ct', partials: 'deleted' })
    const ids = [...fill(served.log, 300, 'a.watched.example')]
    served.log.publish()
    const run = await read(t, [served])
    await new Promise((resolve) => setTimeout(resolve, 300))
    ids.push(...fill(served.log, 300, 'b.watched.example'))
    served.log.publish()
    ids.push(...fill(served.log, 168, 'c.watched.example'))
    served.log.publish()
    await run.caughtUp(served)
    assert.deepEqual(sorted(run.rung()), sorted(ids))
  })

  it('a log of both ways is read by its tiles, and by get-entries where there are none', async (t) => {
    const place = await host(t)
    const served = place.serve(createCtLog({ name: 'hybrid', leafIndexes: false }), { protocol: 'hybrid' })
    const ids = [...fill(served.log, 700, 'a.watched.example')]
    served.log.publish()
    const run = await read(t, [served], { isHybrid: () => true })
    await run.caughtUp(served)
    ids.push(...fill(served.log, 100, 'b.watched.example'))
    served.log.publish()
    await run.caughtUp(served)
    assert.deepEqual(sorted(run.rung()), sorted(ids))
    assert.ok(place.count('data-tile') > 0)
    assert.ok(place.count('get-entries') > 0)
  })

  it('a cap on bandwidth is kept, and is the cause that is shown', async (t) => {
    const place = await host(t)
    const served = place.serve(createCtLog({ name: 'capped' }), { protocol: 'static-ct' })
    const ids = fill(served.log, 1500, 'a.watched.example')
    served.log.publish()
    const run = await read(t, [served], { bandwidth: createBandwidth(12_000, systemClock) })
    await run.until('the cause is kept', async () => (await run.state(served))?.cause === 'bandwidth')
    await run.caughtUp(served)
    const times = place.requests.filter(({ kind }) => kind === 'data-tile').map(({ time }) => time)
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) > 2000, 'six tiles of some 10 KB take their time')
    assert.deepEqual(run.rung(), ids)
  })
})

describe('a pass', () => {
  it('reads every log to its end, once', async (t) => {
    const place = await host(t)
    const served = [
      place.serve(createCtLog({ name: 'a' }), { protocol: 'static-ct' }),
      place.serve(createCtLog({ name: 'b' }), { protocol: 'rfc6962' }),
    ]
    const ids = served.flatMap(({ log }) => fill(log, 600, `${log.name}.watched.example`))
    for (const { log } of served) log.publish()
    const run = await read(t, served, { idle: true })
    assert.equal(await run.pass(), true)
    assert.deepEqual(sorted(run.rung()), sorted(ids))
    assert.equal(await run.pass(), true)
    assert.equal(run.rung().length, 2)
  })

  it('ends though a log gives nothing, and says so; the next goes on', async (t) => {
    const place = await host(t)
    const [good, bad] = [
      place.serve(createCtLog({ name: 'good' }), { protocol: 'static-ct' }),
      place.serve(createCtLog({ name: 'bad' }), { protocol: 'rfc6962' }),
    ]
    const ids = [...fill(good.log, 300, 'a.watched.example'), ...fill(bad.log, 300, 'b.watched.example')]
    good.log.publish()
    bad.log.publish()
    place.setFault(({ log, kind }) => (log === 'bad' && kind === 'get-entries' ? { status: 503 } : undefined))
    const run = await read(t, [good, bad], { idle: true })
    assert.equal(await run.pass(), false)
    assert.equal((await run.state(bad))?.failing?.kind, 'down')
    place.setFault(() => undefined)
    assert.equal(await run.pass(), true)
    assert.equal((await run.state(bad))?.failing, undefined)
    assert.deepEqual(sorted(run.rung()), sorted(ids))
  })

  it('that is told to end ends, and what it found is kept', async (t) => {
    const place = await host(t)
    const served = place.serve(createCtLog({ name: 'long' }), { protocol: 'static-ct' })
    const [first] = fill(served.log, 300, 'a.watched.example')
    fill(served.log, 1200)
    served.log.publish()
    place.setFault(({ kind, tile }) => (kind === 'data-tile' && (tile?.index ?? 0) > 1 ? 'hang' : undefined))
    const run = await read(t, [served], { idle: true })
    const passing = run.pass()
    await run.until('the first part is kept', () => run.rung().length === 1)
    await run.stop()
    await passing
    assert.deepEqual(run.rung(), [first])
  })
})

describe('a log list that is no good', () => {
  for (const { what, list, patience } of [
    {
      what: 'cannot be had: it rings after a while',
      list: () => {
        throw new Error('its server answers 503')
      },
      patience: true,
    },
    { what: 'has no log: it rings', list: () => ({ text: '{"operators":[]}', tag: undefined }), patience: false },
  ]) {
    it(`${what}, reading goes on, and it is over when there is a good one`, async (t) => {
      let ahead = 0
      const now = (): number => Date.now() + ahead
      const sleepUntil: Clock['sleepUntil'] = async (time, signal) => {
        while (now() < time && signal?.aborted !== true) await new Promise((resolve) => setTimeout(resolve, 10))
      }
      const served = (await host(t)).serve(createCtLog({ name: 'listed' }), { protocol: 'static-ct' })
      served.log.publish()
      const run = await read(t, [served], { clock: { now, sleepUntil } })
      await run.caughtUp(served)
      const looks = async (ms: number): Promise<void> => {
        ahead += ms
        // Two rounds: one looks at the lists, one reviews what came of it.
        for (let round = 0; round < 2; round++) {
          ahead += 16_000
          await new Promise((resolve) => setTimeout(resolve, 150))
        }
      }
      run.list = list
      await looks(0)
      assert.equal(run.of('trouble').length, patience ? 0 : 1)
      await looks(16 * 60_000)
      assert.deepEqual(
        run.of('trouble').map(({ component }) => component),
        ['log-list:list'],
      )
      const ids = fill(served.log, 10, 'meanwhile.watched.example')
      served.log.publish()
      await run.caughtUp(served)
      assert.deepEqual(run.rung(), ids)
      run.list = undefined
      run.lists = [...run.lists]
      await looks(6 * 60_000)
      assert.deepEqual(
        run.of('recovered').map(({ component }) => component),
        ['log-list:list'],
      )
    })
  }
})
