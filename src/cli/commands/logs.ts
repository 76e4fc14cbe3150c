// `certbell logs`: comes with log tailing.
import type { Session } from '../session.ts'

/** Runs the command; the exit code. */
export async function logs(session: Session): Promise<number> {
  if (session.flags.json === true) session.out('[]\n')
  else session.out('No log is tailed: this version reads Certificate Transparency through the Cert Spotter API only. See certbell status\n')
  return 0
}
