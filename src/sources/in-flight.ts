// Memory for answers on their way and not yet read. Whoever sends them decides how large they are: one log must neither fill this process nor hold up another.
import type { HttpRequest, Scratch } from '../http.ts'
import { release } from '../release.ts'
import { createSweep } from './sweep.ts'
import { createTurns, parked } from './turns.ts'

/** One answer, from before it is asked for until it was read. */
export interface Hold {
  /** Until it may be asked for. Rejects with the signal's reason. */
  readonly begin: (signal: AbortSignal) => Promise<void>
  /** For the HTTP port, where the answer takes its room as it comes. */
  readonly admit?: NonNullable<HttpRequest['admit']>
  /** Where the answer goes, once it was begun. */
  readonly scratch?: Scratch
  /** Of a large one: whether others wait until it is over. */
  readonly isAwaited?: () => boolean
  /** Gives everything back. */
  readonly close: () => void
}

/** Room for the answers of one log. */
export interface LogRoom {
  readonly usual: () => Hold
  /** For an answer of up to so many bytes: one at a time in this process, and in turn. */
  readonly large: (maxBytes: number) => Hold
}

/** Room for the answers of all logs. */
export interface InFlight {
  /** Bytes of usual answers that are held now. */
  readonly held: number
  log(): LogRoom
}

/** Bytes: of all logs, of one log, and what each log may have however much the others hold. */
export interface RoomLimits {
  readonly all: number
  readonly one: number
  readonly least: number
}

const MIB = 1_048_576
const LIMITS: RoomLimits = { all: 48 * MIB, one: 16 * MIB, least: 2 * MIB }

interface Waiting {
  readonly may: () => boolean
  readonly go: () => void
}

/** The room of a process. The answer of each log that came first always gets more, so that none waits for ever; the limits are passed by as much. */
export function createInFlight({ all, one, least }: RoomLimits = LIMITS): InFlight {
  let held = 0
  const waiting = new Set<Waiting>()
  const largeTurns = createTurns()
  const received = createSweep()

  const usualOf = (log: { held: number; readonly open: Set<object> }): Hold => {
    const me = {}
    let mine = 0
    let closed = false
    const mayHave = (bytes: number): boolean => {
      const [first] = log.open
      const after = log.held + bytes
      return first === me || after <= least || (after <= one && held + bytes <= all)
    }
    const take = (bytes: number): void => {
      mine += bytes
      log.held += bytes
      held += bytes
    }
    return {
      begin: async () => undefined,
      admit: (bytes, signal) => {
        // One of which nothing came yet holds nothing, and must not be waited for.
        log.open.add(me)
        if (mayHave(bytes)) {
          take(bytes)
          return undefined
        }
        return parked(signal, (go) => {
          const each = {
            may: () => mayHave(bytes),
            go: () => {
              take(bytes)
              go()
            },
          }
          waiting.add(each)
          return () => waiting.delete(each)
        })
      },
      close: () => {
        if (closed) return
        closed = true
        log.open.delete(me)
        log.held -= mine
        held -= mine
        for (const each of waiting) if (each.may()) each.go()
      },
    }
  }

  const largeOf = (maxBytes: number): Hold => {
    const scratch = { buffer: Buffer.alloc(0) }
    let leave: (() => void) | undefined
    return {
      begin: async (signal) => {
        leave = await largeTurns.take(signal)
        // In one piece, of which only what is written to takes memory; and the system has that back as soon as it is released.
        scratch.buffer = Buffer.allocUnsafeSlow(maxBytes)
      },
      scratch,
      isAwaited: () => largeTurns.isAwaited(),
      admit: (bytes) => {
        received(bytes)
        return undefined
      },
      close: () => {
        release(scratch.buffer)
        leave?.()
        leave = undefined
      },
    }
  }

  return {
    get held() {
      return held
    },
    log: () => {
      const log = { held: 0, open: new Set<object>() }
      return { usual: () => usualOf(log), large: largeOf }
    },
  }
}
