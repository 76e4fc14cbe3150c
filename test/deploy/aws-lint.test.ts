// The template before and after the SAM transform, read by cfn-lint: CERTBELL_PYTHON_TOOLS is the folder of its executables, which .ci/run makes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

const tools = process.env['CERTBELL_PYTHON_TOOLS'] ?? ''
const skip = tools === '' ? 'CERTBELL_PYTHON_TOOLS names no folder with cfn-lint and the SAM translator' : false
const template = join(import.meta.dirname, '../../deploy/aws/template.yaml')

function run(name: string, ...words: readonly string[]): { readonly code: number | null; readonly out: string; readonly said: string } {
  const { status, stdout, stderr, error } = spawnSync(join(tools, name), words, { encoding: 'utf8', maxBuffer: 1 << 24 })
  if (error !== undefined) throw error
  return { code: status, out: stdout, said: stdout + stderr }
}

function transformed(file: string): string {
  const { code, out, said } = run('python', join(import.meta.dirname, 'transform.py'), file)
  assert.equal(code, 0, said)
  return out
}

function lint(text: string, name: string): { readonly code: number | null; readonly said: string } {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-lint-'))
  try {
    writeFileSync(join(folder, name), text)
    return run('cfn-lint', join(folder, name))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('cfn-lint has nothing to say of the template', { skip }, () => {
  const { code, said } = run('cfn-lint', template)
  assert.deepEqual([code, said.trim()], [0, ''])
})

test('nor of what the SAM transform makes of it', { skip }, () => {
  const { code, said } = lint(transformed(template), 'template.json')
  assert.deepEqual([code, said.trim()], [0, ''])
})

test('it would, if something were wrong', { skip }, () => {
  const text = readFileSync(template, 'utf8')
  for (const [right, wrong] of [
    ['nodejs24.x', 'nodejs12.x'],
    ['!GetAtt FailedRuns.Arn', '!GetAtt FailedRun.Arn'],
    ['TreatMissingData: breaching', 'TreatMissingData: alarming'],
  ] as const) {
    assert.notEqual(lint(text.replace(right, wrong), 'template.yaml').code, 0, wrong)
  }
})

test('the transform makes a schedule without a fixed name, and lets it start this function and nothing else', { skip }, () => {
  const { Resources } = JSON.parse(transformed(template)) as {
    readonly Resources: Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>
  }
  const made = (type: string) => Object.entries(Resources).flatMap(([name, { Type, Properties }]) => (Type === type ? [{ name, Properties }] : []))
  const [schedule] = made('AWS::Scheduler::Schedule')
  assert.equal(schedule?.Properties['Name'], undefined)
  const roles = made('AWS::IAM::Role').filter(({ name }) => name !== 'Role')
  assert.equal(roles.length, 1)
  assert.deepEqual(roles[0]?.Properties['ManagedPolicyArns'], undefined)
  const policies = roles[0]?.Properties['Policies'] as readonly { readonly PolicyDocument: { readonly Statement: unknown } }[]
  assert.equal(policies.length, 1)
  assert.deepEqual(policies[0]?.PolicyDocument.Statement, [
    { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: { 'Fn::GetAtt': ['Function', 'Arn'] } },
  ])
})
