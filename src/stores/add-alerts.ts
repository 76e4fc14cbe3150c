// The one way in for alerts.
import type { Alert } from '../watch/alert.ts'
import type { Transaction } from './backend.ts'

/** Appends alerts for some sinks, and counts those that were new: they are returned. */
export async function addAlerts(tx: Transaction, alerts: readonly Alert[], sinks: readonly string[], now: number): Promise<readonly Alert[]> {
  if (alerts.length === 0) return []
  const added = await tx.addAlerts(alerts, sinks, now)
  for (const alert of added) {
    const key = `${alert.kind}/${alert.severity}`
    tx.control.alerts[key] = (tx.control.alerts[key] ?? 0) + 1
  }
  return added
}
