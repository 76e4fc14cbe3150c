// One log of the list, turn after turn: by its protocol, at its pace.
import { steadyClock } from '../clock.ts'
import type { ListedLog } from '../ct/log-list.ts'
import { readLogKey } from '../ct/log-key.ts'
import type { Allowance } from '../sources/allowance.ts'
import { createAllowance } from '../sources/allowance.ts'
import type { createHosts, Host } from '../sources/hosts.ts'
import { leftAlone } from '../sources/hosts.ts'
import { createHybrid, tilesWay } from '../sources/hybrid.ts'
import type { InFlight, LogRoom } from '../sources/in-flight.ts'
import type { LogClient, ReceivedHead } from '../sources/log-client.ts'
import { createLogHttp } from '../sources/log-http.ts'
import { createLogTally } from '../sources/log-tally.ts'
import { unusableKey } from '../sources/log-choice.ts'
import { createRfc6962 } from '../sources/rfc6962.ts'
import { createStaticCt } from '../sources/static-ct.ts'
import type { LogState } from '../stores/log-state.ts'
import { behindKey } from '../stores/log-state.ts'
import { beginBehind, readBehind } from './behind.ts'
import type { LogContext } from './context.ts'
import { openLog } from './context.ts'
import { failureOf } from './failure-of.ts'
import type { LogReader } from './log-reader.ts'
import { createLogReader } from './log-reader.ts'
import type { TailPorts } from './ports.ts'

/** What is read behind a log's end and does not make its tree is read again after so long. */
const BEHIND_AGAIN = 300_000
/** A host that is left alone for longer is told of. */
const TOLD_AFTER = 2000
/** After a turn that came to nothing: so long, and twice as long each time. */
const AGAIN = 1000
const LONGEST_WAIT = 30_000

/** What all logs share while they are read. */
export interface Reading {
  readonly ports: TailPorts
  readonly hosts: ReturnType<typeof createHosts>
  readonly inFlight: InFlight
  /** As they are kept, by id. */
  readonly states: Map<string, LogState>
}

/** Reads one log until the signal. `fresh`: it is new to its list. Throws StoreError and FencedError. */
export async function tailLog(reading: Reading, log: ListedLog, fresh: boolean, signal: AbortSignal): Promise<void> {
  const { ports } = reading
  const { clock } = ports
  const host = reading.hosts(log.url)
  const every = log.protocol === 'static-ct' ? ports.interval : 3 * ports.interval
  const opened = openReader(reading, log, fresh, signal)
  if (opened === undefined) return
  const { reader, behind } = opened
  let old: Promise<unknown> | undefined
  let oldFailed: unknown
  const behindOnce = async (): Promise<void> => {
    try {
      if (!(await readBehind(behind))) await clock.sleepUntil(clock.now() + BEHIND_AGAIN, signal)
    } catch (error) {
      oldFailed = error
    } finally {
      old = undefined
    }
  }
  for (let failures = 0; !signal.aborted;) {
    const began = clock.now()
    // Not all at the same moment; and sooner rather than later, since what a head covers is to ring within 10 s.
    let wait = every * (1 - ports.random() * 0.1)
    let told = 0
    try {
      // Whom another log on its host keeps waiting is not well either.
      if (host.blockedUntil - began > TOLD_AFTER) throw leftAlone(host.blockedUntil, began)
      await reader.turn()
      failures = 0
      // Beside the end, and at its own pace.
      old ??= behindOnce()
      if (oldFailed !== undefined) {
        const error = oldFailed
        oldFailed = undefined
        throw error
      }
    } catch (error) {
      const failure = failureOf(error, signal)
      failures += 1
      await reader.failed(failure)
      // A head that was not to be had may be there in a second; one that lies is shown again.
      const first = failure.kind === 'misbehaves' ? every : Math.min(every, AGAIN)
      wait = Math.min(LONGEST_WAIT, first * 2 ** Math.min(10, failures - 1))
      told = failure.until ?? 0
    }
    // A clock that was set back meanwhile is not waited for.
    await clock.sleepUntil(Math.max(told, Math.min(began, clock.now()) + wait), signal)
  }
  await old
}

/** A log, opened to be read turn by turn, and what is read behind its end; undefined if its key cannot be used, which was told when it was chosen. */
export function openReader(
  { ports, hosts, inFlight, states }: Reading,
  log: ListedLog,
  fresh: boolean,
  signal: AbortSignal,
): { readonly reader: LogReader; readonly behind: LogContext } | undefined {
  if (unusableKey(log) !== undefined) return undefined
  const allowance = createAllowance(ports.clock, states.get(log.id)?.limit)
  const host = hosts(log.url)
  const opened = { ports, log, client: clientOf(ports, host, inFlight.log(), log, allowance), host, allowance, states, signal }
  const behind = openLog(opened, behindKey(log.id))
  const begin = async (received: ReceivedHead): Promise<'beginning' | 'end'> => {
    if (ports.start === 'beginning') return 'beginning'
    if (!fresh) return 'end'
    if (received.head.size <= ports.large) return 'beginning'
    await beginBehind(behind, received)
    return 'end'
  }
  return { reader: createLogReader(openLog(opened), behind, begin), behind }
}

function clientOf(ports: TailPorts, host: Host, room: LogRoom, log: ListedLog, allowance: Allowance): LogClient {
  const { url, protocol } = log
  const key = readLogKey(log.key)
  const tally = createLogTally((outcome) => ports.report({ kind: 'log-request', log: log.description, outcome }))
  const way = createLogHttp({
    http: ports.http,
    clock: ports.clock,
    url,
    host,
    bandwidth: ports.bandwidth,
    room,
    userAgent: ports.userAgent,
    longestMs: ports.longestMs,
    ...(ports.patience !== undefined && { patience: ports.patience }),
    heard: (outcome, until) => {
      allowance.heard(outcome, until)
      tally.heard(outcome)
    },
  })
  const { readPage } = ports
  if (protocol === 'static-ct') return tally.judging(createStaticCt(way, key, url, readPage))
  const classic = createRfc6962(way, key, url, readPage)
  if (!ports.isHybrid(url)) return tally.judging(classic)
  return tally.judging(createHybrid(classic, createStaticCt(tilesWay(way), key, url, readPage), steadyClock(ports.clock)))
}
