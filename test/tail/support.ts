// A tail over logs of the sandbox, its state in memory: what rings, what is kept, and a process that may be ended and begun again.
import type { Clock } from '../../src/clock.ts'
import { systemClock } from '../../src/clock.ts'
import { createHttp } from '../../src/http-undici.ts'
import type { ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { logList } from '../../src/sandbox/ct-list.ts'
import { UNLIMITED } from '../../src/sources/bandwidth.ts'
import { createLogLists } from '../../src/sources/log-lists.ts'
import type { KeptList, ListSource } from '../../src/sources/log-lists.ts'
import type { Sift } from '../../src/sources/log-sift.ts'
import { createSift } from '../../src/sources/log-sift.ts'
import type { Backend } from '../../src/stores/backend.ts'
import type { Control } from '../../src/stores/control.ts'
import { readPagesHere } from '../../src/sources/read-page.ts'
import type { LogState } from '../../src/stores/log-state.ts'
import { readLogStates } from '../../src/stores/log-state.ts'
import { memoryRoot, openMemory } from '../../src/stores/memory.ts'
import type { AlertRecord } from '../../src/stores/store.ts'
import { createTailStore } from '../../src/stores/tail.ts'
import { LARGE } from '../../src/tail/behind.ts'
import type { TailEvent, TailPorts } from '../../src/tail/ports.ts'
import { createTail } from '../../src/tail/tail.ts'
import type { Alert } from '../../src/watch/alert.ts'
import { parseItem } from '../../src/watch/item.ts'
import { createMatcher } from '../../src/watch/match.ts'
import { createSieve } from '../../src/watch/sieve.ts'

export interface TailRun {
  readonly alerts: Alert[]
  readonly events: TailEvent[]
  /** Certificates that rang, by id, in order. */
  rung(): readonly string[]
  of<K extends Alert['kind']>(kind: K): readonly Extract<Alert, { kind: K }>[]
  state(served: ServedLog): Promise<LogState | undefined>
  states(): Promise<readonly LogState[]>
  control(): Promise<Control>
  /** The state, for another process to open. */
  backend(): Backend
  /** Alerts as they are kept, newest first. */
  records(): Promise<readonly AlertRecord[]>
  /** Waits until it is so. Fails after some seconds. */
  until(what: string, is: () => boolean | Promise<boolean>, ms?: number): Promise<void>
  /** Waits until a log is verified to its present end. */
  caughtUp(...served: readonly ServedLog[]): Promise<void>
  /** Evidence that was kept, by name. */
  readonly evidence: Map<string, Readonly<Record<string, unknown>>>
  /** One pass, where it is idle. */
  pass(): Promise<boolean>
  stop(): Promise<void>
  /** Ends it as it is, and begins again on the same state, after what happens `meanwhile`. */
  restart(meanwhile?: () => void): Promise<void>
  lists: readonly ServedLog[]
  /** What the list's server gives instead. */
  list?: ((signal?: AbortSignal) => Awaited<ReturnType<ListSource['read']>> | ReturnType<ListSource['read']>) | undefined
}

export interface TailOptions extends Partial<Pick<TailPorts, 'start' | 'interval' | 'only' | 'longestMs' | 'bandwidth' | 'isHybrid' | 'large'>> {
  readonly watch?: readonly string[]
  /** The text of the list of logs, instead of the sandbox's. */
  readonly listText?: string
  readonly backend?: () => Promise<Backend>
  readonly clock?: Clock
  /** Nothing is read but by `pass`. */
  readonly idle?: boolean
  /** Of the list: that it counts as a signed one, and when it was made. */
  readonly signed?: boolean
  readonly madeAt?: Date
  /** What is done instead of sifting. */
  readonly sift?: (sift: Sift) => Sift
  /** Why no evidence can be kept. */
  readonly evidenceFails?: string
}

/** Begins reading these logs. */
export async function startTail(served: readonly ServedLog[], options: TailOptions = {}): Promise<TailRun> {
  const root = memoryRoot()
  const open = options.backend ?? (async () => openMemory(root))
  const items = (options.watch ?? ['watched.example']).map((text) => {
    const parsed = parseItem(text)
    if ('problem' in parsed) throw new Error(parsed.problem)
    return parsed.item
  })
  const events: TailEvent[] = []
  const alerts: Alert[] = []
  const evidence = new Map<string, Readonly<Record<string, unknown>>>()
  const net = createHttp()
  let process = 0
  let stop = new AbortController()
  let running: Promise<void> = Promise.resolve()
  let pass = async (): Promise<boolean> => false
  let backend = await open()
  const clock = options.clock ?? systemClock

  const begin = async (): Promise<void> => {
    process += 1
    const mine = `process ${process}`
    stop = new AbortController()
    const store = createTailStore(backend, ['sink'], { id: mine, alive: (id) => id === mine })
    let text = ''
    const lists = await createLogLists({
      sources: [
        {
          name: 'list',
          isPublic: false,
          isSigned: options.signed ?? false,
          every: 50,
          read: async (_tag, signal) => {
            if (run.list !== undefined) return run.list(signal)
            const next = options.listText ?? logList(run.lists, { madeAt: options.madeAt ?? new Date(1_760_000_000_000) })
            if (next === text) return undefined
            text = next
            return { text, tag: undefined }
          },
        },
      ],
      load: async (name) => {
        const kept = await store.document(`log-list/${name}`)
        return kept === undefined ? undefined : (JSON.parse(kept) as KeptList)
      },
      save: async (name, list) => store.putDocument(`log-list/${name}`, JSON.stringify(list)),
    })
    if (lists.states.every(({ list }) => list === undefined)) await lists.refresh(clock.now())
    const tail = createTail({
      store,
      lists,
      http: net.http,
      clock,
      random: Math.random,
      userAgent: 'certbell/test (+https://example.net)',
      longestMs: options.longestMs ?? 3000,
      readPage: readPagesHere(createSieve(items)),
      sift: (options.sift ?? ((sift) => sift))(createSift(createMatcher(items, []))),
      interval: options.interval ?? 50,
      bandwidth: options.bandwidth ?? UNLIMITED,
      large: options.large ?? LARGE,
      isHybrid: options.isHybrid ?? (() => false),
      start: options.start ?? 'beginning',
      only: options.only ?? [],
      keepEvidence: async (name, _bytes, about) => {
        if (options.evidenceFails !== undefined) throw new Error(options.evidenceFails)
        evidence.set(name, about)
        return [`evidence/${name}`]
      },
      report: (event) => {
        events.push(event)
        if (event.kind === 'alerts') alerts.push(...event.alerts)
      },
    })
    pass = async () => tail.pass(stop.signal)
    running = options.idle === true ? Promise.resolve() : tail.run(stop.signal)
  }
  const until: TailRun['until'] = async (what, is, ms = 15_000) => {
    const deadline = Date.now() + ms
    while (!(await is())) {
      if (Date.now() > deadline) throw new Error(`not so after ${ms} ms: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const states = async (): Promise<readonly LogState[]> => readLogStates(backend.reader)
  const state = async ({ log }: ServedLog): Promise<LogState | undefined> => (await states()).find(({ id }) => id === log.keys.id.toString('base64'))
  const run: TailRun = {
    alerts,
    events,
    evidence,
    lists: served,
    rung: () => run.of('certificate').map(({ id }) => id),
    of: <K extends Alert['kind']>(kind: K) => alerts.filter((alert): alert is Extract<Alert, { kind: K }> => alert.kind === kind),
    state,
    states,
    control: async () => backend.reader.control(),
    backend: () => backend,
    records: async () => backend.reader.alerts({ pending: false }),
    pass: async () => pass(),
    until,
    caughtUp: async (...logs) => {
      for (const each of logs)
        await until(`${each.log.name} is verified to ${each.log.head.size}`, async () => (await state(each))?.verified.size === each.log.head.size)
    },
    stop: async () => {
      stop.abort()
      await running.catch(() => undefined)
      await net.close()
    },
    restart: async (meanwhile) => {
      stop.abort()
      await running.catch(() => undefined)
      meanwhile?.()
      backend = await open()
      await begin()
    },
  }
  await begin()
  return run
}
