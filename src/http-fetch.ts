// The HTTP port on the platform's fetch, for the Lambda bundle: nothing to carry along. It inflates by itself, so the limit counts what comes out.
import type { Http, HttpRequest, HttpResponse } from './http.ts'
import { NetworkError } from './http.ts'
import { brokenEncoding, classify, codeOf, foreignEncoding, stopped, tooLarge } from './http-failure.ts'

const ENCODINGS = new Set(['', 'identity', 'gzip', 'x-gzip', 'deflate', 'br'])

/**
 * Makes the port. A connection that nothing uses is closed after 4 s, by a timer: of those that a frozen process held, none is left when it
 * goes on. A compressed answer that ends too early is taken for whole, as browsers do; its reader has to notice.
 */
export function createFetchHttp(fetch: typeof globalThis.fetch): Http {
  return async (request) => {
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(), request.timeoutMs)
    const signal = request.signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, request.signal])
    let begun = false
    try {
      return await exchange(fetch, request, signal, () => (begun = true))
    } catch (error) {
      throw stopped(timeout.signal, request.signal, request.timeoutMs, error) ?? failure(error, begun)
    } finally {
      clearTimeout(timer)
    }
  }
}

async function exchange(fetch: typeof globalThis.fetch, request: HttpRequest, signal: AbortSignal, begun: () => void): Promise<HttpResponse> {
  const response = await fetch(request.url, {
    method: request.method,
    headers: { 'accept-encoding': 'gzip, deflate, br', ...request.headers },
    signal,
    redirect: 'manual',
    ...(request.body !== undefined && { body: request.body }),
  })
  begun()
  if (!ENCODINGS.has(response.headers.get('content-encoding')?.trim().toLowerCase() ?? '')) {
    await response.body?.cancel()
    throw foreignEncoding()
  }
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await readBody(response, request.maxBytes) }
}

async function readBody(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  // To leave the loop is to cancel the stream, and with it the connection.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function failure(error: unknown, begun: boolean): NetworkError {
  if (error instanceof NetworkError) return error
  const code = codeOf(error)
  return code?.startsWith('Z_') === true || code?.startsWith('ERR_BROTLI') === true || code?.startsWith('ERR__ERROR') === true
    ? brokenEncoding(error)
    : classify(error, begun)
}
