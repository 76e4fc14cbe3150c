// `certbell doctor`: everything that must be right for alerts to arrive, a line each, with the remedy. One query at most of the API, one look at each log list and log, and nothing posted.
import { lookup } from 'node:dns/promises'
import { createSource, planRun } from '../../app.ts'
import type { Plan, World } from '../../app.ts'
import type { Config, S3State } from '../../config/config.ts'
import { NetworkError } from '../../http.ts'
import type { Backend } from '../../stores/backend.ts'
import { count, credentialOf } from '../../stores/budget.ts'
import { createStore } from '../../stores/durable.ts'
import { held } from '../../stores/lease.ts'
import { isShared } from '../../stores/sqlite/open.ts'
import { quickCheck } from '../../stores/sqlite/quick-check.ts'
import { OwnerError, StoreError } from '../../watch/errors.ts'
import { printable, safeJson } from '../../watch/printable.ts'
import { budgetLeft } from '../../watch/schedule.ts'
import { plural, span } from '../../watch/words.ts'
import { exposedFiles } from '../exposed.ts'
import type { Finding } from '../finding.ts'
import { intervals } from '../heading.ts'
import { logFindings } from '../log-doctor.ts'
import type { Session } from '../session.ts'
import { realWorld } from '../world.ts'

/** What became of the one query that doctor may ask. */
type Counted = Awaited<ReturnType<typeof countQuery>> | 'not-counted'

/** Runs the command; the exit code: 1 if anything is FAIL. */
export async function doctor(session: Session): Promise<number> {
  const { world, close } = realWorld(session)
  try {
    const { config } = session
    const plan = planRun(config, world.stdout.isTty, session.version)
    const findings: Finding[] = [{ level: 'ok', what: `Node ${process.versions.node}` }]
    findings.push({
      level: 'ok',
      what: `${config.file ?? 'configuration'}: ${plural(config.watch.length, 'name')}, ${plural(plan.setup.sinks.length, 'sink')}`,
    })
    for (const warning of config.warnings) findings.push({ level: 'warn', what: warning })
    for (const exposed of exposedFiles(config, process.cwd())) findings.push({ level: 'warn', ...exposed })
    const state = await stateFindings(config, plan, world)
    findings.push(...state.findings)
    findings.push(...(await apiFindings(config, plan, world, state.counted)))
    findings.push(...quotaFindings(config, plan))
    findings.push(...(await logFindings(config, plan, world)))
    findings.push(...(await sinkFindings(config, plan, world)))
    if (session.flags.json === true) {
      session.out(
        `${safeJson({ schema: 'certbell.doctor/1', well: findings.every(({ level }) => level !== 'FAIL'), findings: findings.map(({ level, what, remedy }) => ({ level: level.toLowerCase(), what, ...(remedy !== undefined && { remedy }) })) })}\n`,
      )
    } else {
      for (const { level, what, remedy } of findings) {
        session.out(`${level.padEnd(6)} ${printable(what, 1200)}\n${remedy === undefined ? '' : `       ${printable(remedy, 400)}\n`}`)
      }
    }
    return findings.some(({ level }) => level === 'FAIL') ? 1 : 0
  } finally {
    await close()
  }
}

// Opens the state as a run would, and writes to it as a run would: what is tried here is what is needed later.
async function stateFindings(
  config: Config,
  plan: Plan,
  world: World,
): Promise<{ readonly findings: readonly Finding[]; readonly counted: Counted }> {
  const { state } = config
  const shown = state.kind === 'directory' ? state.path : state.shown
  try {
    // Before anything is written: what is damaged is left as it is.
    const checked = state.kind === 'directory' ? quickCheck(state.path, shown) : 'unchecked'
    const backend = await world.openState(config)
    try {
      if (state.kind === 's3' && !(await keepsApart(state, config))) {
        const remedy = 'use a service that knows conditional writes (If-Match and If-None-Match on PutObject), as Amazon S3 does'
        return { findings: [overwriting(shown, remedy)], counted: 'not-counted' }
      }
      await createStore(backend, { ...plan.setup, items: [], sinks: [] }, world.owner, () => () => false, world.clock.now())
      if (!(await swapHonoured(backend)))
        return { findings: [overwriting(shown, 'put it on a local disk: network file systems often have no working locks')], counted: 'not-counted' }
      const findings: Finding[] = [{ level: 'ok', what: `state ${shown} can be written, and two writers at once do not disturb each other` }]
      if (checked === 'whole') findings.push({ level: 'ok', what: `state ${shown}: every page of it is whole` })
      if (state.kind === 'directory' && isShared(state.path)) {
        findings.push({ level: 'warn', what: `state ${shown}: others on this machine may look into the directory`, remedy: `chmod 700 ${shown}` })
      }
      return { findings, counted: plan.setup.items.length === 0 ? 'not-counted' : await countQuery(backend, plan, world) }
    } finally {
      await backend.close()
    }
  } catch (error) {
    if (!(error instanceof OwnerError || error instanceof StoreError)) throw error
    return { findings: [{ level: 'FAIL', what: error.message }], counted: 'not-counted' }
  }
}

function overwriting(shown: string, remedy: string): Finding {
  return { level: 'FAIL', what: `state ${shown}: two writers at once would overwrite each other, and alerts would be lost`, remedy }
}

async function keepsApart(state: S3State, { aws }: Config): Promise<boolean> {
  const { keepsWritersApart } = await import('../bucket.ts')
  return keepsWritersApart(state, aws)
}

// A transaction that is thrown out of must leave nothing, and one that ends must be seen by the next.
async function swapHonoured(backend: Backend): Promise<boolean> {
  const mark = Date.now()
  class Undo extends Error {}
  await backend
    .transact(async (tx) => {
      tx.control.prunedAt = mark + 1
      throw new Undo()
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error
    })
  const untouched = (await backend.reader.control()).prunedAt !== mark + 1
  const seen: number[] = []
  const one = backend.transact(async (tx) => {
    const before = tx.control.alerts['probe'] ?? 0
    await new Promise((resolve) => setTimeout(resolve, 5))
    tx.control.alerts['probe'] = before + 1
  })
  const two = backend.transact(async (tx) => {
    tx.control.alerts['probe'] = (tx.control.alerts['probe'] ?? 0) + 1
  })
  await Promise.all([one, two])
  await backend.transact(async (tx) => {
    seen.push(tx.control.alerts['probe'] ?? 0)
    delete tx.control.alerts['probe']
  })
  return untouched && seen[0] === 2
}

async function apiFindings(config: Config, plan: Plan, world: World, counted: Counted): Promise<readonly Finding[]> {
  const [first] = plan.items.values()
  if (config.certspotter === false && config.logs !== false) return []
  if (config.certspotter === false || first === undefined) return [{ level: 'warn', what: 'no name is asked for at the Cert Spotter API' }]
  if (counted === 'not-counted' || counted === 'blocked')
    return [{ level: 'warn', what: 'the Cert Spotter API was not asked: it told us to wait, or the query could not be counted' }]
  // A name alone costs the larger quota; the answer's date is all that we want to know besides.
  let date: string | undefined
  const ask = createSource(config, plan, {
    ...world,
    http: async (request) => {
      const response = await world.http(request)
      date = response.headers['date']
      return response
    },
  })
  if (counted === 'spent') return [{ level: 'warn', what: 'the Cert Spotter API was not asked: the quota of this hour is used' }]
  if (counted === 'busy')
    return [{ level: 'ok', what: 'the Cert Spotter API is being asked by a running certbell just now; certbell status says how it goes' }]
  const start = performance.now()
  const asked = await ask({ ...first, exact: true }, undefined, () => world.clock.now())
  const took = span(Math.max(1, performance.now() - start))
  const token = config.certspotter.token === undefined ? 'answers without a token' : 'accepts the token'
  const findings: Finding[] = []
  if (asked.kind === 'step') findings.push({ level: 'ok', what: `Cert Spotter API ${token}, in ${took}` })
  else if (asked.failure.kind === 'wait')
    findings.push({ level: 'warn', what: `${asked.failure.message}, until ${new Date(asked.failure.until).toISOString()}` })
  else
    findings.push({
      level: 'FAIL',
      what: asked.failure.message,
      remedy:
        asked.failure.kind === 'credential'
          ? 'get a key at https://sslmate.com/account/api_credentials'
          : 'check the network, the proxy, and certspotter.url',
    })
  const theirs = date === undefined ? Number.NaN : Date.parse(date)
  if (!Number.isNaN(theirs)) {
    const skew = Math.abs(world.clock.now() - theirs)
    // The header has whole seconds.
    if (skew > 60_000)
      findings.push({
        level: 'warn',
        what: `the clock differs from the API's by ${span(skew)}`,
        remedy: 'set the clock (NTP): budgets and what counts as new hang on it',
      })
    else findings.push({ level: 'ok', what: `clock is within ${span(Math.max(1000, skew))} of the API's` })
  }
  return findings
}

// The query counts like any other, and waits its turn like any other: a credential has one request in flight. The lease ends with this process.
async function countQuery(backend: Backend, plan: Plan, world: World): Promise<'counted' | 'spent' | 'busy' | 'blocked'> {
  const now = world.clock.now()
  return backend.transact(async (tx) => {
    const credential = credentialOf(tx.control, plan.setup)
    if (credential.blocked !== undefined && credential.blocked.until > now) return 'blocked'
    if (budgetLeft(plan.setup.quota.single, credential.spent.single, now).left === 0) return 'spent'
    if (held(credential.lease, world.owner, now)) return 'busy'
    count(credential, 'single', Math.floor(now / 1000), [1, 0], now)
    credential.fence += 1
    credential.lease = { owner: world.owner.id, fence: credential.fence, setAt: now, until: now + world.timeouts.ask }
    return 'counted'
  }, true)
}

function quotaFindings(config: Config, plan: Plan): readonly Finding[] {
  if (config.certspotter === false) return []
  const every = intervals(plan)
  const count = plan.setup.items.filter(({ queryClass }) => queryClass === 'full').length
  if (count === 0 || every.full < 60 * 60_000) return []
  return [
    {
      level: 'warn',
      what: `quota: ${plural(count, 'name')} on ${plural(config.certspotter.quota.full, 'query', 'queries')} an hour: each is looked at every ${span(every.full)}`,
    },
  ]
}

async function sinkFindings(config: Config, plan: Plan, world: World): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  if (plan.setup.sinks.length === 0)
    findings.push({ level: 'FAIL', what: 'there is no sink: alerts are kept, and nobody is told', remedy: 'give slack, or stdout: auto' })
  if (plan.stdout !== 'off') findings.push({ level: 'ok', what: `stdout: ${plan.stdout === 'json' ? 'JSON lines' : 'for people'}` })
  for (const { name, url } of config.slack) findings.push(await reach(name, url, world))
  return findings
}

// Only the host is asked, and only for its front page: a webhook's own path is for messages.
async function reach(name: string, url: string, world: World): Promise<Finding> {
  const { origin, hostname, protocol } = new URL(url)
  try {
    await lookup(hostname.replace(/^\[|\]$/g, ''))
    await world.http({
      method: 'GET',
      url: `${origin}/`,
      timeoutMs: world.timeouts.send,
      maxBytes: 4 * 1024 * 1024,
      headers: { 'user-agent': 'certbell-doctor' },
    })
    return {
      level: 'ok',
      what: `${name}: ${protocol === 'https:' ? 'the address is well formed and its host' : 'its host'} answers (nothing was posted; certbell test-alert does)`,
    }
  } catch (error) {
    const why = error instanceof NetworkError ? error.message : 'the host name cannot be resolved'
    return { level: 'FAIL', what: `${name}: ${why}`, remedy: 'check the webhook address and the way out of this network' }
  }
}
