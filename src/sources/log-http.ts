// One request to a log: politely, and with one meaning for each way in which it may fail.
import type { Clock } from '../clock.ts'
import type { Http, HttpResponse } from '../http.ts'
import { NetworkError } from '../http.ts'
import { parseRetryAfter } from '../watch/retry.ts'
import type { Bandwidth } from './bandwidth.ts'
import type { Host } from './hosts.ts'
import { LogFailure, unanswered } from './log-failure.ts'
import type { PackedAnswer } from './read-page.ts'

/** How long an answer may take, and how large it may be when it is unpacked. */
export interface LogLimits {
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** Asks for paths below the log's URL. Both throw LogFailure, and AbortError once the signal is aborted. */
export interface LogHttp {
  /** The body of a 200, unpacked. */
  readonly get: (path: string, limits: LogLimits, signal: AbortSignal) => Promise<Buffer>
  /** The body of a 200 as it came, to be unpacked where it is read. */
  readonly getPacked: (path: string, limits: LogLimits, signal: AbortSignal) => Promise<PackedAnswer>
}

export interface LogHttpOptions {
  readonly http: Http
  readonly clock: Clock
  /** With a slash at its end. */
  readonly url: string
  readonly host: Host
  readonly bandwidth: Bandwidth
  readonly userAgent: string
  /** No request may take longer, ms. */
  readonly longestMs: number
}

/** A 429 or 503 that does not say how long. */
const PAUSE = 5000

// DigiCert asks that connections are not kept (firehose.md, 3.3).
const OFF_AT_ONCE = /(?:^|\.)digicert\.com$/

/** The way to one log. */
export function createLogHttp({ http, clock, url, host, bandwidth, userAgent, longestMs }: LogHttpOptions): LogHttp {
  const ask = async (path: string, { timeoutMs, maxBytes }: LogLimits, signal: AbortSignal, packed: boolean): Promise<HttpResponse> =>
    host.run(signal, async () => {
      await bandwidth.wait(signal)
      const headers = { 'user-agent': userAgent, 'accept-encoding': 'gzip, identity' }
      const once = OFF_AT_ONCE.test(new URL(url).hostname)
      const limits = { timeoutMs: Math.min(timeoutMs, longestMs), maxBytes }
      const response = await http({ method: 'GET', url: url + path, headers, ...limits, signal, once, packed }).catch((error: unknown) => {
        signal.throwIfAborted()
        if (!(error instanceof NetworkError)) throw error
        throw unanswered(error)
      })
      // Packed, if it says how much that was.
      const length = Number(response.headers['content-length'])
      bandwidth.received(Number.isSafeInteger(length) && length > 0 ? length : response.body.length)
      if (response.status === 200) return response
      const now = clock.now()
      const told = parseRetryAfter(response.headers['retry-after'], new Date(now))?.getTime()
      const { status } = response
      if (status === 429) {
        const until = told ?? now + PAUSE
        host.block(until)
        throw new LogFailure('limited', `it refuses requests for now (429${told === undefined ? '' : ', Retry-After'})`, { until, status })
      }
      throw new LogFailure('down', `it answers ${status}`, { status, ...(told !== undefined && { until: told }) })
    })
  return {
    get: async (path, limits, signal) => (await ask(path, limits, signal, false)).body,
    getPacked: async (path, limits, signal) => {
      const { body, encoding } = await ask(path, limits, signal, true)
      return { bytes: body, encoding, maxBytes: limits.maxBytes }
    },
  }
}
