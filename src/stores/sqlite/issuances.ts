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
      insert into issuances (${COLUMNS}) select ${COLUMNS} from arrivals order by seq on conflict (tbs) do nothing;
      delete from arrivals`)
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
      // Numbers instead of names: a set of a million names would be the largest thing in the process. That two share 53 bits is no event.
      const names = new Set<number>()
      // A lot of lists comes as one text: a hundred thousand rows one by one would cost more than reading them.
      for (const table of ['issuances', 'arrivals']) {
        const lots = database.prepare(
          `select group_concat(names) lists from (select names, seq / ${LOT} lot from ${table} order by seq) group by lot`,
        )
        for (const row of lots.iterate()) {
          for (const list of JSON.parse(`[${String(row['lists'])}]`) as string[][]) for (const name of list) if (covers(name)) names.add(hash53(name))
        }
      }
      return names.size
    },
  }
}

// cyrb53: two 32-bit multiplicative hashes side by side; not for secrets, for counting.
function hash53(text: string): number {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2_654_435_761)
    b = Math.imul(b ^ code, 1_597_334_677)
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909)
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909)
  return 4_294_967_296 * (2_097_151 & b) + (a >>> 0)
}
