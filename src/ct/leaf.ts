// What a log's tree is made of.
//
//   struct { Version version; MerkleLeafType leaf_type; TimestampedEntry timestamped_entry; } MerkleTreeLeaf
//   struct { uint64 timestamp; LogEntryType entry_type;
//            select (entry_type) { case x509_entry: opaque ASN.1Cert<1..2^24-1>;
//                                  case precert_entry: opaque issuer_key_hash[32]; opaque TBSCertificate<1..2^24-1>; } signed_entry;
//            opaque CtExtensions<0..2^16-1>; } TimestampedEntry                          -- RFC 6962, section 3.4
import { ParseError } from './errors.ts'
import { tlsReader, uint16At, uint24At, uintAt } from './tls.ts'

/** An entry as the log signed it. Views of the bytes that were read. */
export interface TimestampedEntry {
  /** ms since the epoch, the log's own word. Number.MAX_SAFE_INTEGER for more than that, too: no date is as late. */
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
const KEY_HASH_SIZE = 32

/**
 * Where the parts of a TimestampedEntry stand in the bytes. Made once and filled again for each entry: most are looked at by their offsets alone, and an
 * object and five views for each would cost more than that.
 */
export interface EntryOffsets {
  start: number
  type: 'x509' | 'precert'
  der: number
  derEnd: number
  extensions: number
  /** Of the entry, and of its extensions. */
  end: number
}

/** Offsets to be filled by `locateEntry`. */
export function createEntryOffsets(): EntryOffsets {
  return { start: 0, type: 'x509', der: 0, derEnd: 0, extensions: 0, end: 0 }
}

/** Whether it is a LogEntryType of which is known where such an entry ends. */
export function isKnownType(type: number): boolean {
  return type === X509_ENTRY || type === PRECERT_ENTRY
}

/** Finds the parts of the TimestampedEntry at `at`. Throws ParseError; of an entry type nobody knows, too: where it ends is then unknown. */
export function locateEntry(bytes: Uint8Array, at: number, endExclusive: number, into: EntryOffsets): void {
  if (endExclusive - at < 10) throw cutOff('TimestampedEntry', at, endExclusive, 10)
  const type = uint16At(bytes, at + 8)
  if (!isKnownType(type)) throw new ParseError('value', 'entry_type', at + 8, `is ${type}, which nobody knows`)
  const length = at + 10 + (type === PRECERT_ENTRY ? KEY_HASH_SIZE : 0)
  const der = length + 3
  if (der > endExclusive) throw cutOff('signed_entry', at + 10, endExclusive, der - at - 10)
  const derEnd = der + uint24At(bytes, length)
  const extensions = derEnd + 2
  if (extensions > endExclusive) throw cutOff(type === PRECERT_ENTRY ? 'TBSCertificate' : 'ASN.1Cert', der, endExclusive, extensions - der)
  const end = extensions + uint16At(bytes, derEnd)
  if (end > endExclusive) throw cutOff('CtExtensions', extensions, endExclusive, end - extensions)
  into.start = at
  into.type = type === PRECERT_ENTRY ? 'precert' : 'x509'
  into.der = der
  into.derEnd = derEnd
  into.extensions = extensions
  into.end = end
}

/** The entry that was located, as an object. */
export function entryAt(bytes: Uint8Array, { start, type, der, derEnd, extensions, end }: EntryOffsets): TimestampedEntry {
  return {
    timestamp: Math.min(uintAt(bytes, start, 8), Number.MAX_SAFE_INTEGER),
    type,
    der: bytes.subarray(der, derEnd),
    issuerKeyHash: type === 'precert' ? bytes.subarray(der - 3 - KEY_HASH_SIZE, der - 3) : undefined,
    extensions: bytes.subarray(extensions, end),
  }
}

/** Reads leaf_input of an RFC 6962 log. Throws ParseError; such an entry is hashed all the same, and may be anyone's. */
export function readMerkleTreeLeaf(leafInput: Uint8Array): TimestampedEntry {
  const [version, leafType] = leafInput
  if (version !== 0) throw new ParseError('value', 'version', 0, version === undefined ? 'is not there' : `is ${version}, which nobody knows`)
  if (leafType !== 0) throw new ParseError('value', 'leaf_type', 1, leafType === undefined ? 'is not there' : `is ${leafType}, which nobody knows`)
  const offsets = createEntryOffsets()
  locateEntry(leafInput, 2, leafInput.length, offsets)
  const rest = leafInput.length - offsets.end
  if (rest > 0) throw new ParseError('value', 'MerkleTreeLeaf', offsets.end, `is followed by ${rest} other bytes`)
  return entryAt(leafInput, offsets)
}

function cutOff(what: string, at: number, endExclusive: number, length: number): ParseError {
  return new ParseError('truncated', what, at, `has ${Math.max(0, endExclusive - at)} bytes left of ${length}`)
}

const LEAF_INDEX = 0

/**
 * The leaf_index among the CtExtensions, exact to 2^40 (c2sp.org/static-ct-api, SCT extension). Undefined if there is none, as in RFC 6962 logs.
 * Unknown ones are skipped by their length. They may stand among other bytes. Throws ParseError.
 */
export function readLeafIndex(extensions: Uint8Array, start = 0, endExclusive = extensions.length): number | undefined {
  if (start === endExclusive) return undefined
  // As every static log has it: this one alone.
  if (endExclusive - start === 8 && uint24At(extensions, start) === 5) return uintAt(extensions, start + 3, 5)
  const reader = tlsReader(extensions, start, endExclusive)
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
