// One request to a log: politely, and with one meaning for each way in which it may fail.
import type { Clock } from '../clock.ts'
import type { Http, HttpResponse } from '../http.ts'
import { NetworkError } from '../http.ts'
import { release } from '../release.ts'
import { parseRetryAfter } from '../watch/retry.ts'
import { span } from '../watch/words.ts'
import type { Bandwidth } from './bandwidth.ts'
import type { Host } from './hosts.ts'
import { leftAlone } from './hosts.ts'
import { createHurry } from './hurry.ts'
import type { Hold, LogRoom } from './in-flight.ts'
import { createInFlight } from './in-flight.ts'
import type { LogTrouble } from './log-failure.ts'
import { LogFailure, unanswered } from './log-failure.ts'
import type { PackedAnswer } from './read-page.ts'
import { sweep } from './sweep.ts'
import { createTurns } from './turns.ts'

/** How long an answer may take, and how large it may be when it is unpacked. */
export interface LogLimits {
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** Asks for paths below the log's URL. Both throw LogFailure, and AbortError once the signal is aborted. */
export interface LogHttp {
  /** The body of a 200, unpacked. */
  readonly get: (path: string, limits: LogLimits, signal: AbortSignal) => Promise<Buffer>
  /**
   * What `read` makes of the body of a 200 as it came, to be unpacked where it is read; then its memory is gone. Of an answer that is too large for what is
   * usual `read` may be called again. It must wait for no other answer: it holds what others wait for.
   */
  readonly getPacked: <T>(path: string, limits: LogLimits, signal: AbortSignal, read: (answer: PackedAnswer) => Promise<T>) => Promise<T>
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
  /** For what `getPacked` holds; default: as much as a process may. */
  readonly room?: LogRoom
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

/** A log that is out of service (503) is asked again after so many ms, whatever it says. */
const MOST_AWAY = 600_000
/** Of a page or a data tile, packed and unpacked: real ones have half a megabyte, and 2 MiB at most. Larger ones are asked for one at a time. */
const USUAL = 4 * 1024 * 1024
/** A large answer, while others wait for it: so many times what its first 4 MiB took, and at least so long (ms). */
const FAIR = 4
const LEAST_FAIR = 5000
/** Paths that are remembered for that. A log that answers them all too large decides how many there are. */
const MOST_LARGE = 256

/** The way to one log. */
export function createLogHttp(options: LogHttpOptions): LogHttp {
  const {
    http,
    clock,
    url,
    host,
    bandwidth,
    room = createInFlight().log(),
    userAgent,
    longestMs,
    patience = Infinity,
    heard = () => undefined,
  } = options
  const me = {}
  // Paths whose answers are large, and how long (ms) one may take while others wait: no longer than at the pace of its beginning, and a little.
  const large = new Map<string, number>()
  const largeTurns = createTurns()
  const ask = async (path: string, { timeoutMs, maxBytes }: LogLimits, signal: AbortSignal, hold?: Hold, fair = Infinity): Promise<HttpResponse> =>
    host.run(
      me,
      signal,
      async () => {
        await hold?.begin(signal)
        const paid = await bandwidth.wait(signal)
        const sentAt = clock.now()
        // It may have been refused to others while this one waited.
        if (host.blockedUntil > sentAt) {
          paid(undefined)
          throw leftAlone(host.blockedUntil, sentAt)
        }
        const headers = { 'user-agent': userAgent, 'accept-encoding': 'gzip, identity' }
        const once = OFF_AT_ONCE.test(new URL(url).hostname)
        const limits = { timeoutMs: Math.min(timeoutMs, longestMs), maxBytes }
        const { admit, scratch } = hold ?? {}
        const into = { packed: hold !== undefined, ...(admit !== undefined && { admit }), ...(scratch !== undefined && { scratch }) }
        // Nearly all are usual ones, which nobody waits for.
        const hurry = hold?.isAwaited === undefined ? undefined : createHurry(clock, fair, hold.isAwaited)
        const until = hurry === undefined ? signal : AbortSignal.any([signal, hurry.signal])
        const response = await http({ method: 'GET', url: url + path, headers, ...limits, signal: until, once, ...into })
          .finally(() => hurry?.end())
          .catch((error: unknown) => {
            // What was cut off, came too late or is too large was sent all the same.
            paid(error instanceof NetworkError ? error.received : 0)
            signal.throwIfAborted()
            if (hurry?.signal.aborted === true) {
              heard('slow')
              throw new LogFailure('slow', 'its answer of more than 4 MiB does not come to its end, and other logs wait for theirs')
            }
            if (!(error instanceof NetworkError)) throw error
            const failure = unanswered(error)
            // Asked for again at once, with another limit.
            if (!(failure.tooLarge && hold !== undefined && maxBytes === USUAL)) heard(failure.kind)
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
        // That is all that 503 has to say. Of another status it would be a slip, and a day of it a day without the log.
        const away = status === 503 && told !== undefined ? Math.min(told, now + MOST_AWAY) : undefined
        heard(classOf(status), away)
        const asks = away === undefined ? '' : `, Retry-After ${span((told ?? now) - now)}`
        throw new LogFailure('down', `it answers ${status}${asks}`, { status, ...(away !== undefined && { until: away }) })
      },
      patience,
    )
  const readOnce = async <T>(
    path: string,
    limits: LogLimits,
    signal: AbortSignal,
    hold: Hold,
    read: (answer: PackedAnswer) => Promise<T>,
    fair?: number,
  ): Promise<T> => {
    try {
      const { body, encoding } = await ask(path, limits, signal, hold, fair)
      const made = await read({ bytes: body, encoding, maxBytes: limits.maxBytes })
      release(body)
      return made
    } finally {
      hold.close()
    }
  }
  return {
    get: async (path, limits, signal) => (await ask(path, limits, signal)).body,
    getPacked: async (path, limits, signal, read) => {
      if (!large.has(path)) {
        const began = clock.now()
        try {
          return await readOnce(path, { ...limits, maxBytes: Math.min(USUAL, limits.maxBytes) }, signal, room.usual(), read)
        } catch (error) {
          if (!(error instanceof LogFailure) || !error.tooLarge || limits.maxBytes <= USUAL) throw error
          sweep('minor')
          large.set(path, Math.max(LEAST_FAIR, FAIR * (clock.now() - began)))
          const [oldest] = large.keys()
          if (large.size > MOST_LARGE && oldest !== undefined) large.delete(oldest)
        }
      }
      // Whoever waits here takes no place at the host.
      const leave = await largeTurns.take(signal)
      try {
        const made = await readOnce(path, limits, signal, room.large(limits.maxBytes), read, large.get(path))
        large.delete(path)
        return made
      } finally {
        leave()
      }
    },
  }
}

// A status of no class that HTTP has is an answer that is none.
function classOf(status: number): RequestOutcome {
  return status >= 300 && status < 400 ? '3xx' : status >= 400 && status < 500 ? '4xx' : status >= 500 && status < 600 ? '5xx' : 'broken'
}
