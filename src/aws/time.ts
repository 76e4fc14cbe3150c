// A tick's time. The platform ends the process at its deadline, whatever it does just then; so nothing is begun that could not end before, and some
// of the time is kept for writing down what was found.
import type { Clock } from '../clock.ts'
import type { Http } from '../http.ts'
import { NetworkError } from '../http.ts'

/** Kept back for storing, ms. */
const RESERVE = 10_000
/** A step is begun only while a request of it would have so long, ms: a shorter one would fail for our own haste. */
const STEP_LEAST = 5000
/** The second request of a step, ms. */
const REQUEST_LEAST = 1000
/** Storing is given up so long before the deadline, ms: that it failed has to be told, and the answer to get out. */
const TELLING = 5000
const LAST = 2000
/** What is left of the reserve for storing. */
const STORING = RESERVE - TELLING

export interface TickTime {
  /** ms that a request beginning now may take, 0 if none. */
  forRequest(): number
  /** ms that storing may take, beginning now, with all its repetitions. */
  forState(): number
  /** Nothing can be stored: requests may have what was kept back for it. */
  giveUpStoring(): void
  /** Aborted from when on nothing new is begun. */
  readonly signal: AbortSignal
  /** Stops the clock that would abort the signal. */
  end(): void
}

/** The time of a tick of which `remaining()` ms are left before the platform ends it. */
export function tickTime(remaining: () => number, clock: Clock): TickTime {
  const over = new AbortController()
  const ended = new AbortController()
  let reserve = RESERVE
  const forRequest = (): number => Math.max(0, remaining() - reserve)
  const spare = forRequest() - STEP_LEAST
  if (spare <= 0) over.abort()
  else void clock.sleepUntil(clock.now() + spare, ended.signal).then(() => over.abort())
  return {
    forRequest,
    // Early in a tick S3 must not use it all up: that it cannot be reached has to be told as well.
    forState: () => Math.max(0, remaining() - RESERVE - STEP_LEAST, Math.min(remaining() - TELLING, STORING)),
    giveUpStoring: () => void (reserve = LAST),
    signal: over.signal,
    end: () => ended.abort(),
  }
}

/** The port, with each request's limit shortened to the time there is. NetworkError `aborted`, unsent, where there is none. */
export function within(http: Http, time: Pick<TickTime, 'forRequest'>): Http {
  return async (request) => {
    const left = time.forRequest()
    if (left < REQUEST_LEAST) throw new NetworkError('aborted', 'the time of this run is over', false)
    return http({ ...request, timeoutMs: Math.min(request.timeoutMs, left) })
  }
}
