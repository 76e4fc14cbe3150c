// State in a bucket: optimistic transactions on one root object. Whoever was overtaken looks again and does it again.
import { StoreError } from '../../watch/errors.ts'
import type { Backend, Reader, Transaction } from '../backend.ts'
import { damaged } from '../control.ts'
import { cleanUp } from './clean.ts'
import { createDraft } from './draft.ts'
import type { S3Place } from './exchange.ts'
import { shownPlace } from './exchange.ts'
import type { ObjectStore } from './object-store.ts'
import type { Patience } from './patience.ts'
import { createReader } from './reader.ts'
import type { LoadedRoot, RootFile } from './root-file.ts'
import { ROOT, openRootFile } from './root-file.ts'
import type { Root } from './root.ts'
import { STAMPS } from './root.ts'
import type { Segments } from './segments.ts'
import { MissingSegment, createSegments } from './segments.ts'

/** What a backend in S3 is made of. */
export interface S3Options {
  readonly store: ObjectStore
  readonly place: S3Place
  readonly patience: Patience
  /** Gives a name that nobody else ever gets: 64 random bits at least, in letters, digits, `-` and `_`. */
  readonly newName: () => string
}

interface Opened {
  readonly file: RootFile
  readonly segments: Segments
  readonly shown: string
}

function open({ store, place, newName }: S3Options): Opened {
  const shown = shownPlace(place)
  return { file: openRootFile(store, place.prefix + ROOT, shown), segments: createSegments(store, place.prefix, shown, newName), shown }
}

/** Opens the state, or finds that there is none yet. Throws OwnerError `state-access`, `state-newer`, `state-damaged`, or StoreError. */
export async function openS3(options: S3Options): Promise<Backend> {
  const opened = open(options)
  await opened.file.load()
  const run = createRunner(options, opened)
  // One at a time within the process: they would only overtake one another.
  let last: Promise<unknown> = Promise.resolve()
  const transact: Backend['transact'] = async (body) => {
    const mine = last.then(
      async () => run(body),
      async () => run(body),
    )
    last = mine
    return mine
  }
  return { transact, reader: createReader(opened.file, opened.segments, opened.shown, async () => {}), close: async () => {} }
}

/** Opens the state for reading beside whatever runs; undefined if there is none. Throws as openS3 does. */
export async function openS3Reader(options: S3Options): Promise<Reader | undefined> {
  const { file, segments, shown } = open(options)
  const { etag } = await file.load()
  return etag === undefined ? undefined : createReader(file, segments, shown, async () => {})
}

type Run = <T>(body: (tx: Transaction) => Promise<T>) => Promise<T>

function createRunner({ store, place, patience, newName }: S3Options, { file, segments, shown }: Opened): Run {
  const writer = newName()
  let writes = 0

  // Undefined: it has to be done again.
  const attempt = async <T>(
    { root, etag }: LoadedRoot,
    body: (tx: Transaction) => Promise<T>,
    tried: Map<string, T>,
  ): Promise<{ readonly result: T } | undefined> => {
    const draft = createDraft(root, segments, shown)
    const result = await body(draft.tx)
    const done = await draft.finish()
    if (done === undefined) return { result }
    const stamp = `${writer}.${++writes}`
    Object.assign(root, { generation: root.generation + 1, stamps: [...root.stamps, stamp].slice(-STAMPS) })
    tried.set(stamp, result)
    if (!(await replaced(root, etag, stamp))) {
      // Unless it was our own write that we did not hear of.
      const now = await file.load()
      if (now.root.stamps.includes(stamp)) return { result }
      // As long as the root is the one we meant to replace, a write of ours that is still under way may name them.
      if (now.etag !== etag) await segments.discard(done.written)
      return undefined
    }
    // Who still reads them by the old root looks at the new one.
    await segments.discard(done.replaced)
    if (draft.pruned()) await cleanUp(store, place.prefix, root, patience.time.now()).catch(() => 0)
    return { result }
  }

  const replaced = async (root: Root, etag: string | undefined, stamp: string): Promise<boolean> => {
    try {
      return await file.replace(root, etag)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      // It may have happened all the same.
      const now = await file.load().catch(() => undefined)
      if (now?.root.stamps.includes(stamp) === true) return true
      throw error
    }
  }

  return async <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
    const deadline = patience.time.now() + patience.timeLeft()
    const tried = new Map<string, T>()
    let missed: string | undefined
    for (let n = 0; ; n++) {
      const loaded = await file.load()
      // An earlier write of ours may have come late.
      const done = loaded.root.stamps.findLast((stamp) => tried.has(stamp))
      if (done !== undefined) return tried.get(done) as T
      try {
        const ended = await attempt(loaded, body, tried)
        if (ended !== undefined) return ended.result
      } catch (error) {
        if (!(error instanceof MissingSegment)) throw error
        if (missed === error.message) throw damaged(shown, error)
        missed = error.message
      }
      if (n > 0 && patience.time.now() >= deadline) throw new StoreError('busy', `the state at ${shown} is written by others all the time`)
      await patience.time.sleepUntil(patience.time.now() + patience.random() * Math.min(2000, 10 * 2 ** n))
    }
  }
}
