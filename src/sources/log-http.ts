// One request to a log: politely, and with one meaning for each way in which it may fail.
import type { Clock } from '../clock.ts'
import type { Http } from '../http.ts'
import { NetworkError } from '../http.ts'
import { parseRetryAfter } from '../watch/retry.ts'
import { span } from '../watch/words.ts'
import type { Bandwidth } from './bandwidth.ts'
import type { Host } from './hosts.ts'
import type { LogTrouble } from './log-failure.ts'
import { LogFailure } from './log-failure.ts'

/** Asks for a path below the log's URL; the body of a 200, inflated. Throws LogFailure; AbortError once the signal is aborted. */
export type LogGet = (path: string, limits: { readonly timeoutMs: number; readonly maxBytes: number }, signal: AbortSignal) => Promise<Buffer>

/** What came of a request: a whole answer; a refusal or no answer, by what that is called elsewhere; an answer of another status, by its class. */
export type RequestOutcome = 'ok' | LogTrouble | '3xx' | '4xx' | '5xx'

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
  /** Called for each request. `until` (ms): it was told when to come back. */
  readonly heard?: (outcome: RequestOutcome, until?: number) => void
}

// DigiCert asks that connections are not kept (firehose.md, 3.3).
const OFF_AT_ONCE = /(?:^|\.)digicert\.com$/

/** The way to one log. */
export function createLogGet({ http, clock, url, host, bandwidth, userAgent, longestMs, heard = () => undefined }: LogHttpOptions): LogGet {
  return async (path, { timeoutMs, maxBytes }, signal) =>
    host.run(signal, async () => {
      const paid = await bandwidth.wait(signal)
      const sentAt = clock.now()
      const headers = { 'user-agent': userAgent, 'accept-encoding': 'gzip, identity' }
      const once = OFF_AT_ONCE.test(new URL(url).hostname)
      const limits = { timeoutMs: Math.min(timeoutMs, longestMs), maxBytes }
      const response = await http({ method: 'GET', url: url + path, headers, ...limits, signal, once }).catch((error: unknown) => {
        paid(0)
        signal.throwIfAborted()
        if (!(error instanceof NetworkError)) throw error
        const kind = error.code === 'timeout' ? 'slow' : error.code === 'too-large' ? 'broken' : 'down'
        heard(kind)
        throw new LogFailure(kind, error.message, { cause: error })
      })
      // Packed, if it says how much that was.
      const length = Number(response.headers['content-length'])
      paid(Number.isSafeInteger(length) && length > 0 ? length : response.body.length)
      if (response.status === 200) {
        heard('ok')
        host.well()
        return response.body
      }
      const now = clock.now()
      const told = parseRetryAfter(response.headers['retry-after'], new Date(now))?.getTime()
      const { status } = response
      if (status === 429) {
        const until = host.refused(sentAt, told)
        heard('limited', told)
        throw new LogFailure('limited', `it refuses requests for now (429${told === undefined ? '' : `, Retry-After ${span(told - now)}`})`, {
          until,
          status,
        })
      }
      heard(classOf(status), told)
      throw new LogFailure('down', `it answers ${status}`, { status, ...(told !== undefined && { until: told }) })
    })
}

// A status of no class that HTTP has is an answer that is none.
function classOf(status: number): RequestOutcome {
  return status >= 300 && status < 400 ? '3xx' : status >= 400 && status < 500 ? '4xx' : status >= 500 && status < 600 ? '5xx' : 'broken'
}
