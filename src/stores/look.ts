// The overview of a state, from its reading side.
import type { Reader } from './backend.ts'
import { logOverviews } from './log-overview.ts'
import { readLogStates } from './log-state.ts'
import type { Overview } from './overview.ts'
import { overview } from './overview.ts'
import type { Setup } from './store.ts'

/** Looks at the state as it is now (ms). */
export async function look(reader: Reader, setup: Setup, now: number): Promise<Overview> {
  const [control, waiting] = [await reader.control(), await reader.waiting()]
  const logs = setup.logs === true ? await readLogStates(reader) : []
  return overview(control, waiting, setup, now, logOverviews(logs, now))
}
