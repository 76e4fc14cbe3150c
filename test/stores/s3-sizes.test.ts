// What a large state costs: bytes read and written, as the fake saw them. 100,000 issuances known, 1,000 alerts pending, 50 names.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { it } from 'node:test'
import type { CertRecord } from '../../src/stores/store.ts'
import { openS3 } from '../../src/stores/s3/backend.ts'
import { certificateAlert } from '../../src/watch/policy.ts'
import { PATIENT, s3Place } from './s3-place.ts'
import { DAY, HOUR, MINUTE, SECOND, SLACK, T0, compose, open, page, setup, sighting, work } from './support.ts'

const NAMES = Array.from({ length: 50 }, (_, n) => `a-watched-name-${n}.example`)
const KNOWN = Number(process.env['CERTBELL_S3_KNOWN'] ?? 100_000)
const PENDING = 1000
const PAGE = 100

it('stays small: reads, writes, time and memory of a tick', { timeout: 300_000 }, async (t) => {
  const { fake, options } = await s3Place({ ...PATIENT, timeLeft: () => 60_000, attemptMs: 30_000 })
  try {
    const given = setup({ names: NAMES, baseline: 'silent', quota: { full: 1000, single: 1000 } })
    const backend = await openS3(options())
    const store = await open(backend, given, T0)
    for (const _ of NAMES) await store.commit(await work(store, T0), page([], { cursor: '17597250121' }), T0)
    // As a baseline brings them, page by page.
    for (let n = 0; n < KNOWN; n += PAGE) {
      await backend.transact(async (tx) => {
        const issuances = Array.from({ length: PAGE }, (_, m) => issuance(n + m))
        await tx.known(issuances.map(({ id }) => id))
        await tx.addIssuances(issuances, true)
      })
    }
    for (let n = 0; n < PENDING; n += PAGE) {
      await backend.transact(async (tx) => {
        await tx.addAlerts(
          Array.from({ length: PAGE }, (_, m) =>
            certificateAlert(real(n + m), [{ kind: 'issued', severity: 'info', reason: `${NAMES[0]} is watched` }]),
          ),
          ['slack'],
          T0,
        )
      })
    }
    const built = fake.log.reduce((sum, { received }) => sum + received, 0)
    const rootSize = fake.objects.get('state/certbell.json.gz')!.body.length
    t.diagnostic(`root ${rootSize} bytes, ${fake.objects.size} objects (orphans included), ${Math.round(built / 1e6)} MB written to build it`)
    assert.ok(rootSize < 150_000)

    const measure = async (
      what: string,
      run: () => Promise<void>,
    ): Promise<{ readonly read: number; readonly written: number; readonly cpu: number }> => {
      fake.log.length = 0
      const before = process.cpuUsage()
      await run()
      const { user, system } = process.cpuUsage(before)
      const read = fake.log.reduce((sum, { sent }) => sum + sent, 0)
      const written = fake.log.reduce((sum, { received }) => sum + received, 0)
      const cpu = Math.round((user + system) / 1000)
      t.diagnostic(`${what}: read ${read}, wrote ${written} bytes, ${fake.log.length} requests, ${cpu} ms of CPU (the fake's own included)`)
      return { read, written, cpu }
    }
    const tick = async (on: Awaited<ReturnType<typeof openS3>>, now: number, news: number): Promise<void> => {
      const mine = await open(on, given, now)
      await mine.review(now, true)
      const claim = await mine.claim(now, now + MINUTE)
      assert.equal(claim.kind, 'work')
      if (claim.kind !== 'work') return
      await mine.commit(claim.work, page(Array.from({ length: news }, (_, n) => sighting(`${now}-${n}`))), now)
      // A sink that is away: its message is composed, or comes again.
      const next = await mine.nextMessage(SLACK, now, now + MINUTE, compose)
      if (next.kind === 'message') await mine.settle(next.message, { kind: 'retry', answer: 'timeout' }, now, 0)
      assert.equal((await mine.claim(now, now + MINUTE)).kind, 'work')
    }

    let now = T0 + HOUR
    // The first composes a message, and prunes: nothing is due.
    await measure('first tick, cold', async () => tick(await openS3(options()), now, 0))
    const quiet = await measure('no news, cold', async () => tick(await openS3(options()), (now += HOUR), 0))
    assert.ok(quiet.read <= 200_000)
    const cold = await measure('news, cold', async () => tick(await openS3(options()), (now += HOUR), 5))
    assert.ok(cold.read <= 8_000_000)
    assert.ok(cold.cpu < 2000)
    const warm = await openS3(options())
    await tick(warm, (now += HOUR), 5)
    let most = 0
    for (let n = 0; n < 20; n++) {
      const { read, cpu } = await measure(`news, warm ${n}`, async () => tick(warm, (now += HOUR), 5))
      most = Math.max(most, read)
      assert.ok(cpu < 1000)
    }
    assert.ok(most <= 400_000, `${most}`)
    const still = await measure('nothing due', async () => {
      const idle = await open(warm, given, now)
      await idle.review(now, true)
      await idle.nextMessage(SLACK, now, now + SECOND, compose)
    })
    assert.equal(still.written, 0)
    await measure('a day of expiries', async () => warm.transact(async (tx) => tx.prune(now + 5 * DAY, now - 90 * DAY)))
    let seen = 0
    await measure('certs', async () => warm.reader.issuances(() => (seen += 1) > 0))
    t.diagnostic(`${seen} issuances seen, ${Math.round(process.memoryUsage.rss() / 1e6)} MB resident with the fake and its log`)
  } finally {
    await fake.close()
  }
})

const ISSUERS = ["Let's Encrypt", 'Google Trust Services', 'DigiCert', 'Sectigo', 'Amazon']

function issuance(n: number): CertRecord {
  const name = NAMES[n % NAMES.length]!
  return {
    id: randomBytes(32).toString('hex'),
    names: [`host-${n}.${name}`, `www.host-${n}.${name}`, name],
    ipAddresses: [],
    issuer: ISSUERS[n % 5]!,
    notBefore: T0 - (n % 90) * DAY,
    notAfter: T0 + (90 - (n % 90)) * DAY,
    seenAt: T0,
    source: { kind: 'certspotter', id: String(17_000_000_000 + n * 997) },
    rang: false,
  }
}

function real(n: number): ReturnType<typeof sighting> {
  const whole = sighting(n)
  const hash = (): string => randomBytes(32).toString('hex')
  return {
    ...whole,
    issuance: {
      ...whole.issuance,
      id: hash(),
      certSha256: hash(),
      pubkeySha256: hash(),
      serial: randomBytes(18).toString('hex'),
      key: { type: 'ec', curve: 'P-256' },
    },
  }
}
