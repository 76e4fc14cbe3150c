// A poll that finds nothing writes nothing but the schedule: one row, once when the query is counted and once when the answer is in.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { createStore } from '../../src/stores/durable.ts'
import { openSqlite } from '../../src/stores/sqlite/backend.ts'
import type { Setup } from '../../src/stores/store.ts'

const SETUP: Setup = {
  items: [{ key: 'example.com', queryClass: 'full', cursor: '17' }],
  credential: 'test',
  quota: { full: 10, single: 100 },
  interval: 'auto',
  baseline: 'inventory',
  sinks: ['slack'],
}
const NOTHING = { sightings: [], malformed: [], more: false, entries: 0 }

it('a poll that finds nothing writes nothing but the schedule', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-quiet-'))
  try {
    const backend = await openSqlite(folder, folder)
    const store = await createStore(backend, SETUP, { id: 'me', alive: () => true }, () => () => false, 0)
    const looker = new DatabaseSync(join(folder, 'certbell.db'), { readOnly: true })
    const rows = (): unknown =>
      ['issuances', 'known', 'alerts', 'deliveries', 'messages', 'control'].map(
        (table) => looker.prepare(`select count(*) n from ${table}`).get()?.['n'],
      )
    const version = (): unknown => looker.prepare('pragma data_version').get()?.['data_version']
    const before = rows()

    const minute = 60_000
    const claim = await store.claim(minute, 2 * minute)
    assert.equal(claim.kind, 'work')
    if (claim.kind !== 'work') return
    await store.commit(claim.work, NOTHING, minute + 500)
    assert.deepEqual(rows(), before)

    // With nothing due nothing is written at all, by anyone who asks.
    const quiet = version()
    assert.equal((await store.claim(2 * minute, 3 * minute)).kind, 'wait')
    assert.equal((await store.nextMessage({ name: 'slack', batch: 10, spacingMs: 1000 }, 2 * minute, 3 * minute, () => '')).kind, 'wait')
    await store.review(2 * minute, true)
    assert.equal(version(), quiet)
    looker.close()
    await store.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
