// Who works on something, and whether that process is still there.
import type { Lease } from './control.ts'

/** Which processes are still there: a lease of one that is surely gone is void at once. */
export interface Owner {
  readonly id: string
  /** False only if the process is known to have ended. */
  alive(id: string): boolean
}

/** True if someone who may still live works on it. */
export function held(lease: Lease | undefined, owner: Owner, now: number): boolean {
  return lease !== undefined && lease.until > now && owner.alive(lease.owner)
}
