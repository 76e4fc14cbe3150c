// The outbox: one queue for each sink, in the order of discovery. A message is composed once and kept as it is until the sink has it.
import type { Alert } from '../watch/alert.ts'
import type { LayoutContext, Outcome } from '../watch/delivery.ts'
import { backoff } from '../watch/retry.ts'
import type { OpenTrouble } from '../watch/trouble.ts'
import { compare } from '../watch/trouble.ts'
import { addAlerts } from './add-alerts.ts'
import type { Backend, StoredMessage, Transaction } from './backend.ts'
import type { Control, SinkState } from './control.ts'
import { rebase } from './control.ts'
import type { Owner } from './lease.ts'
import { held } from './lease.ts'
import type { Message, NextMessage, Setup, SinkRules, Store } from './store.ts'

const HOUR = 3_600_000
/** An outage shorter than this is not worth a word when it is over. */
const WORTH_TELLING = 5 * 60_000

/** The store's delivering half. */
export function createOutbox(backend: Backend, setup: Setup, owner: Owner): Pick<Store, 'nextMessage' | 'settle'> {
  const nextMessage = async (
    rules: SinkRules,
    now: number,
    until: number,
    compose: (alerts: readonly Alert[], context: LayoutContext) => string,
  ): Promise<NextMessage> =>
    backend.transact(async (tx): Promise<NextMessage> => {
      rebase(tx.control, now)
      const sink = sinkOf(tx.control, rules.name)
      const failing = sink.failing !== undefined
      if (held(sink.lease, owner, now)) return { kind: 'wait', until: Math.min(sink.lease?.until ?? now, now + 1000), why: 'leased', failing }
      if (sink.next !== undefined && sink.next.until > now) return { kind: 'wait', until: sink.next.until, why: 'retry', failing }
      const spaced = (sink.attemptAt ?? -Infinity) + rules.spacingMs
      const parked = await tx.firstParked(rules.name)
      // What is parked is tried after what waits: the trouble that told of it is among that, and would make no sense once the message has arrived.
      const message =
        (await tx.openMessage(rules.name)) ??
        (await composeNext(tx, rules, sink, now, compose)) ??
        (parked !== undefined && isDue(parked, now) ? parked : undefined)
      if (message === undefined) {
        delete sink.outage
        return {
          kind: 'wait',
          until: parked?.parkedUntil ?? Infinity,
          why: parked === undefined ? 'empty' : 'parked',
          failing: failing || parked !== undefined,
        }
      }
      // Composed and kept, but not before its time: whoever comes next finds it.
      if (spaced > now) return { kind: 'wait', until: spaced, why: 'spacing', failing }
      sink.fence += 1
      sink.lease = { owner: owner.id, fence: sink.fence, setAt: now, until }
      sink.attemptAt = now
      return {
        kind: 'message',
        message: {
          id: message.id,
          sink: rules.name,
          composed: message.composed,
          alerts: message.alerts,
          attempts: message.attempts,
          fence: sink.fence,
        },
      }
    })

  const settle = async (message: Message, outcome: Outcome, now: number, random: number): Promise<readonly Alert[]> =>
    backend.transact(async (tx) => {
      const sink = sinkOf(tx.control, message.sink)
      // A late word is still a true word: what was delivered was delivered, whoever has the lease now.
      const ours = sink.lease?.fence === message.fence
      if (ours) delete sink.lease
      if (!ours && outcome.kind !== 'delivered') return []
      // A parked message whose sink does not answer just now stays parked: nothing was mended, and it must hold back nothing.
      const parked = outcome.kind === 'parked' || (outcome.kind !== 'delivered' && (await tx.firstParked(message.sink))?.id === message.id)
      const state = outcome.kind === 'delivered' ? 'delivered' : parked ? 'parked' : 'open'
      const changed = await tx.updateMessage(message.id, { state, answer: outcome.answer, at: now, ...(parked && { until: now + HOUR }) })
      if (!changed) return []
      // One attempt may have been two requests: the spacing counts from the last.
      sink.attemptAt = now
      sink.lastAnswer = outcome.answer
      const failing = sink.failing
      if (outcome.kind === 'delivered' || outcome.kind === 'parked') {
        if (failing !== undefined && now - failing.since >= WORTH_TELLING) sink.outage = { since: failing.since }
        delete sink.failing
        delete sink.next
      }
      if (outcome.kind === 'delivered') {
        sink.delivered += message.alerts.length
        sink.deliveredAt = now
      } else if (outcome.kind === 'retry' && outcome.limited === true && outcome.at !== undefined) {
        // An order, not a failure. What failed before has not been mended by it.
        sink.next = { setAt: now, until: Math.max(now, outcome.at.getTime()) }
      } else if (outcome.kind !== 'parked') {
        const attempts = (failing?.attempts ?? 0) + 1
        sink.failing = { since: failing?.since ?? now, attempts, answer: outcome.answer, dead: outcome.kind === 'dead' }
        const wait = outcome.kind === 'dead' ? HOUR : backoff(attempts, () => random)
        sink.next = { setAt: now, until: outcome.kind === 'retry' && outcome.at !== undefined ? Math.max(now, outcome.at.getTime()) : now + wait }
      }
      return tellTroubles(tx, setup, message.sink, sink, now)
    })

  return { nextMessage, settle }
}

// One that is further off than an hour was parked by a clock that has been turned back since.
function isDue({ parkedUntil = 0 }: StoredMessage, now: number): boolean {
  return parkedUntil <= now || parkedUntil > now + HOUR
}

function sinkOf(control: Control, name: string): SinkState {
  return (control.sinks[name] ??= { fence: 0, delivered: 0 })
}

async function composeNext(
  tx: Transaction,
  rules: SinkRules,
  sink: SinkState,
  now: number,
  compose: (alerts: readonly Alert[], context: LayoutContext) => string,
): Promise<StoredMessage | undefined> {
  const queue = await tx.queued(rules.name, rules.batch)
  const first = queue[0]
  if (first === undefined) return undefined
  // Certificates go together; anything else speaks for itself.
  const together = first.alert.kind === 'certificate' ? queue.findIndex(({ alert }) => alert.kind !== 'certificate') : 1
  const chosen = together === -1 ? queue : queue.slice(0, together)
  const context: LayoutContext = {
    now: new Date(now),
    ...(sink.outage !== undefined && { outage: { since: new Date(sink.outage.since), waiting: await tx.countQueued(rules.name) } }),
  }
  delete sink.outage
  const alerts = chosen.map(({ alert }) => alert)
  const composed = compose(alerts, context)
  const id = await tx.addMessage(
    rules.name,
    composed,
    chosen.map(({ seq }) => seq),
    now,
  )
  return { id, sink: rules.name, composed, attempts: 0, alerts }
}

// What the owner must mend about a sink: told through the other sinks, and for a message that was refused through this one as well.
async function tellTroubles(tx: Transaction, setup: Setup, name: string, sink: SinkState, now: number): Promise<readonly Alert[]> {
  const gone = `sink:${name}`
  const refused = `sink:${name}/message`
  const wanted = new Map<string, OpenTrouble>()
  if (sink.failing?.dead === true) {
    const message = `${name} refuses messages: ${sink.failing.answer}. They wait, none is lost. Make a new webhook, put it into the settings, then run certbell test-alert`
    wanted.set(gone, { component: gone, kind: 'dead', since: sink.failing.since, message })
  }
  const parked = await tx.firstParked(name)
  if (parked !== undefined) {
    const message = `${name} refuses a message in each form that we have: ${sink.lastAnswer ?? 'no reason given'}. It waits and is tried hourly; later ones pass it. See certbell alerts --pending`
    wanted.set(refused, { component: refused, kind: 'parked', since: now, message })
  }
  const judged = compare(
    wanted,
    tx.control.troubles,
    now,
    (component) => component === gone || component === refused,
    () => undefined,
  )
  tx.control.troubles = Object.assign(Object.create(null) as Control['troubles'], judged.open)
  const others = setup.sinks.filter((other) => other !== name)
  const added: Alert[] = []
  for (const alert of judged.alerts) {
    added.push(...(await addAlerts(tx, [alert], 'component' in alert && alert.component === refused ? setup.sinks : others, now)))
  }
  return added
}
