// What a log makes of a submission: the leaf that it signs and hashes, and what it serves along with it in each protocol.
import { hash } from 'node:crypto'

/** A certificate of a chain: the log hashes the key of the first for `issuer_key_hash`. `MadeCertificate` and an authority's certificates are such. */
export interface ChainCertificate {
  readonly der: Buffer
  readonly pubkeyDer: Buffer
}

/** What is submitted. The bytes are logged as they are: any garbage will do. `tbs` of a precertificate is without the poison. */
export type Submission = (
  | { readonly certificate: { readonly der: Buffer } }
  | { readonly precertificate: { readonly der: Buffer; readonly tbs: Buffer } }
) & {
  /** Who certified it first, the root last. */
  readonly chain: readonly ChainCertificate[]
  /** If not of the first of the chain: of who will sign the certificate, where that first is a precertificate signing certificate. */
  readonly issuerKeyHash?: Buffer
  /** Says that it is of another type than it is. */
  readonly entryType?: number
}

/** An entry in the log's own bytes. */
export interface EntryBytes {
  /** MerkleTreeLeaf, and the message under the SCT. */
  readonly leafInput: Buffer
  /** What RFC 6962 logs serve beside it. */
  readonly extraData: Buffer
  /** The entry in a data tile. */
  readonly tileLeaf: Buffer
  /** Where the certificate, or TBS, ends in `leafInput`: the extensions follow. */
  readonly derEndExclusive: number
}

const X509_ENTRY = 0
const PRECERT_ENTRY = 1

/** MerkleTreeLeaf: version, leaf_type, TimestampedEntry. Without a `leafIndex` the extensions are empty, as in RFC 6962 logs. */
function merkleTreeLeaf(submission: Submission, timestamp: number, leafIndex: number | undefined): Buffer {
  return Buffer.concat([Buffer.of(0, 0), uint(timestamp, 8), ...signedEntry(submission), vector(2, ctExtensions(leafIndex))])
}

/** All three forms of the entry. */
export function entryBytes(submission: Submission, timestamp: number, leafIndex: number | undefined): EntryBytes {
  const leafInput = merkleTreeLeaf(submission, timestamp, leafIndex)
  const submitted = 'precertificate' in submission ? [vector(3, submission.precertificate.der)] : []
  // Each protocol asks for one of the two, thousands of times.
  return {
    leafInput,
    derEndExclusive: leafInput.length - 2 - ctExtensions(leafIndex).length,
    get extraData() {
      return Buffer.concat([...submitted, vector(3, ...submission.chain.map(({ der }) => vector(3, der)))])
    },
    get tileLeaf() {
      return Buffer.concat([leafInput.subarray(2), ...submitted, vector(2, ...submission.chain.map(({ der }) => sha256(der)))])
    },
  }
}

/** CtExtensions with the leaf_index: type 0, five bytes (c2sp.org/static-ct-api). */
export function ctExtensions(leafIndex: number | undefined): Buffer {
  return leafIndex === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.of(0), vector(2, uint(leafIndex, 5))])
}

/** A TLS vector: its length in bytes, in `width` bytes, before it. */
export function vector(width: 2 | 3, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([uint(body.length, width), body])
}

/** A big-endian number of `width` bytes. */
export function uint(value: number, width: number): Buffer {
  const bytes = Buffer.alloc(Math.max(8, width))
  bytes.writeBigUInt64BE(BigInt(value), bytes.length - 8)
  if (width < 8 && value >= 2 ** (8 * width)) throw new RangeError(`${value} takes more than ${width} bytes`)
  return bytes.subarray(bytes.length - width)
}

function signedEntry(submission: Submission): readonly Buffer[] {
  if ('certificate' in submission) return [uint(submission.entryType ?? X509_ENTRY, 2), vector(3, submission.certificate.der)]
  return [
    uint(submission.entryType ?? PRECERT_ENTRY, 2),
    submission.issuerKeyHash ?? keyHash(submission.chain[0]),
    vector(3, submission.precertificate.tbs),
  ]
}

function keyHash(issuer: ChainCertificate | undefined): Buffer {
  if (issuer === undefined) throw new RangeError('a precertificate has no issuer_key_hash without the certificate of its issuer')
  return sha256(issuer.pubkeyDer)
}

function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}
