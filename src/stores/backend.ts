// What a place must offer to keep state: one atomic transaction at a time over the control document and the things that grow, and a way to read.
import type { Alert } from '../watch/alert.ts'
import type { Control } from './control.ts'
import type { AlertRecord, CertRecord, FinalCertificate } from './store.ts'

/** An alert with its place in the order of discovery. */
export interface QueuedAlert {
  readonly seq: number
  readonly alert: Alert
}

/** A composed message as it is kept. `parkedUntil` is set once it was refused in each form. */
export interface StoredMessage {
  readonly id: number
  readonly sink: string
  readonly composed: string
  readonly attempts: number
  readonly parkedUntil?: number
  readonly alerts: readonly Alert[]
}

/** Inside one transaction. What is changed here is kept as a whole, or not at all. */
export interface Transaction {
  /** A draft: change it in place. It is written back if it differs. */
  readonly control: Control
  /** Which of these issuance ids are known. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>
  /** `bulk`: there are many more to come, in a baseline; sortIn ends that. */
  addIssuances(issuances: readonly CertRecord[], bulk: boolean): Promise<void>
  /** A bulk is over. */
  sortIn(): Promise<void>
  /** How many different names of the inventory `covers` accepts. */
  countHostnames(covers: (name: string) => boolean): Promise<number>
  /** Appends alerts and queues them for `sinks`. One whose kind and id are known is ignored. Returns those that were new. */
  addAlerts(alerts: readonly Alert[], sinks: readonly string[], now: number): Promise<readonly Alert[]>
  /** Notes the certificate with the alert of that id, if a precertificate made it and nothing is noted yet. A place where logs are not read need not keep it. */
  noteFinal(id: string, final: FinalCertificate): Promise<void>
  /** The sink's oldest alerts that are in no message yet. */
  queued(sink: string, limit: number): Promise<readonly QueuedAlert[]>
  countQueued(sink: string): Promise<number>
  /** Freezes alerts as one message. */
  addMessage(sink: string, composed: string, seqs: readonly number[], now: number): Promise<number>
  /** The sink's oldest message that is neither delivered nor parked. */
  openMessage(sink: string): Promise<StoredMessage | undefined>
  /** The sink's parked message whose time comes first. */
  firstParked(sink: string): Promise<StoredMessage | undefined>
  /** Records an attempt: `delivered`, still open, or parked until a time (ms). False if it was delivered before, or is unknown. */
  updateMessage(
    id: number,
    change: { readonly state: 'open' | 'parked' | 'delivered'; readonly answer: string; readonly at: number; readonly until?: number },
  ): Promise<boolean>
  /** A small text kept under a name (a log's state, a log list); undefined if there is none. */
  document(name: string): Promise<string | undefined>
  /** Keeps it, or a later version of it. */
  putDocument(name: string, text: string): Promise<void>
  /** Drops issuances that expired before `expiredBefore` and alerts that every sink has had since before `deliveredBefore`. */
  prune(expiredBefore: number, deliveredBefore: number): Promise<void>
}

/** One place that state lives in. */
export interface Backend {
  /**
   * Runs `body` alone: no other transaction, of this process or another, sees or changes anything meanwhile. It may run more than once.
   * `firm`: what it keeps outlives a power cut as well, where that is not so by itself.
   */
  transact<T>(body: (tx: Transaction) => Promise<T>, firm?: boolean): Promise<T>
  readonly reader: Reader
  close(): Promise<void>
}

/** The read-only side, for status, certs, alerts and the web. It never waits for a writer. */
export interface Reader {
  control(): Promise<Control>
  /** Newest first. */
  alerts(options: { readonly pending: boolean; readonly limit?: number }): Promise<readonly AlertRecord[]>
  /** Newest first. Stops when `visit` returns false. */
  issuances(visit: (record: CertRecord) => boolean): Promise<void>
  /** Every document whose name begins so. */
  documents(prefix: string): Promise<ReadonlyMap<string, string>>
  /** Alerts not delivered, by sink. */
  waiting(): Promise<Readonly<Record<string, { readonly waiting: number; readonly parked: number }>>>
  close(): Promise<void>
}
