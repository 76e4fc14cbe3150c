// What goes wrong while one log is read, and is nobody's that we know of: a fault of ours that this log brings out must not end the reading of the others.
import { LogFailure } from '../sources/log-failure.ts'
import { FencedError } from '../stores/store.ts'
import { faultOfOurs, OwnerError, StoreError } from '../watch/errors.ts'

/** The error as a failure of its log. Throws it again if it is of the state or the owner, or comes of the signal. */
export function failureOf(error: unknown, signal: AbortSignal): LogFailure {
  if (error instanceof LogFailure) return error
  if (signal.aborted || error instanceof StoreError || error instanceof FencedError || error instanceof OwnerError) throw error
  return new LogFailure('broken', faultOfOurs(error, true), { cause: error })
}
