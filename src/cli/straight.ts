// When something was last said past the state: the time of a file of no bytes. Changing it works on a full disk, where nothing else does.
import { closeSync, openSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { MonitorPorts } from '../monitor.ts'
import type { DirectoryState, S3State } from '../config/config.ts'

/** ms since the epoch; 0 if nothing was ever said. */
export function saidStraightAt(state: DirectoryState | S3State): number {
  const path = pathOf(state)
  return path === undefined ? 0 : (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)
}

/** The mark of a state's place. In memory as well, for a disk that is gone. */
export function straightMark(state: DirectoryState | S3State): MonitorPorts['straight'] {
  const path = pathOf(state)
  let last = 0
  return {
    last: () => Math.max(last, saidStraightAt(state)),
    mark: (now) => {
      last = now
      if (path === undefined) return
      try {
        closeSync(openSync(path, 'a', 0o600))
        utimesSync(path, now / 1000, now / 1000)
      } catch {
        // Then it is at most once an hour for this process.
      }
    },
  }
}

function pathOf(state: DirectoryState | S3State): string | undefined {
  return state.kind === 'directory' ? join(state.path, 'last-said-straight') : undefined
}
