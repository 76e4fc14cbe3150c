// Which logs are new to their lists.
import type { LogLists } from '../sources/log-lists.ts'
import { listKey } from '../sources/log-lists.ts'
import type { TailPorts } from './ports.ts'

const FIRST_LISTED = 'first-listed'

/** A log that came onto a list after that list was first read is new: it is read from its first entry. */
export async function firstListed({ store }: TailPorts, lists: LogLists): Promise<ReadonlySet<string>> {
  const text = await store.document(FIRST_LISTED)
  const known = text === undefined ? {} : (JSON.parse(text) as Record<string, Record<string, 'old' | 'new'>>)
  let changed = false
  const fresh = new Set<string>()
  const old = new Set<string>()
  for (const { source, list } of lists.states) {
    if (list === undefined) continue
    const key = listKey(source)
    const byName = known[source.name]
    // Where it was before it had a key.
    if (known[key] === undefined && byName !== undefined) {
      known[key] = byName
      delete known[source.name]
      changed = true
    }
    const before = known[key]
    const now = (known[key] ??= {})
    for (const { id } of list.logs) {
      if (now[id] === undefined) {
        now[id] = before === undefined ? 'old' : 'new'
        changed = true
      }
      ;(now[id] === 'new' ? fresh : old).add(id)
    }
  }
  if (changed) await store.putDocument(FIRST_LISTED, JSON.stringify(known))
  for (const id of old) fresh.delete(id)
  return fresh
}
