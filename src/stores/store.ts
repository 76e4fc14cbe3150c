// The store's contract: what must outlive a run, and the read-only side beside it. One implementation of the rules (durable.ts) over one small
// transactional backend a place (memory, sqlite, later s3): a backend keeps, the rules decide.
import type { Alert } from '../watch/alert.ts'
import type { LayoutContext, Outcome } from '../watch/delivery.ts'
import type { SightingSource } from '../watch/issuance.ts'
import type { Phase } from '../watch/policy.ts'
import type { QueryClass } from '../watch/schedule.ts'
import type { Failure, Step } from '../watch/step.ts'

/** What this run is about; the rest of the state is kept, but left alone. */
export interface Setup {
  /** Items that the API is asked for. `cursor`: the predecessor's, used only if the item has none here. */
  readonly items: readonly { readonly key: string; readonly queryClass: QueryClass; readonly cursor?: string }[]
  /** Identity of the API and its token, a hash: budgets hang on it. */
  readonly credential: string
  readonly quota: Readonly<Record<QueryClass, number>>
  /** ms, or `auto`. */
  readonly interval: number | 'auto'
  readonly baseline: 'inventory' | 'silent' | 'alert'
  /** The logs are read as well. */
  readonly logs?: true
  /** Names of the sinks that get what is found from now on. */
  readonly sinks: readonly string[]
  /** Hashes of their addresses, by name: a dead sink that has a new one need not wait for its hour. */
  readonly addresses?: Readonly<Record<string, string>>
}

/** A query that may be asked now: leased to this process, and counted already. */
export interface Work {
  readonly key: string
  readonly queryClass: QueryClass
  /** Opaque; absent: from the beginning. */
  readonly cursor?: string
  readonly phase: Phase
  readonly backlog: boolean
  readonly fence: number
  /** The second the query was counted in. */
  readonly second: number
}

/** What a commit did. */
export interface Committed {
  /** The alerts that were new, in order. */
  readonly alerts: readonly Alert[]
  /** Issuances that were not known before. */
  readonly news: number
  readonly progress: Progress
  /** The query claimed with it, in the same transaction. */
  readonly next?: Work
}

/** How a name stands after a step. */
export interface Progress {
  readonly key: string
  readonly phase: 'baseline' | 'steady'
  readonly baselineDone: boolean
  /** Certificates of the baseline so far, or found in all. */
  readonly count: number
  /** Length of an outage that this step ended, ms. */
  readonly downFor?: number
  /** Queries of this class that are left, and when this name may be asked for its next page, ms; now or earlier means at once. */
  readonly left: number
  readonly next?: number
}

/** Alerts laid out once, frozen, leased to this process. */
export interface Message {
  readonly id: number
  readonly sink: string
  readonly composed: string
  readonly alerts: readonly Alert[]
  readonly attempts: number
  readonly fence: number
}

export type Claim = { readonly kind: 'work'; readonly work: Work } | Wait
export type NextMessage = { readonly kind: 'message'; readonly message: Message } | Wait
/** Nothing to do before `until` (ms; Infinity: nothing at all, as things are). `failing`: because an attempt failed. */
export interface Wait {
  readonly kind: 'wait'
  readonly until: number
  readonly why: string
  readonly failing: boolean
}

/**
 * What must outlive a run. Safe for two processes at once: leases say who works, fences say whose word counts.
 * Every method is one transaction: it happened as a whole, or not at all. Throws StoreError if the place cannot be written,
 * OwnerError if its content must not be touched.
 */
export interface Store {
  /** The most urgent query that the budget allows, leased until `until` (ms) and counted, or when to come back. In a pass that began at `since`, each name has one turn. */
  claim(now: number, until: number, since?: number): Promise<Claim>
  /**
   * Keeps what a step found AND moves its cursor AND queues its alerts, or nothing. Throws FencedError if the lease was lost.
   * `blockedUntil` (ms): the answer asked to be left alone until then. With `until` (ms) and more pages to come, the next query is claimed at once.
   */
  commit(
    work: Work,
    step: Step,
    now: number,
    options?: { readonly blockedUntil?: number; readonly until?: number; readonly since?: number },
  ): Promise<Committed>
  /** Records that asking failed; the cursor stays. Returns the alerts that this called for. */
  fail(work: Work, failure: Failure, now: number): Promise<readonly Alert[]>
  /** Gives back a query that was claimed and not asked: it was not spent. */
  release(work: Work, now: number): Promise<void>
  /** Looks for troubles that need no failure: names not looked at for long ring if `late` says that they had their chance. Also drops what is past its time. */
  review(now: number, late: boolean): Promise<readonly Alert[]>
  /** The runner goes to sleep and means to be back by `dueAt`; undefined: it has ended as it should. */
  rest(now: number, dueAt: number | undefined): Promise<void>
  /** The sink's oldest undelivered alerts as one message, leased until `until`. A message that was composed before comes again as it was. */
  nextMessage(
    sink: SinkRules,
    now: number,
    until: number,
    compose: (alerts: readonly Alert[], context: LayoutContext) => string,
  ): Promise<NextMessage>
  /** Records one attempt. Idempotent; a delivery counts even if the lease was lost. `random` in [0, 1) spreads retries. */
  settle(message: Message, outcome: Outcome, now: number, random: number): Promise<readonly Alert[]>
  close(): Promise<void>
}

/** How one sink wants its messages. */
export interface SinkRules {
  readonly name: string
  readonly batch: number
  readonly spacingMs: number
}

/** Another process took the work over while we held it: nothing was kept, and nothing is lost. */
export class FencedError extends Error {
  constructor(what: string) {
    super(`${what} was taken over by another process`)
    this.name = 'FencedError'
  }
}

/** An alert with what became of it at each sink. */
export interface AlertRecord {
  readonly alert: Alert
  /** What came after it, and rang no more. */
  readonly final?: FinalCertificate
  readonly deliveries: readonly {
    readonly sink: string
    readonly state: 'waiting' | 'retrying' | 'parked' | 'delivered'
    readonly at?: number
    readonly answer?: string
  }[]
}

/** The certificate itself, seen after an alert that its precertificate made. */
export interface FinalCertificate {
  /** Hex. */
  readonly certSha256: string
  /** ms. */
  readonly seenAt: number
  readonly source: SightingSource
}

/** An issuance of the inventory. Times in ms. */
export interface CertRecord {
  readonly id: string
  readonly names: readonly string[]
  readonly ipAddresses: readonly string[]
  /** How many there were, where some are left out. */
  readonly namesCount?: number
  readonly ipAddressesCount?: number
  readonly issuer?: string
  readonly notBefore: number
  readonly notAfter: number
  readonly seenAt: number
  readonly source: { readonly kind: string; readonly id: string }
  readonly rang: boolean
}
