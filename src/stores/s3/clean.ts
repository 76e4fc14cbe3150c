// Segments that no root names: left by writers that were killed. They cost money, nothing else.
import type { ObjectStore } from './object-store.ts'
import { parallel } from './parallel.ts'
import type { Root } from './root.ts'
import { namesIn } from './root.ts'
import { SEGMENTS } from './segments.ts'

// A writer puts its segments before the root that names them; none takes an hour for that.
const GRACE = 3_600_000
const AT_MOST = 1000
// Where the role may not delete they only grow: the listing must not grow with them.
const LISTED = 5000

/** Removes them, as far as the role may list and delete. Returns how many; `root` is the present one, `now` in ms. */
export async function cleanUp(store: ObjectStore, prefix: string, root: Root, now: number): Promise<number> {
  const named = namesIn(root)
  const folder = `${prefix}${SEGMENTS}`
  const orphans = (await store.list(folder, LISTED)).filter(({ key, lastModified }) => {
    const name = /^([\w-]+)\.(?:keys|json\.gz)$/.exec(key.slice(folder.length))?.[1]
    return name !== undefined && !named.has(name) && lastModified < now - GRACE
  })
  const [first, ...others] = orphans.slice(0, AT_MOST)
  // One tells whether the role may.
  if (first === undefined || !(await store.remove(first.key))) return 0
  const removed = await parallel(others, async ({ key }) => store.remove(key))
  return 1 + removed.filter(Boolean).length
}
