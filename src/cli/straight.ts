// When something was last said past the state, and when it could not be written last: the times of a file of no bytes. Changing it works on a full disk, where nothing else does.
import { createHash } from 'node:crypto'
import { closeSync, constants, futimesSync, lstatSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { State } from '../config/config.ts'
import type { MonitorPorts } from '../monitor.ts'

/** ms since the epoch, 0 if never: when something was said, and when a process that goes on could not write last. */
export function saidStraightAt(state: State): { readonly said: number; readonly failed: number } {
  const found = lstatSync(pathOf(state), { throwIfNoEntry: false })
  // In a folder that everyone may write to, a file of someone else's says nothing.
  return found === undefined || found.uid !== process.getuid?.() ? { said: 0, failed: 0 } : { said: found.mtimeMs, failed: found.atimeMs }
}

/** The mark of a state's place. In memory as well, for a disk that is gone. */
export function straightMark(state: State): MonitorPorts['straight'] {
  const path = pathOf(state)
  let last = 0
  const set = (said: number, failed: number): void => {
    try {
      const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
      // Nobody reads it, so its other time is free.
      futimesSync(file, failed / 1000, said / 1000)
      closeSync(file)
    } catch {
      // Then it is at most once an hour for this process.
    }
  }
  return {
    last: () => Math.max(last, saidStraightAt(state).said),
    mark: (now) => {
      last = now
      set(now, saidStraightAt(state).failed)
    },
    failing: (now) => {
      const { said, failed } = saidStraightAt(state)
      if (now !== undefined || failed > 0) set(said, now ?? 0)
    },
  }
}

// What is said past a bucket is remembered on this machine: each run from cron is a process of its own.
function pathOf(state: State): string {
  if (state.kind === 'directory') return join(state.path, 'last-said-straight')
  return join(tmpdir(), `certbell-said-${process.getuid?.() ?? ''}-${createHash('sha256').update(state.shown).digest('hex').slice(0, 16)}`)
}
