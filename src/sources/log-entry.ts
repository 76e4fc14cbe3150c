// A page of a log, whatever its protocol: the hash of each entry, and the few entries that may matter.
import { ParseError } from '../ct/errors.ts'
import { readLeafIndex, readMerkleTreeLeaf } from '../ct/leaf.ts'
import type { TimestampedEntry } from '../ct/leaf.ts'
import { HASH_SIZE } from '../ct/merkle.ts'

/** An entry, or what could not be read as one. */
export interface LogEntry {
  readonly index: number
  /** SHA-256 over 0x00 and the leaf: 32 bytes. */
  readonly leafHash: Uint8Array
  /** Undefined: the leaf cannot be read; `why` says what is wrong. */
  readonly entry: TimestampedEntry | undefined
  readonly why: string | undefined
  /** The precertificate as it was submitted, where the log sent it along. Not signed. */
  readonly precertificate: Uint8Array | undefined
}

/** Entries without a gap, the first being `start`; never none. */
export interface LogPage {
  readonly start: number
  /** The leaf hashes, 32 bytes each, one after the other. */
  readonly hashes: Buffer
  /** Entries that may matter to the owner. */
  readonly kept: readonly LogEntry[]
  /** Indices of entries whose leaf_index says another place. */
  readonly misplaced: readonly number[]
  /** The answers that it was made of, where they were to be kept. */
  readonly received?: readonly Received[]
}

/** An answer as it came. `tooLarge`: it had so many bytes, more than are kept as evidence, and `bytes` has none of them. */
export interface Received {
  readonly url: string
  readonly bytes: Uint8Array
  readonly tooLarge?: number
}

/** Of one answer. */
const MOST_RECEIVED = 8 * 1024 * 1024

/** A copy of an answer, which holds nothing of its memory, as far as it is not too large for that. */
export function receivedOf(url: string, bytes: Uint8Array): Received {
  return bytes.length > MOST_RECEIVED ? { url, bytes: new Uint8Array(), tooLarge: bytes.length } : { url, bytes: Buffer.from(bytes) }
}

/** A page while it is read: its entries are views of the answer's bytes. */
export interface PageViews extends Omit<LogPage, 'kept'> {
  readonly kept: readonly Omit<LogEntry, 'leafHash'>[]
}

/** How many entries a page has. */
export function entriesIn({ hashes }: Pick<LogPage, 'hashes'>): number {
  return hashes.length / HASH_SIZE
}

/** Reads a leaf; what cannot be read is an entry all the same. */
export function readLeaf(leafInput: Uint8Array): Pick<LogEntry, 'entry' | 'why'> {
  try {
    return { entry: readMerkleTreeLeaf(leafInput), why: undefined }
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return { entry: undefined, why: error.message }
  }
}

/** Whether a leaf_index is there and names another place. */
export function isMisplaced({ extensions }: TimestampedEntry, index: number): boolean {
  if (extensions.length === 0) return false
  try {
    const said = readLeafIndex(extensions)
    return said !== undefined && said !== index
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return true
  }
}
