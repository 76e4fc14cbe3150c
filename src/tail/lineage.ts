// A log that keeps to another tree than the one that was verified: say, restored from an old copy. After an hour of nothing else it is read on from the
// last size that both trees share, as well as that can be known.
import type { CompactRange } from '../ct/compact-range.ts'
import { EMPTY_RANGE, rootOf } from '../ct/compact-range.ts'
import type { LogClient, TreeRoot } from '../sources/log-client.ts'
import { LogFailure } from '../sources/log-failure.ts'
import type { LogState, StoredHead } from '../stores/log-state.ts'
import { rangeOf, RECENT_HEADS } from '../stores/log-state.ts'

/** So long, and so many heads: contract, section 7. */
const KEEPS = 3_600_000
const HEADS = 3

/** The log showed one more head that is of another tree. Returns the state, and whether it keeps to that tree by now. */
export function strayed(state: LogState, now: number): { readonly state: LogState; readonly keepsTo: boolean } {
  const { since, heads } = state.stray ?? { since: now, heads: 0 }
  const stray = { since, heads: Math.min(HEADS, heads + 1) }
  return { state: { ...state, stray }, keepsTo: stray.heads >= HEADS && now - stray.since >= KEEPS }
}

/** Whether the tree that was verified is the beginning of this one; undefined if the log does not show it, or does not answer. */
export async function continues(client: LogClient, verified: CompactRange, tree: TreeRoot, signal: AbortSignal): Promise<boolean | undefined> {
  return holds(client, { size: verified.size, root: rootOf(verified) }, tree, signal)
}

/** Whether a tree is the beginning of a larger one; undefined if the log does not show it, or does not answer. */
export async function holds(client: LogClient, small: TreeRoot, large: TreeRoot, signal: AbortSignal): Promise<boolean | undefined> {
  return quietly(async () => client.isPrefix(small, large, signal))
}

/** Whether a smaller tree is the beginning of what was verified; undefined if that does not show. */
export async function isBeginning(client: LogClient, state: LogState, tree: TreeRoot, signal: AbortSignal): Promise<boolean | undefined> {
  const verified = rangeOf(state.verified)
  const shown = await quietly(async () => client.isPrefix(tree, { size: verified.size, root: rootOf(verified) }, signal))
  if (shown !== undefined) return shown
  // The log shows no more of the larger tree. It is not if one that we know, and that is smaller still, is not its beginning.
  const anchor = anchors(state).findLast(({ size }) => size <= tree.size)
  if (anchor === undefined || anchor.size === 0) return undefined
  return (await quietly(async () => client.isPrefix(anchor, tree, signal))) === false ? false : undefined
}

/** How often, and for how long, a log must show a newly signed smaller tree and nothing of the larger one, before that is no accident any more. */
const UNSHOWN = { looks: 3, ms: 30_000 }

/** The log signed less than before, anew, and did not show whether that is the beginning of it. Returns the state, and whether it has lost what it had. */
export function unshownAgain(state: LogState, now: number): { readonly state: LogState; readonly isLost: boolean } {
  const { since, looks } = state.unshown ?? { since: now, looks: 0 }
  const unshown = { since, looks: Math.min(UNSHOWN.looks, looks + 1) }
  return { state: { ...state, unshown }, isLost: unshown.looks >= UNSHOWN.looks && now - since >= UNSHOWN.ms }
}

/** The right edge of the largest tree that we know to be the beginning of both, verified; undefined if the log does not show enough. */
export async function lastShared(client: LogClient, state: LogState, tree: TreeRoot, signal: AbortSignal): Promise<CompactRange | undefined> {
  const known = anchors(state).filter(({ size }) => size < state.verified.size && size <= tree.size)
  // What both share they share up to any smaller size.
  let [least, most] = [-1, known.length - 1]
  while (least < most) {
    const middle = Math.ceil((least + most) / 2)
    const anchor = known[middle]
    if (anchor === undefined) break
    const shared = anchor.size === 0 || (await quietly(async () => client.isPrefix(anchor, tree, signal)))
    if (shared === undefined) return undefined
    if (shared) least = middle
    else most = middle - 1
  }
  const found = known[least]
  if (found === undefined || found.size === 0) return EMPTY_RANGE
  if (found.range !== undefined) return found.range
  const range = await quietly(async () => client.edge(found, tree, signal))
  return range !== undefined && rootOf(range).equals(Buffer.from(found.root)) ? range : undefined
}

interface Anchor extends TreeRoot {
  readonly range?: CompactRange
}

// Sizes at which we know our tree, smallest first: heads that were verified, and what the right edge is made of.
function anchors({ recent, verified }: LogState): readonly Anchor[] {
  const { hashes } = rangeOf(verified)
  const all: Anchor[] = recent.map(({ size, root }) => ({ size, root: Buffer.from(root, 'base64') }))
  let size = 0
  let rest = verified.size
  for (const n of hashes.keys()) {
    const width = 2 ** Math.floor(Math.log2(rest))
    size += width
    rest -= width
    const range = { size, hashes: hashes.slice(0, n + 1) }
    all.push({ size, root: rootOf(range), range })
  }
  return [{ size: 0, root: rootOf(EMPTY_RANGE), range: EMPTY_RANGE }, ...all].sort((a, b) => a.size - b.size)
}

// A proof that is not to be had is no proof of anything.
async function quietly<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof LogFailure)) throw error
    return undefined
  }
}

/**
 * The heads to keep once one more is verified: the newest as they are, and older ones ever further apart, since a tree may have parted from ours long
 * ago. Of the older ones each is at most twice as far away as the next newer, if they ever were that near.
 */
export function keepHeads(before: readonly StoredHead[], head: StoredHead): readonly StoredHead[] {
  const all = [...before, head].reverse()
  const kept = all.slice(0, RECENT_HEADS)
  let distance = head.size - (kept.at(-1)?.size ?? head.size)
  for (const [n, each] of all.entries()) {
    const older = all[n + 1]
    if (n < RECENT_HEADS || (older !== undefined && head.size - older.size <= 2 * distance)) continue
    kept.push(each)
    distance = head.size - each.size
  }
  return kept.reverse()
}
