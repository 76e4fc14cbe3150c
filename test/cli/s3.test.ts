// State in a bucket with the real command: Amazon's SDK against a fake S3 that checks signatures and keeps its word on conditions.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { CertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import type { FakeS3 } from '../../src/sandbox/s3.ts'
import { startS3 } from '../../src/sandbox/s3.ts'
import type { Slack } from '../../src/sandbox/slack.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import type { Ran } from '../support/run.ts'
import { certbell, TOKEN, until, WEBHOOK_PATH } from '../support/run.ts'

const SECRET = 'NeverPrintThisAwsSecretKey'
const DAY = 86_400_000

interface Place {
  readonly api: CertSpotterApi
  readonly slack: Slack
  readonly s3: FakeS3
  readonly issue: (name: string, ago?: number) => string
  readonly run: (
    args: readonly string[],
    env?: Readonly<Record<string, string | undefined>>,
    along?: (said: () => string) => Promise<void>,
  ) => Promise<Ran>
  /** How often Slack was told of this. */
  readonly told: (text: string) => number
}

async function inPlace(body: (place: Place) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-s3-'))
  const api = await startCertSpotterApi({ tokens: [TOKEN] })
  const slack = await startSlack({ path: WEBHOOK_PATH })
  const s3 = await startS3({ keys: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET } })
  const ids = createIds()
  const env = {
    MONITOR_DOMAINS: 'example.com',
    SLACK_WEBHOOK: slack.url,
    CERTSPOTTER_API_TOKEN: TOKEN,
    CERTSPOTTER_API_URL: api.url,
    SLEEP_DELAY: '1',
    S3_BUCKET: s3.bucket,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: SECRET,
  }
  try {
    await body({
      api,
      slack,
      s3,
      issue: (name, ago = 0) => {
        const issuance = makeIssuance({ id: ids(), names: [name], notBefore: new Date(Date.now() - ago) })
        api.add(issuance)
        return issuance.id
      },
      run: async (args, more, along) =>
        certbell(args, {
          cwd: folder,
          env: { ...env, ...more },
          timeout: 50_000,
          ...(along !== undefined && { with: async (child, said) => (await along(said), void child.kill('SIGTERM')) }),
        }),
      told: (text) => slack.messages.filter(({ payload }) => JSON.stringify(payload).includes(text)).length,
    })
  } finally {
    await Promise.all([api.close(), slack.close(), s3.close()])
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('state in a bucket', () => {
  it('poll, watch and whoever only looks share it', async () => {
    await inPlace(async ({ s3, issue, run, told }) => {
      issue('old.example.com', 30 * DAY)
      const first = await run(['poll'])
      assert.equal(first.code, 0, first.err)
      assert.equal(told('old.example.com'), 0)
      issue('new.example.com')
      await run(['watch'], {}, async () => until(() => told('new.example.com') > 0, 'watch rings'))
      const again = await run(['poll', '--wait'])
      assert.equal(again.code, 0, again.err)
      assert.equal(told('new.example.com'), 1, 'once, whoever runs')
      const [status, certs, alerts] = [await run(['status']), await run(['certs', '--json']), await run(['alerts', '--json'])]
      assert.equal(status.code, 0, status.err)
      assert.deepEqual(
        certs.out
          .trim()
          .split('\n')
          .map((line) => (JSON.parse(line) as { names: string[] }).names[0]),
        ['new.example.com', 'old.example.com'],
      )
      assert.match(alerts.out, /new\.example\.com/)
      assert.ok(s3.objects.has('certbell.json.gz'))
      assert.ok(s3.log.every(({ headers }) => headers['x-amz-checksum-crc32'] === undefined))
    })
  })

  it('before the first run those who look say so, and nothing is made', async () => {
    await inPlace(async ({ s3, run }) => {
      const status = await run(['status'])
      assert.match(status.out + status.err, /nothing|not run|no state|never/i)
      assert.equal(s3.objects.size, 0)
    })
  })

  it('B12: forbidden is not a first run: it stops with the statement that is missing', async () => {
    await inPlace(async ({ s3, api, issue, run, told }) => {
      issue('old.example.com', 30 * DAY)
      s3.switches.noList = true
      const ran = await run(['poll'])
      assert.equal(ran.code, 2)
      assert.match(ran.err, /s3:ListBucket on arn:aws:s3:::bucket \(the bucket's own ARN, without \/\*\)/)
      assert.equal(api.requests.length, 0, 'nothing was asked')
      s3.switches.noList = false
      assert.equal((await run(['poll'])).code, 0)
      issue('new.example.com')
      s3.switches.denyAll = true
      const denied = await run(['poll'])
      assert.equal(denied.code, 2)
      assert.match(denied.err, /s3:GetObject on arn:aws:s3:::bucket\/\*/)
      s3.switches.denyAll = false
      await run(['watch'], {}, async () => until(() => told('new.example.com') > 0, 'what came meanwhile rings'))
      assert.equal(told('new.example.com'), 1)
      assert.equal(told('old.example.com'), 0)
    })
  })

  it('B12: what is not there is a first run, and the name is watched', async () => {
    await inPlace(async ({ api, issue, run, told }) => {
      issue('old.example.com', 30 * DAY)
      assert.equal((await run(['poll'])).code, 0)
      assert.equal(api.requests[0]?.after, '')
      issue('new.example.com')
      await run(['watch'], {}, async () => until(() => told('new.example.com') > 0, 'it rings'))
    })
  })

  it("the predecessor's objects say where to go on, and stay as they are", async () => {
    await inPlace(async ({ s3, api, issue, run, told }) => {
      const last = issue('seen.example.com', 30 * DAY)
      issue('since.example.com', 3 * DAY)
      issue('old.example.net', 30 * DAY)
      issue('old.example.org', 30 * DAY)
      s3.set('example.com', JSON.stringify(last))
      s3.set('example.net', '')
      s3.set('example.org', '{"odd": true}')
      const before = [...s3.objects].map(([key, { body, etag, at }]) => [key, { body: Buffer.from(body), etag, at }] as const)
      const ran = await run(['poll', '--wait'], { MONITOR_DOMAINS: 'example.com, example.net,example.org' })
      assert.equal(ran.code, 0, ran.err)
      assert.equal(told('since.example.com'), 1)
      assert.equal(told('seen.example.com'), 0)
      assert.match(ran.err, /the predecessor's state of example\.net is not used: it is empty\. The name gets a baseline/)
      assert.match(ran.err, /the predecessor's state of example\.org is not used: what it holds is not an id/)
      assert.deepEqual(
        new Map(api.requests.toReversed().map(({ domain, after }) => [domain, after])),
        new Map([
          ['example.com', last],
          ['example.net', ''],
          ['example.org', ''],
        ]),
      )
      for (const [key, object] of before) assert.deepEqual(s3.objects.get(key), object)
      s3.log.length = 0
      await run(['poll', '--wait'], { MONITOR_DOMAINS: 'example.com, example.net,example.org' })
      assert.deepEqual(
        s3.log.filter(({ key }) => key.startsWith('example.')).map(({ key }) => key),
        [],
        'they are read once',
      )
    })
  })

  it('with a prefix of its own the predecessor is still found; a role that may not look there stops us', async () => {
    await inPlace(async ({ s3, api, issue, run, told }) => {
      const last = issue('seen.example.com', 30 * DAY)
      issue('since.example.com', 3 * DAY)
      s3.set('example.com', JSON.stringify(last))
      s3.switches.fault = ({ key }) => (key === 'example.com' ? 'deny' : undefined)
      const env = { CERTBELL_STATE_DIR: `s3://${s3.bucket}/ct` }
      const denied = await run(['poll'], env)
      assert.equal(denied.code, 2)
      assert.match(denied.err, /s3:GetObject on arn:aws:s3:::bucket\/\*/)
      assert.equal(api.requests.length, 0)
      s3.switches.fault = () => undefined
      const ran = await run(['poll', '--wait'], env)
      assert.equal(ran.code, 0, ran.err)
      assert.equal(told('since.example.com'), 1)
      assert.ok(s3.objects.has('ct/certbell.json.gz'))
    })
  })

  it("doctor tries the service's conditional writes, and refuses one that ignores them", async () => {
    await inPlace(async ({ s3, run }) => {
      const well = await run(['doctor'])
      assert.equal(well.code, 0, well.out)
      assert.match(well.out, /ok +state s3:\/\/bucket can be written, and two writers at once do not disturb each other/)
      assert.deepEqual(
        [...s3.objects.keys()].filter((key) => key.startsWith('probe')),
        [],
        'nothing is left of the trial',
      )
      s3.switches.ignoreConditions = true
      const bad = await run(['doctor'])
      assert.equal(bad.code, 1)
      assert.match(
        bad.out,
        /FAIL +state s3:\/\/bucket: two writers at once would overwrite each other, and alerts would be lost\n +use a service that knows conditional writes/,
      )
    })
  })

  it('doctor and poll say what is wrong with bucket, keys and endpoint', async () => {
    await inPlace(async ({ s3, run }) => {
      const wrong = await run(['doctor'], { AWS_SECRET_ACCESS_KEY: 'another' })
      assert.match(wrong.out, /FAIL +the credentials for s3:\/\/bucket are not accepted/)
      s3.switches.noBucket = true
      const none = await run(['poll'])
      assert.equal(none.code, 2)
      assert.match(none.err, /the bucket bucket does not exist/)
      const nowhere = await run(['poll'], { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_EC2_METADATA_DISABLED: 'true' })
      assert.equal(nowhere.code, 2)
      assert.match(nowhere.err, /AWS credentials or the region are missing/)
    })
  })

  it('keys in .env reach S3', async () => {
    await inPlace(async ({ s3, run }) => {
      const cwd = mkdtempSync(join(tmpdir(), 'certbell-env-'))
      writeFileSync(join(cwd, '.env'), `AWS_ACCESS_KEY_ID=AKIDEXAMPLE\nAWS_SECRET_ACCESS_KEY=${SECRET}\n`)
      const ran = await run(['poll', '--config', join(cwd, 'certbell.yaml')], { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined })
      assert.equal(ran.code, 2, 'there is no such file yet')
      writeFileSync(join(cwd, 'certbell.yaml'), 'watch: [example.com]\n')
      const now = await run(['poll', '--config', join(cwd, 'certbell.yaml')], { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined })
      assert.equal(now.code, 0, now.err)
      assert.ok(s3.objects.has('certbell.json.gz'))
      rmSync(cwd, { recursive: true })
    })
  })
})
