// One entry of a log as it came, from either protocol.
import { ParseError } from '../ct/errors.ts'
import { readLeafIndex, readMerkleTreeLeaf } from '../ct/leaf.ts'
import type { TimestampedEntry } from '../ct/leaf.ts'

/** An entry, or what could not be read as one. Everything but the hash is a view of the answer's bytes. */
export interface LogEntry {
  readonly index: number
  /** SHA-256 over 0x00 and the leaf: 32 bytes. */
  readonly leafHash: Uint8Array
  /** Undefined: the leaf cannot be read; `why` says what is wrong. */
  readonly entry: TimestampedEntry | undefined
  readonly why: string | undefined
  /** The precertificate as it was submitted, where the log sent it along. Not signed. */
  readonly precertificate: Uint8Array | undefined
  /** The leaf_index extension says another place than this one. */
  readonly misplaced: boolean
}

/** Entries without a gap, the first being `start`. Never empty. */
export interface LogPage {
  readonly start: number
  readonly entries: readonly LogEntry[]
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

/** Whether a leaf_index is there and names another place; extensions that cannot be read name none. */
export function isMisplaced(entry: TimestampedEntry | undefined, index: number): boolean {
  if (entry === undefined || entry.extensions.length === 0) return false
  try {
    const said = readLeafIndex(entry.extensions)
    return said !== undefined && said !== index
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return true
  }
}
