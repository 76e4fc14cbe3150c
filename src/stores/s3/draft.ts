// One transaction on a copy of the root. Segments are read as they are needed, and written at its end.
import type { Alert } from '../../watch/alert.ts'
import type { StoredMessage, Transaction } from '../backend.ts'
import { createDistinctCounter } from '../distinct.ts'
import type { QueuedMessage, SinkQueue } from './queues.ts'
import { emptyQueue, enqueue, fateOf, recordAttempt, takeMessage } from './queues.ts'
import type { Root } from './root.ts'
import { contentOf, namesIn } from './root.ts'
import type { AlertRow } from './rows.ts'
import { ALERTS, ISSUANCES, alertKey, issuanceRow } from './rows.ts'
import type { Segments } from './segments.ts'
import { draftTable } from './table.ts'

/** The object of a composed message. */
export interface MessageContent {
  readonly composed: string
  readonly alerts: readonly Alert[]
}

export interface Draft {
  readonly tx: Transaction
  /** True once prune was called. */
  pruned(): boolean
  /** Writes the segments that are new. Returns their names and those that are needed no more, or undefined if the transaction changed nothing. */
  finish(): Promise<{ readonly written: readonly string[]; readonly replaced: readonly string[] } | undefined>
}

/** A draft that changes `root` in place. */
export function createDraft(root: Root, segments: Segments, shown: string): Draft {
  const { control } = root
  const before = contentOf(root)
  const named = namesIn(root)
  const issuances = draftTable(ISSUANCES, root.issuances, segments, shown)
  const alerts = draftTable(ALERTS, root.alerts, segments, shown)
  const composed = new Map<QueuedMessage, MessageContent>()
  // Those that queued() has shown: a message is made of them.
  const shownAlerts = new Map<number, Alert>()
  let pruned = false

  const queueOf = (sink: string): SinkQueue => (root.sinks[sink] ??= emptyQueue())
  const stored = async (sink: string, message: QueuedMessage | undefined): Promise<StoredMessage | undefined> => {
    if (message === undefined) return undefined
    const content = composed.get(message) ?? ((await segments.read(message.name)) as MessageContent)
    return {
      id: message.id,
      sink,
      composed: content.composed,
      attempts: message.attempts,
      ...(message.parked && message.until !== undefined && { parkedUntil: message.until }),
      alerts: content.alerts,
    }
  }

  const tx: Transaction = {
    control,
    known: async (ids) => issuances.has(ids.map((id) => Buffer.from(id, 'hex'))),
    addIssuances: async (added) => {
      const known = await issuances.has(added.map(({ id }) => Buffer.from(id, 'hex')))
      const taken = new Set(known)
      for (const issuance of added) {
        if (taken.has(issuance.id)) continue
        taken.add(issuance.id)
        control.lastIssuance += 1
        control.sortedIn = control.lastIssuance
        issuances.append([issuanceRow(control.lastIssuance, issuance)])
      }
    },
    sortIn: async () => {},
    document: async (name) => root.documents[name],
    putDocument: async (name, text) => {
      root.documents[name] = text
    },
    // Logs are not read with state in a bucket, and the API has one row for both.
    noteFinal: async () => {},
    countHostnames: async (covers) => {
      const counter = createDistinctCounter()
      for await (const row of issuances.rows()) for (const name of row[2]) if (covers(name)) counter.add(name)
      return counter.count()
    },
    addAlerts: async (added, sinks, now) => {
      const known = new Set(await alerts.has(added.map(alertKey)))
      const rows: AlertRow[] = []
      for (const alert of added) {
        const key = alertKey(alert).toString('hex')
        if (known.has(key)) continue
        known.add(key)
        root.lastAlert += 1
        rows.push([root.lastAlert, now, sinks, alert])
      }
      alerts.append(rows)
      if (rows.length > 0) {
        for (const sink of sinks) {
          enqueue(
            queueOf(sink),
            rows.map(([seq]) => seq),
          )
        }
      }
      return rows.map(([, , , alert]) => alert)
    },
    queued: async (sink, limit) => {
      const queue = root.sinks[sink]
      if (queue === undefined || queue.queued === 0 || limit <= 0) return []
      const found: { readonly seq: number; readonly alert: Alert }[] = []
      for await (const [seq, , sinks, alert] of alerts.rows(queue.next)) {
        if (!sinks.includes(sink)) continue
        shownAlerts.set(seq, alert)
        found.push({ seq, alert })
        if (found.length === Math.min(limit, queue.queued)) break
      }
      return found
    },
    countQueued: async (sink) => root.sinks[sink]?.queued ?? 0,
    addMessage: async (sink, text, seqs) => {
      root.lastMessage += 1
      const message = takeMessage(queueOf(sink), root.lastMessage, seqs)
      composed.set(message, {
        composed: text,
        alerts: seqs.map((seq) => {
          const alert = shownAlerts.get(seq)
          if (alert === undefined) throw new RangeError(`alert ${seq} was not queued`)
          return alert
        }),
      })
      return message.id
    },
    openMessage: async (sink) =>
      stored(
        sink,
        root.sinks[sink]?.messages.find(({ parked }) => !parked),
      ),
    firstParked: async (sink) => {
      const parked = root.sinks[sink]?.messages.filter((message) => message.parked) ?? []
      return stored(sink, parked.sort((a, b) => (a.until ?? 0) - (b.until ?? 0))[0])
    },
    updateMessage: async (id, change) => Object.values(root.sinks).some((queue) => recordAttempt(queue, id, change)),
    prune: async (expiredBefore, deliveredBefore) => {
      pruned = true
      root.expiredBefore = expiredBefore
      await issuances.drop(expiredBefore, () => false)
      await alerts.drop(deliveredBefore, ([seq, , sinks]) =>
        sinks.some((sink) => {
          const fate = fateOf(queueOf(sink), seq)
          return fate.state !== 'delivered' || (fate.at ?? 0) >= deliveredBefore
        }),
      )
      for (const queue of Object.values(root.sinks)) queue.delivered = queue.delivered.filter(([, , at]) => at >= deliveredBefore)
    },
  }

  const finish: Draft['finish'] = async () => {
    const written: string[] = []
    for (const [message, content] of composed) {
      const { name } = await segments.write(content)
      message.name = name
      written.push(name)
    }
    const [keptIssuances, keptAlerts] = await Promise.all([issuances.finish(), alerts.finish()])
    root.issuances = keptIssuances.table
    root.alerts = keptAlerts.table
    if (contentOf(root) === before) return undefined
    written.push(...keptIssuances.written, ...keptAlerts.written)
    const now = namesIn(root)
    return { written, replaced: [...named].filter((name) => !now.has(name)) }
  }
  return { tx, pruned: () => pruned, finish }
}
