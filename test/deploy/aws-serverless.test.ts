// deploy/aws/serverless.yml, packaged by osls as its user would: CERTBELL_OSLS is its executable, which .ci/run installs.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { lambdaPlace } from '../lambda/place.ts'
import type { Resource, Template } from '../support/cloudformation.ts'
import { workOut } from '../support/cloudformation.ts'
import type { Statement } from '../support/iam.ts'
import { allows } from '../support/iam.ts'
import { unzip } from '../support/zip.ts'
import { askedInALife, asks } from './asked.ts'

const osls = process.env['CERTBELL_OSLS'] ?? ''
const root = join(import.meta.dirname, '../..')
const bundle = join(root, 'dist/lambda/index.mjs')
const skip = osls === '' ? 'CERTBELL_OSLS names no osls' : existsSync(bundle) ? false : 'there is no dist/lambda/index.mjs'

// What the predecessor's user has set already.
const ENVIRONMENT = {
  MONITOR_DOMAINS: 'example.com',
  SLACK_WEBHOOK: 'https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/exampleExampleExample',
  S3_BUCKET: 'old-bucket',
}

interface Packaged {
  readonly files: ReadonlyMap<string, Buffer>
  readonly resources: Readonly<Record<string, Resource>>
}

describe('serverless.yml', { skip }, () => {
  const temporary = mkdtempSync(join(tmpdir(), 'certbell-osls-'))
  after(() => rmSync(temporary, { recursive: true }))

  function osl(folder: string, env: Record<string, string>, out: string): { readonly code: number | null; readonly said: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [osls, 'package', '--package', join(temporary, out)], {
      cwd: folder,
      env: { ...env, HOME: temporary, PATH: dirname(process.execPath) },
      encoding: 'utf8',
    })
    return { code: status, said: stdout + stderr }
  }
  function packaged(folder: string, env: Record<string, string>, out: string): Packaged {
    const { code, said } = osl(folder, env, out)
    assert.equal(code, 0, said)
    const template = JSON.parse(readFileSync(join(temporary, out, 'cloudformation-template-update-stack.json'), 'utf8')) as Template
    return { files: unzip(readFileSync(join(temporary, out, 'certbell.zip'))), resources: workOut(template, {}) }
  }

  let made: Packaged | undefined
  const inItsFolder = (): Packaged => (made ??= packaged(join(root, 'deploy/aws'), ENVIRONMENT, 'a'))
  const ofType = (type: string): Readonly<Record<string, unknown>> => {
    const found = Object.values(inItsFolder().resources).filter(({ Type }) => Type === type)
    assert.equal(found.length, 1, type)
    return found[0]?.Properties ?? {}
  }

  it('packs the bundle alone, where the handler says it is', async () => {
    const { files } = inItsFolder()
    assert.deepEqual([...files.keys()], ['dist/lambda/index.mjs'])
    assert.deepEqual(files.get('dist/lambda/index.mjs'), readFileSync(bundle))
    const { Handler, Runtime, Architectures } = ofType('AWS::Lambda::Function')
    assert.deepEqual([Handler, Runtime, Architectures], ['dist/lambda/index.handler', 'nodejs24.x', ['arm64']])
    assert.ok(!readdirSync(join(root, 'deploy/aws')).includes('.serverless'))
  })

  it('runs from what it packed, as Lambda would: a baseline, then a certificate that rings', async () => {
    const place = await lambdaPlace()
    try {
      rmSync(join(place.root, 'index.mjs'))
      for (const [name, content] of inItsFolder().files) {
        mkdirSync(dirname(join(place.root, name)), { recursive: true })
        writeFileSync(join(place.root, name), content)
      }
      const { Handler, Environment } = ofType('AWS::Lambda::Function') as {
        readonly Handler: string
        readonly Environment: { readonly Variables: Record<string, string> }
      }
      // The variables as they are deployed; what is at Amazon's and elsewhere is on loopback.
      const { SLEEP_DELAY, CERTSPOTTER_API_TOKEN, ...variables } = Environment.Variables
      assert.deepEqual([SLEEP_DELAY, CERTSPOTTER_API_TOKEN], ['', ''])
      place.start({ ...variables, _HANDLER: Handler, S3_BUCKET: place.s3.bucket, SLACK_WEBHOOK: place.slack.url })
      place.old('old.example.com')
      assert.deepEqual(await place.summary(0), { polled: 1, new: 1, delivered: 1, pending: 0, trouble: [] })
      place.fresh('new.example.com')
      assert.equal((await place.summary(10)).delivered, 1)
      assert.equal(place.rung('new.example.com'), 1)
      assert.deepEqual(
        [...place.s3.objects.keys()].filter((key) => !key.startsWith('segments/')),
        ['certbell.json.gz'],
      )
    } finally {
      await place.close()
    }
  })

  it('packs the same from the top of a checkout', () => {
    const checkout = join(temporary, 'checkout')
    cpSync(bundle, join(checkout, 'dist/lambda/index.mjs'))
    cpSync(join(root, 'deploy/aws/serverless.yml'), join(checkout, 'serverless.yml'))
    writeFileSync(join(checkout, '.env'), 'SLACK_WEBHOOK=https://hooks.slack.com/services/T0/B0/fromDotenv\n')
    const { files, resources } = packaged(checkout, { MONITOR_DOMAINS: 'example.com', S3_BUCKET: 'old-bucket' }, 'b')
    assert.deepEqual([...files.keys()], ['dist/lambda/index.mjs'])
    assert.match(JSON.stringify(resources), /fromDotenv/, '.env is read')
  })

  it("knows the predecessor's variables, and says which of them is missing", () => {
    const { Variables } = ofType('AWS::Lambda::Function')['Environment'] as { readonly Variables: Record<string, string> }
    for (const [name, value] of Object.entries(ENVIRONMENT)) assert.equal(Variables[name], value)
    const code = readdirSync(join(root, 'src/config')).map((name) => readFileSync(join(root, 'src/config', name), 'utf8'))
    for (const name of Object.keys(Variables))
      assert.ok(
        code.some((text) => text.includes(`'${name}'`)),
        name,
      )
    for (const name of ['CERTSPOTTER_API_TOKEN', 'SLEEP_DELAY', 'EXCLUDED_DOMAINS', 'LOG_FORMAT', 'DEBUG']) assert.equal(Variables[name], '', name)
    const { code: exit, said } = osl(join(root, 'deploy/aws'), { MONITOR_DOMAINS: 'example.com' }, 'c')
    assert.notEqual(exit, 0)
    assert.match(said, /S3_BUCKET/)
  })

  it('is started by the scheduler, and not started again by anybody', () => {
    const { ScheduleExpression, Target } = ofType('AWS::Scheduler::Schedule')
    assert.equal(ScheduleExpression, 'rate(1 minute)')
    assert.ok(JSON.stringify(Target).includes('cronlambdafunction'))
    const { MaximumRetryAttempts, MaximumEventAgeInSeconds } = ofType('AWS::Lambda::EventInvokeConfig')
    assert.deepEqual([MaximumRetryAttempts, MaximumEventAgeInSeconds], [0, 60])
    assert.equal(ofType('AWS::Logs::LogGroup')['RetentionInDays'], 30)
  })

  it('has a role that may what the program does, and cannot write to what the predecessor left', async () => {
    const policies = ofType('AWS::IAM::Role')['Policies'] as readonly { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }[]
    const may = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    const asked = await askedInALife('old-bucket', (key) => key.slice('state/'.length))
    for (const one of [...asked, asks.get('old-bucket', 'example.com'), asks.list('old-bucket', 'example.com')])
      assert.ok(allows(may, one), JSON.stringify(one))
    for (const one of [
      asks.put('old-bucket', 'example.com'),
      asks.remove('old-bucket', 'example.com'),
      asks.remove('old-bucket', 'certbell.json.gz'),
      asks.get('another', 'certbell.json.gz'),
      { ...asks.list('old-bucket', 'x'), resource: 'arn:aws:s3:::old-bucket/*' },
      { action: 's3:DeleteObjectVersion', resource: 'arn:aws:s3:::old-bucket/certbell.json.gz' },
    ])
      assert.ok(!allows(may, one), JSON.stringify(one))
  })
})
