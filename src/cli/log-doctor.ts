// What `certbell doctor` looks at of the logs: each list once, and the head of each log that would be read. Nothing is kept of it.
import type { Plan, World } from '../app.ts'
import { clockText } from '../clock-text.ts'
import type { Config, LogsConfig } from '../config/config.ts'
import type { ListedLog } from '../ct/log-list.ts'
import { readLogKey } from '../ct/log-key.ts'
import { listSource } from '../log-list-sources.ts'
import { UNLIMITED } from '../sources/bandwidth.ts'
import { createHosts } from '../sources/hosts.ts'
import { chooseLogs, skippedLogs, unusableKey } from '../sources/log-choice.ts'
import { LogFailure } from '../sources/log-failure.ts'
import { createLogHttp } from '../sources/log-http.ts'
import type { KeptList, ListState } from '../sources/log-lists.ts'
import { createLogLists, frozenList } from '../sources/log-lists.ts'
import { readPagesHere } from '../sources/read-page.ts'
import { createRfc6962 } from '../sources/rfc6962.ts'
import { createStaticCt } from '../sources/static-ct.ts'
import type { LogState } from '../stores/log-state.ts'
import { LIST_DOCUMENTS, readLogStates } from '../stores/log-state.ts'
import { OwnerError, StoreError } from '../watch/errors.ts'
import { createSieve } from '../watch/sieve.ts'
import { ago, listed, plural } from '../watch/words.ts'
import type { Finding } from './finding.ts'
import { openReader } from './reader.ts'

/** Heads asked for at once, the longest that one may take, and all of them. */
const AT_ONCE = 8
const HEAD_MS = 5000
const ALL_MS = 10_000
/** Logs that are named in one line. */
const NAMED = 8

const NETWORK = 'see the way out of this network: the proxy, the name server, and what else reads logs from this address'

/** The lines about the logs; none if they are not read. Asks each list and each log once. */
export async function logFindings(config: Config, plan: Plan, world: World): Promise<readonly Finding[]> {
  const { logs } = config
  if (logs === false) return []
  const kept = await keptState(config)
  const now = world.clock.now()
  const lists = (
    await Promise.all(logs.lists.map(async (source) => readList(listSource(source, world.http, plan.userAgent), kept.lists, now)))
  ).flat()
  const findings: Finding[] = contactFindings(config)
  for (const state of lists) findings.push(listFinding(state, now))
  if (lists.every(({ list }) => list === undefined)) {
    findings.push({ level: 'FAIL', what: 'logs: no log list can be used, and none is known, so no log would be read', remedy: NETWORK })
    return findings
  }
  const skipped = [...new Set(skippedLogs(lists, logs.only, now))]
  if (skipped.length > 0) findings.push({ level: 'warn', what: listed(skipped), remedy: 'other logs are read; tell whoever makes the list' })
  return [...findings, ...(await headFindings(logs, lists, plan, world, kept.states))]
}

// What a running watch has found out, so that it need not be found out again.
async function keptState(config: Config): Promise<{ readonly lists: ReadonlyMap<string, string>; readonly states: ReadonlyMap<string, LogState> }> {
  try {
    const reader = await openReader(config)
    if (reader === undefined) return { lists: new Map(), states: new Map() }
    try {
      const states = await readLogStates(reader)
      return { lists: await reader.documents(LIST_DOCUMENTS), states: new Map(states.map((state) => [state.id, state])) }
    } finally {
      await reader.close()
    }
  } catch (error) {
    // That the state cannot be used is a line of its own.
    if (!(error instanceof OwnerError || error instanceof StoreError)) throw error
    return { lists: new Map(), states: new Map() }
  }
}

// As a run would look at it, against the one that is known, but whole: a list that has not changed says nothing of its signature.
async function readList(source: ReturnType<typeof listSource>, known: ReadonlyMap<string, string>, now: number): Promise<readonly ListState[]> {
  const lists = await createLogLists({
    sources: [source],
    load: async (key) => {
      const text = known.get(LIST_DOCUMENTS + key)
      if (text === undefined) return undefined
      const { tag: _, ...list } = JSON.parse(text) as KeptList
      return list
    },
    save: async () => undefined,
  })
  await lists.refresh(now)
  return lists.states
}

function contactFindings({ contact }: Config): Finding[] {
  if (contact !== undefined) return []
  const what = '`contact` is not set: operators of logs ask for it, and some give less to those who do not say who they are'
  return [{ level: 'warn', what, remedy: 'set contact (or CERTBELL_CONTACT) to a mail address or URL that somebody reads' }]
}

function listFinding(state: ListState, now: number): Finding {
  const { source, list, refused } = state
  if (refused !== undefined) return { level: 'warn', what: refused.message, remedy: 'see its address, path and key in logs.lists, and the way there' }
  const frozen = frozenList(state, now)
  if (frozen !== undefined) return { level: 'warn', what: frozen.message, remedy: 'compare its log_list_timestamp from another network; set contact' }
  const signed = source.isSigned ? 'its signature is right' : 'it has no signature'
  const made = list?.madeAt === undefined ? '' : `, made ${ago(list.madeAt, now)}`
  return { level: 'ok', what: `log list ${source.name}: ${plural(list?.logs.length ?? 0, 'log')}, ${signed}${made}` }
}

async function headFindings(
  { only }: LogsConfig,
  lists: readonly ListState[],
  plan: Plan,
  world: World,
  states: ReadonlyMap<string, LogState>,
): Promise<readonly Finding[]> {
  const now = world.clock.now()
  const chosen = [...chooseLogs(lists, { only, begun: (id) => (states.get(id)?.begunAt ?? 0) > 0 }, now).values()]
  if (chosen.length === 0) {
    const remedy =
      only.length === 0 ? 'see logs.lists: none of their logs is live' : 'see logs.only: its words are in no description, and name no operator'
    return [{ level: 'FAIL', what: 'logs: none is chosen, so none would be read', remedy }]
  }
  const ask = createAsk(plan, world)
  const failed: string[] = []
  let next = 0
  // A timer of its own, and not the world's clock: that may be a test's.
  const over = AbortSignal.timeout(ALL_MS)
  const askSome = async (): Promise<void> => {
    for (let log = chosen[next++]; log !== undefined; log = chosen[next++]) {
      const why = waits(states.get(log.id), now) ?? (await ask(log, over))
      if (why !== undefined) failed.push(`${log.description} (${why})`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, askSome))
  const well = chosen.length - failed.length
  const named = listed(failed.toSorted(), NAMED)
  if (well === 0)
    return [
      { level: 'FAIL', what: `logs: none of ${plural(chosen.length, 'log')} answers with a head that its key signed: ${named}`, remedy: NETWORK },
    ]
  const ok: Finding = { level: 'ok', what: `logs: ${well} of ${chosen.length} answer with a head that their key signed` }
  if (failed.length === 0) return [ok]
  const remedy = 'a log that is down or refuses us is asked again by itself, and rings after 15 min; docs/logs.md says what to do about each reason'
  return [ok, { level: 'warn', what: `logs: ${failed.length} of ${chosen.length} do not: ${named}`, remedy }]
}

// A running watch was told to leave it alone: that holds for us as well.
function waits(state: LogState | undefined, now: number): string | undefined {
  const until = state?.limit?.until ?? 0
  return until > now ? `it asked to be left alone until ${clockText(until, now)}, and was not asked` : undefined
}

// Why a log does not answer as it should; undefined: it does.
function createAsk(plan: Plan, world: World): (log: ListedLog, over: AbortSignal) => Promise<string | undefined> {
  const hosts = createHosts(world.clock)
  // Nothing is read but heads.
  const readPage = readPagesHere(createSieve([]))
  return async (log, over) => {
    const unusable = unusableKey(log)
    if (unusable !== undefined) return unusable
    const { url, protocol } = log
    const way = createLogHttp({
      http: world.http,
      clock: world.clock,
      url,
      host: hosts(url),
      bandwidth: UNLIMITED,
      userAgent: plan.userAgent,
      longestMs: HEAD_MS,
    })
    const create = protocol === 'static-ct' ? createStaticCt : createRfc6962
    try {
      const { valid } = await create(way, readLogKey(log.key), url, readPage).head(over)
      return valid ? undefined : 'its key did not sign the head that it shows'
    } catch (error) {
      if (over.aborted) return 'no answer in time'
      if (!(error instanceof LogFailure)) throw error
      return error.message
    }
  }
}
