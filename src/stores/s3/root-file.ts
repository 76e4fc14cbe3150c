// Reading the root and replacing it, each at the price of one request: what is known already is not sent again.
import { StoreError } from '../../watch/errors.ts'
import type { ObjectStore } from './object-store.ts'
import type { Root } from './root.ts'
import { emptyRoot, packRoot, parseRoot, unpackRoot } from './root.ts'

/** A root as it was read; `etag` is undefined where there is none yet. */
export interface LoadedRoot {
  readonly root: Root
  readonly etag: string | undefined
}

export interface RootFile {
  /** The present root, a copy of its own. Throws OwnerError if it is damaged or newer, StoreError if it was there and is gone. */
  load(): Promise<LoadedRoot>
  /** Replaces the root that has this ETag, or creates it. False if another was faster. A StoreError may mean that it happened all the same. */
  replace(root: Root, etag: string | undefined): Promise<boolean>
}

/** The object's name below the prefix. */
export const ROOT = 'certbell.json.gz'

/** The root at `key`; `shown` is the place in words. */
export function openRootFile(store: ObjectStore, key: string, shown: string): RootFile {
  let known: { readonly etag: string; readonly text: string } | undefined
  const gone = (): StoreError => {
    const remedy = 'Restore it, from the versions of the bucket if it keeps them; or start again, then every name gets a new baseline'
    return new StoreError('io', `the state at ${shown} has been removed while it was in use. ${remedy}`)
  }
  return {
    load: async () => {
      const object = await store.get(key, known?.etag)
      if (object === undefined) {
        if (known !== undefined) throw gone()
        return { root: emptyRoot(), etag: undefined }
      }
      if (object !== 'unchanged') {
        const text = unpackRoot(object.body, shown)
        const root = parseRoot(text, shown)
        known = { etag: object.etag, text }
        return { root, etag: object.etag }
      }
      if (known === undefined) throw gone()
      return { root: parseRoot(known.text, shown), etag: known.etag }
    },
    replace: async (root, etag) => {
      const text = JSON.stringify(root)
      const put = await store.put(key, packRoot(text), etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag })
      if (put === 'gone') throw gone()
      if (put === 'conflict') return false
      known = { etag: put.etag, text }
      return true
    },
  }
}
