// What entries a log has, in little memory: the same submission may be there a million times, with another serial number each time.
import { entryBytes, type EntryBytes, type Submission } from './ct-entry.ts'
import { createStamp } from './ct-stamp.ts'

/** The entries of a log, in order. */
export interface EntryStore {
  readonly size: number
  /** `serial`, if there is one, takes the place of the last six bytes of the submission's own. `leafIndex` is undefined where leaves have no extensions. */
  push(submission: Submission, timestamp: number, leafIndex: number | undefined, serial?: number): void
  at(index: number): EntryBytes
  /** Another store that has the first `size` entries of this one. */
  fork(size: number): EntryStore
}

const NONE = -1

/** An empty store. */
export function createEntryStore(): EntryStore {
  return storeOf([], [], [], [], [])
}

// Columns: numbers in arrays of their own are packed, objects would be 100 bytes each.
function storeOf(submissions: Submission[], which: number[], timestamps: number[], leafIndexes: number[], serials: number[]): EntryStore {
  const known = new Map(submissions.map((submission, n) => [submission, n]))
  const stamp = createStamp()
  return {
    get size() {
      return which.length
    },
    push(submission, timestamp, leafIndex, serial) {
      let n = known.get(submission)
      if (n === undefined) {
        n = submissions.push(submission) - 1
        known.set(submission, n)
      }
      which.push(n)
      timestamps.push(timestamp)
      leafIndexes.push(leafIndex ?? NONE)
      serials.push(serial ?? NONE)
    },
    at(index) {
      const submission = submissions[which[index] ?? NONE]
      if (submission === undefined) throw new RangeError(`there is no entry ${index}`)
      const [timestamp, serial] = [timestamps[index]!, serials[index]!]
      const leafIndex = leafIndexes[index] === NONE ? undefined : leafIndexes[index]
      return serial === NONE ? entryBytes(submission, timestamp, leafIndex) : stamp(submission, timestamp, leafIndex, serial)
    },
    fork: (size) => storeOf([...submissions], which.slice(0, size), timestamps.slice(0, size), leafIndexes.slice(0, size), serials.slice(0, size)),
  }
}
