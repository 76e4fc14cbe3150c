// Reading logs: each goes round on its own, and what one does delays no other. A turn of a log is: its head, the entries up to it, their root.
import type { Clock } from './clock.ts'
import { EMPTY_RANGE, growTree, rootOf } from './ct/compact-range.ts'
import { ParseError } from './ct/errors.ts'
import type { ListedLog } from './ct/log-list.ts'
import { readLogKey } from './ct/log-key.ts'
import type { Http } from './http.ts'
import type { Bandwidth } from './sources/bandwidth.ts'
import { createHosts } from './sources/hosts.ts'
import { createHybrid } from './sources/hybrid.ts'
import type { LogClient, ReceivedHead } from './sources/log-client.ts'
import { LogFailure } from './sources/log-failure.ts'
import { createLogGet } from './sources/log-http.ts'
import type { LogLists } from './sources/log-lists.ts'
import { chooseLogs } from './sources/log-lists.ts'
import type { Sift } from './sources/log-sift.ts'
import { createWindow, readAhead } from './sources/read-ahead.ts'
import { createRfc6962 } from './sources/rfc6962.ts'
import { createStaticCt } from './sources/static-ct.ts'
import type { LogState, StoredHead } from './stores/log-state.ts'
import { RECENT_HEADS, rangeOf, storedRange } from './stores/log-state.ts'
import { FencedError } from './stores/store.ts'
import type { LogFinds, TailStore } from './stores/tail.ts'
import { NO_FINDS } from './stores/tail.ts'
import type { Alert, MalformedLogEntry } from './watch/alert.ts'
import { StoreError } from './watch/errors.ts'
import { judgeHead, shrunkenTree } from './watch/heads.ts'
import type { Sieve } from './watch/sieve.ts'
import type { Sighting } from './watch/issuance.ts'
import { causeText } from './watch/lag.ts'
import type { Misbehaviour } from './watch/log-alerts.ts'
import { misbehaviourAlert } from './watch/log-alerts.ts'
import type { OpenTrouble } from './watch/trouble.ts'
import { grouped, span } from './watch/words.ts'

/** What happens, for whoever shows or counts it. */
export type TailEvent =
  | { readonly kind: 'log-begun'; readonly log: string; readonly at: number }
  | { readonly kind: 'log-read'; readonly log: string; readonly entries: number; readonly verified: number }
  | { readonly kind: 'log-failed'; readonly log: string; readonly message: string }
  | { readonly kind: 'alerts'; readonly alerts: readonly Alert[] }

export interface TailPorts {
  readonly store: TailStore
  readonly lists: LogLists
  readonly http: Http
  readonly clock: Clock
  readonly random: () => number
  readonly userAgent: string
  /** No request may take longer, ms. */
  readonly longestMs: number
  /** Keeps back what may matter; `sift` looks into that. */
  readonly sieve: Sieve
  readonly sift: Sift
  /** ms between two looks at a static log's checkpoint; at an RFC 6962 log it is three times that. */
  readonly interval: number
  readonly bandwidth: Bandwidth
  /** Whether an RFC 6962 log serves tiles as well. */
  readonly isHybrid: (url: string) => boolean
  readonly start: 'end' | 'beginning'
  readonly only: readonly string[]
  /** Keeps what a log sent, as it came, and says where. */
  readonly keepEvidence: (name: string, bytes: Uint8Array, about: Readonly<Record<string, unknown>>) => Promise<readonly string[]>
  readonly report: (event: TailEvent) => void
  /** The state could not be written; undefined: it was again. */
  readonly stateFailed: (error: StoreError | undefined) => void
}

export interface Tail {
  /** Reads until the signal. `found`: called when alerts were made. Throws OwnerError. */
  run(signal: AbortSignal, found?: () => void): Promise<void>
  /** Reads every log to its end of now, once; false if some could not be read. Throws StoreError and OwnerError. */
  pass(signal: AbortSignal): Promise<boolean>
}

/** How long the right to read is taken for, and how often it is renewed. */
const LEASE = 60_000
const RENEW = 15_000
const LOOK = 2000
const STATE_RETRY = 30_000
/** A trouble that lasts so long rings. */
const PATIENCE = 15 * 60_000
/** The same misbehaviour of one log rings at most so often. */
const TELL_EVERY = 3_600_000
/** What was found is kept at least so often while reading goes on. */
const KEEP_EVERY = 1000
const KEEP_FINDS_EVERY = 250
/** A page that is not there after this does not hold back what was found before it. */
const PATIENT_FOR = 150

/** The reader of all logs. */
export function createTail(given: TailPorts): Tail {
  const { store, clock, lists } = given
  let found = (): void => undefined
  const ports: TailPorts = {
    ...given,
    report: (event) => {
      if (event.kind === 'alerts' && event.alerts.length === 0) return
      given.report(event)
      if (event.kind === 'alerts') found()
    },
  }
  const hosts = createHosts(clock)

  const reading = async (signal: AbortSignal): Promise<void> => {
    const states = new Map(await store.states())
    const stop = new AbortController()
    const all = AbortSignal.any([signal, stop.signal])
    const running = new Map<string, Promise<void>>()
    let broken: unknown
    let reviewedAt = -Infinity
    try {
      for (let claimedAt = clock.now(); !all.aborted;) {
        const now = clock.now()
        if (now - claimedAt >= RENEW || now < claimedAt) {
          if (!(await store.claim(now, now + LEASE))) throw new FencedError('reading the logs')
          claimedAt = now
        }
        await lists.refresh(now)
        const fresh = await firstListed(ports, lists)
        const chosen = chooseLogs(lists.states, { only: ports.only, begun: (id) => isBegun(states.get(id)) }, now)
        for (const [id, log] of chosen) {
          if (running.has(id)) continue
          const task = tailLog(ports, hosts, log, states, fresh.has(id), all).catch((error: unknown) => {
            if (all.aborted) return
            broken = error
            stop.abort()
          })
          running.set(id, task)
        }
        if (now - reviewedAt >= RENEW) {
          reviewedAt = now
          ports.report({ kind: 'alerts', alerts: await store.review(troublesOf(states, lists, now), now) })
        }
        await clock.sleepUntil(now + LOOK, all)
      }
    } finally {
      stop.abort()
      await Promise.all(running.values())
    }
    if (broken !== undefined) throw broken
  }

  return {
    pass: async (signal) => {
      const now = clock.now()
      if (!(await store.claim(now, now + LEASE))) return true
      await lists.refresh(now)
      const states = new Map(await store.states())
      const fresh = await firstListed(ports, lists)
      const chosen = chooseLogs(lists.states, { only: ports.only, begun: (id) => isBegun(states.get(id)) }, now)
      const went = await Promise.all(
        [...chosen.values()].map(async (log) => {
          const client = clientOf(ports, hosts, log)
          if (client === undefined) return true
          const reader = createLogReader(ports, log, client, states, fresh.has(log.id), signal)
          try {
            await reader.turn()
            return true
          } catch (error) {
            if (!(error instanceof LogFailure)) throw error
            await reader.failed(error)
            return false
          }
        }),
      )
      ports.report({ kind: 'alerts', alerts: await store.review(troublesOf(states, lists, clock.now()), clock.now()) })
      await store.release()
      return went.every(Boolean)
    },
    run: async (signal, hear = () => undefined) => {
      found = hear
      while (!signal.aborted) {
        try {
          const now = clock.now()
          if (await store.claim(now, now + LEASE)) {
            ports.stateFailed(undefined)
            await reading(signal)
          } else await clock.sleepUntil(now + 2 * LOOK, signal)
        } catch (error) {
          if (signal.aborted) break
          if (error instanceof FencedError) continue
          if (!(error instanceof StoreError)) throw error
          ports.stateFailed(error)
          await clock.sleepUntil(clock.now() + STATE_RETRY, signal)
        }
      }
      await store.release().catch(() => undefined)
    },
  }
}

// A log that came onto a list after that list was first read is new: it is read from its first entry.
async function firstListed({ store }: TailPorts, lists: LogLists): Promise<ReadonlySet<string>> {
  const text = await store.document(FIRST_LISTED)
  const known = text === undefined ? {} : (JSON.parse(text) as Record<string, Record<string, 'old' | 'new'>>)
  let changed = false
  const fresh = new Set<string>()
  const old = new Set<string>()
  for (const { source, list } of lists.states) {
    if (list === undefined) continue
    const before = known[source.name]
    const now = (known[source.name] ??= {})
    for (const { id } of list.logs) {
      if (now[id] === undefined) {
        now[id] = before === undefined ? 'old' : 'new'
        changed = true
      }
      ;(now[id] === 'new' ? fresh : old).add(id)
    }
  }
  if (changed) await store.putDocument(FIRST_LISTED, JSON.stringify(known))
  for (const id of old) fresh.delete(id)
  return fresh
}

const FIRST_LISTED = 'first-listed'

function troublesOf(states: ReadonlyMap<string, LogState>, lists: LogLists, now: number): readonly OpenTrouble[] {
  const troubles: OpenTrouble[] = []
  for (const { refused, source } of lists.states) {
    if (refused !== undefined)
      troubles.push({ component: `log-list:${source.name}`, kind: 'refused', since: refused.since, message: refused.message })
  }
  for (const { description, behindSince, failing, position, head, cause } of states.values()) {
    const since = Math.min(behindSince ?? Infinity, failing?.since ?? Infinity)
    if (now - since < PATIENCE) continue
    const behind = (head?.size ?? 0) - position.size
    const why = failing?.message ?? causeText(failing?.kind ?? cause ?? 'slow')
    const message = `${description}: ${behind > 0 ? `${grouped(behind)} entries behind` : 'not read'} for ${span(now - since)}, because ${why}. Nothing is lost: reading goes on where it stopped.`
    troubles.push({ component: `log:${description}`, kind: 'behind', since, message })
  }
  return troubles
}

async function tailLog(
  ports: TailPorts,
  hosts: ReturnType<typeof createHosts>,
  log: ListedLog,
  states: Map<string, LogState>,
  fresh: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = ports
  const every = log.protocol === 'static-ct' ? ports.interval : 3 * ports.interval
  const client = clientOf(ports, hosts, log)
  if (client === undefined) return
  const reader = createLogReader(ports, log, client, states, fresh, signal)
  for (let failures = 0; !signal.aborted;) {
    const began = clock.now()
    let until = began + every
    try {
      await reader.turn()
      failures = 0
    } catch (error) {
      if (!(error instanceof LogFailure)) throw error
      failures += 1
      await reader.failed(error)
      until = Math.max(error.until ?? 0, began + Math.min(30_000, every * 2 ** Math.min(10, failures - 1)))
    }
    // Not all at the same moment.
    await clock.sleepUntil(until + ports.random() * every * 0.1, signal)
  }
}

function clientOf(ports: TailPorts, hosts: ReturnType<typeof createHosts>, { key: spki, url, protocol }: ListedLog): LogClient | undefined {
  try {
    const key = readLogKey(spki)
    const get = createLogGet({
      http: ports.http,
      clock: ports.clock,
      url,
      host: hosts(url),
      bandwidth: ports.bandwidth,
      userAgent: ports.userAgent,
      longestMs: ports.longestMs,
    })
    const tiles = createStaticCt(get, key, url, ports.sieve)
    if (protocol === 'static-ct') return tiles
    const classic = createRfc6962(get, key, url, ports.sieve)
    return ports.isHybrid(url) ? createHybrid(classic, tiles) : classic
  } catch (error) {
    // A key of a kind that no log may have: there is nothing that could be verified.
    if (!(error instanceof ParseError)) throw error
    return undefined
  }
}

interface LogReader {
  /** One look at the head, and everything up to it. Throws LogFailure. */
  turn(): Promise<void>
  /** A turn came to nothing. */
  failed(failure: LogFailure): Promise<void>
}

function createLogReader(
  ports: TailPorts,
  log: ListedLog,
  client: LogClient,
  states: Map<string, LogState>,
  fresh: boolean,
  signal: AbortSignal,
): LogReader {
  const { store, clock, report, sift } = ports
  const name = { id: log.id, description: log.description }
  const window = createWindow()
  const final = log.finalTreeHead === undefined ? undefined : { size: log.finalTreeHead.size, root: log.finalTreeHead.rootHash.toString('base64') }
  // A head whose entries do not make its root is not tried again and again.
  let refused: string | undefined

  const keep = async (state: LogState, finds: LogFinds): Promise<LogState> => {
    const kept = await store.keep(state, finds, clock.now())
    states.set(log.id, kept.state)
    if (kept.alerts.length > 0) report({ kind: 'alerts', alerts: kept.alerts })
    return kept.state
  }

  const current = async (received: ReceivedHead): Promise<LogState> => {
    const known = states.get(log.id)
    if (known !== undefined && isBegun(known)) return { ...known, ...listed(log) }
    const fromStart = ports.start === 'beginning' || fresh
    const range = fromStart ? EMPTY_RANGE : await client.edge(received.head, signal)
    if (!fromStart && !rootOf(range).equals(Buffer.from(received.head.rootHash)))
      throw new LogFailure('broken', 'its right edge does not make the root that it signed')
    const now = clock.now()
    report({ kind: 'log-begun', log: log.description, at: range.size })
    return {
      version: 1,
      id: log.id,
      ...listed(log),
      begunAt: now,
      begunFrom: range.size,
      position: storedRange(range),
      verified: storedRange(range),
      recent: fromStart ? [] : [storedHead(received)],
      told: {},
      malformed: { toldAt: 0, count: 0, entries: [], below: range.size },
    }
  }

  // Evidence is kept and told of only if it was not told of lately: a log that lies at every turn would fill the disk.
  const tell = async (
    state: LogState,
    misbehaviour: readonly Misbehaviour[],
    received: ReceivedHead,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<{ readonly state: LogState; readonly alerts: readonly Alert[] }> => {
    const alerts: Alert[] = []
    const now = clock.now()
    const told = { ...state.told }
    for (const each of misbehaviour) {
      if (now - (told[each.kind] ?? -Infinity) < TELL_EVERY) continue
      told[each.kind] = now
      const about = {
        log: log.description,
        log_id: log.id,
        misbehaviour: each.kind,
        url: received.url,
        received_at: new Date(now).toISOString(),
        ...more,
      }
      alerts.push(
        misbehaviourAlert(
          name,
          each,
          await ports.keepEvidence(`${log.description}-${each.kind}-${received.head.size}`, received.received, about),
          now,
        ),
      )
    }
    return { state: { ...state, told }, alerts }
  }

  const turn = async (): Promise<void> => {
    const received = await client.head(signal)
    const head = storedHead(received)
    const now = clock.now()
    if (!received.valid && !isBegun(states.get(log.id))) {
      // Nothing was begun that could be kept with it.
      const { alerts } = await tell(emptyState(log), judgeHead(head, false, { recent: [], verified: 0, final }, now).misbehaviour, received)
      report({ kind: 'alerts', alerts: await store.tell(alerts, now) })
      throw new LogFailure('broken', 'its tree head is not signed by its key')
    }
    let state = await current(received)
    const { verdict, misbehaviour, unproved } = judgeHead(head, received.valid, { recent: state.recent, verified: state.verified.size, final }, now)
    const shrunken = unproved && (await isShrunken(state, received)) ? [shrunkenTree(head, state.verified.size)] : []
    const judged = await tell(state, [...misbehaviour, ...shrunken], received)
    state = judged.state
    const again = `${head.size} ${head.root}` === refused
    if (verdict === 'read' && !again) {
      state = { ...state, head: { ...head, seenAt: now }, behindSince: state.behindSince ?? now }
      states.set(log.id, state)
      await readTo(state, received, judged.alerts)
      return
    }
    // A head that is no larger says at least that the log is there.
    const { failing: _, ...well } = state
    const kept = verdict === 'stale' && !again ? { ...well, ...(head.size >= (state.head?.size ?? 0) && { head: { ...head, seenAt: now } }) } : state
    if (judged.alerts.length > 0 || !isBegun(states.get(log.id)) || state.failing !== undefined || kept.head?.size !== state.head?.size)
      await keep(kept, { ...NO_FINDS, alerts: judged.alerts })
  }

  // Smaller heads come from replicas and caches that are behind; each is looked into once.
  const looked = new Map<string, boolean>()
  const isShrunken = async (state: LogState, { head }: ReceivedHead): Promise<boolean> => {
    const about = `${head.size} ${Buffer.from(head.rootHash).toString('base64')}`
    const known = looked.get(about)
    if (known !== undefined) return known
    const large = rangeOf(state.verified)
    const proved = await client.isPrefix({ size: head.size, root: head.rootHash }, { size: large.size, root: rootOf(large) }, signal)
    if (looked.size > 100) looked.clear()
    looked.set(about, proved === false)
    return proved === false
  }

  const readTo = async (begin: LogState, received: ReceivedHead, alerts: readonly Alert[]): Promise<void> => {
    const { head } = received
    let state = begin
    let told = alerts
    let lost: Finds = emptyFinds()
    for (let attempt = 1; ; attempt++) {
      const read = await readEntries(state, received, told)
      told = []
      if (read.root.equals(Buffer.from(head.rootHash))) {
        const { failing: _f, behindSince: _b, cause: _c, ...well } = read.state
        const verified = storedRange(read.range)
        const recent = [...well.recent, storedHead(received)].slice(-RECENT_HEADS)
        const kept = await keep(
          { ...well, position: verified, verified, recent },
          { sightings: read.finds.sightings.map(asVerified), malformed: read.finds.malformed, alerts: read.alerts },
        )
        report({ kind: 'log-read', log: log.description, entries: kept.verified.size - begin.verified.size, verified: kept.verified.size })
        return
      }
      state = { ...read.state, position: read.state.verified }
      lost = { sightings: [...lost.sightings, ...read.finds.sightings], malformed: [...lost.malformed, ...read.finds.malformed] }
      if (attempt === 1) {
        // Perhaps only an answer was broken.
        await clock.sleepUntil(clock.now() + 1000, signal)
        continue
      }
      refused = `${head.size} ${Buffer.from(head.rootHash).toString('base64')}`
      const kind = 'root-mismatch'
      const about = `${head.size}/${Buffer.from(head.rootHash).toString('base64').slice(0, 12)}`
      const message = `its entries, read twice, do not make the tree of ${grouped(head.size)} entries that it signed. ${grouped(state.verified.size)} entries are verified and stay so; reading goes on when a head continues them. Matches among the others ring, marked as not verified`
      const judged = await tell(state, [{ kind, about, message }], received, { computed_root: read.root.toString('base64') })
      await keep({ ...judged.state, cause: 'misbehaves' }, { ...lost, alerts: [...read.alerts, ...judged.alerts] })
      return
    }
  }

  // The entries up to a head. What was found is kept on the way, all but the last, which goes with the verdict on the root.
  const readEntries = async (
    begin: LogState,
    received: ReceivedHead,
    alerts: readonly Alert[],
  ): Promise<{
    readonly state: LogState
    readonly range: ReturnType<typeof rangeOf>
    readonly root: Buffer
    readonly finds: Finds
    readonly alerts: readonly Alert[]
  }> => {
    const { size } = received.head
    const tree = growTree(rangeOf(begin.position))
    let state = begin
    let finds = emptyFinds()
    let toTell = alerts
    let keptAt = clock.now()
    // What the requests say of themselves, at any time.
    let failure: LogState['failing'] = begin.failing
    let dirty = false
    // ms spent in waiting for pages since the state was last kept.
    let idle = 0
    const flush = async (): Promise<void> => {
      dirty = false
      const took = Math.max(1, clock.now() - keptAt)
      const cause = failure?.kind ?? (ports.bandwidth.short ? 'bandwidth' : idle > took / 2 ? 'slow' : 'cpu')
      const { failing: _, ...rest } = state
      state = await keep(
        { ...rest, cause, position: storedRange(tree.range()), ...(failure !== undefined && { failing: failure }) },
        { ...finds, alerts: toTell },
      )
      finds = emptyFinds()
      toTell = []
      keptAt = clock.now()
      idle = 0
    }
    const pages = readAhead(begin.position.size, size, size, {
      client,
      window,
      clock,
      random: ports.random,
      signal,
      failed: (each) => {
        const { failing: _, ...calm } = begin
        failure = withFailure({ ...calm, ...(failure !== undefined && { failing: failure }) }, each, clock.now()).failing
        dirty = true
        report({ kind: 'log-failed', log: log.description, message: each.message })
      },
      succeeded: () => {
        dirty ||= failure !== undefined
        failure = undefined
      },
    })
    try {
      for (;;) {
        const next = pages.next()
        const asked = clock.now()
        for (let before = asked; !(await settles(next, clock, PATIENT_FOR, signal)); before = clock.now()) {
          idle += clock.now() - before
          const found = finds.sightings.length + finds.malformed.length + toTell.length > 0
          if (found || ((dirty || idle >= KEEP_EVERY || tree.size > state.position.size) && clock.now() - keptAt >= KEEP_EVERY)) await flush()
        }
        idle += Math.min(PATIENT_FOR, clock.now() - asked)
        const { value: page } = await next
        if (page === undefined) break
        const now = new Date(clock.now())
        tree.appendLeaves(page.hashes)
        for (const entry of page.kept) {
          const sifted = sift(name, entry, now)
          if (sifted?.sighting !== undefined) finds.sightings.push(sifted.sighting)
          if (sifted?.malformed !== undefined) finds.malformed.push(sifted.malformed)
        }
        for (const index of page.misplaced) {
          const message = `its entry ${grouped(index)} says that it is at another place. It is read all the same`
          const judged = await tell(state, [{ kind: 'leaf-index', about: String(index), message }], received, { index })
          state = judged.state
          toTell = [...toTell, ...judged.alerts]
        }
        if (tree.size >= size) break
        const waited = clock.now() - keptAt
        if (waited >= KEEP_EVERY || (finds.sightings.length + finds.malformed.length > 0 && waited >= KEEP_FINDS_EVERY)) await flush()
      }
    } finally {
      await pages.return(undefined)
    }
    return { state, range: tree.range(), root: tree.root(), finds, alerts: toTell }
  }

  return {
    turn,
    failed: async (failure) => {
      report({ kind: 'log-failed', log: log.description, message: failure.message })
      const state = states.get(log.id)
      const now = clock.now()
      await keep(withFailure(state ?? emptyState(log), failure, now), NO_FINDS)
    },
  }
}

interface Finds {
  readonly sightings: Sighting[]
  readonly malformed: MalformedLogEntry[]
}

function emptyFinds(): Finds {
  return { sightings: [], malformed: [] }
}

function asVerified(sighting: Sighting): Sighting {
  const { source } = sighting
  return source.kind === 'log' ? { ...sighting, source: { ...source, verified: true } } : sighting
}

function listed({
  description,
  operator,
  protocol,
  url,
  state,
}: ListedLog): Pick<LogState, 'description' | 'operator' | 'protocol' | 'url' | 'state' | 'watched'> {
  return { description, operator, protocol, url, watched: true, ...(state !== undefined && { state }) }
}

// Of a log that was never reached: it is begun where it ends, or begins, once it answers.
function emptyState(log: ListedLog): LogState {
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

function isBegun(state: LogState | undefined): boolean {
  return state !== undefined && state.begunAt > 0
}

function storedHead({ head }: ReceivedHead): StoredHead {
  return { size: head.size, root: Buffer.from(head.rootHash).toString('base64'), timestamp: head.timestamp }
}

function withFailure(state: LogState, { kind, message }: LogFailure, now: number): LogState {
  const before = state.failing
  return { ...state, cause: kind, failing: { since: before?.since ?? now, failures: (before?.failures ?? 0) + 1, kind, message } }
}

// Whether a promise settles within so many ms.
async function settles(promise: Promise<unknown>, clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  const over = new AbortController()
  try {
    return await Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      clock.sleepUntil(clock.now() + ms, AbortSignal.any([over.signal, signal])).then(() => signal.aborted),
    ])
  } finally {
    over.abort()
  }
}
