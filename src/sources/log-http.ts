// One request to a log: politely, and with one meaning for each way in which it may fail.
import type { Clock } from '../clock.ts'
import type { Http } from '../http.ts'
import { NetworkError } from '../http.ts'
import { parseRetryAfter } from '../watch/retry.ts'
import type { Bandwidth } from './bandwidth.ts'
import type { Host } from './hosts.ts'
import { LogFailure } from './log-failure.ts'

/** Asks for a path below the log's URL; the body of a 200, inflated. Throws LogFailure; AbortError once the signal is aborted. */
export type LogGet = (path: string, limits: { readonly timeoutMs: number; readonly maxBytes: number }, signal: AbortSignal) => Promise<Buffer>

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
export function createLogGet({ http, clock, url, host, bandwidth, userAgent, longestMs }: LogHttpOptions): LogGet {
  return async (path, { timeoutMs, maxBytes }, signal) =>
    host.run(signal, async () => {
      const paid = await bandwidth.wait(signal)
      const headers = { 'user-agent': userAgent, 'accept-encoding': 'gzip, identity' }
      const once = OFF_AT_ONCE.test(new URL(url).hostname)
      const limits = { timeoutMs: Math.min(timeoutMs, longestMs), maxBytes }
      const response = await http({ method: 'GET', url: url + path, headers, ...limits, signal, once }).catch((error: unknown) => {
        paid(0)
        signal.throwIfAborted()
        if (!(error instanceof NetworkError)) throw error
        throw new LogFailure(error.code === 'timeout' ? 'slow' : error.code === 'too-large' ? 'broken' : 'down', error.message, { cause: error })
      })
      // Packed, if it says how much that was.
      const length = Number(response.headers['content-length'])
      paid(Number.isSafeInteger(length) && length > 0 ? length : response.body.length)
      if (response.status === 200) return response.body
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
}
