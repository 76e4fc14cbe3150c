// A Certificate Transparency log without its server: keys, entries, tree and signed heads. It tells the truth; lies are made of several of it (`fork`) and
// of heads that it signs on demand (`sign`).
import { createHash } from 'node:crypto'
import { ctExtensions, uint, vector, type EntryBytes, type Submission } from './ct-entry.ts'
import { createLogKeys, signHead, type LogKeys, type SignedHead } from './ct-key.ts'
import { createEntryStore, type EntryStore } from './ct-store.ts'
import { createTree, hashLeaf, type Tree } from './ct-tree.ts'

/** What a log promised of an entry. */
export interface Sct {
  readonly index: number
  readonly timestamp: number
  /** SignedCertificateTimestamp, as it goes into a certificate. */
  readonly bytes: Buffer
}

export interface CtLogOptions {
  /** Part of its address and description. */
  readonly name: string
  /** The same key, and log id, for the same seed. */
  readonly seed?: string
  /** Ms; default Date.now. */
  readonly clock?: () => number
  /** True if each leaf says its index, as a static log's do. Default true. */
  readonly leafIndexes?: boolean
}

export interface CtLog {
  readonly name: string
  readonly keys: LogKeys
  /** Entries, those that no head covers yet included. */
  readonly size: number
  readonly tree: Tree
  /** Every head published, oldest first; the first is of the empty tree. */
  readonly heads: readonly SignedHead[]
  /** The newest. */
  readonly head: SignedHead
  /** Appends an entry and gives an SCT for it. `leafIndex` is what the leaf says of its place, for logs that are wrong about it. */
  add(submission: Submission, options?: { readonly timestamp?: number; readonly leafIndex?: number }): Sct
  /**
   * Appends `count` entries cheaply: the submissions in turn, each time with another serial number, `firstSerial` (default the log's size) and on. The same
   * submissions and numbers are the same issuances in another log.
   */
  addMany(count: number, submissions: readonly Submission[], firstSerial?: number): void
  /** Signs and shows a head over all entries, or the first `size`; at the clock's time unless told. */
  publish(options?: { readonly size?: number; readonly timestamp?: number }): SignedHead
  /** Signs what it is told, and shows it to nobody. By default a true head over all entries at the clock's time. */
  sign(head?: { readonly size?: number; readonly timestamp?: number; readonly root?: Buffer }): SignedHead
  entry(index: number): EntryBytes
  /** A certificate of a chain by its SHA-256 in hex. */
  issuer(fingerprint: string): Buffer | undefined
  /** Certificates that end a chain. */
  readonly roots: readonly Buffer[]
  /** True if a head was published whose tree has, `level` tile levels up, that many whole items: then partial tiles of it exist. */
  publishedAt(level: number, items: number): boolean
  /** Another log with the same keys, the first `size` entries, and the heads up to there: what it goes on with is its own. */
  fork(size: number): CtLog
}

/** A new log, its empty tree published. */
export function createCtLog(options: CtLogOptions): CtLog {
  const log = logOf(options, {
    keys: createLogKeys(options.seed),
    entries: createEntryStore(),
    tree: createTree(),
    heads: [],
    issuers: new Map(),
    roots: new Map(),
  })
  log.publish()
  return log
}

interface LogState {
  readonly keys: LogKeys
  readonly entries: EntryStore
  readonly tree: Tree
  readonly heads: SignedHead[]
  readonly issuers: Map<string, Buffer>
  readonly roots: Map<string, Buffer>
}

const TILE_WIDTH = 256
const TILE_LEVELS = 6
// A log that merges every second for a day would keep 86,400; nobody asks for a head older than this.
const HEADS_KEPT = 5000

function logOf(options: CtLogOptions, state: LogState): CtLog {
  const { keys, entries, tree, heads, issuers, roots } = state
  const clock = options.clock ?? Date.now
  const published = Array.from({ length: TILE_LEVELS }, () => new Set<number>())
  const seen = new Set<Submission>()

  const note = (size: number): void => {
    published.forEach((sizes, level) => sizes.add(Math.floor(size / TILE_WIDTH ** level)))
  }
  heads.forEach(({ size }) => note(size))

  const learnChain = (submission: Submission): void => {
    if (seen.has(submission)) return
    seen.add(submission)
    for (const { der } of submission.chain) issuers.set(createHash('sha256').update(der).digest('hex'), der)
    const last = submission.chain.at(-1)
    if (last !== undefined) roots.set(last.der.toString('base64'), last.der)
  }

  const append = (submission: Submission, timestamp: number, leafIndex: number | undefined, serial?: number): Buffer => {
    learnChain(submission)
    entries.push(submission, timestamp, leafIndex, serial)
    const { leafInput } = entries.at(entries.size - 1)
    tree.append(hashLeaf(leafInput))
    return leafInput
  }

  const ownIndex = () => (options.leafIndexes === false ? undefined : entries.size)

  const sign: CtLog['sign'] = ({ size = tree.size, timestamp = clock(), root = tree.root(size) } = {}) => signHead(keys, { size, timestamp, root })

  return {
    name: options.name,
    keys,
    tree,
    heads,
    get size() {
      return tree.size
    },
    get head() {
      return heads.at(-1)!
    },
    add(submission, { timestamp = clock(), leafIndex = ownIndex() } = {}) {
      const index = entries.size
      const leaf = append(submission, timestamp, leafIndex)
      const extensions = vector(2, ctExtensions(leafIndex))
      // An SCT signs what the log puts into its tree, byte for byte.
      return { index, timestamp, bytes: Buffer.concat([Buffer.of(0), keys.id, uint(timestamp, 8), extensions, keys.sign(leaf)]) }
    },
    addMany(count, submissions, firstSerial = entries.size) {
      const timestamp = clock()
      for (let n = 0; n < count; n++) append(submissions[n % submissions.length]!, timestamp, ownIndex(), firstSerial + n)
    },
    publish({ size, timestamp } = {}) {
      const head = sign({ ...(size === undefined ? {} : { size }), ...(timestamp === undefined ? {} : { timestamp }) })
      heads.push(head)
      if (heads.length > HEADS_KEPT) heads.shift()
      note(head.size)
      return head
    },
    sign,
    entry: (index) => entries.at(index),
    issuer: (fingerprint) => issuers.get(fingerprint),
    get roots() {
      return [...roots.values()]
    },
    publishedAt: (level, items) => published[level]?.has(items) ?? false,
    fork: (size) =>
      logOf(options, {
        keys,
        entries: entries.fork(size),
        tree: tree.fork(size),
        heads: heads.filter((head) => head.size <= size),
        issuers: new Map(issuers),
        roots: new Map(roots),
      }),
  }
}
