import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend } from '../../src/stores/backend.ts'
import { openSqlite } from '../../src/stores/sqlite/backend.ts'
import { storeContract } from './contract.ts'

storeContract('sqlite', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'certbell-store-'))
  const opened = new Set<Backend>()
  return {
    open: async () => {
      const backend = await openSqlite(directory, 'the state')
      const watched: Backend = {
        ...backend,
        close: async () => {
          opened.delete(watched)
          await backend.close()
        },
      }
      opened.add(watched)
      return watched
    },
    // In one thread the second would wait for ever for the first; processes.test.ts has two real ones.
    atOnce: false,
    remove: async () => {
      for (const backend of opened) await backend.close()
      rmSync(directory, { recursive: true })
    },
  }
})
