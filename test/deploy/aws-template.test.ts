// deploy/aws/template.yaml, worked out as it would be deployed. What the role may do is tried in aws-role.test.ts.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { loadConfig, loadConfigWithSecrets } from '../../src/config/load.ts'
import { emptyControl } from '../../src/stores/control.ts'
import { overview } from '../../src/stores/overview.ts'
import { emfLine } from '../../src/web/emf.ts'
import type { Resource } from '../support/cloudformation.ts'
import { parseTemplate, workOut } from '../support/cloudformation.ts'

const root = join(import.meta.dirname, '../..')
const file = join(root, 'deploy/aws/template.yaml')
const template = parseTemplate(readFileSync(file, 'utf8'))
const { Parameters = {} } = template
const WEBHOOK = 'https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/exampleExampleExample'
const LEAST = { MonitorDomains: 'example.com, =login.example.net', SlackWebhook: WEBHOOK }
const deployed = workOut(template, LEAST)

function named(name: string, resources = deployed): Resource {
  const resource = resources[name]
  assert.ok(resource !== undefined, name)
  return resource
}

function ofType(type: string, resources = deployed): readonly Resource[] {
  return Object.values(resources).filter(({ Type }) => Type === type)
}

const variables = (resources: Readonly<Record<string, Resource>>): Record<string, string> =>
  (named('Function', resources).Properties['Environment'] as { readonly Variables: Record<string, string> }).Variables

test('the function is the bundle, on the newest Node and the cheaper processor', () => {
  const { Properties } = named('Function')
  const { Runtime, Architectures, Handler, CodeUri, MemorySize, Timeout } = Properties
  assert.deepEqual(
    { Runtime, Architectures, Handler, MemorySize, Timeout },
    { Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler', MemorySize: 256, Timeout: 60 },
  )
  assert.equal(join(dirname(file), CodeUri as string), join(root, 'dist/lambda'))
  assert.equal(ofType('AWS::Serverless::Function').length, 1)
  assert.equal(Properties['ReservedConcurrentExecutions'], undefined, 'new accounts refuse it')
  assert.equal(named('Function', workOut(template, { ...LEAST, ReservedConcurrency: '1' })).Properties['ReservedConcurrentExecutions'], '1')
})

test('a tick comes once: neither the scheduler nor Lambda repeats it, and one that failed is kept', () => {
  const { Events, EventInvokeConfig } = named('Function').Properties as Record<string, Record<string, unknown>>
  assert.deepEqual(Object.keys(Events ?? {}), ['Tick'])
  const tick = Events?.['Tick'] as { readonly Type: string; readonly Properties: Record<string, unknown> }
  const { Type, Properties } = tick
  assert.equal(Type, 'ScheduleV2')
  assert.equal(Properties['ScheduleExpression'], 'rate(1 minute)')
  assert.deepEqual(Properties['RetryPolicy'], { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 })
  assert.equal(Properties['OmitName'], true, 'two stacks in one account')
  assert.equal(EventInvokeConfig?.['MaximumRetryAttempts'], 0)
  assert.equal(EventInvokeConfig?.['MaximumEventAgeInSeconds'], 60)
  assert.deepEqual(EventInvokeConfig?.['DestinationConfig'], { OnFailure: { Type: 'SQS', Destination: 'failedruns.Arn' } })
  assert.equal(named('FailedRuns').Properties['SqsManagedSseEnabled'], true)
})

test("the state outlives the stack, keeps old versions for a while, is encrypted, and is nobody else's", () => {
  const { DeletionPolicy, UpdateReplacePolicy, Properties } = named('StateBucket')
  assert.deepEqual([DeletionPolicy, UpdateReplacePolicy], ['Retain', 'Retain'])
  assert.deepEqual(Properties['VersioningConfiguration'], { Status: 'Enabled' })
  assert.deepEqual(Properties['BucketEncryption'], {
    ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
  })
  assert.deepEqual(Properties['PublicAccessBlockConfiguration'], {
    BlockPublicAcls: true,
    BlockPublicPolicy: true,
    IgnorePublicAcls: true,
    RestrictPublicBuckets: true,
  })
  assert.deepEqual(Properties['OwnershipControls'], { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] })
  const { Rules } = Properties['LifecycleConfiguration'] as { readonly Rules: readonly Record<string, unknown>[] }
  assert.deepEqual(
    Rules.map(({ Status, NoncurrentVersionExpiration }) => [Status, NoncurrentVersionExpiration]),
    [['Enabled', { NoncurrentDays: 30 }]],
  )
  assert.ok(!Rules.some((rule) => 'ExpirationInDays' in rule || 'ExpirationDate' in rule), 'nothing present expires')
})

test('the bucket is reached over TLS only, and its policy lets nobody in', () => {
  assert.equal(ofType('AWS::S3::Bucket').length, 1)
  assert.equal(ofType('AWS::S3::BucketPolicy').length, 1)
  const { Properties } = named('StateBucketPolicy')
  assert.equal(Properties['Bucket'], 'statebucket')
  const { Statement } = Properties['PolicyDocument'] as { readonly Statement: readonly Record<string, unknown>[] }
  assert.deepEqual(Statement, [
    {
      Sid: 'TlsOnly',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: ['arn:aws:s3:::statebucket', 'arn:aws:s3:::statebucket/*'],
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ])
})

test('the log is kept for a month, and is plain: metrics are lines in it', () => {
  assert.equal(named('LogGroup').Properties['RetentionInDays'], 30)
  assert.deepEqual(named('Function').Properties['LoggingConfig'], { LogGroup: 'loggroup', LogFormat: 'Text' })
})

test('alarms: a run that failed, none that ran, trouble that lasts, a name that nobody looked at; missing data is bad news where it must be', () => {
  const alarms = ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties)
  assert.deepEqual(
    alarms.map(({ MetricName, ComparisonOperator, Threshold, TreatMissingData }) => [MetricName, ComparisonOperator, Threshold, TreatMissingData]),
    [
      ['Errors', 'GreaterThanThreshold', 0, 'notBreaching'],
      ['Invocations', 'LessThanThreshold', 1, 'breaching'],
      ['Trouble', 'GreaterThanThreshold', 0, 'notBreaching'],
      ['OldestLookAgeSeconds', 'GreaterThanThreshold', 10800, 'breaching'],
    ],
  )
  for (const { Dimensions, AlarmActions, OKActions, AlarmDescription, Period, EvaluationPeriods } of alarms) {
    assert.deepEqual(Dimensions, [{ Name: 'FunctionName', Value: 'function' }])
    assert.deepEqual([AlarmActions, OKActions], [['alarms'], ['alarms']])
    assert.ok((AlarmDescription as string).length > 50)
    // The slowest schedule must not look like none.
    assert.ok(Number(Period) * Number(EvaluationPeriods) >= 300)
  }
  const { AllowedValues } = Parameters['Schedule'] as { readonly AllowedValues: readonly string[] }
  const slowest = Math.max(...AllowedValues.map((rate) => Number(/^rate\((\d+) minutes?\)$/.exec(rate)?.[1])))
  for (const { Period } of alarms.slice(1)) assert.ok(slowest * 60 < Number(Period))
})

test('what the alarms look at is what the function measures', () => {
  const setup = { items: [], credential: 'x', quota: { full: 1, single: 1 }, interval: 'auto', baseline: 'inventory', sinks: ['slack'] } as const
  const run = { polled: 0, new: 0, delivered: 0, trouble: 0 }
  const line = emfLine('function', 0, run, { view: overview(emptyControl(), {}, setup, 0), oldestLookAge: 1 })
  const { _aws, ...values } = JSON.parse(line) as {
    readonly _aws: {
      readonly CloudWatchMetrics: readonly {
        readonly Namespace: string
        readonly Dimensions: unknown
        readonly Metrics: readonly { readonly Name: string }[]
      }[]
    }
  }
  assert.deepEqual({ ...values }, { ...values, FunctionName: 'function' })
  const ours = ofType('AWS::CloudWatch::Alarm').filter(({ Properties }) => Properties['Namespace'] !== 'AWS/Lambda')
  assert.equal(ours.length, 2)
  for (const { Properties } of ours) {
    const [measured] = _aws.CloudWatchMetrics.filter(({ Namespace }) => Namespace === Properties['Namespace'])
    assert.deepEqual(measured?.Dimensions, [['FunctionName']])
    assert.ok(measured?.Metrics.some(({ Name }) => Name === Properties['MetricName']))
  }
})

test('a mail address is told of alarms, if there is one', () => {
  assert.deepEqual(ofType('AWS::SNS::Subscription'), [])
  const [subscription] = ofType('AWS::SNS::Subscription', workOut(template, { ...LEAST, AlarmMail: 'ana@example.com' }))
  assert.deepEqual(subscription?.Properties, { TopicArn: 'alarms', Protocol: 'email', Endpoint: 'ana@example.com' })
})

test('each variable is one that the configuration reads, and means there what the parameter says', () => {
  const code = readdirSync(join(root, 'src/config')).map((name) => readFileSync(join(root, 'src/config', name), 'utf8'))
  const everything = workOut(template, { ...LEAST, ExcludedDomains: 'test.example.com', CertspotterToken: 'k1', PredecessorBucket: 'old-bucket' })
  for (const name of Object.keys(variables(everything)))
    assert.ok(
      code.some((text) => text.includes(`'${name}'`)),
      name,
    )

  const load = (env: Record<string, string>) => {
    const loaded = loadConfig({
      flags: {},
      env: { ...env, AWS_REGION: 'eu-central-1' },
      cwd: '/var/task',
      home: undefined,
      readFile: () => undefined,
    })
    if ('problems' in loaded) assert.fail(JSON.stringify(loaded.problems))
    assert.deepEqual(loaded.config.warnings, [])
    return loaded.config
  }
  const least = load(variables(deployed))
  assert.deepEqual({ ...least.state }, { kind: 's3', bucket: 'statebucket', prefix: 'certbell/', shown: 's3://statebucket/certbell' })
  assert.deepEqual(least.predecessor, {})
  assert.equal(least.watch.length, 2)
  assert.deepEqual(
    least.slack.map(({ name }) => name),
    ['slack'],
  )
  const most = load(variables(everything))
  assert.ok(most.certspotter !== false)
  assert.equal(most.certspotter.token, 'k1')
  assert.deepEqual(most.predecessor, { bucket: 'old-bucket' })
  assert.deepEqual(most.state, least.state, "the state is never in the predecessor's bucket")
  assert.equal(most.exclude.length, 1)
})

test('secrets: hidden where they are typed in, else only their names are', async () => {
  for (const [name, { NoEcho = false }] of Object.entries(Parameters))
    assert.equal(NoEcho, ['SlackWebhook', 'CertspotterToken', 'Heartbeat'].includes(name), name)
  const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:certbell-AbCdEf'
  for (const [parameters, references] of [
    [{ SlackWebhookParameter: '/certbell/slack', CertspotterTokenParameter: '/certbell/token' }, ['ssm:/certbell/slack', 'ssm:/certbell/token']],
    [
      { SlackWebhookSecret: arn, CertspotterTokenSecret: arn },
      [`secretsmanager:${arn}#SLACK_WEBHOOK`, `secretsmanager:${arn}#CERTSPOTTER_API_TOKEN`],
    ],
  ] as const) {
    const { SLACK_WEBHOOK, CERTSPOTTER_API_TOKEN, ...others } = variables(workOut(template, { ...LEAST, ...parameters }))
    assert.deepEqual([SLACK_WEBHOOK, CERTSPOTTER_API_TOKEN], references)
    const env = { ...others, SLACK_WEBHOOK, CERTSPOTTER_API_TOKEN, AWS_REGION: 'eu-central-1' }
    const secrets = new Map<string, string>([
      [references[0], WEBHOOK],
      [references[1], 'k1'],
    ])
    const loaded = await loadConfigWithSecrets({ flags: {}, env, cwd: '/var/task', readFile: () => undefined }, async (reference) => {
      const secret = secrets.get(reference)
      if (secret === undefined) throw new Error(`${reference} is not known`)
      return secret
    })
    if ('problems' in loaded) assert.fail(JSON.stringify(loaded.problems))
    const { slack, certspotter } = loaded.config
    assert.ok(certspotter !== false)
    assert.deepEqual([slack.length, certspotter.token], [1, 'k1'])
  }
})

test('every parameter but the names has a default, and none of those that become part of a policy takes a wildcard', () => {
  assert.deepEqual(
    Object.entries(Parameters).flatMap(([name, { Default }]) => (Default === undefined ? [name] : [])),
    ['MonitorDomains'],
  )
  for (const name of [
    'SlackWebhookParameter',
    'SlackWebhookSecret',
    'CertspotterTokenParameter',
    'CertspotterTokenSecret',
    'StatePrefix',
    'PredecessorBucket',
    'SecretsKey',
  ]) {
    const pattern = new RegExp(Parameters[name]?.AllowedPattern ?? '')
    assert.match(Parameters[name]?.Default as string, pattern)
    for (const wild of ['*', '/certbell/*', 'arn:aws:secretsmanager:*', 'arn:aws:kms:eu-central-1:1:key/*', 'a?b', '/a?'])
      assert.doesNotMatch(wild, pattern, `${name}: ${wild}`)
  }
})

test('what the deployment needs is in the package', () => {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly files: readonly string[] }
  for (const folder of ['deploy', 'dist', 'docs']) assert.ok(files.includes(folder), folder)
  assert.ok(existsSync(join(root, 'docs/aws.md')) && existsSync(join(root, 'docs/migrate.md')))
})
