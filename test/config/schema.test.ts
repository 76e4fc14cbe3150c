import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { configJsonSchemaText } from '../../src/config/schema.ts'

test('the published schema is the generated one (npm run schema writes it)', () => {
  assert.equal(readFileSync(new URL('../../schema/certbell.schema.json', import.meta.url), 'utf8'), configJsonSchemaText())
})

test('it knows every key of the contract, describes each, and refuses others', () => {
  const schema: {
    properties: Record<string, { description?: string; anyOf?: { properties?: object; additionalProperties?: boolean }[] }>
    additionalProperties: boolean
  } = JSON.parse(configJsonSchemaText())
  assert.deepEqual(Object.keys(schema.properties), [
    'watch',
    'exclude',
    'slack',
    'stdout',
    'certspotter',
    'logs',
    'state',
    'contact',
    'heartbeat',
    'listen',
  ])
  for (const [key, { description }] of Object.entries(schema.properties)) assert.ok((description ?? '').length > 20, key)
  assert.equal(schema.additionalProperties, false)
  const certspotter = schema.properties['certspotter']?.anyOf?.find(({ properties }) => properties !== undefined)
  assert.deepEqual(Object.keys(certspotter?.properties ?? {}), ['token', 'url', 'quota', 'interval', 'baseline'])
  assert.equal(certspotter?.additionalProperties, false)
  const logs = schema.properties['logs']?.anyOf?.find(({ properties }) => properties !== undefined)
  assert.deepEqual(Object.keys(logs?.properties ?? {}), ['lists', 'only', 'start', 'interval', 'bandwidth'])
  assert.equal(logs?.additionalProperties, false)
})
