// One request to a log: politely, and with one meaning for each way in which it may fail.
import type { Clock } from '../clock.ts'
import type { Http, HttpResponse } from '../http.ts'
import { NetworkError } from '../http.ts'
import { parseRetryAfter } from '../watch/retry.ts'
import { span } from '../watch/words.ts'
import type { Bandwidth } from './bandwidth.ts'
import type { Host } from './hosts.ts'
import type { LogTrouble } from './log-failure.ts'
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
  /** A request is not made if the host has asked to be left alone for longer, ms; default: it waits. */
  readonly patience?: number
  /** Called for each request. `until` (ms): it was told when to come back. */
  readonly heard?: (outcome: RequestOutcome, until?: number) => void
}

// DigiCert asks that connections are not kept (firehose.md, 3.3).
const OFF_AT_ONCE = /(?:^|\.)digicert\.com$/

/** The way to one log. */
export function createLogHttp({
  http,
  clock,
  url,
  host,
  bandwidth,
  userAgent,
  longestMs,
  patience = Infinity,
  heard = () => undefined,
}: LogHttpOptions): LogHttp {
  const ask = async (path: string, { timeoutMs, maxBytes }: LogLimits, signal: AbortSignal, packed: boolean): Promise<HttpResponse> =>
    host.run(
      signal,
      async () => {
        const paid = await bandwidth.wait(signal)
        const sentAt = clock.now()
        const headers = { 'user-agent': userAgent, 'accept-encoding': 'gzip, identity' }
        const once = OFF_AT_ONCE.test(new URL(url).hostname)
        const limits = { timeoutMs: Math.min(timeoutMs, longestMs), maxBytes }
        const response = await http({ method: 'GET', url: url + path, headers, ...limits, signal, once, packed }).catch((error: unknown) => {
          paid(0)
          signal.throwIfAborted()
          if (!(error instanceof NetworkError)) throw error
          const failure = unanswered(error)
          heard(failure.kind)
          throw failure
        })
        // Packed, if it says how much that was.
        const length = Number(response.headers['content-length'])
        paid(Number.isSafeInteger(length) && length > 0 ? length : response.body.length)
        if (response.status === 200) {
          heard('ok')
          host.well()
          return response
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
      },
      patience,
    )
  return {
    get: async (path, limits, signal) => (await ask(path, limits, signal, false)).body,
    getPacked: async (path, limits, signal) => {
      const { body, encoding } = await ask(path, limits, signal, true)
      return { bytes: body, encoding, maxBytes: limits.maxBytes }
    },
  }
}

// A status of no class that HTTP has is an answer that is none.
function classOf(status: number): RequestOutcome {
  return status >= 300 && status < 400 ? '3xx' : status >= 400 && status < 500 ? '4xx' : status >= 500 && status < 600 ? '5xx' : 'broken'
}
