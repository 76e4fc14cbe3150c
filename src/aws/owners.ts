import type { Owner } from '../stores/lease.ts'

/** The invocations of one process as owners of leases. One that has ended is known to; of other processes nothing is. */
export function createOwners(process: string): { begin(): { readonly owner: Owner; end(): void } } {
  const running = new Set<string>()
  let count = 0
  return {
    begin: () => {
      const id = `lambda ${process} ${++count}`
      running.add(id)
      return { owner: { id, alive: (other) => !other.startsWith(`lambda ${process} `) || running.has(other) }, end: () => void running.delete(id) }
    },
  }
}
