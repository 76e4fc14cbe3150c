// One submission, a million entries: its bytes are laid out once, and each time another serial number, timestamp and index are written into a copy.
import { entryBytes, type EntryBytes, type Submission } from './ct-entry.ts'

/** The entry of a submission with another serial number in place of the last six bytes of its own: another issuance. */
export type Stamp = (submission: Submission, timestamp: number, leafIndex: number | undefined, serial: number) => EntryBytes

interface Layout {
  readonly bytes: EntryBytes
  /** Where serial numbers are, in each form. */
  readonly leafInput: readonly number[]
  readonly tileLeaf: readonly number[]
  readonly extraData: readonly number[]
}

const SERIAL_BYTES = 6

/** Keeps a layout for each submission that it is given. */
export function createStamp(): Stamp {
  const layouts = new Map<Submission, Layout>()
  return (submission, timestamp, leafIndex, serial) => {
    const layout = layouts.get(submission) ?? layOut(submission, leafIndex)
    layouts.set(submission, layout)
    const { bytes } = layout
    // MerkleTreeLeaf has two bytes before the timestamp, a data tile none; what follows is the same up to the extensions.
    const signed = (form: 'leafInput' | 'tileLeaf', at: number): Buffer => {
      const copy = withSerial(bytes[form], layout[form], serial)
      copy.writeUIntBE(timestamp, at + 2, 6)
      if (leafIndex !== undefined) copy.writeUIntBE(leafIndex, at + bytes.derEndExclusive + 3, 5)
      return copy
    }
    return {
      leafInput: signed('leafInput', 2),
      derEndExclusive: bytes.derEndExclusive,
      get tileLeaf() {
        return signed('tileLeaf', 0)
      },
      get extraData() {
        return withSerial(bytes.extraData, layout.extraData, serial)
      },
    }
  }
}

function layOut(submission: Submission, leafIndex: number | undefined): Layout {
  const { leafInput, derEndExclusive, tileLeaf, extraData } = entryBytes(submission, 0, leafIndex)
  const bytes = { leafInput, derEndExclusive, tileLeaf, extraData }
  if ('certificate' in submission) {
    const { der } = submission.certificate
    const at = derEndExclusive - der.length + serialEnd(der, 2)
    return { bytes, leafInput: [at], tileLeaf: [at - 2], extraData: [] }
  }
  const { der, tbs } = submission.precertificate
  const at = derEndExclusive - tbs.length + serialEnd(tbs, 1)
  // The precertificate comes after the length of its own, in three bytes: at the head of extra_data, and behind the leaf in a tile.
  const inside = 3 + serialEnd(der, 2)
  return { bytes, leafInput: [at], tileLeaf: [at - 2, leafInput.length - 2 + inside], extraData: [inside] }
}

function withSerial(bytes: Buffer, ends: readonly number[], serial: number): Buffer {
  const copy = Buffer.from(bytes)
  for (const end of ends) copy.writeUIntBE(serial, end - SERIAL_BYTES, SERIAL_BYTES)
  return copy
}

// Where the serial number ends: after the headers of the sequences around it, and the five bytes of the version.
function serialEnd(der: Buffer, sequences: number): number {
  let at = 0
  for (let n = 0; n < sequences; n++) at += der[at + 1]! < 0x80 ? 2 : 2 + der[at + 1]! - 0x80
  at += 5
  const length = der[at + 1]!
  if (der[at] !== 0x02 || length < SERIAL_BYTES + 2) throw new RangeError('there is no serial number long enough to be replaced')
  return at + 2 + length
}
