// The state of one log, from what a list says to what its failures come to.
import { setImmediate } from 'node:timers/promises'
import { EMPTY_RANGE } from '../ct/compact-range.ts'
import type { ListedLog } from '../ct/log-list.ts'
import type { ReceivedHead } from '../sources/log-client.ts'
import type { LogEntry, LogPage } from '../sources/log-entry.ts'
import type { Sifted } from '../sources/log-sift.ts'
import type { LogFailure } from '../sources/log-failure.ts'
import type { LogState, StoredHead } from '../stores/log-state.ts'
import { storedRange } from '../stores/log-state.ts'
import type { MalformedLogEntry } from '../watch/alert.ts'
import type { Sighting } from '../watch/issuance.ts'

/** What was found and is not kept yet. */
export interface Finds {
  readonly sightings: Sighting[]
  readonly malformed: MalformedLogEntry[]
}

/** Nothing yet. */
export function emptyFinds(): Finds {
  return { sightings: [], malformed: [] }
}

/** Entries are judged for so many ms before everything else has its turn. */
const AT_ONCE = 50

/** Adds what is the owner's of a page, as much of each as is kept: it may wait here. A hostile page takes a minute. `now` in ms, never set back. */
export async function addFinds(
  finds: Finds,
  { kept }: Pick<LogPage, 'kept'>,
  sift: (entry: LogEntry) => Sifted | undefined,
  now: () => number,
): Promise<void> {
  let began = now()
  for (const entry of kept) {
    if (now() - began >= AT_ONCE) {
      await setImmediate()
      began = now()
    }
    const sifted = sift(entry)
    if (sifted?.sighting !== undefined) finds.sightings.push(sifted.sighting)
    if (sifted?.malformed !== undefined) finds.malformed.push(sifted.malformed)
  }
}

/** The same, its entry hashed into a head that the log signed. */
export function asVerified(sighting: Sighting): Sighting {
  const { source } = sighting
  return source.kind === 'log' ? { ...sighting, source: { ...source, verified: true } } : sighting
}

/** What a list says of a log, as far as it is kept. */
export function listed({
  description,
  operator,
  protocol,
  url,
  state,
  finalTreeHead,
}: ListedLog): Pick<LogState, 'description' | 'operator' | 'protocol' | 'url' | 'state' | 'final' | 'watched'> {
  return {
    description,
    operator,
    protocol,
    url,
    watched: true,
    ...(state !== undefined && { state }),
    ...(finalTreeHead !== undefined && { final: finalTreeHead.size }),
  }
}

/** Of a log that was never reached: it is begun where it ends, or begins, once it answers. */
export function emptyState(log: ListedLog): LogState {
  const nothing = storedRange(EMPTY_RANGE)
  return {
    version: 1,
    id: log.id,
    ...listed(log),
    begunAt: 0,
    begunFrom: 0,
    position: nothing,
    verified: nothing,
    recent: [],
    told: {},
    malformed: { toldAt: 0, count: 0, entries: [], below: 0 },
  }
}

/** Whether it was reached once. */
export function isBegun(state: LogState | undefined): boolean {
  return state !== undefined && state.begunAt > 0
}

/** A head as it is kept. */
export function storedHead({ head }: ReceivedHead): StoredHead {
  return {
    size: head.size,
    root: Buffer.from(head.rootHash).toString('base64'),
    timestamp: head.timestamp,
    signature: Buffer.from(head.signature).toString('base64'),
  }
}

/** Behind a head that the log signed. `now` in ms. */
export function behindHead(state: LogState, received: ReceivedHead, now: number): LogState {
  return { ...state, head: { ...storedHead(received), seenAt: now }, behindSince: state.behindSince ?? now }
}

/** What fails, after one more request that came to nothing. `now` in ms. */
export function failingAfter(before: LogState['failing'], { kind, message }: LogFailure, now: number): NonNullable<LogState['failing']> {
  const failures = (before?.failures ?? 0) + 1
  // One answer that takes too long is slow; none at all in between is no answer.
  return { since: before?.since ?? now, at: now, failures, kind: kind === 'slow' && failures > 2 ? 'down' : kind, message }
}
