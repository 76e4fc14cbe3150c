// One log while it is read: where it is asked, where it is kept, and what is told of it.
import type { ListedLog } from '../ct/log-list.ts'
import type { Allowance } from '../sources/allowance.ts'
import type { Host } from '../sources/hosts.ts'
import type { LogClient, ReceivedHead } from '../sources/log-client.ts'
import type { Received } from '../sources/log-entry.ts'
import type { Window } from '../sources/read-ahead.ts'
import { createWindow } from '../sources/read-ahead.ts'
import type { LogState } from '../stores/log-state.ts'
import type { LogFinds } from '../stores/tail.ts'
import type { Alert } from '../watch/alert.ts'
import type { Misbehaviour } from '../watch/log-alerts.ts'
import { misbehaviourAlert } from '../watch/log-alerts.ts'
import type { TailPorts } from './ports.ts'

/** What every step of reading a log is given. */
export interface LogContext {
  readonly ports: TailPorts
  readonly log: ListedLog
  readonly client: LogClient
  readonly window: Window
  readonly signal: AbortSignal
  readonly host: Host
  /** False of what is read behind the log's end. */
  readonly isEnd: boolean
  readonly allowance: Allowance
  /** As it was kept last, or set. */
  state(): LogState | undefined
  /** For those who look, until it is kept. */
  show(state: LogState): void
  /** Keeps the state and what was found, and reports the alerts that this made. */
  keep(state: LogState, finds: LogFinds): Promise<LogState>
  /** The alerts for what the log did, its bytes kept as evidence: the head, and `more` answers. `about` goes beside them. */
  tell(
    state: LogState,
    misbehaviour: readonly Misbehaviour[],
    received: ReceivedHead,
    about?: Readonly<Record<string, unknown>>,
    more?: readonly Received[],
  ): Promise<{ readonly state: LogState; readonly alerts: readonly Alert[] }>
}

/** The same kind of misbehaviour of one log rings at most so often. */
const TELL_EVERY = 3_600_000
/** What else it does of that kind until then is kept as evidence, so many times: a log that lies at every turn would fill the disk. */
const KEPT_UNTOLD = 8

/** What a log's contexts have in common. */
export interface OpenedLog extends Pick<LogContext, 'ports' | 'log' | 'client' | 'host' | 'allowance' | 'signal'> {
  /** As they are kept, by id. */
  readonly states: Map<string, LogState>
}

/** A log, its state under `key`. */
export function openLog({ ports, log, client, host, allowance, states, signal }: OpenedLog, key = log.id): LogContext {
  const { store, clock, report } = ports
  // What was kept since its kind was told last.
  const kept = new Map<string, Set<string>>()
  const tell: LogContext['tell'] = async (state, misbehaviour, received, about = {}, more = []) => {
    const alerts: Alert[] = []
    const now = clock.now()
    const told = { ...state.told }
    for (const each of misbehaviour) {
      const isDue = now - (told[each.kind] ?? -Infinity) >= TELL_EVERY
      const before = (isDue ? undefined : kept.get(each.kind)) ?? new Set()
      if (!isDue && (before.has(each.about) || before.size > KEPT_UNTOLD)) continue
      kept.set(each.kind, before.add(each.about))
      if (isDue) told[each.kind] = now
      const name = `${log.description}-${each.kind}`
      const origin = { log: log.description, log_id: log.id, misbehaviour: each.kind, received_at: new Date(now).toISOString() }
      const { files, lost } = await keepEvidence(ports, `${name}-${received.head.size}`, received.received, {
        ...origin,
        url: received.url,
        ...about,
      })
      const all = [...files]
      for (const { url, bytes, tooLarge } of more) {
        const about = { ...origin, url, ...(tooLarge !== undefined && { bytes_too_many_to_keep: tooLarge }) }
        all.push(...(await keepEvidence(ports, `${name}-entries-${received.head.size}`, bytes, about)).files)
      }
      if (!isDue) continue
      const message = lost === undefined ? each.message : `${each.message}. What it sent could not be kept as evidence: ${lost}`
      alerts.push(misbehaviourAlert(log, { ...each, message }, all, now))
    }
    return { state: { ...state, told }, alerts }
  }

  return {
    ports,
    log,
    client,
    window: createWindow(),
    signal,
    host,
    isEnd: key === log.id,
    allowance,
    state: () => states.get(key),
    show: (state) => void states.set(key, state),
    keep: async (state, finds) => {
      const { limit: _, ...rest } = state
      // How much it lets through is told only as long as that is the reason.
      const limit = (rest.failing?.kind ?? rest.cause) === 'limited' ? allowance.limit() : undefined
      const kept = await store.keep({ ...rest, ...(limit !== undefined && { limit }) }, finds, clock.now())
      states.set(key, kept.state)
      report({ kind: 'alerts', alerts: kept.alerts })
      return kept.state
    },
    tell,
  }
}

// A lie rings whether it can be kept or not.
async function keepEvidence(
  ports: TailPorts,
  ...evidence: Parameters<TailPorts['keepEvidence']>
): Promise<{ readonly files: readonly string[]; readonly lost?: string }> {
  try {
    return { files: await ports.keepEvidence(...evidence) }
  } catch (error) {
    return { files: [], lost: error instanceof Error ? error.message : 'it cannot be written' }
  }
}
