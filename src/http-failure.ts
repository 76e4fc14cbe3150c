// What went wrong on the way, whichever client carried the request: both ports of the network say the same.
import { NetworkError } from './http.ts'

/** The answer is larger than was asked for. */
export function tooLarge(maxBytes: number): NetworkError {
  const limit = maxBytes < 1_048_576 ? `${Math.round(maxBytes / 1024)} KiB` : `${Math.round(maxBytes / 1_048_576)} MiB`
  return new NetworkError('too-large', `the answer is larger than ${limit}`, true)
}

/** The answer came in an encoding that nobody asked for. */
export function foreignEncoding(): NetworkError {
  return new NetworkError('unreadable', 'the answer has an encoding that was not asked for', true)
}

/** The answer cannot be unpacked. */
export function brokenEncoding(cause: unknown): NetworkError {
  return new NetworkError('unreadable', 'the compressed answer is broken', true, { cause })
}

/** Why an exchange ended by force; undefined if it did not. `timeoutMs` is the limit it had. */
export function stopped(timeout: AbortSignal, caller: AbortSignal | undefined, timeoutMs: number, cause: unknown): NetworkError | undefined {
  if (timeout.aborted) return new NetworkError('timeout', `no whole answer within ${Math.round(timeoutMs / 100) / 10} s`, true, { cause })
  return caller?.aborted === true ? new NetworkError('aborted', 'stopped', true, { cause }) : undefined
}

/** The same, after so many bytes of the body. */
export function afterBytes(received: number, { code, message, sent, cause }: NetworkError): NetworkError {
  return new NetworkError(code, message, sent, { cause, received })
}

/** The failure that an error of undici's or of the platform's means. `begun`: the head of the answer had come, and been read. */
export function classify(error: unknown, begun = false): NetworkError {
  // https://nodejs.org/api/errors.html and undici's own codes. Only failures before a connection stood are surely unsent.
  if (error instanceof NetworkError) return error
  const code = codeOf(error) ?? ''
  const say = (kind: NetworkError['code'], message: string, sent: boolean): NetworkError => new NetworkError(kind, message, sent, { cause: error })
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_FAIL' || code === 'EAI_NODATA')
    return say('dns', 'the host name cannot be resolved', false)
  if (code === 'ECONNREFUSED') return say('refused', 'the connection is refused', false)
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ENETDOWN' || code === 'EADDRNOTAVAIL')
    return say('refused', 'the host cannot be reached', false)
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') return say('timeout', 'no connection within 10 s', false)
  if (
    code.startsWith('ERR_TLS') ||
    code.startsWith('CERT_') ||
    code.includes('CERTIFICATE') ||
    code.startsWith('ERR_SSL') ||
    code.includes('SELF_SIGNED')
  ) {
    return say('tls', `the server's certificate is not accepted (${code})`, false)
  }
  // So undici calls a body that ends too early where the connection ends with it; before there is a body, two lengths in one head.
  const isCut = (begun && code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') || isEarlyEnd(error)
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET' || isCut) return say('reset', 'the connection broke off', true)
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return say('unreadable', 'the answer has another length than it says', true)
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return say('unreadable', 'the answer has more headers than can be read', true)
  if (parserError(error) !== undefined) return say('unreadable', 'the answer is no HTTP that can be read', true)
  return say('other', `the exchange failed${code === '' ? '' : ` (${code})`}`, true)
}

// What undici's parser says; some releases leave the code out.
function parserError(error: unknown): Error | undefined {
  for (let current = error; current instanceof Error; current = current.cause)
    if (current.name === 'HTTPParserError' || ('code' in current && String(current.code).startsWith('HPE_'))) return current
  return undefined
}

function isEarlyEnd(error: unknown): boolean {
  const found = parserError(error)
  return found !== undefined && (codeOf(found) === 'HPE_INVALID_EOF_STATE' || found.message.includes('Invalid EOF'))
}

/** The first code in a chain of causes. */
export function codeOf(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string') return current.code
    // Several addresses were tried.
    if (current instanceof AggregateError && current.errors.length > 0) return codeOf(current.errors[0])
  }
  return undefined
}
