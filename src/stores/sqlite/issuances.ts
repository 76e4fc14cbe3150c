// The issuances known: the one part of the state that grows large, and the one path of the store that is hot. Bare prepared statements.
import { listCounts } from '../list-counts.ts'
import type { DatabaseSync } from 'node:sqlite'
import type { CertRecord } from '../store.ts'
import { createDistinctCounter } from '../distinct.ts'
import { createNumberSet } from '../number-set.ts'

/** The issuances inside one transaction of the caller's. `sortedIn` and `last` are the control document's. */
export interface Issuances {
  /** Which of these ids (64 hex digits) are known. */
  known(ids: readonly string[], sortedIn: number): ReadonlySet<string>
  /** Keeps issuances that are not known; numbers them after `last` and returns the last number. `bulk`: they are sorted in later. */
  add(issuances: readonly CertRecord[], last: number, bulk: boolean): number
  /** Puts what came after `sortedIn` into the unique key. Returns `last`. */
  sortIn(sortedIn: number, last: number): number
  /** The transaction came to nothing: what was taken for known may not be. */
  forget(): void
  countHostnames(covers: (name: string) => boolean): number
}

// An id's first 13 hex digits.
const first52 = (id: string): number => Number.parseInt(id.slice(0, 13), 16)

/** Names are parsed in lots of so many rows. */
const LOT = 500

/** Over an open database. */
export function createIssuances(database: DatabaseSync): Issuances {
  const find = database.prepare('select 1 from known where tbs = ?')
  const any = database.prepare('select 1 from known limit 1')
  const remember = database.prepare('insert into known (tbs) values (?) on conflict do nothing')
  const insert = database.prepare(
    'insert into issuances (seq, tbs, names, ips, issuer, not_before, not_after, seen_at, source, rang, counts) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const unsorted = database.prepare('select seq, tbs from issuances where seq > ? order by seq')
  const findUnsorted = database.prepare('select 1 from issuances where seq > ? and tbs = ?')
  const sort = database.prepare('insert into known (tbs) select tbs from issuances where seq > ? order by tbs on conflict do nothing')

  // The ids that are not sorted in, by their first 52 bits and as far as they were seen: who is not among them is not there. One that was sorted in by
  // another process stays among them, which costs a look.
  let maybe = createNumberSet()
  let seen = 0

  return {
    known: (ids, sortedIn) => {
      if (seen < sortedIn) {
        maybe = createNumberSet()
        seen = sortedIn
      }
      for (const row of unsorted.iterate(seen)) {
        maybe.add(first52(Buffer.from((row['tbs'] as Uint8Array).subarray(0, 7)).toString('hex')))
        seen = row['seq'] as number
      }
      const found = new Set<string>()
      // In the first baseline of all there is none to find.
      const some = any.get() !== undefined
      for (const id of ids) {
        const unsortedToo = maybe.has(first52(id))
        if (!some && !unsortedToo) continue
        const tbs = Buffer.from(id, 'hex')
        if ((some && find.get(tbs) !== undefined) || (unsortedToo && findUnsorted.get(sortedIn, tbs) !== undefined)) found.add(id)
      }
      return found
    },
    add: (issuances, last, bulk) => {
      let seq = last
      for (const record of issuances) {
        const { id, names, ipAddresses, issuer, notBefore, notAfter, seenAt, source, rang } = record
        const tbs = Buffer.from(id, 'hex')
        if (bulk) maybe.add(first52(id))
        else if (remember.run(tbs).changes === 0) continue
        seq += 1
        const ips = ipAddresses.length > 0 ? JSON.stringify(ipAddresses) : null
        const counts = listCounts(record)
        insert.run(
          seq,
          tbs,
          JSON.stringify(names),
          ips,
          issuer ?? null,
          notBefore,
          notAfter,
          seenAt,
          `${source.kind} ${source.id}`,
          rang ? 1 : 0,
          counts === undefined ? null : JSON.stringify(counts),
        )
      }
      if (bulk) seen = seq
      return seq
    },
    // In the key's own order: each page of it is written once.
    sortIn: (sortedIn, last) => {
      sort.run(sortedIn)
      return last
    },
    forget: () => {
      maybe = createNumberSet()
      seen = 0
    },
    countHostnames: (covers) => {
      const different = createDistinctCounter()
      // A lot of lists comes as one text: a hundred thousand rows one by one would cost more than reading them.
      const lots = database.prepare(`select group_concat(names) lists from (select names, seq / ${LOT} lot from issuances order by seq) group by lot`)
      for (const row of lots.iterate()) {
        for (const list of JSON.parse(`[${String(row['lists'])}]`) as string[][]) {
          for (const name of list) if (covers(name)) different.add(name)
        }
      }
      return different.count()
    },
  }
}
