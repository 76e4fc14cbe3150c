// Up to a head, and whether its entries make the tree that it signed.
import type { ReceivedHead } from '../sources/log-client.ts'
import type { LogState } from '../stores/log-state.ts'
import { RECENT_HEADS, storedRange } from '../stores/log-state.ts'
import type { Alert } from '../watch/alert.ts'
import { grouped } from '../watch/words.ts'
import type { LogContext } from './context.ts'
import { readEntries } from './entries.ts'
import type { Finds } from './state.ts'
import { asVerified, emptyFinds, storedHead } from './state.ts'

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
  for (let attempt = 1; ; attempt++) {
    const read = await readEntries(context, state, received, told)
    told = []
    if (read.root.equals(Buffer.from(head.rootHash))) {
      const { failing: _f, behindSince: _b, cause: _c, ...well } = read.state
      const verified = storedRange(read.range)
      const recent = [...well.recent, storedHead(received)].slice(-RECENT_HEADS)
      const kept = await context.keep(
        { ...well, position: verified, verified, recent },
        { sightings: read.finds.sightings.map(asVerified), malformed: read.finds.malformed, alerts: read.alerts },
      )
      report({ kind: 'log-read', log: log.description, entries: kept.verified.size - begin.verified.size, verified: kept.verified.size })
      return true
    }
    state = { ...read.state, position: read.state.verified }
    lost = { sightings: [...lost.sightings, ...read.finds.sightings], malformed: [...lost.malformed, ...read.finds.malformed] }
    if (attempt === 1) {
      // Perhaps only an answer was broken.
      await clock.sleepUntil(clock.now() + 1000, signal)
      continue
    }
    const kind = 'root-mismatch'
    const about = `${head.size}/${Buffer.from(head.rootHash).toString('base64').slice(0, 12)}`
    const message = `its entries, read twice, do not make the tree of ${grouped(head.size)} entries that it signed. ${grouped(state.verified.size)} entries are verified and stay so; reading goes on when a head continues them. Matches among the others ring, marked as not verified`
    const judged = await context.tell(state, [{ kind, about, message }], received, { computed_root: read.root.toString('base64') })
    await context.keep({ ...judged.state, cause: 'misbehaves' }, { ...lost, alerts: [...read.alerts, ...judged.alerts] })
    return false
  }
}
