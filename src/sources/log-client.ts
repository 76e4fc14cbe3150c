// What is needed of a log, whatever its protocol.
import type { CompactRange } from '../ct/compact-range.ts'
import type { SignedTreeHead } from '../ct/tree-head.ts'
import type { LogPage } from './log-entry.ts'

/** A head as it came. `valid`: the log signed it. `received`: the bytes, as evidence. */
export interface ReceivedHead {
  readonly head: SignedTreeHead
  readonly valid: boolean
  readonly received: Buffer
  readonly url: string
}

/** A tree by its size and root. */
export interface TreeRoot {
  readonly size: number
  readonly root: Uint8Array
}

/** One log, to be read. Every method throws LogFailure where the log does not answer as it should, and AbortError once the signal is aborted. */
export interface LogClient {
  head(signal: AbortSignal): Promise<ReceivedHead>
  /**
   * The entries from `start`, up to `endExclusive` at most, or fewer: what one request gives. `size` is that of the tree that is read: a static log's
   * last tile is as wide as that. `keep`: with the answer as it came.
   */
  page(start: number, endExclusive: number, size: number, signal: AbortSignal, keep?: boolean): Promise<LogPage>
  /**
   * The right edge of a tree, not verified yet: to begin at its end. `within`: the tree that the log shows now, of which it is the beginning or the
   * whole.
   */
  edge(tree: TreeRoot, within: TreeRoot, signal: AbortSignal): Promise<CompactRange>
  /**
   * Whether the smaller tree is the beginning of the larger one, by what the log shows of both; undefined if it does not show enough. Nothing is to be
   * proved of an empty tree.
   */
  isPrefix(small: TreeRoot, large: TreeRoot, signal: AbortSignal): Promise<boolean | undefined>
  /**
   * Whether what has this right edge is the beginning of the tree, by what the log shows of that on the way to its end; undefined if it does not show
   * enough. Asked no more often than every `proofEvery` ms.
   */
  proves(edge: CompactRange, tree: TreeRoot, signal: AbortSignal): Promise<boolean | undefined>
  readonly proofEvery: number
  /** Where a page that holds `start` ends: asking for the parts between such places gives whole pages. */
  boundary(start: number): number
  /** Of a log whose pages come by a way that it did not sign for: that may be wrong while the log does not lie. */
  readonly signed?: SignedWay
}

/** The way to its entries that a log answers for. */
export interface SignedWay {
  readonly client: LogClient
  /** By this way the entries make the root, and by the other they did not: that one is not to be trusted for a while. */
  differed(): void
}
