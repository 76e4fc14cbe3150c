// The immutable objects: written once under a name that nobody has, read as often as need be, kept in memory for as long as there is room.
import { gunzipSync, gzipSync } from 'node:zlib'
import { StoreError } from '../../watch/errors.ts'
import { damaged } from '../control.ts'
import type { KeyIndex } from './key-index.ts'
import { createKeyIndex } from './key-index.ts'
import type { ObjectStore } from './object-store.ts'
import { parallel } from './parallel.ts'

/** A segment that the root names is not there: the root has been replaced meanwhile, or the state is damaged. */
export class MissingSegment extends Error {
  constructor(key: string) {
    super(`there is no ${key}`)
    this.name = 'MissingSegment'
  }
}

/** Reading and writing of segments. Throws MissingSegment, OwnerError `state-damaged`, and what the ObjectStore throws. */
export interface Segments {
  /** The keys of a segment of a table, each `width` bytes. */
  keys(name: string, width: number): Promise<KeyIndex>
  /** A segment's content as JSON. */
  read(name: string): Promise<unknown>
  /** Writes JSON, and beside it keys, under a new name, which it returns with the compressed size, bytes. */
  write(content: unknown, keys?: Buffer): Promise<{ readonly name: string; readonly bytes: number }>
  /** Best effort; a role that may not delete is fine. */
  discard(names: readonly string[]): Promise<void>
}

/** Folder of the segments, below the prefix. */
export const SEGMENTS = 'segments/'

const KEYS_CACHE = 48 * 1024 * 1024
const ROWS_CACHE = 16 * 1024 * 1024
const MAX_JSON = 256 * 1024 * 1024
const TRIES = 5

/** Over the objects below `prefix`. `newName` gives a name that nobody else ever gets: 64 random bits at least, letters, digits, `-` and `_`. */
export function createSegments(store: ObjectStore, prefix: string, shown: string, newName: () => string): Segments {
  const indexes = createCache<KeyIndex>(KEYS_CACHE)
  const contents = createCache<Buffer>(ROWS_CACHE)
  let denied = false
  const keysKey = (name: string): string => `${prefix}${SEGMENTS}${name}.keys`
  const contentKey = (name: string): string => `${prefix}${SEGMENTS}${name}.json.gz`

  const fetched = async (key: string): Promise<Buffer> => {
    const object = await store.get(key)
    if (object === undefined || object === 'unchanged') throw new MissingSegment(key)
    return object.body
  }

  // The name is ours alone: what is in the way is our own attempt whose answer was lost, or (409) one that is still under way.
  const create = async (key: string, body: Buffer): Promise<void> => {
    for (let n = 0; n < TRIES; n++) {
      if (typeof (await store.put(key, body, { ifNoneMatch: '*' })) === 'object') return
      const there = await store.get(key)
      if (typeof there === 'object' && there.body.equals(body)) return
    }
    throw new StoreError('busy', `the state at ${shown} cannot be written: S3 speaks of conflicts where there are none`)
  }

  return {
    keys: async (name, width) => {
      const known = indexes.get(name)
      if (known !== undefined) return known
      const bytes = await fetched(keysKey(name))
      if (bytes.length % width !== 0) throw damaged(shown)
      const index = createKeyIndex(bytes, width)
      indexes.set(name, index, index.bytes)
      return index
    },
    read: async (name) => {
      const packed = contents.get(name) ?? (await fetched(contentKey(name)))
      contents.set(name, packed, packed.length)
      try {
        return JSON.parse(gunzipSync(packed, { maxOutputLength: MAX_JSON }).toString())
      } catch (cause) {
        throw damaged(shown, cause)
      }
    },
    write: async (content, keys) => {
      const packed = gzipSync(JSON.stringify(content))
      const name = newName()
      await Promise.all([create(contentKey(name), packed), keys === undefined ? undefined : create(keysKey(name), keys)])
      contents.set(name, packed, packed.length)
      return { name, bytes: packed.length }
    },
    discard: async (names) => {
      const keys = names.flatMap((name) => [contentKey(name), keysKey(name)])
      try {
        // One tells whether the role may; cleanUp() finds what is left.
        for (const some of [keys.slice(0, 1), keys.slice(1)]) {
          if (denied) return
          const removed = await parallel(some, async (key) => store.remove(key))
          denied = removed.includes(false)
        }
      } catch {
        // Nothing depends on it.
      }
    },
  }
}

interface Cache<T> {
  get(name: string): T | undefined
  set(name: string, value: T, size: number): void
}

// Least recently used goes first: a Map keeps the order of insertion.
function createCache<T>(limit: number): Cache<T> {
  const entries = new Map<string, { readonly value: T; readonly size: number }>()
  let total = 0
  return {
    get: (name) => {
      const entry = entries.get(name)
      if (entry === undefined) return undefined
      entries.delete(name)
      entries.set(name, entry)
      return entry.value
    },
    set: (name, value, size) => {
      total += size - (entries.get(name)?.size ?? 0)
      entries.delete(name)
      entries.set(name, { value, size })
      for (const [oldest, { size: freed }] of entries) {
        if (total <= limit || oldest === name) break
        entries.delete(oldest)
        total -= freed
      }
    },
  }
}
