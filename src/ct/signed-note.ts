// A signed note: text, an empty line, signature lines (c2sp.org/signed-note).
import { decodeBase64 } from './base64.ts'
import { ParseError } from './errors.ts'
import { decodeUtf8 } from './text.ts'

/** One signature line. */
export interface NoteSignature {
  readonly name: string
  /** The first four bytes of the blob. */
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

/** A note. `text` is what the signatures are over: whole lines, the empty line left out. */
export interface SignedNote {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

// A note of a log with post-quantum lines and a dozen witnesses has some 50 KB.
const MAX_SIZE = 256 * 1024
const MAX_SIGNATURES = 100
// U+0085 and U+2028 are no line ends here.
const SPACE = /\p{White_Space}|\+/u

/** Reads a note. Throws ParseError: nothing is verified. */
export function readSignedNote(bytes: Uint8Array): SignedNote {
  if (bytes.length > MAX_SIZE) throw new ParseError('length', 'signed note', 0, `has ${bytes.length} bytes`)
  const note = decodeUtf8(bytes)
  if (note === undefined) throw new ParseError('value', 'signed note', 0, 'is not UTF-8')
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) throw new ParseError('value', 'signed note', 0, 'has control characters')
  const split = note.lastIndexOf('\n\n')
  if (split === -1 || !note.endsWith('\n')) throw new ParseError('truncated', 'signed note', bytes.length, 'ends before its signatures')
  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) throw new ParseError('length', 'signed note', split, `has ${lines.length} signature lines`)
  return { text: note.slice(0, split + 1), signatures: lines.map(readSignatureLine) }
}

// EM DASH, space, name, space, base64 of the key id and the signature.
function readSignatureLine(line: string): NoteSignature {
  const [dash, name = '', blob = '', ...rest] = line.split(' ')
  if (dash !== '\u2014' || rest.length > 0 || name === '' || SPACE.test(name))
    throw new ParseError('value', 'signature line', 0, 'is not a dash, a name and base64')
  const bytes = decodeBase64(blob, 'signature line')
  if (bytes.length < 5) throw new ParseError('truncated', 'signature line', 0, 'is too short for a key id and a signature')
  return { name, keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) }
}
