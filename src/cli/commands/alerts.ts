// `certbell alerts`: what was said, newest first, and whether it arrived.
import { headline } from '../../notifiers/alert-sentences.ts'
import type { AlertRecord } from '../../stores/store.ts'
import { printable, safeJson } from '../../watch/printable.ts'
import { openReader } from '../reader.ts'
import type { Session } from '../session.ts'
import { clockText } from '../../clock-text.ts'
import { table } from '../table.ts'

const SHOWN = 50

/** Runs the command; the exit code. */
export async function alerts(session: Session, pending: boolean, limit: number | undefined): Promise<number> {
  const reader = await openReader(session.config)
  try {
    const most = limit ?? (session.flags.json === true ? undefined : SHOWN + 1)
    const records = (await reader?.alerts({ pending, ...(most !== undefined && { limit: most }) })) ?? []
    if (session.flags.json === true) for (const record of records) session.out(`${safeJson(alertDocument(record))}\n`)
    else session.out(`${alertsText(records, pending, limit ?? SHOWN, Date.now()).join('\n')}\n`)
    return 0
  } finally {
    await reader?.close()
  }
}

/** The alert's own document with what came after it, and what became of it at each sink. */
export function alertDocument({ alert, final, deliveries }: AlertRecord): Readonly<Record<string, unknown>> {
  return {
    ...alert,
    ...(final !== undefined && {
      final_certificate: { cert_sha256: final.certSha256, seen_at: new Date(final.seenAt).toISOString(), source: final.source },
    }),
    deliveries: deliveries.map(({ sink, state, at, answer }) => ({
      sink,
      state,
      ...(at !== undefined && { at: new Date(at).toISOString() }),
      ...(answer !== undefined && { answer }),
    })),
  }
}

function alertsText(records: readonly AlertRecord[], pending: boolean, most: number, now: number): readonly string[] {
  if (records.length === 0) return [pending ? 'Nothing waits: every sink has every alert.' : 'No alert yet.']
  const rows = records
    .slice(0, most)
    .map(({ alert, final, deliveries }) => [
      clockText(Date.parse(alert.seen_at), now),
      alert.severity,
      printable(headline(alert), 120) + (final === undefined ? '' : ` (the certificate itself was seen ${clockText(final.seenAt, now)})`),
      deliveries
        .map(({ sink, state, answer }) => `${sink}: ${state}${state === 'delivered' || answer === undefined ? '' : ` (${printable(answer, 60)})`}`)
        .join(', ') || 'no sink',
    ])
  const lines = [...table([['when', 'severity', 'what', 'delivery'], ...rows])]
  if (records.length > most) lines.push('… and more. Write --limit 1000, or --json for all')
  return lines
}
