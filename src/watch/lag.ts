// How far behind a log we are, and why.
import { plural, span } from './words.ts'

/**
 * `slow`: it answers, and takes long. `limited`: it refuses us for asking too often. `down`: no answer, or errors. `broken`: answers that cannot be
 * read. `bandwidth`: our own cap. `cpu`: we cannot read faster. `misbehaves`: what it sends is not what it signed.
 */
export type LagCause = 'slow' | 'limited' | 'down' | 'broken' | 'bandwidth' | 'cpu' | 'misbehaves'

/** The cause in words, of a log that is behind; they follow "because". */
export function causeText(cause: LagCause): string {
  switch (cause) {
    case 'slow':
      return 'the log answers slowly'
    case 'limited':
      return 'the log refuses requests that come faster (429)'
    case 'down':
      return 'the log does not answer, or with errors'
    case 'broken':
      return "the log's answers cannot be read"
    case 'bandwidth':
      return 'of the cap in logs.bandwidth'
    case 'cpu':
      return 'this machine reads no faster'
    case 'misbehaves':
      return 'what the log sends is not what it signed'
  }
}

/** How much a log lets through that refuses more: so many requests in so many ms. `until` (ms): it asked to be left alone until then. */
export interface Limit {
  readonly requests: number
  readonly ms: number
  readonly until?: number
}

/** That in words, to follow "the log refuses …". */
export function limitText({ requests, ms, until }: Limit, now: number): string {
  const passed = `it let ${plural(requests, 'request')} through in ${span(Math.max(1000, ms))}`
  return until === undefined || until <= now ? passed : `${passed}, and asks to be left alone for ${span(until - now)}`
}
