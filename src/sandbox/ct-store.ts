// What entries a log has, in little memory: the same submission may be there a million times, with another serial number each time.
import type { Submission } from './ct-entry.ts'

/** One entry, its serial number written into it. */
export interface StoredEntry {
  readonly submission: Submission
  readonly timestamp: number
  /** Undefined where the leaf has no extensions. */
  readonly leafIndex: number | undefined
}

export interface EntryStore {
  readonly size: number
  /** `serial` takes the place of the last six bytes of the submission's own serial number. */
  push(submission: Submission, timestamp: number, leafIndex: number | undefined, serial?: number): void
  at(index: number): StoredEntry
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
      const [timestamp, leafIndex, serial] = [timestamps[index]!, leafIndexes[index]!, serials[index]!]
      return {
        submission: serial === NONE ? submission : withSerial(submission, serial),
        timestamp,
        leafIndex: leafIndex === NONE ? undefined : leafIndex,
      }
    },
    fork: (size) => storeOf([...submissions], which.slice(0, size), timestamps.slice(0, size), leafIndexes.slice(0, size), serials.slice(0, size)),
  }
}

/** The submission with another serial number: another issuance, in the bytes of this one. */
function withSerial(submission: Submission, serial: number): Submission {
  if ('certificate' in submission) return { ...submission, certificate: { der: stamped(submission.certificate.der, serial, 1) } }
  const { der, tbs } = submission.precertificate
  return { ...submission, precertificate: { der: stamped(der, serial, 1), tbs: stamped(tbs, serial, 0) } }
}

// Where the serial number is: after the header of the TBS (and of the certificate around it) and the five bytes of the version.
function stamped(der: Buffer, serial: number, wrappers: number): Buffer {
  let at = 0
  for (let n = 0; n <= wrappers; n++) at += headerLength(der, at)
  at += 5
  const length = der[at + 1]!
  if (der[at] !== 0x02 || length < 8) throw new RangeError('there is no serial number long enough to be replaced')
  const copy = Buffer.from(der)
  copy.writeUIntBE(serial, at + 2 + length - 6, 6)
  return copy
}

function headerLength(der: Buffer, at: number): number {
  const first = der[at + 1]!
  return first < 0x80 ? 2 : 2 + first - 0x80
}
