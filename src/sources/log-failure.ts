// A log that did not answer as it should. The world's fault, for now: what it signed and should not have is told elsewhere.
import { ParseError } from '../ct/errors.ts'
import type { NetworkError } from '../http.ts'

/**
 * Why a log is not read on: `limited` it refuses us for asking too often; `down` no answer, or an error; `slow` no answer in time; `broken` an answer
 * that is none; `misbehaves` an answer that cannot be reconciled with what it signed.
 */
export type LogTrouble = 'limited' | 'down' | 'slow' | 'broken' | 'misbehaves'

/**
 * One request that came to nothing. `until` (ms): it was told when to come back. `status`: of the answer, if there was one. `strange`: the answer is not
 * cut off, there is something in it that cannot be read. `tooLarge`: it is, or what it unpacks to.
 */
export class LogFailure extends Error {
  readonly kind: LogTrouble
  readonly until: number | undefined
  readonly status: number | undefined
  readonly strange: boolean
  readonly tooLarge: boolean
  constructor(
    kind: LogTrouble,
    message: string,
    more: {
      readonly until?: number | undefined
      readonly status?: number
      readonly strange?: boolean
      readonly tooLarge?: boolean
      readonly cause?: unknown
    } = {},
  ) {
    super(message, { cause: more.cause })
    this.name = 'LogFailure'
    this.kind = kind
    this.until = more.until
    this.status = more.status
    this.strange = more.strange ?? false
    this.tooLarge = more.tooLarge ?? false
  }
}

/** What it means of a log that no whole answer came. */
export function unanswered(error: NetworkError): LogFailure {
  const { code, message } = error
  const tooLarge = code === 'too-large'
  const kind = code === 'timeout' ? 'slow' : tooLarge || code === 'unreadable' ? 'broken' : 'down'
  return new LogFailure(kind, message, { tooLarge, cause: error })
}

/** What cannot be read is an answer that is none: it is asked for again. */
export function broken<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    throw new LogFailure('broken', `its ${what} cannot be read: ${error.message}`, { strange: error.code !== 'truncated', cause: error })
  }
}
