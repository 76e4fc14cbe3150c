// `certbell poll`: one pass, for cron.
import { openApp, planRun } from '../../app.ts'
import type { App } from '../../app.ts'
import { runPass } from '../../daemon.ts'
import type { MonitorEvent } from '../../monitor.ts'
import { showInventories } from '../heading.ts'
import { linesOf } from '../reporter.ts'
import { createScreen } from '../screen.ts'
import type { Session } from '../session.ts'
import { untilSignalled } from '../signals.ts'
import { clockText } from '../table.ts'
import { realWorld } from '../world.ts'

/** Runs the command; the exit code: 1 if something failed, or waits because it failed. */
export async function poll(session: Session, wait: boolean): Promise<number> {
  const { config, log } = session
  const { world, close } = realWorld(session)
  const plan = planRun(config, world.stdout.isTty, session.version, session.flags.json)
  const screen = session.screen
    ? createScreen({ color: session.color, verbose: config.debug, redact: session.redact, now: () => new Date() })
    : undefined
  for (const warning of config.warnings) log('warn', warning)
  let app: App | undefined
  const shown: Promise<void>[] = []
  const report = (event: MonitorEvent): void => {
    if (event.kind === 'alerts' && screen !== undefined && app !== undefined) {
      shown.push(showInventories(event.alerts, app.reader, config.watch, (text) => screen.print(text)))
    }
    if (event.kind === 'alerts' && screen !== undefined && plan.stdout === 'pretty') return
    for (const line of linesOf(event, plan.setup.quota, world.clock.now())) {
      if (screen === undefined) log(line.level, `${line.about}: ${line.text}`)
      else screen.say(line)
    }
  }
  app = await openApp(config, world, report, session.flags.json)
  const stop = untilSignalled(() => log('info', 'stopping: the step in hand is finished first'))
  try {
    const { failed } = await runPass(app, world.clock, {
      wait,
      signal: stop.signal,
      resting: (until, why) => {
        const text = `next query ${clockText(until, world.clock.now())} (${why === 'quota' ? 'the quota of this hour is used' : why === 'blocked' ? 'the API told us to wait, or we pause after a failure' : why})`
        if (screen === undefined) log('info', text)
        else screen.live(text)
      },
    })
    await Promise.all(shown)
    screen?.live(undefined)
    return failed ? 1 : 0
  } finally {
    stop.end()
    await app.close()
    await close()
  }
}
