// The hall where the rooms meet. Two verbs: ask one name and keep what was found, deliver one message and note what became of it.
import type { Clock } from './clock.ts'
import type { Notifier } from './notifiers/notifier.ts'
import type { CertSpotter } from './sources/certspotter.ts'
import type { AskedItem } from './sources/certspotter-page.ts'
import type { Claim, Message, Progress, Store, Wait, Work } from './stores/store.ts'
import { FencedError } from './stores/store.ts'
import type { TailEvent } from './tail/ports.ts'
import type { Alert } from './watch/alert.ts'
import type { Outcome } from './watch/delivery.ts'
import { StoreError } from './watch/errors.ts'
import type { Failure } from './watch/step.ts'
import { troubleAlert } from './watch/trouble.ts'

interface Sent {
  readonly message: Message
  readonly outcome: Outcome
  /** When the sink had answered, ms. */
  readonly at: number
  readonly ms: number
}

/** What happens, for whoever wants to show or count it. */
export type MonitorEvent =
  | { readonly kind: 'asked'; readonly work: Work; readonly entries: number; readonly news: number; readonly progress: Progress; readonly ms: number }
  | { readonly kind: 'refused'; readonly work: Work; readonly failure: Failure; readonly ms: number }
  | ({ readonly kind: 'sent' } & Sent)
  | TailEvent
  | { readonly kind: 'taken-over'; readonly what: string }
  | { readonly kind: 'state-failed'; readonly error: StoreError }

export interface MonitorPorts {
  readonly store: Store
  readonly ask: CertSpotter
  /** What to ask for, by the key of a work. */
  readonly items: ReadonlyMap<string, AskedItem>
  readonly notifiers: readonly Notifier[]
  readonly clock: Clock
  readonly random: () => number
  /** Longest a query may take, ms; its lease is a little longer. */
  readonly askMs: number
  /** Longest a delivery may take, both its forms together, ms. */
  readonly sendMs: number
  readonly report: (event: MonitorEvent) => void
  /** When something was last said past the store, and a way to note it; it must work on a full disk. */
  readonly straight: Straight
}

/** What one query did, or when to come back. */
export type Asking = { readonly kind: 'did'; readonly failed: boolean } | Wait
/** What one delivery did, or when to come back. */
export type Delivering = { readonly kind: 'did'; readonly failed: boolean } | Wait

export interface Monitor {
  /** Asks for the most urgent name that the budget allows, if any; in a pass that began at `since` (ms) each name once. Throws StoreError (said to every sink before) and OwnerError. */
  askNext(since?: number): Promise<Asking>
  /** Sends the sink's next message, if one is due. Throws as askNext. */
  deliverNext(notifier: Notifier): Promise<Delivering>
  /** Gives back what was claimed and will not be asked any more. Throws as askNext. */
  release(): Promise<void>
  /** What reads beside could not keep what it found: said as for what is asked here. Undefined: it can again. */
  stateFailed(error: StoreError | undefined): Promise<void>
  /** Looks for what has gone wrong without failing; `late`: every name has had its chance in this run. Throws as askNext. */
  review(late: boolean): Promise<void>
}

/** What was said past the state: when last, and whether (ms) it still cannot be written, for who asks from another process. */
export interface Straight {
  last(): number
  mark(now: number): void
  failing?(now: number | undefined): void
}

/** After the longest a step may take, so much later its lease ends. */
const LEASE_MARGIN = 15_000
/** What cannot be stored is said at most this often. */
const STRAIGHT_EVERY = 3_600_000

const DONE = { kind: 'did', failed: false } as const

/** The monitor over its ports. */
export function createMonitor(ports: MonitorPorts): Monitor {
  const { store, clock, report } = ports
  const tell = (alerts: readonly Alert[]): void => {
    if (alerts.length > 0) report({ kind: 'alerts', alerts })
  }

  // The next page's query, claimed when the last page was kept.
  let claimed: Work | undefined
  // Names that are refused in one round are told together at its end.
  let refused = false

  const askNext = async (since?: number): Promise<Asking> =>
    guarded(async () => {
      const now = clock.now()
      const claim: Claim = claimed === undefined ? await store.claim(now, now + ports.askMs + LEASE_MARGIN, since) : { kind: 'work', work: claimed }
      claimed = undefined
      if (claim.kind === 'wait') {
        if (refused) tell(await store.review(now, false))
        refused = false
        return claim
      }
      const { work } = claim
      const item = ports.items.get(work.key)
      if (item === undefined) throw new RangeError(`no item ${work.key}`)
      const asked = await ports.ask(item, work.cursor, () => clock.now())
      const ms = clock.now() - now
      if (asked.kind === 'failure') {
        tell(await store.fail(work, asked.failure, clock.now()))
        report({ kind: 'refused', work, failure: asked.failure, ms })
        refused ||= asked.failure.kind === 'name'
        return { kind: 'did', failed: asked.failure.kind !== 'wait' }
      }
      const then = clock.now()
      const done = await store.commit(work, asked.step, then, {
        until: then + ports.askMs + LEASE_MARGIN,
        ...(since !== undefined && { since }),
        ...(asked.blockedUntil !== undefined && { blockedUntil: asked.blockedUntil }),
      })
      claimed = done.next
      report({ kind: 'asked', work, entries: asked.step.entries, news: done.news, progress: done.progress, ms })
      tell(done.alerts)
      return { kind: 'did', failed: false }
    })

  // What a sink said that the state did not take, by sink. A message that was delivered is not sent again because the disk was full just then.
  const unsettled = new Map<string, Sent>()
  const settle = async (sink: string, sent: Sent): Promise<Delivering> => {
    const { message, outcome, at } = sent
    unsettled.set(sink, sent)
    tell(await store.settle(message, outcome, at, ports.random()))
    unsettled.delete(sink)
    report({ kind: 'sent', ...sent })
    // Waiting because we were told to is no failure.
    return { kind: 'did', failed: outcome.kind !== 'delivered' && !(outcome.kind === 'retry' && outcome.limited === true) }
  }

  const deliverNext = async (notifier: Notifier): Promise<Delivering> =>
    guarded(async () => {
      const before = unsettled.get(notifier.name)
      if (before !== undefined) return settle(notifier.name, before)
      const now = clock.now()
      const next = await store.nextMessage(notifier, now, now + ports.sendMs + LEASE_MARGIN, (alerts, context) => notifier.compose(alerts, context))
      if (next.kind === 'wait') return next
      const outcome = await notifier.send(next.message.composed, () => new Date(clock.now()))
      const at = clock.now()
      return settle(notifier.name, { message: next.message, outcome, at, ms: at - now })
    })

  const review = async (late: boolean): Promise<void> => {
    await guarded(async () => {
      tell(await store.review(clock.now(), late))
      return DONE
    })
  }

  const guarded = async <T>(step: () => Promise<T>): Promise<T | typeof DONE> => {
    try {
      return await step()
    } catch (error) {
      if (error instanceof FencedError) {
        report({ kind: 'taken-over', what: error.message })
        return DONE
      }
      if (error instanceof StoreError) {
        report({ kind: 'state-failed', error })
        await sayStraight(error, ports)
      }
      throw error
    }
  }

  const release = async (): Promise<void> => {
    const work = claimed
    claimed = undefined
    if (work !== undefined) await store.release(work, clock.now())
  }

  const stateFailed = async (error: StoreError | undefined): Promise<void> => {
    ports.straight.failing?.(error === undefined ? undefined : clock.now())
    if (error === undefined) return
    report({ kind: 'state-failed', error })
    await sayStraight(error, ports)
  }

  return { askNext, deliverNext, release, stateFailed, review }
}

/** Tells every sink, past the outbox that cannot hold it, that the state cannot be written: as it is, once, and at most once an hour. */
export async function sayStraight(error: StoreError, ports: Pick<MonitorPorts, 'clock' | 'straight' | 'notifiers'>): Promise<void> {
  const { clock, straight, notifiers } = ports
  const now = clock.now()
  const since = now - straight.last()
  if (since >= 0 && since < STRAIGHT_EVERY) return
  straight.mark(now)
  const message = `${error.message}. Nothing new can be kept, so reading has stopped where it was; it goes on by itself once the state can be written again`
  const alert = troubleAlert({ component: 'state', kind: error.code, since: now, message }, now)
  await Promise.allSettled(
    notifiers.map(async (notifier) => notifier.send(notifier.compose([alert], { now: new Date(now) }), () => new Date(clock.now()))),
  )
}
