// The logs that are being read, each in a loop of its own, which nothing that another does delays.
import type { ListedLog } from '../ct/log-list.ts'
import type { Reading } from './tail-log.ts'
import { tailLog } from './tail-log.ts'

export interface Running {
  /** Ends, and waits for, those that are not chosen any more, or whose row in the list has changed: they are begun anew, from where they are. */
  leave(chosen: ReadonlyMap<string, ListedLog>): Promise<void>
  /** Begins those that do not run; `fresh` are read from their first entry. */
  begin(chosen: ReadonlyMap<string, ListedLog>, fresh: ReadonlySet<string>): void
  /** All have ended: the signal was aborted. */
  ended(): Promise<void>
}

/** None yet. `failed`: one ended with what is no failure of its log. */
export function createRunning(reading: Reading, signal: AbortSignal, failed: (error: unknown) => void): Running {
  const running = new Map<string, { readonly row: string; readonly task: Promise<void>; readonly leave: AbortController }>()
  return {
    leave: async (chosen) => {
      for (const [id, { row, task, leave }] of running) {
        const log = chosen.get(id)
        if (log !== undefined && row === JSON.stringify(log)) continue
        leave.abort()
        await task
        running.delete(id)
      }
    },
    begin: (chosen, fresh) => {
      for (const [id, log] of chosen) {
        if (running.has(id)) continue
        const leave = new AbortController()
        const mine = AbortSignal.any([signal, leave.signal])
        const task = tailLog(reading, log, fresh.has(id), mine).catch((error: unknown) => {
          if (!mine.aborted) failed(error)
        })
        running.set(id, { row: JSON.stringify(log), task, leave })
      }
    },
    ended: async () => {
      await Promise.all([...running.values()].map(async ({ task }) => task))
    },
  }
}
