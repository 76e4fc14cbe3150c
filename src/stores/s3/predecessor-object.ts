// The predecessor kept one object for each domain, named after it, at the top of the bucket: a JSON string of the last id it saw.
import type { ObjectStore } from './object-store.ts'
import { parallel } from './parallel.ts'

/** The content of such an object, for readInherited to judge; undefined if there is none. It is never written. */
export async function readPredecessor(store: ObjectStore, domain: string): Promise<string | undefined> {
  const object = await store.get(domain)
  return object === undefined || object === 'unchanged' ? undefined : object.body.subarray(0, 2000).toString()
}

/** The contents of those that there are, by domain. */
export async function readPredecessors(store: ObjectStore, domains: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const contents = await parallel(domains, async (domain) => [domain, await readPredecessor(store, domain)] as const)
  return new Map(contents.flatMap(([domain, content]) => (content === undefined ? [] : [[domain, content] as const])))
}
