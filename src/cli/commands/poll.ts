// `certbell poll`: one pass, for cron.
import { runPass } from '../../daemon.ts'
import { prepareRun } from '../run-session.ts'
import type { Session } from '../session.ts'
import { untilSignalled } from '../signals.ts'
import { clockText } from '../../clock-text.ts'

/** Runs the command; the exit code: 1 if something failed, or waits because it failed. */
export async function poll(session: Session, wait: boolean): Promise<number> {
  const { log } = session
  const { open, world, screen, shown, close } = prepareRun(session)
  const stop = untilSignalled(() => log('info', 'stopping: the step in hand is finished first'))
  try {
    const { failed } = await runPass(await open(stop.signal), world.clock, {
      wait,
      signal: stop.signal,
      resting: (until, why) => {
        const text = `next query ${clockText(until, world.clock.now())} (${why === 'quota' ? 'the quota of this hour is used' : why === 'blocked' ? 'the API told us to wait, or we pause after a failure' : why})`
        if (screen === undefined) log('info', text)
        else screen.live(text)
      },
    })
    await shown()
    screen?.live(undefined)
    return failed ? 1 : 0
  } finally {
    stop.end()
    await close()
  }
}
