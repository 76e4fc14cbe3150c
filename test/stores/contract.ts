// The store's contract, once, for every place that state may live in. Each part is a file of its own.
import { describe } from 'node:test'
import { baselineContract } from './contract-baseline.ts'
import { budgetContract } from './contract-budget.ts'
import { commitContract } from './contract-commit.ts'
import { outboxContract } from './contract-outbox.ts'
import { outageContract } from './contract-outage.ts'
import { pruneContract } from './contract-prune.ts'
import { sharedContract } from './contract-shared.ts'
import type { MakePlace } from './place.ts'

export function storeContract(name: string, make: MakePlace): void {
  describe(`the store's contract: ${name}`, () => {
    commitContract(make)
    baselineContract(make)
    budgetContract(make)
    outboxContract(make)
    outageContract(make)
    sharedContract(make)
    pruneContract(make)
  })
}
