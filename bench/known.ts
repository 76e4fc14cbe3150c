// A state directory that knows a great many issuances already, filled by the store's own hand.
import { createHash } from 'node:crypto'
import { openSqlite } from '../src/stores/sqlite/backend.ts'

const LOT = 20_000

/** Makes the state in `directory` know so many issuances of names under `known.example`. */
export async function fillState(directory: string, count: number): Promise<void> {
  const backend = await openSqlite(directory, directory)
  const now = Date.now()
  for (let start = 0; start < count; start += LOT) {
    await backend.transact(async (tx) => {
      const issuances = Array.from({ length: Math.min(LOT, count - start) }, (_, n) => ({
        id: createHash('sha256')
          .update(`known ${start + n}`)
          .digest('hex'),
        names: [`host-${start + n}.known.example`, `www.host-${start + n}.known.example`],
        ipAddresses: [],
        issuer: 'Known CA',
        notBefore: now - 86_400_000,
        notAfter: now + 86_400_000,
        seenAt: now,
        source: { kind: 'log' as const, id: `bench ${start + n}` },
        rang: false,
      }))
      await tx.addIssuances(issuances, true)
    })
  }
  await backend.transact(async (tx) => tx.sortIn())
  await backend.close()
}
