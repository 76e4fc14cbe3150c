// What a log shows one client in one answer. An honest log shows everyone the same; a log that lies, or has frontends out of step, does not.
import type { EntryBytes } from './ct-entry.ts'
import type { SignedHead } from './ct-key.ts'
import type { CtLog } from './ct-log.ts'

/** Left out is what is true: the log's own newest head, its entries as they are in its tree. */
export interface View {
  /** Another tree instead: a split view or a fork, made by `log.fork(size)`. */
  readonly log?: CtLog
  /** This head, true or not: an older one, one of `log.sign(…)`, one of `flipSignature`. Entries and tiles are shown up to its size. */
  readonly head?: SignedHead
  /** Entries with one bit flipped, their hashes being left as they are: the last bit of the certificate. */
  readonly flipped?: readonly number[]
}

/** A view, its gaps filled. */
export interface Shown {
  readonly log: CtLog
  readonly head: SignedHead
  /** Entries below this are served: what the head covers, and the log has. */
  readonly size: number
  readonly flipped: readonly number[]
}

/** Fills the gaps of a view. */
export function fillView(own: CtLog, view: View = {}): Shown {
  const log = view.log ?? own
  const head = view.head ?? log.head
  return { log, head, size: Math.min(head.size, log.size), flipped: view.flipped ?? [] }
}

/** The entry as it is shown. */
export function shownEntry({ log, flipped }: Shown, index: number): EntryBytes {
  const entry = log.entry(index)
  return flipped.includes(index) ? flipBit(entry) : entry
}

function flipBit(entry: EntryBytes): EntryBytes {
  const leafInput = Buffer.from(entry.leafInput)
  const tileLeaf = Buffer.from(entry.tileLeaf)
  const last = entry.derEndExclusive - 1
  leafInput[last] = leafInput[last]! ^ 1
  // A data tile has the leaf without its first two bytes.
  leafInput.copy(tileLeaf, 0, 2)
  return { ...entry, leafInput, tileLeaf }
}
