// Secrets that AWS keeps: read by signed requests, refused in words that help, and asked for again when they may have changed.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { readSecret } from '../../src/aws/secrets.ts'
import { createSettings } from '../../src/aws/settings.ts'
import type { Clock } from '../../src/clock.ts'
import type { AwsSettings } from '../../src/config/config.ts'
import { createFetchHttp } from '../../src/http-fetch.ts'
import type { FakeAwsSecrets } from '../../src/sandbox/aws-secrets.ts'
import { startAwsSecrets } from '../../src/sandbox/aws-secrets.ts'

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'exampleKeyOfAWS' }
const HOOK = 'https://hooks.slack.com/services/T0AAAA/B0AAAA/hKq7NeverPrint'
const HOUR = 3_600_000
const ARN = 'arn:aws:secretsmanager:ap-south-1:123456789012:secret:certbell-AbCdEf'

// Pauses take no time.
const clock: Clock = { now: () => 0, sleepUntil: async () => {} }
const access = { http: createFetchHttp(globalThis.fetch), clock, random: () => 0 }

describe('a secret at AWS', () => {
  let fake: FakeAwsSecrets
  let aws: AwsSettings
  before(async () => {
    fake = await startAwsSecrets(KEYS)
    fake.parameters.set('/certbell/hook', HOOK)
    fake.parameters.set('plain', 'token\n')
    fake.secrets.set('certbell', JSON.stringify({ slack: HOOK, n: 1 }))
    fake.secrets.set(ARN, JSON.stringify({ token: 'abc' }))
    fake.secrets.set('whole', 'abc')
    aws = {
      region: 'eu-central-1',
      credentials: { ...KEYS, sessionToken: 'session' },
      secretEndpoints: { ssm: fake.endpoint, secretsmanager: fake.endpoint },
      ownCredentials: false,
    }
  })
  beforeEach(() => void fake.log.splice(0))
  after(async () => fake.close())

  for (const [reference, value, region] of [
    ['ssm:/certbell/hook', HOOK, 'eu-central-1'],
    ['ssm:plain', 'token\n', 'eu-central-1'],
    ['secretsmanager:whole', 'abc', 'eu-central-1'],
    ['secretsmanager:certbell#slack', HOOK, 'eu-central-1'],
    [`secretsmanager:${ARN}#token`, 'abc', 'ap-south-1'],
  ] as const) {
    it(`${reference} is read, by a signed request to its region`, async () => {
      assert.equal(await readSecret(reference, aws, access), value)
      assert.deepEqual(
        fake.log.map((request) => [request.region, request.refused]),
        [[region, undefined]],
      )
    })
  }

  for (const [what, reference, more, problem] of [
    ['no name', 'ssm:', {}, /^names no parameter\. Write ssm:/],
    ['no name', 'secretsmanager:#key', {}, /^names no secret\. Write secretsmanager:/],
    ['no region', 'ssm:/x', { region: undefined }, /^the region of ssm:\/x is not known\. Set AWS_REGION/],
    ['no credentials', 'ssm:/x', { credentials: undefined }, /^there are no AWS credentials to read ssm:\/x with/],
    ['not there', 'ssm:/gone', {}, /^ssm:\/gone does not exist in eu-central-1\. Create it.*ParameterNotFound/],
    ['not there', 'secretsmanager:gone', {}, /^secretsmanager:gone does not exist in eu-central-1.*ResourceNotFoundException/],
    ['no such key', 'secretsmanager:certbell#token', {}, /^secretsmanager:certbell#token: the secret is no JSON object with a text under that key$/],
    ['no text under the key', 'secretsmanager:certbell#n', {}, /no JSON object with a text/],
    ['no JSON', 'secretsmanager:whole#key', {}, /no JSON object with a text/],
    [
      'foreign credentials',
      'ssm:/x',
      { credentials: { accessKeyId: 'AKIDOTHER', secretAccessKey: 'secret' } },
      /credentials to read ssm:\/x with are not accepted/,
    ],
    ['wrong credentials', 'ssm:/x', { credentials: { ...KEYS, secretAccessKey: 'other' } }, /are not accepted.*InvalidSignatureException/],
  ] as const satisfies readonly (readonly [string, string, { readonly [key in keyof AwsSettings]?: AwsSettings[key] | undefined }, RegExp])[]) {
    it(`${what}: ${reference} is refused with a remedy`, async () => {
      const given = Object.fromEntries(Object.entries({ ...aws, ...more }).filter(([, value]) => value !== undefined)) as unknown as AwsSettings
      await assert.rejects(readSecret(reference, given, access), (error: Error) => {
        assert.equal(error.name, 'OwnerError')
        assert.match(error.message, problem)
        assert.doesNotMatch(error.message, /NeverPrint/)
        return true
      })
      assert.ok(fake.log.length <= 1, 'asked once')
    })
  }

  it('a right that is missing is named, whatever the status', async () => {
    for (const status of [400, 403]) {
      fake.script.push({ status, type: 'AccessDeniedException', message: 'User: arn:aws:sts::1:assumed-role/x is not authorized' })
      await assert.rejects(
        readSecret('ssm:/certbell/hook', aws, access),
        /The role needs ssm:GetParameter on arn:aws:ssm:eu-central-1:\*:parameter\/certbell\/hook, and kms:Decrypt/,
      )
    }
    fake.script.push({ status: 400, type: 'AccessDeniedException' }, { status: 400, type: 'AccessDeniedException' })
    await assert.rejects(
      readSecret('secretsmanager:certbell#slack', aws, access),
      /secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-central-1:\*:secret:certbell-\*/,
    )
    await assert.rejects(readSecret(`secretsmanager:${ARN}#token`, aws, access), new RegExp(`GetSecretValue on ${ARN}, `))
  })

  it('what passes is asked again, three times; then it says what it was', async () => {
    fake.script.push({ status: 400, type: 'ThrottlingException' }, 'cut', { status: 500, type: 'InternalServerError' })
    assert.equal(await readSecret('ssm:/certbell/hook', aws, access), HOOK)
    assert.equal(fake.log.length, 4)
    fake.script.push('cut', 'cut', 'cut', 'cut')
    await assert.rejects(
      readSecret('ssm:/certbell/hook', aws, access),
      /^OwnerError: ssm:\/certbell\/hook cannot be read just now: the connection broke off$/,
    )
  })

  describe('in the settings of a function', () => {
    const settings = (env: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}) =>
      createSettings({
        env: {
          MONITOR_DOMAINS: 'example.com',
          S3_BUCKET: 'bucket',
          AWS_REGION: 'eu-central-1',
          ...KEYS_ENV,
          AWS_ENDPOINT_URL: fake.endpoint,
          ...env,
        },
        root: '/var/task',
        readFile: (path) => files[path],
      })
    const KEYS_ENV = { AWS_ACCESS_KEY_ID: KEYS.accessKeyId, AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey }
    const read = async (reference: string, given: AwsSettings) => readSecret(reference, given, access)
    afterEach(() => void fake.parameters.set('/certbell/hook', HOOK))

    it('they stand wherever a secret may stand, and are kept from all output', async () => {
      fake.parameters.set('/certbell/beat', 'https://beat.example.net/abcdefgh')
      const yaml =
        'slack: {ops: "secretsmanager:certbell#slack", all: "ssm:/certbell/hook"}\ncertspotter: {token: "ssm:plain"}\nheartbeat: ssm:/certbell/beat\n'
      const config = await settings({}, { '/var/task/certbell.yaml': yaml }).at(0, read)
      assert.deepEqual(config.slack, [
        { name: 'ops', url: HOOK },
        { name: 'all', url: HOOK },
      ])
      assert.ok(config.certspotter !== false)
      assert.deepEqual([config.certspotter.token, config.heartbeat], ['token', 'https://beat.example.net/abcdefgh'])
      for (const secret of [HOOK, 'hKq7NeverPrint', 'abcdefgh']) assert.ok(config.secrets.includes(secret), secret)
      assert.equal(fake.log.length, 4)
    })

    it('several in one variable', async () => {
      const config = await settings({ SLACK_WEBHOOK: `ssm:/certbell/hook, ${HOOK}x` }).at(0, read)
      assert.deepEqual(
        config.slack.map(({ url }) => url),
        [HOOK, `${HOOK}x`],
      )
    })

    it('every mistake at once, each at its place', async () => {
      const given = settings({ SLACK_WEBHOOK: 'ssm:/gone', CERTSPOTTER_API_TOKEN: 'secretsmanager:gone', MONITOR_DOMAINS: 'com' })
      await assert.rejects(given.at(0, read), (error: Error) => {
        assert.match(error.message, /SLACK_WEBHOOK +ssm:\/gone does not exist/)
        assert.match(error.message, /CERTSPOTTER_API_TOKEN +secretsmanager:gone does not exist/)
        assert.match(error.message, /MONITOR_DOMAINS/)
        return true
      })
    })

    it('what a parameter holds is held to the same rules as the setting', async () => {
      fake.parameters.set('/certbell/hook', 'ftp://NeverPrint')
      await assert.rejects(settings({ SLACK_WEBHOOK: 'ssm:/certbell/hook' }).at(0, read), (error: Error) => {
        assert.match(error.message, /SLACK_WEBHOOK +the webhook is not a URL/)
        assert.doesNotMatch(error.message, /NeverPrint/)
        return true
      })
    })

    it('kept for an hour, then asked for again; the rest of the settings is not read twice without them', async () => {
      const given = settings({ SLACK_WEBHOOK: 'ssm:/certbell/hook' })
      const first = await given.at(0, read)
      assert.equal(await given.at(HOUR - 1, read), first)
      assert.equal(fake.log.length, 1)
      fake.parameters.set('/certbell/hook', `${HOOK}2`)
      assert.equal((await given.at(HOUR, read)).slack[0]?.url, `${HOOK}2`)
      assert.equal((await given.at(HOUR + 1, read)).slack[0]?.url, `${HOOK}2`)
      assert.equal(fake.log.length, 2)
      // A clock that was set back says nothing about age.
      await given.at(0, read)
      assert.equal(fake.log.length, 3)
      const plain = settings({ SLACK_WEBHOOK: HOOK })
      assert.equal(await plain.at(0, read), await plain.at(48 * HOUR, read))
    })

    it('asked for again at once when it was refused', async () => {
      const given = settings({ SLACK_WEBHOOK: 'ssm:/certbell/hook' })
      await given.at(0, read)
      given.doubt()
      await given.at(1, read)
      await given.at(2, read)
      assert.equal(fake.log.length, 2)
    })

    it('one that cannot be had again stays what it was, and that is said', async () => {
      const given = settings({ SLACK_WEBHOOK: 'ssm:/certbell/hook' })
      await given.at(0, read)
      fake.script.push({ status: 400, type: 'AccessDeniedException' })
      const config = await given.at(HOUR, read)
      assert.equal(config.slack[0]?.url, HOOK)
      assert.match(config.warnings.join(), /reading ssm:\/certbell\/hook is not allowed.*; what it was is used on$/)
    })

    it('a .env that was packed by mistake is not read', async () => {
      const given = settings({}, { '/var/task/.env': 'CERTBELL_CONTACT=ops@example.com\n' })
      assert.equal((await given.at(0, read)).contact, undefined)
    })
  })
})
