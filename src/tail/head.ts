// A head as it came: the tree that it promises, how it is told from another, and that tree's right edge.
import type { CompactRange } from '../ct/compact-range.ts'
import { rootOf } from '../ct/compact-range.ts'
import type { LogClient, ReceivedHead, TreeRoot } from '../sources/log-client.ts'
import { LogFailure } from '../sources/log-failure.ts'

/** Its tree. */
export function treeOf({ head }: ReceivedHead): TreeRoot {
  return { size: head.size, root: head.rootHash }
}

/** The same for heads of the same tree. */
export function aboutHead({ head }: ReceivedHead): string {
  return `${head.size} ${Buffer.from(head.rootHash).toString('base64')}`
}

/** The right edge of its tree, verified against its root. Throws LogFailure. */
export async function edgeAt(client: LogClient, received: ReceivedHead, signal: AbortSignal): Promise<CompactRange> {
  const tree = treeOf(received)
  const range = await client.edge(tree, tree, signal)
  if (!rootOf(range).equals(Buffer.from(tree.root))) throw new LogFailure('broken', 'its right edge does not make the root that it signed')
  return range
}
