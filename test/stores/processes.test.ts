import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'

const POLLER = fileURLToPath(new URL('poller.ts', import.meta.url))
const run = promisify(execFile)

test('two processes that poll with one state directory neither lose nor double, nor spend a query twice', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-two-'))
  const api = await startCertSpotterApi({ quota: { full: 40, single: 1 } })
  try {
    const ids = createIds()
    const names = Array.from({ length: 8 }, (_, n) => `name-${n}.example`)
    const issuances = Array.from({ length: 240 }, (_, n) =>
      makeIssuance({ id: ids(), names: [names[n % 8]!], notBefore: new Date(Date.now() - 40 * 86_400_000) }),
    )
    api.add(...issuances.slice(0, 200))
    // The rest is found by later passes, in the middle of the other process's work.
    api.afterAnswer(() => {
      const next = issuances[200 + api.requests.length]
      if (next !== undefined) api.add(next)
    })
    const out = join(folder, 'lines')
    const options = JSON.stringify({ api: api.url, state: join(folder, 'state'), out, names, passes: 3 })
    const both = await Promise.all([run(process.execPath, [POLLER, options]), run(process.execPath, [POLLER, options])])
    assert.deepEqual(
      both.map(({ stderr }) => stderr),
      ['', ''],
    )
    // Whoever comes last finds what is still to be told.
    await run(process.execPath, [POLLER, options])
    assert.ok(
      api.requests.every(({ status }) => status === 200),
      'the API never had to refuse',
    )
    assert.ok(api.requests.length > 8 && api.requests.length <= 40, `${api.requests.length} queries`)
    // One query at a time, and each from where the one before stopped.
    for (const name of names) {
      const cursors = api.requests.filter(({ domain }) => domain === name).map(({ after }) => after)
      assert.equal(cursors[0], '')
      assert.ok(!cursors.slice(1).includes(''), `${name} was begun once`)
    }
    const lines = readFileSync(out, 'utf8').trim().split('\n')
    const told = lines.map((line) => (JSON.parse(line) as { source: { id: string } }).source.id)
    const served = new Set(told)
    assert.equal(told.length, served.size, 'none twice')
    for (const { id } of issuances.slice(0, 200)) assert.ok(served.has(id), `${id} was lost`)
  } finally {
    await api.close()
    rmSync(folder, { recursive: true })
  }
})
