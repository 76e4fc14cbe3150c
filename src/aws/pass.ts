// One pass within a tick, what it came to, and a word to the dead man's switch.
import type { App, World } from '../app.ts'
import { openApp, planRun } from '../app.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import { runPass } from '../daemon.ts'
import type { Summary } from '../lambda.ts'
import type { Logger } from '../log.ts'
import { linesOf } from '../reporter.ts'
import { overview } from '../stores/overview.ts'
import { StoreError } from '../watch/errors.ts'
import type { StateFigures } from '../web/emf.ts'
import { oldestLookAge } from '../web/emf.ts'
import { createHeartbeat } from '../web/heartbeat.ts'
import { createTally } from './tally.ts'
import type { TickTime } from './time.ts'

/** What a pass came to. */
export interface Passed {
  readonly summary: Summary
  /** Absent where the state could not be read. */
  readonly state?: StateFigures
  /** The other side refused a secret of ours. */
  readonly refused: boolean
}

/** Everything that is due now, within the time. Throws OwnerError; a state that cannot be read or written just now is `trouble`. */
export async function pass(config: Config, world: World, time: TickTime, log: Logger): Promise<Passed> {
  const { clock } = world
  const tally = createTally()
  const trouble: string[] = []
  const note = (component: string, message: string): void => {
    trouble.push(`${component}: ${message}`)
    log('error', `${component}: ${message}`)
  }
  if (time.signal.aborted) note('lambda', 'there is no time left to ask anything. Set the timeout of the function to 60 seconds')
  const plan = planRun(config, world.stdout.isTty, world.version)
  let state: StateFigures | undefined
  try {
    const app = await openApp(config, world, (event) => {
      tally.hear(event)
      if (event.kind === 'state-failed') return
      for (const { level, about, text } of linesOf(event, plan.setup.quota, clock.now())) log(level, `${about}: ${text}`)
    })
    await runPass(app, clock, { wait: false, signal: time.signal })
    state = await look(app, clock)
  } catch (error) {
    // It passes; nothing of what the bucket holds is lost. Where it lasts, an alarm on what is not measured rings.
    if (!(error instanceof StoreError)) throw error
    note('state', error.message)
  }
  const beat = createHeartbeat({
    ...(config.heartbeat !== undefined && { url: config.heartbeat }),
    http: world.http,
    userAgent: plan.userAgent,
    look: async () => state?.view ?? Promise.reject(new Error('the state could not be read')),
    failed: (message) => log('warn', `heartbeat: ${message}`),
  })
  await beat()
  return { summary: tally.sum(state?.view, trouble), refused: tally.refused(), ...(state !== undefined && { state }) }
}

async function look({ reader, plan }: App, clock: Clock): Promise<StateFigures> {
  const [control, waiting, now] = [await reader.control(), await reader.waiting(), clock.now()]
  const age = oldestLookAge(control, plan.setup, now)
  return { view: overview(control, waiting, plan.setup, now), ...(age !== undefined && { oldestLookAge: age }) }
}
