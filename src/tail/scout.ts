// Entries that make no tree we could verify, looked into all the same: a certificate is no less issued for that its log lies.
import { steadyClock } from '../clock.ts'
import { readAhead } from '../sources/read-ahead.ts'
import { entriesIn } from '../sources/log-entry.ts'
import { LogFailure } from '../sources/log-failure.ts'
import type { LogFinds } from '../stores/tail.ts'
import type { LogContext } from './context.ts'
import type { Finds } from './state.ts'
import { addFinds, emptyFinds } from './state.ts'

/** More than so many are not looked into at once: the last of them are. */
export const MOST_SCOUTED = 16_384
const ATTEMPTS = 3
const PATIENCE = 5000

/** What is the owner's of the entries from `start` to before `endExclusive`, as far as the log gives them: up to before `end`. */
export async function scout(
  { ports, log, client, window, signal }: LogContext,
  start: number,
  endExclusive: number,
): Promise<{ readonly finds: LogFinds; readonly end: number }> {
  const { clock, random, sift, report } = ports
  const finds: Finds = emptyFinds()
  const steady = steadyClock(clock)
  const first = Math.max(start, endExclusive - MOST_SCOUTED)
  let end = start
  const pages = readAhead(first, endExclusive, endExclusive, {
    // No root will tell whether these are what the log signed for.
    client: client.signed?.client ?? client,
    window,
    clock,
    random,
    signal,
    attempts: ATTEMPTS,
    patience: PATIENCE,
    keep: false,
    failed: ({ message }) => report({ kind: 'log-failed', log: log.description, message }),
    succeeded: () => undefined,
  })
  try {
    for await (const page of pages) {
      const now = new Date(clock.now())
      await addFinds(
        finds,
        page,
        (entry) => sift(log, entry, now),
        () => steady.now(),
      )
      end = page.start + entriesIn(page)
    }
  } catch (error) {
    if (!(error instanceof LogFailure)) throw error
  }
  return { finds: { ...finds, alerts: [] }, end }
}
