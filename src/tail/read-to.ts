// Up to a head, and whether its entries make the tree that it signed.
import type { ReceivedHead } from '../sources/log-client.ts'
import type { LogState } from '../stores/log-state.ts'
import { storedRange } from '../stores/log-state.ts'
import { plural } from '../watch/words.ts'
import type { LogContext } from './context.ts'
import type { ReadEntries } from './entries.ts'
import { readEntries } from './entries.ts'
import { differing } from './leaf-hashes.ts'
import { keepHeads } from './lineage.ts'
import type { Finds } from './state.ts'
import { asVerified, emptyFinds, storedHead } from './state.ts'

const MOST_INDICES = 100

/**
 * Reads up to a head and verifies its root, twice if need be. False if the entries do not make it: that was told, what was found among them is kept as
 * not verified, and the position is where it was verified last.
 */
export async function readTo(context: LogContext, begin: LogState, received: ReceivedHead): Promise<boolean> {
  const { log, ports, signal } = context
  const { clock, report } = ports
  const { head } = received
  let state = begin
  let lost: Finds = emptyFinds()
  let first: ReadEntries | undefined
  for (;;) {
    const read = await readEntries(context, state, received, first)
    if (read.root.equals(Buffer.from(head.rootHash))) {
      if (first !== undefined) context.client.signed?.differed()
      const { failing: _f, behindSince: _b, cause, stray: _s, unshown: _u, scouted: _l, ...well } = read.state
      const verified = storedRange(read.range)
      const recent = keepHeads(well.recent, storedHead(received))
      const kept = await context.keep(
        { ...well, position: verified, verified, recent, ...stillBehind(well.head, verified.size, cause) },
        { sightings: read.finds.sightings.map(asVerified), malformed: read.finds.malformed, alerts: read.alerts },
      )
      report({ kind: 'log-read', log: log.description, entries: kept.verified.size - begin.verified.size, verified: kept.verified.size })
      return true
    }
    // Of what is read again, what was not told the first time may have been hidden then.
    const { verified, malformed } = read.state
    state = { ...read.state, position: verified, malformed: { ...malformed, below: Math.min(malformed.below, verified.size) } }
    lost = { sightings: [...lost.sightings, ...read.finds.sightings], malformed: [...lost.malformed, ...read.finds.malformed] }
    if (first === undefined) {
      // Perhaps only an answer was broken.
      first = read
      await clock.sleepUntil(clock.now() + 1000, signal)
      continue
    }
    const kind = 'root-mismatch'
    const about = `${head.size}/${Buffer.from(head.rootHash).toString('base64').slice(0, 12)}`
    const message = `its entries, read twice, do not make the tree of ${plural(head.size, 'entry', 'entries')} that it signed. ${plural(state.verified.size, 'entry', 'entries')} are verified and stay so; reading goes on when a head continues them. Matches among the others ring, marked as not verified`
    const differed = differing(first.hashes, read.hashes, MOST_INDICES)
    const judged = await context.tell(
      state,
      [{ kind, about, message }],
      received,
      {
        verified_head: state.recent.at(-1),
        verified: state.verified,
        computed: { size: read.range.size, root: read.root.toString('base64') },
        // An entry that changes is no entry.
        ...(differed !== undefined && { entries_that_differed: differed }),
      },
      read.held,
    )
    await context.keep(
      { ...judged.state, scouted: Math.max(first.range.size, read.range.size), cause: 'misbehaves' },
      { ...lost, alerts: [...read.alerts, ...judged.alerts] },
    )
    return false
  }
}

// A newer head that came meanwhile is not reached: for the reason that it took so long.
function stillBehind(head: LogState['head'], verified: number, cause: LogState['cause']): Pick<LogState, 'behindSince' | 'cause'> {
  if (head === undefined || head.size <= verified) return {}
  return { behindSince: head.seenAt, ...(cause !== undefined && { cause }) }
}
