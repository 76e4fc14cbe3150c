// The rules for what logs bring, over any backend: position, alerts and what is known move together or not at all, for each log on its own.
import type { Alert, MalformedLogEntry } from '../watch/alert.ts'
import type { Sighting } from '../watch/issuance.ts'
import { malformedLogAlert } from '../watch/log-alerts.ts'
import { certificateAlert, judge } from '../watch/policy.ts'
import type { OpenTrouble } from '../watch/trouble.ts'
import { compare } from '../watch/trouble.ts'
import { addAlerts } from './add-alerts.ts'
import type { Backend, Transaction } from './backend.ts'
import type { Control } from './control.ts'
import { rebase } from './control.ts'
import type { LogState } from './log-state.ts'
import { logDocument, readLogStates, rebaseLog } from './log-state.ts'
import type { Owner } from './lease.ts'
import { held } from './lease.ts'
import { issuanceRow } from './sighting.ts'
import type { CertRecord } from './store.ts'
import { FencedError } from './store.ts'

/** What was found in a log. `alerts`: misbehaviour, as it is to be told. */
export interface LogFinds {
  readonly sightings: readonly Sighting[]
  readonly malformed: readonly MalformedLogEntry[]
  readonly alerts: readonly Alert[]
}

/** Nothing. */
export const NO_FINDS: LogFinds = { sightings: [], malformed: [], alerts: [] }

/** What must outlive a run that reads logs. Throws as Store does. */
export interface TailStore {
  /** The right to read logs, until `until` (ms): one process at a time has it. False: another has. Renews what one has. */
  claim(now: number, until: number): Promise<boolean>
  /** Gives it back. */
  release(): Promise<void>
  /** Every log that was ever read, by its id. Of a state that is kept or loaded no time lies after `now` (ms). */
  states(now: number): Promise<ReadonlyMap<string, LogState>>
  /** Keeps a log's state AND what was found, or nothing. Throws FencedError if another process reads the logs now. Returns the alerts that were new. */
  keep(state: LogState, finds: LogFinds, now: number): Promise<{ readonly state: LogState; readonly alerts: readonly Alert[] }>
  document(name: string): Promise<string | undefined>
  putDocument(name: string, text: string): Promise<void>
  /** Compares the troubles of logs and lists with those that were told, but for what is undecided. Returns the alerts that this called for. */
  review(
    judged: { readonly troubles: readonly OpenTrouble[]; readonly undecided: ReadonlySet<string> },
    gone: (trouble: OpenTrouble) => string | undefined,
    now: number,
  ): Promise<readonly Alert[]>
  /** Adds alerts that belong to no log. */
  tell(alerts: readonly Alert[], now: number): Promise<readonly Alert[]>
}

/** Entries of a log that cannot be read ring at most so often. */
const MALFORMED_EVERY = 60_000
const MALFORMED_SHOWN = 100
const MALFORMED_SEEN = 200

/** Whether entries that could not be read are to be told now: they are with the next that is kept of the log. */
export function hasUntold({ malformed: { count, toldAt } }: LogState, now: number): boolean {
  return count > 0 && now - toldAt >= MALFORMED_EVERY
}

function keyOf({ index, leaf_hash: hash }: MalformedLogEntry): string {
  return `${index} ${hash.slice(0, 16)}`
}

/** The tail's store on a backend. `sinks` get what is found. */
export function createTailStore(backend: Backend, sinks: readonly string[], owner: Owner): TailStore {
  let fence = -1
  const leased = (tx: Transaction): void => {
    if (tx.control.tail?.fence !== fence) throw new FencedError('reading the logs')
  }
  return {
    claim: async (now, until) =>
      backend.transact(async (tx) => {
        rebase(tx.control, now)
        const { tail } = tx.control
        const mine = tail !== undefined && tail.fence === fence
        if (!mine && held(tail, owner, now)) return false
        fence = mine ? fence : (tail?.fence ?? 0) + 1
        tx.control.tail = { owner: owner.id, fence, setAt: now, until }
        return true
      }),
    release: async () =>
      backend.transact(async (tx) => {
        if (tx.control.tail?.fence === fence) tx.control.tail = { ...tx.control.tail, until: 0 }
        fence = -1
      }),
    states: async (now) => new Map((await readLogStates(backend.reader)).map((state) => [state.id, rebaseLog(state, now)])),
    keep: async (state, { sightings, malformed, alerts: more }, now) =>
      backend.transact(async (tx) => {
        leased(tx)
        const based = rebaseLog(state, now)
        const known = await tx.known(sightings.map(({ issuance }) => issuance.id))
        const fresh: CertRecord[] = []
        const alerts: Alert[] = [...more]
        const taken = new Set<string>()
        const again: Sighting[] = []
        for (const sighting of sightings) {
          const { id } = sighting.issuance
          if (known.has(id) || taken.has(id)) {
            again.push(sighting)
            continue
          }
          taken.add(id)
          // What a log takes in from the moment we read it is news, whenever it was issued.
          const findings = judge(sighting, { seen: false, phases: [{ kind: 'steady' }], baseline: 'inventory', now: new Date(now) })
          fresh.push(issuanceRow(sighting, findings.length > 0, now))
          if (findings.length > 0) alerts.push(certificateAlert(sighting, findings))
        }
        const gathered = gather(based, malformed, now)
        if (gathered.alert !== undefined) alerts.push(gathered.alert)
        if (fresh.length > 0) {
          await tx.addIssuances(fresh, false)
          tx.control.foundInLogs = (tx.control.foundInLogs ?? 0) + fresh.length
        }
        const kept = { ...based, malformed: gathered.malformed }
        await tx.putDocument(logDocument(state.id), JSON.stringify(kept))
        const added = await addAlerts(tx, alerts, sinks, now)
        for (const { issuance, source } of again) {
          if (issuance.precertificate === true || issuance.certSha256 === undefined) continue
          await tx.noteFinal(issuance.id, { certSha256: issuance.certSha256, seenAt: now, source })
        }
        return { state: kept, alerts: added }
      }),
    document: async (name) => backend.transact(async (tx) => tx.document(name)),
    putDocument: async (name, text) => backend.transact(async (tx) => tx.putDocument(name, text)),
    review: async ({ troubles: wanted, undecided }, gone, now) =>
      backend.transact(async (tx) => {
        leased(tx)
        const isDecided = (component: string): boolean => isMine(component) && !undecided.has(component)
        const judged = compare(new Map(wanted.map((trouble) => [trouble.component, trouble])), tx.control.troubles, now, isDecided, gone)
        const open = Object.assign(Object.create(null) as Control['troubles'], judged.open)
        // For who looks, it is said as it stands now: for how long, and why.
        for (const { component, kind, message } of wanted) {
          const told = open[component]
          if (told?.kind === kind) open[component] = { ...told, message }
        }
        tx.control.troubles = open
        return addAlerts(tx, judged.alerts, sinks, now)
      }),
    tell: async (alerts, now) => backend.transact(async (tx) => addAlerts(tx, alerts, sinks, now)),
  }
}

const isMine = (component: string): boolean => component.startsWith('log:') || component.startsWith('log-list:')

// The first rings at once; what comes within a minute after it is gathered, and rings together. Entries that were read before are not counted twice.
function gather(
  { malformed: before, description, watched }: LogState,
  found: readonly MalformedLogEntry[],
  now: number,
): { readonly malformed: LogState['malformed']; readonly alert?: Alert } {
  // One that was read in another tree, or twice, is the same one.
  const seen = new Set(before.seen)
  const fresh = found.filter((entry) => {
    const key = keyOf(entry)
    if (entry.index < before.below || seen.has(key)) return false
    seen.add(key)
    return true
  })
  const more = { seen: [...seen].slice(-MALFORMED_SEEN) }
  const below = fresh.reduce((least, { index }) => Math.max(least, index + 1), before.below)
  const count = before.count + fresh.length
  const entries = [...before.entries, ...fresh].slice(0, MALFORMED_SHOWN)
  if (count === 0 || (watched && now - before.toldAt < MALFORMED_EVERY)) return { malformed: { ...before, ...more, count, entries, below } }
  return { malformed: { ...more, toldAt: now, count: 0, entries: [], below }, alert: malformedLogAlert(description, entries, count, now) }
}
