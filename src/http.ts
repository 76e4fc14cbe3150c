// The HTTP port: what sources, notifiers and the heartbeat need of the network, and nothing more. `app` gives an implementation.

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** From the start of the request to the last byte of the answer. */
  readonly timeoutMs: number
  /** Of the body, after decompression. */
  readonly maxBytes: number
  readonly signal?: AbortSignal
  /** The connection is not kept for another request. */
  readonly once?: boolean
  /** Where to put the body, instead of new memory for each answer. It is the caller's: the body is good until it is lent out again. */
  readonly scratch?: Scratch
  /**
   * The body may stay as it came, packed, for who unpacks it elsewhere: `maxBytes` then counts what came, and has to be counted again. Its memory is nobody
   * else's, but for what small Buffers share, and `scratch`.
   */
  readonly packed?: boolean
  /**
   * Asked for each piece of the body, before the next is read: undefined if there is room for so many bytes, or a promise until there is. It rejects with the
   * signal's reason. The port of the platform's fetch does not ask.
   */
  readonly admit?: (bytes: number, signal: AbortSignal) => Promise<void> | undefined
}

/** Memory that is used again. It grows to what the largest answer needed. */
export interface Scratch {
  buffer: Buffer
}

/** Any answer, whatever its status. Redirects are answers: they are never followed. */
export interface HttpResponse {
  readonly status: number
  /** Lower-case names; a repeated header is joined by ', '. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** What the body is still packed with, for `inflate`. Undefined: nothing. Only where `packed` was asked for. */
  readonly encoding?: string
}

/** Sends one request, once. Throws NetworkError if no whole answer came. */
export type Http = (request: HttpRequest) => Promise<HttpResponse>

/** `unreadable`: an answer came to its end, or far enough to show that it is none: it is no HTTP, is packed as nobody asked, or cannot be unpacked. */
export type NetworkFailure = 'dns' | 'refused' | 'reset' | 'timeout' | 'too-large' | 'unreadable' | 'tls' | 'aborted' | 'other'

/** No whole answer came. `sent` is false where the request surely never reached the other side. The message never holds the URL: it may be a secret. */
export class NetworkError extends Error {
  readonly code: NetworkFailure
  readonly sent: boolean
  /** Bytes of a body that came all the same, as they came. The port of the platform's fetch does not count. */
  readonly received: number
  constructor(code: NetworkFailure, message: string, sent: boolean, options: ErrorOptions & { readonly received?: number } = {}) {
    super(message, options)
    this.name = 'NetworkError'
    this.code = code
    this.sent = sent
    this.received = options.received ?? 0
  }
}
