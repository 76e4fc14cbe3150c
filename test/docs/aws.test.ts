// docs/aws.md held against the template that it describes, and its arithmetic done again.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { lambdaPlace } from '../lambda/place.ts'
import { parseTemplate, workOut } from '../support/cloudformation.ts'
import type { Statement } from '../support/iam.ts'

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'docs/aws.md'), 'utf8')
const template = parseTemplate(readFileSync(join(root, 'deploy/aws/template.yaml'), 'utf8'))
const { Parameters = {} } = template

function section(title: string): string {
  const from = text.indexOf(`\n## ${title}\n`)
  assert.ok(from >= 0, title)
  const to = text.indexOf('\n## ', from + 1)
  return text.slice(from, to === -1 ? undefined : to)
}

function rows(part: string): readonly (readonly string[])[] {
  return part
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}

const codes = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')

test('every parameter is told of, and defaults are those of the template', () => {
  for (const name of Object.keys(Parameters)) assert.ok(text.includes(`\`${name}\``), name)
  for (const [cell = '', given = ''] of rows(section('Settings'))) {
    const [name] = codes(cell)
    if (name === undefined) continue
    const value = Parameters[name]?.Default
    assert.equal(given.replaceAll('`', ''), value === '' ? 'empty' : String(value as string | number), name)
  }
})

test('every alarm has its line', () => {
  const alarms = Object.entries(workOut(template, { MonitorDomains: 'example.com' })).flatMap(([name, { Type }]) =>
    Type === 'AWS::CloudWatch::Alarm' ? [name] : [],
  )
  const told = rows(section('The alarms')).flatMap(([cell = '']) => codes(cell))
  assert.deepEqual([...told].sort(), alarms.sort())
})

test('the permissions are those of the role', () => {
  const everything = {
    MonitorDomains: 'example.com',
    PredecessorBucket: 'old',
    SlackWebhookParameter: '/a',
    CertspotterTokenSecret: 'arn:a',
    SecretsKey: 'arn:b',
  }
  const { Properties } = workOut(template, everything)['Role'] ?? assert.fail()
  const policies = Properties['Policies'] as unknown as readonly { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }[]
  const actions = new Set(policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement).flatMap(({ Action }) => Action))
  const told = new Set(rows(section('Permissions, and why')).flatMap(([cell = '']) => codes(cell)))
  assert.deepEqual([...told].sort(), [...actions].sort())
})

// `(43,800 × 7 + 7,300 × 3) × 0.0004 per thousand`, units being decoration.
function reckon(cell: string): number {
  const product = (text: string): number => text.split('*').reduce((value, factor) => value * Number(factor), 1)
  const divisor = cell.endsWith(' per thousand') ? 1000 : cell.endsWith(' per million') ? 1_000_000 : 1
  const expression = cell
    .replaceAll(',', '')
    .replaceAll('×', '*')
    .replace(/ (?:at most|per thousand|per million|GB|s)\b/g, '')
  const flat = expression.replace(/\(([^)]*)\)/g, (_, sum: string) => String(sum.split('+').reduce((total, part) => total + product(part), 0)))
  assert.match(flat, /^[\d.* ]+$/, cell)
  return product(flat) / divisor
}

test('the cost is what the reckoning comes to', () => {
  const lines = rows(section('What it costs'))
  let [all, beyond] = [0, 0]
  for (const [, reckoning = '', , without = '', allowed = ''] of lines) {
    const value = Number(without)
    if (without === '' || Number.isNaN(value)) continue
    if (/×/.test(reckoning) && !reckoning.startsWith('below')) assert.equal(reckon(reckoning).toFixed(2), without, reckoning)
    all += value
    beyond += Number(allowed)
  }
  const total = lines.at(-1)
  assert.deepEqual(total?.slice(3), [`**${all.toFixed(2)}**`, `**${beyond.toFixed(2)}**`])
})

test('a run reads and writes as often as is reckoned with, and the cost in the README is this one', async () => {
  const lines = rows(section('What it costs'))
  const [, , reading] = lines.find(([name]) => name === 'S3, reading') ?? []
  const [, , writing] = lines.find(([name]) => name === 'S3, writing') ?? []
  const [idle, more] =
    /(\d+) reads .* (\d+) more/
      .exec(reading ?? '')
      ?.slice(1)
      .map(Number) ?? []
  const [written] =
    /(\d+) writes/
      .exec(writing ?? '')
      ?.slice(1)
      .map(Number) ?? []
  const place = await lambdaPlace()
  try {
    const requests = async (minutes: number): Promise<readonly [polled: number, reads: number | undefined, writes: number | undefined]> => {
      place.s3.log.length = 0
      const { polled } = await place.summary(minutes)
      const count = (method: string) => place.s3.log.filter((request) => request.method === method).length
      assert.ok(place.s3.log.every(({ key }) => key === 'certbell.json.gz'))
      return [polled, count('GET'), count('PUT')]
    }
    await place.summary(0)
    await place.summary(0.1)
    assert.deepEqual(await requests(0.2), [0, idle, 0])
    assert.deepEqual(await requests(2), [1, Number(idle) + Number(more), written])
  } finally {
    await place.close()
  }
  const [beyond, all] = (lines.at(-1) ?? [])
    .slice(3)
    .map((cell) => cell.replaceAll('*', ''))
    .reverse()
  assert.ok(readFileSync(join(root, 'README.md'), 'utf8').includes(`It costs ${beyond} to ${all} dollars a month`))
})
