// What the store's tests are made of: certificates without bytes, setups, sinks, and a network of one process and another.
import { createHash } from 'node:crypto'
import { placeOf } from '../../src/watch/issuance.ts'
import type { Backend } from '../../src/stores/backend.ts'
import { createStore } from '../../src/stores/durable.ts'
import type { Owner } from '../../src/stores/lease.ts'
import type { Message, Setup, SinkRules, Store, Work } from '../../src/stores/store.ts'
import type { Alert } from '../../src/watch/alert.ts'
import type { LayoutContext } from '../../src/watch/delivery.ts'
import type { MalformedEntry, Sighting } from '../../src/watch/issuance.ts'
import type { Step } from '../../src/watch/step.ts'

export const SECOND = 1000
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
/** A Friday morning. */
export const T0 = Date.UTC(2026, 10, 6, 8, 15)

/** Opens one more process's view of one place. */
export type OpenPlace = () => Promise<Backend>

export const setup = (more: Partial<Setup> & { readonly names?: readonly string[] } = {}): Setup => {
  const { names = ['example.com'], ...rest } = more
  return {
    items: names.map((key) => ({ key, queryClass: key.startsWith('=') ? 'single' : 'full' })),
    credential: 'c',
    quota: { full: 10, single: 100 },
    interval: 'auto',
    baseline: 'inventory',
    sinks: ['slack'],
    ...rest,
  }
}

/** The living: a lease of any other is void. */
export const owners = (...living: string[]): ((id: string) => Owner) => {
  const alive = new Set(living)
  return (id) => ({ id, alive: (other) => alive.has(other) })
}
export const me: Owner = { id: 'me', alive: () => true }

export const covers =
  (key: string) =>
  (name: string): boolean =>
    name === key.replace(/^=/, '') || name.endsWith(`.${key}`)

export const open = async (backend: Backend, given: Setup = setup(), now = T0, owner: Owner = me): Promise<Store> =>
  createStore(backend, given, owner, covers, now)

/** An issuance by number; its names decide which items it touches. */
export const sighting = (
  n: number | string,
  more: Partial<Sighting> & { readonly notBefore?: number; readonly notAfter?: number } = {},
): Sighting => {
  const { notBefore = T0 - 40 * DAY, notAfter = T0 + 50 * DAY, ...rest } = more
  const items = rest.items ?? ['example.com']
  return {
    issuance: {
      id: idOf(n),
      names: items.map((item) => `host-${n}.${item}`),
      ipAddresses: [],
      issuer: { friendlyName: "Let's Encrypt" },
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
    },
    source: { kind: 'certspotter', id: `id-${n}` },
    matched: items.map((item) => ({ name: `host-${n}.${item}`, item })),
    items,
    excluded: false,
    seenAt: new Date(T0),
    remarks: [],
    ...rest,
  }
}

export const idOf = (n: number | string): string => createHash('sha256').update(`issuance ${n}`).digest('hex')

export const page = (sightings: readonly Sighting[], more: Partial<Step> = {}): Step => {
  const last = sightings.at(-1)?.source
  return { sightings, malformed: [], more: false, entries: sightings.length, ...(last !== undefined && { cursor: placeOf(last) }), ...more }
}

export const malformed = (n: number): MalformedEntry => ({
  id: idOf(`malformed ${n}`),
  why: 'the entry is not an object',
  source: { kind: 'certspotter', id: `m-${n}` },
  seenAt: new Date(T0),
})

/** Claims, and fails if there is nothing to do. */
export const work = async (store: Store, now: number, lease = MINUTE): Promise<Work> => {
  const claim = await store.claim(now, now + lease)
  if (claim.kind === 'wait') throw new Error(`nothing to do: ${claim.why} until ${claim.until - now} ms from now`)
  return claim.work
}

/** Ends the baseline of every name of the setup, silently, and delivers what it said. Returns the time after it. */
export const settleIn = async (backend: Backend, given: Setup, now = T0): Promise<number> => {
  const store = await open(backend, { ...given, baseline: 'silent', quota: { full: 1000, single: 1000 } }, now)
  for (const _ of given.items) await store.commit(await work(store, now), page([], { cursor: 'start' }), now)
  return now + 2 * HOUR
}

export const SLACK: SinkRules = { name: 'slack', batch: 10, spacingMs: 1000 }
export const stdout: SinkRules = { name: 'stdout', batch: 1, spacingMs: 0 }

/** A layout that shows what it was given. */
export const compose = (alerts: readonly Alert[], context: LayoutContext): string =>
  JSON.stringify({ alerts: alerts.map(short), ...(context.outage !== undefined && { waiting: context.outage.waiting }) })

export const short = (alert: Alert): string => (alert.kind === 'certificate' ? placeOf(alert.source) : alert.kind)

/** The sink's next message, or an error that says why there is none. */
export const message = async (store: Store, now: number, sink: SinkRules = SLACK, lease = MINUTE): Promise<Message> => {
  const next = await store.nextMessage(sink, now, now + lease, compose)
  if (next.kind === 'wait') throw new Error(`no message: ${next.why} until ${next.until - now} ms from now`)
  return next.message
}

export const DELIVERED = { kind: 'delivered', answer: 'ok' } as const

/** Delivers all that is due, a second apart; what was delivered, message by message. */
export const drain = async (
  store: Store,
  from: number,
  sink: SinkRules = SLACK,
): Promise<{ readonly said: string[][]; readonly now: number; readonly composed: string[] }> => {
  const said: string[][] = []
  const composed: string[] = []
  let now = from
  for (;;) {
    const next = await store.nextMessage(sink, now, now + MINUTE, compose)
    if (next.kind === 'wait') {
      if (next.why !== 'spacing') return { said, now, composed }
      now = next.until
      continue
    }
    said.push(next.message.alerts.map(short))
    composed.push(next.message.composed)
    await store.settle(next.message, DELIVERED, now, 0)
  }
}

/** Everything that a place holds, for comparing. */
export const contents = async (backend: Backend): Promise<unknown> => {
  const issuances: unknown[] = []
  await backend.reader.issuances((record) => {
    issuances.push(record)
    return true
  })
  return { control: await backend.reader.control(), alerts: await backend.reader.alerts({ pending: false }), issuances }
}
