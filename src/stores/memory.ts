// State in a variable: for tests and one-off runs. It keeps one immutable version of everything and replaces it by compare-and-swap, running the
// transaction again when another was faster: the way an object store with conditional writes has to work, so the rules are tried on both ways.
import type { Alert } from '../watch/alert.ts'
import type { Backend, Reader, StoredMessage, Transaction } from './backend.ts'
import type { Control } from './control.ts'
import { emptyControl, parseControl } from './control.ts'
import type { AlertRecord, CertRecord, FinalCertificate } from './store.ts'

interface Delivery {
  readonly sink: string
  readonly seq: number
  message?: number
}

interface StoredRow {
  id: number
  sink: string
  state: 'open' | 'parked' | 'delivered'
  composed: string
  attempts: number
  at?: number
  parkedUntil?: number
  answer?: string
}

interface Data {
  control: string
  issuances: CertRecord[]
  alerts: { seq: number; alert: Alert; at: number; final?: FinalCertificate }[]
  deliveries: Delivery[]
  messages: StoredRow[]
  documents: Record<string, string>
  lastSeq: number
  lastMessage: number
}

/** Called before a new version replaces the old one; throwing there is a write that failed. */
export type Replace = () => void | Promise<void>

/** A backend in memory. `root` may be shared by several, as several processes share one bucket. */
export interface MemoryRoot {
  current: Data
}

/** An empty place. */
export function memoryRoot(): MemoryRoot {
  return {
    current: {
      control: JSON.stringify(emptyControl()),
      issuances: [],
      alerts: [],
      deliveries: [],
      messages: [],
      documents: {},
      lastSeq: 0,
      lastMessage: 0,
    },
  }
}

/** A backend on a place in memory. `replace` is called before each swap. */
export function openMemory(root: MemoryRoot = memoryRoot(), replace: Replace = () => undefined): Backend {
  return {
    transact: async (body) => {
      for (;;) {
        const before = root.current
        const draft = structuredClone(before)
        const control = parseControl(draft.control, 'memory')
        const result = await body(transaction(draft, control))
        draft.control = JSON.stringify(control)
        if (sameData(before, draft)) return result
        await replace()
        // Nothing may be awaited between this look and the swap.
        if (root.current !== before) continue
        root.current = draft
        return result
      }
    },
    reader: reader(root),
    close: async () => {},
  }
}

// A version that says the same is not written: an object store would charge for it.
function sameData(a: Data, b: Data): boolean {
  return a.control === b.control && a.lastSeq === b.lastSeq && a.lastMessage === b.lastMessage && JSON.stringify(a) === JSON.stringify(b)
}

function transaction(data: Data, control: Control): Transaction {
  const stored = (row: StoredRow | undefined): StoredMessage | undefined =>
    row === undefined
      ? undefined
      : {
          id: row.id,
          sink: row.sink,
          composed: row.composed,
          attempts: row.attempts,
          ...(row.state === 'parked' && row.parkedUntil !== undefined && { parkedUntil: row.parkedUntil }),
          alerts: data.deliveries.filter((delivery) => delivery.message === row.id).map(({ seq }) => alertAt(data, seq)),
        }
  const queue = (sink: string): Delivery[] => data.deliveries.filter((delivery) => delivery.sink === sink && delivery.message === undefined)
  return {
    control,
    known: async (ids) => {
      const all = new Set(data.issuances.map(({ id }) => id))
      return new Set(ids.filter((id) => all.has(id)))
    },
    addIssuances: async (issuances) => {
      for (const issuance of issuances) {
        if (data.issuances.some(({ id }) => id === issuance.id)) continue
        data.issuances.push(issuance)
      }
    },
    sortIn: async () => {},
    countHostnames: async (covers) => new Set(data.issuances.flatMap(({ names }) => names.filter(covers))).size,
    addAlerts: async (alerts, sinks, now) => {
      const added: Alert[] = []
      for (const alert of alerts) {
        if (data.alerts.some((known) => known.alert.kind === alert.kind && known.alert.id === alert.id)) continue
        data.lastSeq += 1
        data.alerts.push({ seq: data.lastSeq, alert, at: now })
        for (const sink of sinks) data.deliveries.push({ sink, seq: data.lastSeq })
        added.push(alert)
      }
      return added
    },
    noteFinal: async (id, final) => {
      const row = data.alerts.find(({ alert }) => alert.kind === 'certificate' && alert.id === id && alert.precertificate === true)
      if (row !== undefined) row.final ??= final
    },
    queued: async (sink, limit) =>
      queue(sink)
        .slice(0, limit)
        .map(({ seq }) => ({ seq, alert: alertAt(data, seq) })),
    countQueued: async (sink) => queue(sink).length,
    addMessage: async (sink, composed, seqs) => {
      data.lastMessage += 1
      data.messages.push({ id: data.lastMessage, sink, state: 'open', composed, attempts: 0 })
      for (const delivery of data.deliveries) if (delivery.sink === sink && seqs.includes(delivery.seq)) delivery.message = data.lastMessage
      return data.lastMessage
    },
    openMessage: async (sink) => stored(data.messages.find((row) => row.sink === sink && row.state === 'open')),
    firstParked: async (sink) =>
      stored(
        data.messages.filter((row) => row.sink === sink && row.state === 'parked').sort((a, b) => (a.parkedUntil ?? 0) - (b.parkedUntil ?? 0))[0],
      ),
    updateMessage: async (id, change) => {
      const row = data.messages.find((message) => message.id === id)
      if (row === undefined || row.state === 'delivered') return false
      row.state = change.state
      row.answer = change.answer
      row.at = change.at
      row.attempts += 1
      if (change.until !== undefined) row.parkedUntil = change.until
      if (change.state === 'delivered') row.composed = ''
      return true
    },
    document: async (name) => data.documents[name],
    putDocument: async (name, text) => {
      data.documents[name] = text
    },
    prune: async (expiredBefore, deliveredBefore) => {
      data.issuances = data.issuances.filter(({ notAfter }) => notAfter >= expiredBefore)
      const needed = (seq: number): boolean =>
        data.deliveries.some((delivery) => {
          if (delivery.seq !== seq) return false
          const row = data.messages.find(({ id }) => id === delivery.message)
          return row === undefined || row.state !== 'delivered' || (row.at ?? 0) >= deliveredBefore
        })
      data.alerts = data.alerts.filter(({ seq, at }) => at >= deliveredBefore || needed(seq))
      const kept = new Set(data.alerts.map(({ seq }) => seq))
      data.deliveries = data.deliveries.filter(({ seq }) => kept.has(seq))
      const used = new Set(data.deliveries.map(({ message }) => message))
      data.messages = data.messages.filter(({ id, state }) => state !== 'delivered' || used.has(id))
    },
  }
}

function alertAt(data: Data, seq: number): Alert {
  const found = data.alerts.find((row) => row.seq === seq)
  if (found === undefined) throw new RangeError(`no alert ${seq}`)
  return found.alert
}

function reader(root: MemoryRoot): Reader {
  const stateOf = (delivery: Delivery): { state: AlertRecord['deliveries'][number]['state']; row?: StoredRow } => {
    const row = root.current.messages.find(({ id }) => id === delivery.message)
    if (row === undefined) return { state: 'waiting' }
    return { state: row.state === 'open' ? (row.attempts > 0 ? 'retrying' : 'waiting') : row.state, row }
  }
  return {
    control: async () => parseControl(root.current.control, 'memory'),
    alerts: async ({ pending, limit }) => {
      const records = [...root.current.alerts].reverse().map(({ seq, alert, final }): AlertRecord => ({
        alert,
        ...(final !== undefined && { final }),
        deliveries: root.current.deliveries
          .filter((delivery) => delivery.seq === seq)
          .map((delivery) => {
            const { state, row } = stateOf(delivery)
            return {
              sink: delivery.sink,
              state,
              ...(row?.at !== undefined && { at: row.at }),
              ...(row?.answer !== undefined && { answer: row.answer }),
            }
          }),
      }))
      return records.filter(({ deliveries }) => !pending || deliveries.some(({ state }) => state !== 'delivered')).slice(0, limit ?? records.length)
    },
    issuances: async (visit) => {
      for (const record of [...root.current.issuances].reverse()) if (!visit(record)) return
    },
    documents: async (prefix) => new Map(Object.entries(root.current.documents).filter(([name]) => name.startsWith(prefix))),
    waiting: async () => {
      const sinks: Record<string, { waiting: number; parked: number }> = {}
      for (const delivery of root.current.deliveries) {
        const { state } = stateOf(delivery)
        if (state === 'delivered') continue
        const entry = (sinks[delivery.sink] ??= { waiting: 0, parked: 0 })
        if (state === 'parked') entry.parked += 1
        else entry.waiting += 1
      }
      return sinks
    },
    close: async () => {},
  }
}
