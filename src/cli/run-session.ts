// What `watch` and `poll` have in common: the world, the plan, who hears of what happens, and the app once it is open.
import { openApp, planRun } from '../app.ts'
import type { App, Plan, World } from '../app.ts'
import type { MonitorEvent } from '../monitor.ts'
import { showInventories } from './heading.ts'
import { linesOf } from '../reporter.ts'
import type { Screen } from './screen.ts'
import { createScreen } from './screen.ts'
import type { Session } from './session.ts'
import { realWorld } from './world.ts'

export interface RunSession {
  readonly plan: Plan
  readonly world: World
  /** Absent where nobody looks at stderr: then there are log lines. */
  readonly screen: Screen | undefined
  /** Opens the state and wires everything. Throws as openApp; it may be tried again. The signal: the run is to end. */
  readonly open: (signal: AbortSignal) => Promise<App>
  /** Resolves when every inventory that was begun is shown. */
  readonly shown: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Prepares a run. `hear` is told of each event before it is shown. */
export function prepareRun(session: Session, hear: (event: MonitorEvent) => void = () => undefined): RunSession {
  const { config, log } = session
  const { world, close } = realWorld(session)
  const screen = session.screen
    ? createScreen({ color: session.color, verbose: config.debug, redact: session.redact, now: () => new Date() })
    : undefined
  for (const warning of config.warnings) log('warn', warning)

  let app: App | undefined
  const inventories: Promise<void>[] = []
  const report = (event: MonitorEvent): void => {
    const now = world.clock.now()
    hear(event)
    // Nothing happens before it is open.
    if (app === undefined) return
    if (event.kind === 'alerts' && screen !== undefined) {
      const { reader } = app
      if (event.alerts.some(({ kind }) => kind === 'inventory')) {
        // It is a courtesy: one that cannot be read must not end the run.
        inventories.push(showInventories(event.alerts, reader, config.watch, (text) => screen.print(text)).catch(() => undefined))
      }
      // What stdout shows in full already is not said a second time beside it.
      if (app.plan.stdout === 'pretty') return
    }
    for (const line of linesOf(event, app.plan.setup.quota, now)) {
      if (screen === undefined) log(line.level, `${line.about}: ${line.text}`)
      else screen.say(line)
    }
  }
  // What stdout shows takes the place of the live line, as what stderr shows does.
  const write = async (text: string): Promise<void> => {
    screen?.live(undefined)
    await world.stdout.write(text)
  }
  // One for all tries at opening: what was said straight is remembered here, should there be no place for it on the disk.
  const straight = world.straight(config.state)
  return {
    plan: planRun(config, world.stdout.isTty, session.version, session.flags.json),
    world,
    screen,
    open: async (stopping) => {
      const seen: World = { ...world, stdout: { ...world.stdout, write }, straight: () => straight, stopping }
      app = await openApp(config, seen, report, session.flags.json)
      return app
    },
    shown: async () => {
      await Promise.all(inventories.splice(0))
    },
    close: async () => {
      await app?.close()
      await close()
    },
  }
}
