// Does this service keep its word on conditional writes? One that ignores them lets two writers overwrite each other, and alerts are lost.
import type { ObjectStore } from './object-store.ts'

/** Tries it on an object of its own below `prefix`, `name` being new; false if a write went through that should not have. Throws as the store does. */
export async function honoursConditions(store: ObjectStore, prefix: string, name: string): Promise<boolean> {
  const key = `${prefix}probe-${name}`
  const created = await store.put(key, Buffer.from('1'), { ifNoneMatch: '*' })
  if (typeof created !== 'object') return false
  try {
    if (typeof (await store.put(key, Buffer.from('2'), { ifNoneMatch: '*' })) === 'object') return false
    if (typeof (await store.put(key, Buffer.from('3'), { ifMatch: '"00000000000000000000000000000000"' })) === 'object') return false
    const replaced = await store.put(key, Buffer.from('4'), { ifMatch: created.etag })
    const read = await store.get(key)
    return typeof replaced === 'object' && typeof read === 'object' && read.body.toString() === '4'
  } finally {
    await store.remove(key).catch(() => false)
  }
}
