// How a log lies, each a view to be shown (`served.show`). Two more are made elsewhere: a wrong leaf index with `log.add`, a wrong final head in a log list.
import type { Submission } from './ct-entry.ts'
import { flipSignature } from './ct-key.ts'
import { createCtLog, type CtLog } from './ct-log.ts'
import type { View } from './ct-shown.ts'

/** A true head with one bit of its signature flipped. */
export function brokenSignature(log: CtLog): View {
  return { head: flipSignature(log.head) }
}

/** A true head signed with another key than the log's. */
export function foreignSignature(log: CtLog): View {
  return { head: createCtLog({ name: log.name }).sign(log.head) }
}

/** The tree is honest, and one entry is not what was hashed into it. */
export function alteredEntry(index: number): View {
  return { flipped: [index] }
}

/** The last head of that size that was signed, or of fewer entries if there is none: true, and older. */
export function rollback(log: CtLog, size: number): View {
  const head = log.heads.findLast((each) => each.size <= size)
  if (head === undefined) throw new RangeError(`the log has no head of ${size} entries or fewer`)
  return { head }
}

/**
 * Another tree under the same key: the log's first `shared` entries, then others, up to `size` in all. Of the log's own size it is a split view; a larger one
 * is a fork; a smaller one a tree that shrank and is no prefix.
 */
export function otherTree(
  log: CtLog,
  options: { readonly shared: number; readonly size: number; readonly submissions: readonly Submission[] },
): View {
  const fork = log.fork(options.shared)
  // Serial numbers that the log itself does not come to.
  fork.addMany(options.size - options.shared, options.submissions, 2 ** 47)
  fork.publish()
  return { log: fork }
}

/** A true tree with a head signed at that time, ms: in the future, or before heads that were shown already. */
export function headAt(log: CtLog, timestamp: number): View {
  return { head: log.sign({ size: log.head.size, timestamp }) }
}

/** A head whose root is of no tree. */
export function wrongRoot(log: CtLog): View {
  return { head: log.sign({ size: log.head.size, root: Buffer.alloc(32, 0xbd) }) }
}

/** The views in turn, one for each request: frontends that are out of step. */
export function inTurn(...views: readonly (View | undefined)[]): () => View | undefined {
  let n = 0
  return () => views[n++ % views.length]
}
