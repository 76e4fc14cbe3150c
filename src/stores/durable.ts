// The store's rules, once for every place: budget and leases, cursor with findings, the outbox. A backend only keeps what is decided here.
import type { Alert } from '../watch/alert.ts'
import type { Sighting } from '../watch/issuance.ts'
import { certificateAlert, judge, malformedAlert } from '../watch/policy.ts'
import type { Known, Phase } from '../watch/policy.ts'
import { budgetLeft, plan } from '../watch/schedule.ts'
import type { Failure } from '../watch/step.ts'
import { addAlerts } from './add-alerts.ts'
import type { Backend, Transaction } from './backend.ts'
import { endBaseline, tally } from './baseline.ts'
import { count, credentialOf, pauseAfter, planInput, recount } from './budget.ts'
import type { Control, CredentialState, ItemState } from './control.ts'
import { rebase } from './control.ts'
import { reviewTroubles, wasLeftAlone } from './health.ts'
import type { Owner } from './lease.ts'
import { RUNNER_GRACE } from './overview.ts'
import { held } from './lease.ts'
import { createOutbox } from './outbox.ts'
import { issuanceRow, remarkTrouble } from './sighting.ts'
import type { CertRecord, Claim, Setup, Store, Work } from './store.ts'
import { FencedError } from './store.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** An outage as long as this has rung: see judgeSource. */
const TOLD_AFTER = 15 * MINUTE
/**
 * With no more queries an hour than this, what was counted outlives a power cut: that costs a sync of the disk for each. Who has more, such as a
 * server of his own, is not slowed down for a few queries that would be forgotten.
 */
const FIRM_UP_TO = 3600
const KEEP_EXPIRED = 30 * DAY
const KEEP_DELIVERED = 90 * DAY

/** A store for one run, on a backend. `covers(key)` tells which names an item means, for the inventory's count of host names. */
export async function createStore(
  backend: Backend,
  setup: Setup,
  owner: Owner,
  covers: (key: string) => (name: string) => boolean,
  now: number,
): Promise<Store> {
  await backend.transact(async (tx) => enroll(tx.control, setup, now))
  const outbox = createOutbox(backend, setup, owner)
  const counting = async <T>(body: (tx: Transaction) => Promise<T>): Promise<T> =>
    backend.transact(body, setup.quota.full + setup.quota.single <= FIRM_UP_TO)

  const take = (control: Control, at: number, until: number, since?: number): Claim => {
    const credential = credentialOf(control, setup)
    if (held(credential.lease, owner, at))
      return { kind: 'wait', until: Math.min(credential.lease?.until ?? at, at + 1000), why: 'leased', failing: false }
    const failing = isFailing(control, setup)
    const decision = plan(planInput(control, setup, at, since))
    if (decision.kind === 'wait') return { ...decision, failing }
    const item = control.items[decision.key]
    if (item === undefined) return { kind: 'wait', until: at + MINUTE, why: 'nothing', failing }
    const second = Math.floor(at / 1000)
    count(credential, decision.queryClass, second, decision.backlog ? [0, 1] : [1, 0], at)
    credential.fence += 1
    credential.lease = { owner: owner.id, fence: credential.fence, setAt: at, until }
    if (item.polledAt === undefined && item.cursor === undefined) item.baseline = { startedAt: at, pages: 0, count: 0, issuers: {} }
    item.polledAt = at
    return {
      kind: 'work',
      work: {
        key: decision.key,
        queryClass: decision.queryClass,
        ...(item.cursor !== undefined && { cursor: item.cursor }),
        phase: phaseOf(item),
        backlog: decision.backlog,
        fence: credential.fence,
        second,
      },
    }
  }

  const claim = async (at: number, until: number, since?: number): Promise<Claim> =>
    counting(async (tx) => {
      rebase(tx.control, at)
      // A runner that is long overdue while someone else does its work has been replaced, by cron or by hand: nobody waits for it any more.
      const { runner } = tx.control
      if (runner !== undefined && runner.owner !== owner.id && at > runner.dueAt + RUNNER_GRACE) delete tx.control.runner
      return take(tx.control, at, until, since)
    })

  const commit: Store['commit'] = async (work, step, at, { blockedUntil, until, since } = {}) =>
    counting(async (tx) => {
      const { credential, item } = leaseOf(tx.control, setup, work)
      recount(credential, work, at)
      const known = await tx.known(step.sightings.map((sighting) => sighting.issuance.id))
      const fresh: CertRecord[] = []
      const alerts: Alert[] = []
      const taken = new Set<string>()
      for (const sighting of step.sightings) {
        const id = sighting.issuance.id
        const seen = known.has(id) || taken.has(id)
        const rings = judge(sighting, knownOf(tx.control, setup, sighting, seen, at)).length > 0
        if (!seen) fresh.push(issuanceRow(sighting, rings, at))
        taken.add(id)
        if (!rings) continue
        const whole = sighting.inspect?.() ?? sighting
        alerts.push(certificateAlert(whole, judge(whole, knownOf(tx.control, setup, whole, seen, at))))
        if (whole.remarks.some((remark) => remark.trouble)) alerts.push(remarkTrouble(whole, at))
      }
      for (const entry of step.malformed) alerts.push(malformedAlert(entry))

      const away = wasLeftAlone(item, at) ? reviewTroubles(tx.control, setup, at, 'late') : []
      const downFor = recover(tx.control, credential, item, at)
      if (blockedUntil !== undefined) credential.blocked = { setAt: at, until: blockedUntil }
      const before = item.baseline
      if (step.cursor !== undefined) item.cursor = step.cursor
      item.full = step.more
      // A page that follows another is the same look.
      if (item.succeededAt !== undefined && !work.backlog) item.gap = at - item.succeededAt
      item.succeededAt = at
      credential.succeededAt = at
      item.found += step.entries
      if (before !== undefined) {
        tally(before, step)
      }
      const baselineDone = before !== undefined && !step.more
      await tx.addIssuances(fresh, before !== undefined && !baselineDone)
      if (before !== undefined && baselineDone) {
        delete item.baseline
        await tx.sortIn()
        if (setup.baseline === 'inventory') alerts.push(endBaseline(work.key, before, await tx.countHostnames(covers(work.key)), at))
      }
      delete credential.lease
      // First that it is well again, then what was found meanwhile.
      alerts.unshift(...away, ...reviewTroubles(tx.control, setup, at, 'step'))
      const added = await addAlerts(tx, alerts, setup.sinks, at)
      const left = budgetLeft(setup.quota[work.queryClass], credential.spent[work.queryClass], at).left
      // A page that was full is followed by the next: one write for both.
      const next = step.more && until !== undefined ? take(tx.control, at, until, since) : undefined
      return {
        alerts: added,
        news: fresh.length,
        progress: {
          key: work.key,
          phase: before === undefined ? 'steady' : 'baseline',
          baselineDone,
          count: before?.count ?? item.found,
          left,
          ...(downFor !== undefined && { downFor }),
          ...(next !== undefined && { next: next.kind === 'work' ? at : next.until }),
        },
        ...(next?.kind === 'work' && { next: next.work }),
      }
    })

  const fail = async (work: Work, failure: Failure, at: number): Promise<readonly Alert[]> =>
    backend.transact(async (tx) => {
      const { credential, item } = leaseOf(tx.control, setup, work)
      delete credential.lease
      recount(credential, work, at, failure.kind === 'wait' || failure.spent)
      // A refusal may come with it as well: whoever says when to come back is listened to.
      if (failure.until !== undefined) credential.blocked = { setAt: at, until: failure.until }
      if (failure.kind !== 'wait') {
        const before = item.failing
        item.failing = {
          since: before?.since ?? at,
          failures: (before?.failures ?? 0) + 1,
          kind: failure.kind,
          message: failure.message,
          ...(failure.reason !== undefined && { reason: failure.reason }),
        }
        if (failure.kind === 'name') {
          // Only this name is refused: it is asked again now and then, and the others go on.
          item.retry = { setAt: at, until: at + HOUR }
        } else {
          const failing = credential.failing
          credential.failing = { since: failing?.since ?? at, failures: (failing?.failures ?? 0) + 1, kind: failure.kind, message: failure.message }
          credential.pause = { setAt: at, until: at + pauseAfter(credential.failing.failures, setup.quota[work.queryClass]) }
        }
      }
      return addAlerts(tx, reviewTroubles(tx.control, setup, at, 'step'), setup.sinks, at)
    })

  const release = async (work: Work, at: number): Promise<void> => {
    await backend.transact(async (tx) => {
      const credential = credentialOf(tx.control, setup)
      if (credential.lease?.fence !== work.fence) return
      delete credential.lease
      recount(credential, work, at, false)
    })
  }

  const review = async (at: number, late: boolean): Promise<readonly Alert[]> =>
    backend.transact(async (tx) => {
      rebase(tx.control, at)
      if (at - (tx.control.prunedAt ?? 0) >= DAY) {
        await tx.prune(at - KEEP_EXPIRED, at - KEEP_DELIVERED)
        tx.control.prunedAt = at
      }
      return addAlerts(tx, reviewTroubles(tx.control, setup, at, late ? 'late' : 'review'), setup.sinks, at)
    })

  const rest = async (at: number, dueAt: number | undefined): Promise<void> => {
    await backend.transact(async (tx) => {
      const runner = tx.control.runner
      if (dueAt === undefined) {
        if (runner?.owner === owner.id) delete tx.control.runner
        return
      }
      if (runner?.owner === owner.id && runner.dueAt === dueAt) return
      tx.control.runner = { owner: owner.id, startedAt: runner?.owner === owner.id ? runner.startedAt : at, seenAt: at, dueAt }
    })
  }

  return { claim, commit, fail, release, review, rest, nextMessage: outbox.nextMessage, settle: outbox.settle, close: () => backend.close() }
}

// Adds what this run watches and where it rings; what others left is not touched.
function enroll(control: Control, setup: Setup, now: number): void {
  for (const { key, queryClass, cursor } of setup.items) {
    control.items[key] ??= { queryClass, addedAt: now, ...(cursor !== undefined && { cursor }), full: false, found: 0 }
  }
  credentialOf(control, setup)
  for (const name of setup.sinks) {
    const sink = (control.sinks[name] ??= { fence: 0, delivered: 0 })
    const address = setup.addresses?.[name]
    if (address === undefined || address === sink.address) continue
    if (sink.address !== undefined && sink.failing?.dead === true) delete sink.next
    sink.address = address
  }
}

function leaseOf(control: Control, setup: Setup, work: Work): { credential: CredentialState; item: ItemState } {
  const credential = credentialOf(control, setup)
  const item = control.items[work.key]
  if (credential.lease?.fence !== work.fence || item === undefined) throw new FencedError(`the query for ${work.key}`)
  return { credential, item }
}

function phaseOf(item: ItemState | undefined): Phase {
  if (item?.baseline !== undefined) return { kind: 'baseline', startedAt: new Date(item.baseline.startedAt) }
  if (item === undefined || (item.cursor === undefined && item.polledAt === undefined)) return { kind: 'new' }
  return { kind: 'steady' }
}

function knownOf(control: Control, setup: Setup, sighting: Sighting, seen: boolean, now: number): Known {
  return { seen, phases: sighting.items.map((key) => phaseOf(control.items[key])), baseline: setup.baseline, now: new Date(now) }
}

// A success ends every failure of the name and of the credential. Returns how long the name had failed.
function recover(control: Control, credential: CredentialState, item: ItemState, now: number): number | undefined {
  const since = item.failing?.since
  const began = credential.failing?.since
  if (began !== undefined) {
    if (now - began >= TOLD_AFTER) credential.backAt = now
    // Where more than one name failed, it was the source that did: it is not held against those that have not been asked since.
    const hit = Object.values(control.items).filter(
      ({ failing, polledAt }) => failing !== undefined && failing.kind !== 'name' && (failing.since >= began || (polledAt ?? 0) >= began),
    )
    if (hit.length > 1) for (const other of hit) if ((other.failing?.since ?? 0) >= began) delete other.failing
  }
  delete item.failing
  delete item.retry
  delete credential.failing
  delete credential.pause
  delete credential.blocked
  return since === undefined ? undefined : now - since
}

function isFailing(control: Control, setup: Setup): boolean {
  return credentialOf(control, setup).failing !== undefined || setup.items.some(({ key }) => control.items[key]?.failing !== undefined)
}
