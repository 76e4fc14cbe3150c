import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openS3 } from '../../src/stores/s3/backend.ts'
import { numbers } from '../watch/simulate.ts'
import { startMoto, withoutMoto } from './moto.ts'
import { s3Options, s3Place } from './s3-place.ts'

const WRITER = fileURLToPath(new URL('s3-writer.ts', import.meta.url))
const TURNS = 40

async function twoProcesses(endpoint: string): Promise<void> {
  const ended = ['a', 'b'].map(async (name) => {
    const child = spawn(process.execPath, [WRITER, endpoint, name, String(TURNS)], { stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    const [code] = (await once(child, 'close')) as [number | null]
    assert.equal(code, 0, errors)
  })
  await Promise.all(ended)
  const { reader } = await openS3(s3Options(endpoint))
  assert.equal((await reader.control()).alerts['turns'], 2 * TURNS)
  const ids = (await reader.alerts({ pending: true })).map(({ alert }) => alert.id).sort()
  const wanted = Array.from({ length: TURNS }, (_, n) => [`a ${n}`, `b ${n}`, `shared ${n}`]).flat()
  assert.deepEqual(ids, wanted.sort())
  assert.deepEqual({ ...(await reader.waiting()) }, { slack: { waiting: 3 * TURNS, parked: 0 } })
}

it('two real processes on one bucket lose and double nothing, though answers get lost', async () => {
  const { fake } = await s3Place()
  try {
    const random = numbers(7)
    fake.switches.fault = ({ method }) => (random() < (method === 'PUT' ? 0.1 : 0.02) ? 'lost' : undefined)
    await twoProcesses(fake.endpoint)
  } finally {
    await fake.close()
  }
})

it('nor do they on a bucket of moto', { skip: withoutMoto }, async () => {
  const moto = await startMoto()
  try {
    await twoProcesses(moto.endpoint)
  } finally {
    moto.stop()
  }
})
