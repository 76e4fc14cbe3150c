// The HTTP port on undici: one whole answer within a time and a size, or a NetworkError that says what failed and never shows the URL.
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import type { Agent as AgentType, Dispatcher } from 'undici'
import type { Http, HttpRequest, HttpResponse, Scratch } from './http.ts'
import { NetworkError } from './http.ts'
import { Agent, request as send } from './undici-core.ts'

/** How to get out, if not straight: as in HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
export interface Proxy {
  readonly http?: string
  readonly https?: string
  readonly no?: string
}

/** Makes the port and what closes its connections. */
export function createHttp(proxy: Proxy = {}): { readonly http: Http; close(): Promise<void> } {
  const options: AgentType.Options = { connections: 8, keepAliveTimeout: 10_000, connect: { timeout: 10_000 } }
  const dispatcher: Dispatcher | Promise<Dispatcher> =
    proxy.http === undefined && proxy.https === undefined ? new Agent(options) : proxied(proxy, options)
  return {
    http: async (request) => exchange(await dispatcher, request),
    // Not close(): that waits for answers, and a hung one would hold the process.
    close: async () => (await dispatcher).destroy(),
  }
}

async function proxied(proxy: Proxy, options: AgentType.Options): Promise<Dispatcher> {
  const { EnvHttpProxyAgent } = await import('undici')
  return new EnvHttpProxyAgent({
    ...options,
    ...(proxy.http !== undefined && { httpProxy: proxy.http }),
    ...(proxy.https !== undefined && { httpsProxy: proxy.https }),
    noProxy: [proxy.no, 'localhost,127.0.0.1,::1'].filter(Boolean).join(','),
  })
}

async function exchange(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpResponse> {
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), request.timeoutMs)
  const signal = request.signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, request.signal])
  try {
    const url = new URL(request.url)
    const response = await send(dispatcher, {
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: { 'accept-encoding': 'gzip, deflate, br', ...request.headers },
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(request.body !== undefined && { body: request.body }),
    })
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(response.headers))
      if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
    const body = inflate(await readBody(response.body, request.maxBytes, request.scratch), headers['content-encoding'], request.maxBytes)
    return { status: response.statusCode, headers, body }
  } catch (error) {
    if (timeout.signal.aborted)
      throw new NetworkError('timeout', `no whole answer within ${Math.round(request.timeoutMs / 100) / 10} s`, true, { cause: error })
    if (request.signal?.aborted === true) throw new NetworkError('aborted', 'stopped', true, { cause: error })
    throw classify(error)
  } finally {
    clearTimeout(timer)
  }
}

async function readBody(stream: AsyncIterable<Buffer> & { destroy(): unknown }, maxBytes: number, scratch?: Scratch): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const before = size
    size += chunk.length
    if (size > maxBytes) {
      stream.destroy()
      throw tooLarge(maxBytes)
    }
    if (scratch === undefined) chunks.push(chunk)
    else {
      if (scratch.buffer.length < size) scratch.buffer = Buffer.concat([scratch.buffer.subarray(0, before)], Math.min(maxBytes, 2 * size))
      chunk.copy(scratch.buffer, before)
    }
  }
  if (scratch !== undefined) return scratch.buffer.subarray(0, size)
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)
}

// The limit holds for what comes out: a few kilobytes can unfold into gigabytes.
function inflate(body: Buffer, encoding: string | undefined, maxBytes: number): Buffer {
  const options = { maxOutputLength: maxBytes }
  try {
    switch (encoding?.trim().toLowerCase()) {
      case undefined:
      case '':
      case 'identity':
        return body
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(body, options)
      case 'deflate':
        return inflateSync(body, options)
      case 'br':
        return brotliDecompressSync(body, options)
      default:
        throw new NetworkError('other', 'the answer has an encoding that was not asked for', true)
    }
  } catch (error) {
    if (error instanceof NetworkError) throw error
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw new NetworkError('other', 'the compressed answer is broken', true, { cause: error })
  }
}

function tooLarge(maxBytes: number): NetworkError {
  return new NetworkError('too-large', `the answer is larger than ${Math.round(maxBytes / 1024 / 1024)} MiB`, true)
}

// https://nodejs.org/api/errors.html and undici's own codes. Only failures before a connection stood are surely unsent.
function classify(error: unknown): NetworkError {
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
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET' || code.startsWith('HPE_'))
    return say('reset', 'the connection broke off', true)
  return say('other', `the exchange failed${code === '' ? '' : ` (${code})`}`, true)
}

function codeOf(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string') return current.code
    // Several addresses were tried.
    if (current instanceof AggregateError && current.errors.length > 0) return codeOf(current.errors[0])
  }
  return undefined
}
