// What a log's tree is made of.
//
//   struct { Version version; MerkleLeafType leaf_type; TimestampedEntry timestamped_entry; } MerkleTreeLeaf
//   struct { uint64 timestamp; LogEntryType entry_type;
//            select (entry_type) { case x509_entry: opaque ASN.1Cert<1..2^24-1>;
//                                  case precert_entry: opaque issuer_key_hash[32]; opaque TBSCertificate<1..2^24-1>; } signed_entry;
//            opaque CtExtensions<0..2^16-1>; } TimestampedEntry                          -- RFC 6962, section 3.4
import { ParseError } from './errors.ts'
import type { TlsReader } from './tls.ts'
import { tlsReader } from './tls.ts'

/** An entry as the log signed it. Views of the bytes that were read. */
export interface TimestampedEntry {
  /** ms since the epoch, the log's own word. */
  readonly timestamp: number
  readonly type: 'x509' | 'precert'
  /** The certificate; of a precertificate the TBSCertificate, without the poison. */
  readonly der: Uint8Array
  /** SHA-256 of the final issuer's SubjectPublicKeyInfo; of a precertificate alone. */
  readonly issuerKeyHash: Uint8Array | undefined
  readonly extensions: Uint8Array
}

const X509_ENTRY = 0
const PRECERT_ENTRY = 1

/** Reads a TimestampedEntry where the reader stands. Throws ParseError; of an entry type nobody knows, too: where it ends is then unknown. */
export function readTimestampedEntry(reader: TlsReader): TimestampedEntry {
  const timestamp = reader.uint64('timestamp')
  const type = reader.uint(2, 'entry_type')
  if (type !== X509_ENTRY && type !== PRECERT_ENTRY) throw new ParseError('value', 'entry_type', reader.at - 2, `is ${type}, which nobody knows`)
  const issuerKeyHash = type === PRECERT_ENTRY ? reader.take(32, 'issuer_key_hash') : undefined
  const der = reader.vector(3, type === PRECERT_ENTRY ? 'TBSCertificate' : 'ASN.1Cert')
  return { timestamp, type: type === PRECERT_ENTRY ? 'precert' : 'x509', der, issuerKeyHash, extensions: reader.vector(2, 'CtExtensions') }
}

/** Reads leaf_input of an RFC 6962 log. Throws ParseError; such an entry is hashed all the same, and may be anyone's. */
export function readMerkleTreeLeaf(leafInput: Uint8Array): TimestampedEntry {
  const reader = tlsReader(leafInput)
  const [version, leafType] = [reader.uint(1, 'version'), reader.uint(1, 'leaf_type')]
  if (version !== 0) throw new ParseError('value', 'version', 0, `is ${version}, which nobody knows`)
  if (leafType !== 0) throw new ParseError('value', 'leaf_type', 1, `is ${leafType}, which nobody knows`)
  const entry = readTimestampedEntry(reader)
  reader.end('MerkleTreeLeaf')
  return entry
}

const LEAF_INDEX = 0

/**
 * The leaf_index among the CtExtensions, exact to 2^40 (c2sp.org/static-ct-api, SCT extension). Undefined if there is none, as in RFC 6962 logs.
 * Unknown ones are skipped by their length. Throws ParseError.
 */
export function readLeafIndex(extensions: Uint8Array): number | undefined {
  const reader = tlsReader(extensions)
  let index: number | undefined
  while (!reader.atEnd()) {
    const type = reader.uint(1, 'extension_type')
    const data = reader.vector(2, 'extension_data')
    if (type !== LEAF_INDEX) continue
    if (data.length !== 5 || index !== undefined)
      throw new ParseError('value', 'leaf_index', reader.at, index === undefined ? `has ${data.length} bytes instead of 5` : 'is there twice')
    index = tlsReader(data).uint(5, 'leaf_index')
  }
  return index
}
