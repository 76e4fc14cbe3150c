// Up to a head, and whether its entries make the tree that it signed.
import { HASH_SIZE } from '../ct/merkle.ts'
import type { ReceivedHead } from '../sources/log-client.ts'
import type { LogState } from '../stores/log-state.ts'
import { storedRange } from '../stores/log-state.ts'
import type { Alert } from '../watch/alert.ts'
import { grouped } from '../watch/words.ts'
import type { LogContext } from './context.ts'
import type { ReadEntries } from './entries.ts'
import { readEntries } from './entries.ts'
import { keepHeads } from './lineage.ts'
import type { Finds } from './state.ts'
import { asVerified, emptyFinds, storedHead } from './state.ts'

const MOST_INDICES = 100

/**
 * Reads up to a head and verifies its root, twice if need be. False if the entries do not make it: that was told, what was found among them is kept as
 * not verified, and the position is where it was verified last.
 */
export async function readTo(context: LogContext, begin: LogState, received: ReceivedHead, alerts: readonly Alert[]): Promise<boolean> {
  const { log, ports, signal } = context
  const { clock, report } = ports
  const { head } = received
  let state = begin
  let told = alerts
  let lost: Finds = emptyFinds()
  let first: ReadEntries | undefined
  for (;;) {
    const read = await readEntries(context, state, received, told, first !== undefined)
    told = []
    if (read.root.equals(Buffer.from(head.rootHash))) {
      const { failing: _f, behindSince: _b, cause: _c, stray: _s, unshown: _u, scouted: _l, ...well } = read.state
      const verified = storedRange(read.range)
      const recent = keepHeads(well.recent, storedHead(received))
      const kept = await context.keep(
        { ...well, position: verified, verified, recent },
        { sightings: read.finds.sightings.map(asVerified), malformed: read.finds.malformed, alerts: read.alerts },
      )
      report({ kind: 'log-read', log: log.description, entries: kept.verified.size - begin.verified.size, verified: kept.verified.size })
      return true
    }
    state = { ...read.state, position: read.state.verified }
    lost = { sightings: [...lost.sightings, ...read.finds.sightings], malformed: [...lost.malformed, ...read.finds.malformed] }
    if (first === undefined) {
      // Perhaps only an answer was broken.
      first = read
      await clock.sleepUntil(clock.now() + 1000, signal)
      continue
    }
    const kind = 'root-mismatch'
    const about = `${head.size}/${Buffer.from(head.rootHash).toString('base64').slice(0, 12)}`
    const message = `its entries, read twice, do not make the tree of ${grouped(head.size)} entries that it signed. ${grouped(state.verified.size)} entries are verified and stay so; reading goes on when a head continues them. Matches among the others ring, marked as not verified`
    const judged = await context.tell(
      state,
      [{ kind, about, message }],
      received,
      {
        verified_head: state.recent.at(-1),
        verified: state.verified,
        computed: { size: read.range.size, root: read.root.toString('base64') },
        ...differing(first, read),
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

// Where the two readings are not the same: an entry that changes is no entry.
function differing(first: ReadEntries, second: ReadEntries): { readonly entries_that_differed?: readonly number[] } {
  if (first.state.verified.size !== second.state.verified.size) return {}
  const indices: number[] = []
  const length = Math.min(first.hashes.length, second.hashes.length)
  for (let at = 0; at < length && indices.length < MOST_INDICES; at += HASH_SIZE) {
    if (first.hashes.compare(second.hashes, at, at + HASH_SIZE, at, at + HASH_SIZE) !== 0) indices.push(second.state.verified.size + at / HASH_SIZE)
  }
  return { entries_that_differed: indices }
}
