// Commands outside Lambda read the same secrets; whoever keeps none there loads nothing for it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { FakeAwsSecrets } from '../../src/sandbox/aws-secrets.ts'
import { startAwsSecrets } from '../../src/sandbox/aws-secrets.ts'
import type { Ran } from '../support/run.ts'
import { certbell, WEBHOOK_PATH } from '../support/run.ts'

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secretNeverPrintMe' }

describe('a command with a secret at AWS', () => {
  let fake: FakeAwsSecrets
  const cwd = mkdtempSync(join(tmpdir(), 'certbell-aws-secrets-'))
  before(async () => {
    fake = await startAwsSecrets(KEYS)
  })
  after(async () => {
    await fake.close()
    rmSync(cwd, { recursive: true, force: true })
  })
  const check = async (env: Readonly<Record<string, string | undefined>> = {}): Promise<Ran> =>
    certbell(['check'], {
      cwd,
      env: {
        MONITOR_DOMAINS: 'example.com',
        SLACK_WEBHOOK: 'ssm:/certbell/slack',
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
        AWS_ENDPOINT_URL_SSM: fake.endpoint,
        AWS_EC2_METADATA_DISABLED: 'true',
        ...env,
      },
    })

  it('has it', async () => {
    fake.parameters.set('/certbell/slack', `https://hooks.slack.com${WEBHOOK_PATH}\n`)
    const ran = await check()
    assert.deepEqual([ran.code, ran.err], [0, ''])
    assert.equal(fake.log.length, 1)
  })

  it('where it cannot be had: exit 2, with its place and the remedy', async () => {
    const ran = await check({ SLACK_WEBHOOK: 'ssm:/certbell/gone' })
    assert.equal(ran.code, 2)
    assert.match(ran.err, /SLACK_WEBHOOK +ssm:\/certbell\/gone does not exist in eu-central-1/)
  })

  it('without credentials anywhere: exit 2, and says what to set', async () => {
    const ran = await check({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined })
    assert.equal(ran.code, 2)
    assert.match(ran.err, /SLACK_WEBHOOK +there are no AWS credentials to read ssm:\/certbell\/slack with\. Set AWS_PROFILE/)
  })

  it('an endpoint that is none: exit 2', async () => {
    const ran = await check({ AWS_ENDPOINT_URL_SSM: 'localhost:4566' })
    assert.equal(ran.code, 2)
    assert.match(ran.err, /AWS_ENDPOINT_URL_SSM +is not the address of a service/)
  })
})
