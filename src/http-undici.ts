// The HTTP port on undici: one whole answer within a time and a size, or a NetworkError that says what failed and never shows the URL.
import type { Agent as AgentType, Dispatcher } from 'undici'
import type { Http, HttpRequest, HttpResponse } from './http.ts'
import { afterBytes, classify, stopped, tooLarge } from './http-failure.ts'
import { inflate, packing } from './http-inflate.ts'
import { release } from './release.ts'
import { Agent, request as send } from './undici-core.ts'

/** How to get out, if not straight: as in HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
export interface Proxy {
  readonly http?: string
  readonly https?: string
  readonly no?: string
}

// To one origin. Waiting for a free one counts against a request's time, so there are as many as anyone asks for at once: see sources/hosts.ts.
const MOST_CONNECTIONS = 48

/** Makes the port and what closes its connections. */
export function createHttp(proxy: Proxy = {}): { readonly http: Http; close(): Promise<void> } {
  const options: AgentType.Options = { connections: MOST_CONNECTIONS, keepAliveTimeout: 10_000, connect: { timeout: 10_000 } }
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
  let received = 0
  let begun = false
  try {
    const url = new URL(request.url)
    const response = await send(dispatcher, {
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: { 'accept-encoding': 'gzip, deflate, br', ...request.headers },
      signal,
      ...(request.once === true && { reset: true }),
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(request.body !== undefined && { body: request.body }),
    })
    begun = true
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(response.headers))
      if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
    const body = await readBody(response.body, request, signal, (bytes) => void (received += bytes))
    const encoding = packing(headers['content-encoding'])
    const answer = { status: response.statusCode, headers }
    if (request.packed !== true) return { ...answer, body: inflate(body, encoding, request.maxBytes) }
    return {
      ...answer,
      body: request.scratch === undefined && body.length < body.buffer.byteLength ? Buffer.from(body) : body,
      ...(encoding !== undefined && { encoding }),
    }
  } catch (error) {
    throw afterBytes(received, stopped(timeout.signal, request.signal, request.timeoutMs, error) ?? classify(error, begun))
  } finally {
    clearTimeout(timer)
  }
}

async function readBody(
  stream: AsyncIterable<Buffer> & { destroy(): unknown },
  { maxBytes, scratch, admit }: HttpRequest,
  signal: AbortSignal,
  came: (bytes: number) => void,
): Promise<Buffer> {
  const pieces = scratch === undefined ? gather() : undefined
  let size = 0
  try {
    for await (const chunk of stream) {
      const before = size
      size += chunk.length
      came(chunk.length)
      if (size > maxBytes) {
        stream.destroy()
        throw tooLarge(maxBytes)
      }
      // Nothing more is read meanwhile, and so the socket is not, either.
      const room = admit?.(chunk.length, signal)
      if (room !== undefined) await room
      if (scratch === undefined) pieces?.add(chunk)
      else {
        if (scratch.buffer.length < size) scratch.buffer = Buffer.concat([scratch.buffer.subarray(0, before)], Math.min(maxBytes, 2 * size))
        chunk.copy(scratch.buffer, before)
      }
    }
    return pieces?.whole() ?? scratch?.buffer.subarray(0, size) ?? Buffer.alloc(0)
  } finally {
    pieces?.drop()
  }
}

const LEAST_PIECE = 64 * 1024
const MOST_PIECE = 1024 * 1024

// A body in memory of its own, which is given back at once. Left to the collector, answers of tens of megabytes pile up until it comes round; and in chunks as
// small as a server likes to send them, each byte may cost a hundred.
function gather(): { add(chunk: Buffer): void; whole(): Buffer; drop(): void } {
  let first: Buffer | undefined
  let size = 0
  let free = 0
  const pieces: Buffer[] = []
  const put = (chunk: Buffer): void => {
    for (let done = 0; done < chunk.length;) {
      if (free === 0) {
        free = Math.min(MOST_PIECE, Math.max(LEAST_PIECE, size))
        pieces.push(Buffer.allocUnsafeSlow(free))
      }
      const piece = pieces.at(-1)!
      const copied = chunk.copy(piece, piece.length - free, done)
      done += copied
      free -= copied
      size += copied
    }
  }
  return {
    add: (chunk) => {
      // Most small answers are one chunk.
      if (first === undefined) first = chunk
      else {
        if (size === 0) put(first)
        put(chunk)
      }
    },
    whole: () => (size === 0 ? (first ?? Buffer.alloc(0)) : Buffer.concat(pieces, size)),
    drop: () => {
      for (const piece of pieces) release(piece)
    },
  }
}
