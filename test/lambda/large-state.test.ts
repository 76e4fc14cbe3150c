// A tick over a large state, measured from outside the process: 100,000 issuances known, 1,000 alerts that Slack does not take.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { it } from 'node:test'
import { openAws4fetchStore } from '../../src/stores/s3/aws4fetch-store.ts'
import { openS3 } from '../../src/stores/s3/backend.ts'
import type { Alert } from '../../src/watch/alert.ts'
import { PATIENT } from '../stores/s3-place.ts'
import { KEYS, lambdaPlace } from './place.ts'

const KNOWN = 100_000
const PENDING = 1000
const DAY = 86_400_000

it(
  'takes at most a second of CPU and 192 MB',
  { timeout: 240_000, skip: existsSync('/proc/self/status') ? false : 'there is no /proc' },
  async (t) => {
    const place = await lambdaPlace('certspotter:\n  quota: {full: 1000}\n')
    try {
      place.old('www.example.com')
      await place.summary()
      await place.kill()
      const bucket = { bucket: place.s3.bucket, prefix: '' }
      const access = {
        region: 'eu-central-1',
        endpoint: place.s3.endpoint,
        credentials: () => KEYS,
        fetch: async (url: string, init: RequestInit) => fetch(url, init),
      }
      const store = openAws4fetchStore(bucket, access, PATIENT)
      const backend = await openS3({ store, place: bucket, patience: PATIENT, newName: () => randomBytes(9).toString('base64url') })
      const now = Date.now()
      for (let n = 0; n < KNOWN; n += 500) {
        const issuances = Array.from({ length: 500 }, (_, m) => ({
          id: randomBytes(32).toString('hex'),
          names: [`host-${n + m}.example.com`, `www.host-${n + m}.example.com`],
          ipAddresses: [],
          issuer: "Let's Encrypt",
          notBefore: now - ((n + m) % 80) * DAY,
          notAfter: now + (90 - ((n + m) % 80)) * DAY,
          seenAt: now,
          source: { kind: 'certspotter', id: String(17_000_000_000 + n + m) },
          rang: false,
        }))
        await backend.transact(async (tx) => tx.addIssuances(issuances, true))
      }
      const finding = { kind: 'issued', severity: 'info', reason: 'example.com is watched' } as const
      const alert = (n: number): Alert => {
        const id = randomBytes(32).toString('hex')
        return {
          schema: 'certbell.alert/1',
          kind: 'certificate',
          id,
          severity: 'info',
          reason: finding.reason,
          findings: [finding],
          matched: [{ name: `pending-${n}.example.com`, item: 'example.com' }],
          names: [`pending-${n}.example.com`, `www.pending-${n}.example.com`],
          ip_addresses: [],
          issuer: { name: "C=US, O=Let's Encrypt, CN=YR2", friendly_name: "Let's Encrypt" },
          serial: randomBytes(18).toString('hex'),
          not_before: new Date(now).toISOString(),
          not_after: new Date(now + 90 * DAY).toISOString(),
          tbs_sha256: id,
          cert_sha256: randomBytes(32).toString('hex'),
          pubkey_sha256: randomBytes(32).toString('hex'),
          seen_at: new Date(now).toISOString(),
          source: { kind: 'certspotter', id: String(17_000_000_000 + n) },
        }
      }
      await backend.transact(async (tx) =>
        tx.addAlerts(
          Array.from({ length: PENDING }, (_, n) => alert(n)),
          ['slack'],
          now,
        ),
      )
      await backend.close()

      place.slack.script.push('reset')
      place.s3.log.length = 0
      place.start()
      const pid = place.child().pid ?? 0
      const cpu = (): number => {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return (Number(fields[11]) + Number(fields[12])) * 10
      }
      for (const [what, minutes] of [
        ['cold', 2],
        ['warm', 4],
      ] as const) {
        place.fresh(`${what}.example.com`)
        place.slack.script.push('reset')
        // Cold, this has the start of the process in it.
        const before = what === 'cold' ? 0 : cpu()
        const read = place.s3.log.reduce((sum, { sent }) => sum + sent, 0)
        const summary = await place.summary(minutes)
        assert.equal(summary.new, 1)
        assert.ok(summary.pending > PENDING - 100, `${summary.pending}`)
        const took = cpu() - before
        const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024
        const bytes = place.s3.log.reduce((sum, { sent }) => sum + sent, 0) - read
        t.diagnostic(`${what}, with news: ${took} ms of CPU, ${Math.round(peak)} MiB, ${bytes} bytes read`)
        assert.ok(took <= 1000, `${took} ms of CPU`)
        assert.ok(peak * 1.048576 <= 192, `${peak} MiB`)
        assert.ok(bytes <= (what === 'cold' ? 8_000_000 : 400_000), `${bytes} bytes`)
      }
    } finally {
      await place.close()
    }
  },
)
