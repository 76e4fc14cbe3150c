// What the function's role may do, judged as IAM would: everything that the program asks for, and nothing beside it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { readPredecessor } from '../../src/stores/s3/predecessor-object.ts'
import { honoursConditions } from '../../src/stores/s3/probe.ts'
import { s3Place } from '../stores/s3-place.ts'
import { parseTemplate, workOut } from '../support/cloudformation.ts'
import type { Asked, Statement } from '../support/iam.ts'
import { allows } from '../support/iam.ts'
import { askedInALife, asks, recorded } from './asked.ts'

const template = parseTemplate(readFileSync(join(import.meta.dirname, '../../deploy/aws/template.yaml'), 'utf8'))
// The prefix of the tests' place in S3.
const LEAST = { MonitorDomains: 'example.com', StatePrefix: 'state' }

function statements(parameters: Readonly<Record<string, string>> = {}): readonly Statement[] {
  const { Properties } = workOut(template, { ...LEAST, ...parameters })['Role'] ?? assert.fail()
  const policies = Properties['Policies'] as unknown as readonly { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }[]
  return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
}

const { get, put, remove, list } = asks

test('the role: all that the program does to its state is allowed', async () => {
  const asked = await askedInALife('statebucket')
  assert.equal(new Set(asked.map(({ action }) => action)).size, 4)
  const may = statements()
  for (const one of asked) assert.ok(allows(may, one), JSON.stringify(one))
})

test("the role: so is the doctor's probe", async () => {
  const asked: Asked[] = []
  const { fake, options } = await s3Place()
  const { store, place } = options()
  assert.ok(await honoursConditions(recorded(store, 'statebucket', asked), place.prefix, 'x1'))
  await fake.close()
  const may = statements()
  for (const one of asked) assert.ok(allows(may, one), JSON.stringify(one))
})

test("the role: the predecessor's marks are read, there or not, where they are to be taken over and nowhere else", async () => {
  const asked: Asked[] = []
  const { fake, options } = await s3Place()
  fake.set('example.com', '"1"')
  for (const name of ['example.com', 'bücher.example']) await readPredecessor(recorded(options().store, 'old-bucket', asked), name)
  await fake.close()
  assert.equal(asked.length, 3)
  for (const one of asked) {
    assert.ok(allows(statements({ PredecessorBucket: 'old-bucket' }), one), JSON.stringify(one))
    assert.ok(!allows(statements(), one))
  }
})

const ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:certbell-AbCdEf'
const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/1'
const ALL = {
  PredecessorBucket: 'old-bucket',
  SlackWebhookParameter: '/certbell/slack',
  CertspotterTokenSecret: ARN,
  SecretsKey: KEY,
}
const parameter = (name: string): string => `arn:aws:ssm:eu-central-1:123456789012:parameter${name}`
const viaSsm = { 'kms:ViaService': 'ssm.eu-central-1.amazonaws.com' }

const tried: readonly (readonly [what: string, may: boolean, asked: Asked, parameters?: Readonly<Record<string, string>>])[] = [
  ['the root is replaced', true, put('statebucket', 'state/certbell.json.gz')],
  ['the root is never removed', false, remove('statebucket', 'state/certbell.json.gz')],
  ['segments are', true, remove('statebucket', 'state/segments/x.keys')],
  ['nothing outside the prefix is written', false, put('statebucket', 'x')],
  ['nor read', false, get('statebucket', 'x')],
  ['nor beside it, where the prefix is only the beginning of a name', false, get('statebucket', 'state2/certbell.json.gz')],
  ['nor listed', false, list('statebucket', '')],
  ['old versions stay', false, { action: 's3:DeleteObjectVersion', resource: 'arn:aws:s3:::statebucket/state/certbell.json.gz' }],
  ['the bucket stays', false, { action: 's3:DeleteBucket', resource: 'arn:aws:s3:::statebucket' }],
  ['and its policy', false, { action: 's3:PutBucketPolicy', resource: 'arn:aws:s3:::statebucket' }],
  [
    "listing is granted on the bucket's own ARN, where it has an effect",
    false,
    { ...list('statebucket', 'state/x'), resource: 'arn:aws:s3:::statebucket/*' },
  ],
  ['other buckets are none of its business', false, get('another', 'state/certbell.json.gz')],
  ["the predecessor's marks are read", true, get('old-bucket', 'example.com'), ALL],
  ['and never written', false, put('old-bucket', 'example.com'), ALL],
  ['nor removed', false, remove('old-bucket', 'example.com'), ALL],
  ['its own log', true, { action: 'logs:PutLogEvents', resource: 'arn:aws:logs:eu-central-1:123456789012:log-group:loggroup:log-stream:x' }],
  ['no other log', false, { action: 'logs:PutLogEvents', resource: 'arn:aws:logs:eu-central-1:123456789012:log-group:other:log-stream:x' }],
  ['the queue of failed runs', true, { action: 'sqs:SendMessage', resource: 'failedruns.Arn' }],
  ['which it does not read', false, { action: 'sqs:ReceiveMessage', resource: 'failedruns.Arn' }],
  ['the parameter that was named', true, { action: 'ssm:GetParameter', resource: parameter('/certbell/slack') }, ALL],
  ['no other', false, { action: 'ssm:GetParameter', resource: parameter('/certbell/slack2') }, ALL],
  ['none where none was named', false, { action: 'ssm:GetParameter', resource: parameter('/certbell/slack') }],
  ['the secret that was named', true, { action: 'secretsmanager:GetSecretValue', resource: ARN }, ALL],
  ['no secret where none was named', false, { action: 'secretsmanager:GetSecretValue', resource: ARN }],
  ['the key that was named, for the parameter', true, { action: 'kms:Decrypt', resource: KEY, context: viaSsm }, ALL],
  ['not for anything else', false, { action: 'kms:Decrypt', resource: KEY, context: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } }, ALL],
  ['nor straight', false, { action: 'kms:Decrypt', resource: KEY }, ALL],
  ['no key where none was named', false, { action: 'kms:Decrypt', resource: KEY, context: viaSsm }],
]

for (const [what, may, asked, parameters] of tried) {
  test(`the role: ${what}`, () => assert.equal(allows(statements(parameters), asked), may))
}

test('the role: every statement is a plain permission for named actions on named things', () => {
  const { Properties } = workOut(template, { ...LEAST, ...ALL })['Role'] ?? assert.fail()
  assert.equal(Properties['ManagedPolicyArns'], undefined)
  assert.deepEqual((Properties['AssumeRolePolicyDocument'] as { readonly Statement: unknown }).Statement, [
    { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
  ])
  for (const { Effect, Action, Resource } of statements(ALL)) {
    assert.equal(Effect, 'Allow')
    for (const action of [Action].flat()) assert.match(action, /^[a-z0-9]+:[A-Za-z]+$/)
    for (const resource of [Resource].flat()) assert.doesNotMatch(resource, /^\*$|^arn:aws:s3:::\*/)
  }
  assert.equal(new Set(statements(ALL).map(({ Sid }) => Sid)).size, statements(ALL).length)
})
