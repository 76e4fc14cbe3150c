// Unpacking an answer, on whatever thread. The limit holds for what comes out: a few kilobytes can unfold into gigabytes.
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { NetworkError } from './http.ts'
import { brokenEncoding, codeOf, foreignEncoding, tooLarge } from './http-failure.ts'

/** How a Content-Encoding says that a body is packed; undefined: not at all. Throws NetworkError at what `inflate` does not know. */
export function packing(encoding: string | undefined): string | undefined {
  const name = encoding?.trim().toLowerCase()
  if (name === undefined || name === '' || name === 'identity') return undefined
  if (name !== 'gzip' && name !== 'x-gzip' && name !== 'deflate' && name !== 'br') throw foreignEncoding()
  return name
}

/** The body, unpacked by what `packing` said: at most `maxBytes`. In new memory, unless it was not packed. Throws NetworkError. */
export function inflate(body: Uint8Array, encoding: string | undefined, maxBytes: number): Buffer {
  // A tile unpacks to half a megabyte: in one go it costs a fifth less than in pieces.
  const options = { maxOutputLength: maxBytes, chunkSize: CHUNK }
  try {
    switch (encoding) {
      case undefined:
        return Buffer.from(body.buffer, body.byteOffset, body.length)
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(body, { ...options, chunkSize: lengthSaid(body) })
      case 'deflate':
        return inflateSync(body, options)
      case 'br':
        return brotliDecompressSync(body, options)
      default:
        throw foreignEncoding()
    }
  } catch (error) {
    if (error instanceof NetworkError) throw error
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw brokenEncoding(error)
  }
}

const CHUNK = 512 * 1024
const MOST_CHUNK = 4 * 1024 * 1024
const LEAST_CHUNK = 1024

// gzip says at its end how much went in (RFC 1952, section 2.3.1): memory for just that is taken. It may lie; then it takes more pieces, or too much memory.
function lengthSaid(body: Uint8Array): number {
  const at = body.length - 4
  if (at < 0) return CHUNK
  const said = body[at]! + 256 * body[at + 1]! + 65_536 * body[at + 2]! + 16_777_216 * body[at + 3]!
  // With a byte to spare, since a piece that is just full has another after it.
  return Math.min(MOST_CHUNK, Math.max(LEAST_CHUNK, said + 1))
}
