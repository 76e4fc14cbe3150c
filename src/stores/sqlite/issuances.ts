// The issuances known: the one part of the state that grows large, and the one path of the store that is hot. Bare prepared statements.
import type { DatabaseSync } from 'node:sqlite'
import type { NewIssuance } from '../backend.ts'

/** The issuances inside one transaction of the caller's. */
export interface Issuances {
  /** Which of these ids (64 hex digits) are known. */
  known(ids: readonly string[]): ReadonlySet<string>
  /** Keeps issuances that are not known; numbers them after `last` and returns the last number. `bulk`: see arrivals in schema.ts. */
  add(issuances: readonly NewIssuance[], last: number, bulk: boolean): number
  /** Moves what has arrived to where it belongs. */
  sortIn(): void
  /** The transaction came to nothing: what was taken for known may not be. */
  forget(): void
  countHostnames(covers: (name: string) => boolean): number
}

/** So many arrivals are sorted in even if more are to come: their ids are kept in memory meanwhile, some 20 MB. */
const MAX_ARRIVALS = 200_000
const COLUMNS = 'seq, tbs, names, ips, issuer, not_before, not_after, seen_at, source, rang'
/** Names are parsed in lots of so many rows. */
const LOT = 500

/** Over an open database. */
export function createIssuances(database: DatabaseSync): Issuances {
  const find = database.prepare('select 1 from issuances where tbs = ?')
  const values = COLUMNS.replaceAll(/\w+/g, '?')
  const insert = database.prepare(`insert into issuances (${COLUMNS}) values (${values}) on conflict (tbs) do nothing`)
  const append = database.prepare(`insert into arrivals (${COLUMNS}) values (${values})`)
  const arrivedSince = database.prepare('select seq, tbs from arrivals where seq > ? order by seq')

  // Ids of the arrivals, as far as they were seen. One that was sorted in by another process stays in it: known is known.
  let arrived = new Set<string>()
  let seen = 0

  const lookAtArrivals = (): void => {
    for (const row of arrivedSince.all(seen)) {
      arrived.add(Buffer.from(row['tbs'] as Uint8Array).toString('latin1'))
      seen = row['seq'] as number
    }
  }

  const sortIn = (): void => {
    // One pass over the index instead of a hundred random pages of it for each page of the API.
    database.exec(`
      pragma cache_size = -16000;
      insert into issuances (${COLUMNS}) select ${COLUMNS} from arrivals order by seq on conflict (tbs) do nothing;
      delete from arrivals;
      pragma cache_size = -4000`)
    arrived = new Set()
  }

  return {
    known: (ids) => {
      lookAtArrivals()
      const found = new Set<string>()
      for (const id of ids) {
        const tbs = Buffer.from(id, 'hex')
        if (arrived.has(tbs.toString('latin1')) || find.get(tbs) !== undefined) found.add(id)
      }
      return found
    },
    add: (issuances, last, bulk) => {
      const statement = bulk ? append : insert
      let seq = last
      for (const { id, names, ipAddresses, issuer, notBefore, notAfter, seenAt, source, rang } of issuances) {
        seq += 1
        const tbs = Buffer.from(id, 'hex')
        if (bulk) arrived.add(tbs.toString('latin1'))
        const ips = ipAddresses.length > 0 ? JSON.stringify(ipAddresses) : null
        statement.run(seq, tbs, JSON.stringify(names), ips, issuer ?? null, notBefore, notAfter, seenAt, `${source.kind} ${source.id}`, rang ? 1 : 0)
      }
      if (bulk) seen = seq
      if (bulk && arrived.size > MAX_ARRIVALS) sortIn()
      return seq
    },
    sortIn,
    forget: () => {
      arrived = new Set()
      seen = 0
    },
    countHostnames: (covers) => {
      const names = new Set<string>()
      let lot: string[] = []
      const take = (): void => {
        for (const list of JSON.parse(`[${lot.join(',')}]`) as string[][]) for (const name of list) if (covers(name)) names.add(name)
        lot = []
      }
      for (const row of database.prepare('select names from issuances union all select names from arrivals').iterate()) {
        lot.push(row['names'] as string)
        if (lot.length >= LOT) take()
      }
      take()
      return names.size
    },
  }
}
