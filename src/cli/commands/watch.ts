// `certbell watch`: runs until it is told to stop.
import type { App } from '../../app.ts'
import type { Config } from '../../config/config.ts'
import { openPatiently, runWatch } from '../../daemon.ts'
import type { WatchOptions } from '../../daemon.ts'
import type { MonitorEvent } from '../../monitor.ts'
import { look as lookAt } from '../../stores/look.ts'
import type { Overview } from '../../stores/overview.ts'
import type { Alert } from '../../watch/alert.ts'
import { sinceLogged } from '../../watch/delay.ts'
import type { StoreError } from '../../watch/errors.ts'
import { plural, span } from '../../watch/words.ts'
import { healthDocument } from '../../web/health.ts'
import { createHeartbeat } from '../../web/heartbeat.ts'
import type { Delay } from '../../web/metrics.ts'
import { createMetrics } from '../../web/metrics.ts'
import { startWeb } from '../../web/server.ts'
import { heading } from '../heading.ts'
import { prepareRun } from '../run-session.ts'
import type { Session } from '../session.ts'
import { Exit } from '../session.ts'
import { untilSignalled } from '../signals.ts'

/** No loop came round for so long: the process hangs. The longest step is a query of 30 s. */
const DEAD_AFTER = 180_000
const BEAT_EVERY = 30_000

/** Runs the command; the exit code. */
export async function watch(session: Session): Promise<number> {
  const { config, log } = session
  const { open, plan, world, screen, close } = prepareRun(session, (event) => measure(metrics, event))
  const metrics = createMetrics(session.version, () => world.clock.now(), config.watch.length)

  const stop = untilSignalled(() => {
    screen?.live(undefined)
    screen?.print('finishing the step in hand …')
    log('debug', 'stopping: the step in hand is finished first')
  })
  // The live line counts down by itself; whatever else is printed takes its place until the next second.
  let waiting: { readonly until: number; readonly why: string } | undefined
  const tick = (): void => {
    if (waiting !== undefined && !stop.signal.aborted) screen?.live(nextLine(waiting.until, waiting.why, world.clock.now()))
  }
  const ticking = screen === undefined ? undefined : setInterval(tick, 1000)
  let round = performance.now()
  let opened: App | undefined
  // What cannot be written cannot be read from the state either: it is known here alone.
  const stateErrors = new Map<string, StoreError>()
  const look = async (): Promise<Overview> => {
    const [stateError] = stateErrors.values()
    if (opened === undefined) throw stateError ?? new Error('the state is being opened')
    const view = await lookAt(opened.reader, plan.setup, world.clock.now())
    return stateError === undefined ? view : { ...view, well: false, reasons: [{ component: 'state', message: stateError.message }, ...view.reasons] }
  }
  const heartbeat = createHeartbeat({
    ...(config.heartbeat !== undefined && { url: config.heartbeat }),
    http: world.http,
    userAgent: plan.userAgent,
    look,
    failed: (message) => log('warn', `heartbeat: ${message}`),
  })

  let web: { close(): Promise<void> } | undefined
  // Those who ask are answered once there is something to say: that it is open, or why not.
  const showHealth = async (): Promise<void> => {
    if (config.listen === undefined) return
    web ??= await listen(session, config.listen, {
      look,
      opened: () => opened,
      metrics,
      alive: () => performance.now() - round < DEAD_AFTER,
      now: () => world.clock.now(),
    })
  }
  try {
    const beating = beatForever(heartbeat, stop.signal, world.clock)
    const options: WatchOptions = {
      signal: stop.signal,
      round: () => (round = performance.now()),
      stateFailed: (error, what) => {
        if (error === undefined) stateErrors.delete(what ?? 'all')
        else stateErrors.set(what ?? 'all', error)
      },
      resting: (wait) => {
        waiting = wait
        tick()
      },
    }
    opened = await openPatiently(open, world.clock, options, async (error) => {
      log('error', `state: ${error.message}. It is tried again every 30 s`)
      await showHealth()
    })
    if (opened !== undefined) {
      await showHealth()
      if (screen === undefined) log('info', `watching ${plural(config.watch.length, 'name')}; alerts to ${plan.setup.sinks.join(', ') || 'nobody'}`)
      else for (const line of heading(config, plan, session.version)) screen.print(line)
      await runWatch(opened, world.clock, options)
    }
    await beating
    screen?.live(undefined)
    screen?.print('done')
    return 0
  } finally {
    clearInterval(ticking)
    stop.end()
    await web?.close()
    await close()
  }
}

async function beatForever(
  heartbeat: () => Promise<void>,
  signal: AbortSignal,
  clock: { now(): number; sleepUntil(time: number, signal: AbortSignal): Promise<void> },
): Promise<void> {
  // The first round should have been made before anyone is told that all is well.
  await clock.sleepUntil(clock.now() + 3000, signal)
  while (!signal.aborted) {
    await heartbeat()
    await clock.sleepUntil(clock.now() + BEAT_EVERY, signal)
  }
}

function nextLine(until: number, why: string, now: number): string {
  if (!Number.isFinite(until)) return 'nothing to ask the API for'
  const reason =
    why === 'blocked' ? ' (the API told us to wait, or we pause after a failure)' : why === 'quota' ? ' (the quota of this hour is used)' : ''
  return `next query in ${span(Math.max(0, until - now))}${reason}`
}

function measure(metrics: ReturnType<typeof createMetrics>, event: MonitorEvent): void {
  if (event.kind === 'asked') metrics.asked(event.work.queryClass, 'ok')
  if (event.kind === 'refused') metrics.asked(event.work.queryClass, event.failure.kind === 'wait' ? 'wait' : 'failed')
  if (event.kind === 'sent') {
    const delays = event.outcome.kind === 'delivered' ? event.message.alerts.flatMap((alert) => delayOf(alert, event.at) ?? []) : []
    metrics.sent(event.message.sink, event.outcome.kind, delays)
  }
  if (event.kind === 'log-request') metrics.requested(event.log, event.outcome)
}

// Of certificates alone: what else rings was logged by nobody.
function delayOf(alert: Alert, now: number): Delay | undefined {
  if (alert.kind !== 'certificate') return undefined
  if (alert.source.kind === 'certspotter') return { source: 'certspotter', seconds: (now - Date.parse(alert.seen_at)) / 1000 }
  const since = sinceLogged(alert, now)
  return since === undefined ? undefined : { source: 'log', seconds: since / 1000 }
}

async function listen(
  session: Session,
  address: NonNullable<Config['listen']>,
  window: {
    look: () => Promise<Overview>
    opened: () => App | undefined
    metrics: ReturnType<typeof createMetrics>
    alive: () => boolean
    now: () => number
  },
): Promise<{ close(): Promise<void> }> {
  try {
    const server = await startWeb(address.host, address.port, {
      alive: window.alive,
      health: async () => {
        const now = window.now()
        try {
          return healthDocument(await window.look(), now)
        } catch (error) {
          const message = error instanceof Error ? session.redact(error.message) : 'the state cannot be read'
          return { well: false, reasons: [{ component: 'state', message }], checked_at: new Date(now).toISOString() }
        }
      },
      metrics: async () => {
        const view = await window.look()
        const alerts = (await window.opened()?.reader.control())?.alerts ?? {}
        return { text: await window.metrics.render(view, alerts), contentType: window.metrics.contentType }
      },
    })
    session.log('info', `listening on ${address.host}:${server.port}: /livez /healthz /metrics`)
    return server
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be had'
    throw new Exit(2, `listen: ${address.host}:${address.port} cannot be used (${code}). Choose another port, or stop what uses it`)
  }
}
