// `certbell logs`: each log that is read, how far, and why not further. It reads the state only, beside whatever runs.
import { planRun } from '../../app.ts'
import { look } from '../../stores/look.ts'
import { safeJson } from '../../watch/printable.ts'
import { logDocument, logRows } from '../log-rows.ts'
import { openReader } from '../reader.ts'
import type { Session } from '../session.ts'
import { table } from '../table.ts'

/** Runs the command; the exit code. */
export async function logs(session: Session): Promise<number> {
  const plan = planRun(session.config, process.stdout.isTTY, session.version)
  const reader = await openReader(session.config)
  try {
    const now = Date.now()
    const rows = reader === undefined ? [] : (await look(reader, { ...plan.setup, logs: true }, now)).logs
    if (session.flags.json === true) session.out(`${safeJson(rows.map(logDocument))}\n`)
    else if (rows.length > 0) session.out(`${table(logRows(rows, now)).join('\n')}\n`)
    else if (session.config.logs === false) session.out('No log is read: `logs` is off in the configuration. Write `logs: true`\n')
    else session.out('No log was read yet. Start certbell watch\n')
    return 0
  } finally {
    await reader?.close()
  }
}
