// A table in segments: rows are appended, found by key, read in order, dropped when their time has come. A draft collects what one transaction does to
// it; nothing is written before its end.
import { damaged } from '../control.ts'
import { planMerge } from './merge.ts'
import { parallel } from './parallel.ts'
import type { SegmentRef } from './root.ts'
import type { Segments } from './segments.ts'

/** What a table's rows are. */
export interface TableKind<Row> {
  /** Bytes of a key. */
  readonly width: number
  /** Bytes that a segment may have, compressed. */
  readonly cap: number
  key(row: Row): Buffer
  seq(row: Row): number
  /** The time (ms) that a row may be dropped by. */
  least(row: Row): number
}

/** One transaction's view of a table. */
export interface TableDraft<Row> {
  /** Which of these keys are there, by their hex digits. Reads nothing for none. */
  has(keys: readonly Buffer[]): Promise<ReadonlySet<string>>
  /** Rows in ascending order, after all others. */
  append(rows: readonly Row[]): void
  /** Rows from a number on, ascending. */
  rows(from?: number): AsyncGenerator<Row>
  /** Drops rows whose time is before `before` and that `keep` does not want; of large tables only a part of them at a time. */
  drop(before: number, keep: (row: Row) => boolean): Promise<void>
  /** Writes what is new. Returns the table, and the names of what was written. */
  finish(): Promise<{ readonly table: readonly SegmentRef[]; readonly written: readonly string[] }>
}

/** A segment, stored or still to be written. */
type Entry<Row> = { readonly ref: SegmentRef } | { readonly rows: readonly Row[]; readonly size: number }

/** A large table loses its old rows bit by bit: in one turn this part of it is looked through, oldest first. Readers hide what is past its time. */
const DROP_PART = 1 / 16

/** A draft of the table that `refs` names. */
export function draftTable<Row>(kind: TableKind<Row>, refs: readonly SegmentRef[], segments: Segments, shown: string): TableDraft<Row> {
  let entries: Entry<Row>[] = refs.map((ref) => ({ ref }))
  let added: Row[] = []

  const rowsOf = async (entry: Entry<Row>): Promise<readonly Row[]> => ('ref' in entry ? readRows<Row>(segments, entry.ref, shown) : entry.rows)

  return {
    has: async (keys) => {
      const found = new Set<string>()
      if (keys.length === 0) return found
      const indexes = await parallel(entries, async (entry) => ('ref' in entry ? segments.keys(entry.ref[0], kind.width) : undefined))
      const loose = new Set([...entries.flatMap((entry) => ('ref' in entry ? [] : entry.rows)), ...added].map((row) => kind.key(row).toString('hex')))
      for (const key of keys) {
        const hex = key.toString('hex')
        if (loose.has(hex) || indexes.some((index) => index?.has(key) === true)) found.add(hex)
      }
      return found
    },
    append: (rows) => void added.push(...rows),
    async *rows(from = 0) {
      const wanted = entries.filter((entry) => !('ref' in entry) || entry.ref[2] >= from)
      for (const entry of wanted) for (const row of await rowsOf(entry)) if (kind.seq(row) >= from) yield row
      for (const row of added) if (kind.seq(row) >= from) yield row
    },
    drop: async (before, keep) => {
      const due = entries.flatMap((entry) => ('ref' in entry && entry.ref[5] < before ? [entry] : [])).sort((a, b) => a.ref[5] - b.ref[5])
      let budget = Math.max(kind.cap / 2, DROP_PART * entries.reduce((sum, entry) => sum + sizeOf(entry), 0))
      for (const entry of due) {
        if (budget <= 0) break
        budget -= entry.ref[4]
        const rows = await rowsOf(entry)
        const kept = rows.filter((row) => kind.least(row) >= before || keep(row))
        if (kept.length === rows.length) continue
        const size = Math.ceil((entry.ref[4] * kept.length) / rows.length)
        entries = entries.flatMap((other) => (other !== entry ? [other] : kept.length > 0 ? [{ rows: kept, size }] : []))
      }
    },
    finish: async () => {
      entries.push(...lots(kind, added))
      added = []
      const plan = planMerge(entries.map(sizeOf), kind.cap)
      if (plan !== undefined) {
        const merged = entries.slice(plan.start, plan.endExclusive)
        const rows = (await parallel(merged, rowsOf)).flat()
        entries.splice(plan.start, merged.length, { rows, size: merged.reduce((sum, entry) => sum + sizeOf(entry), 0) })
      }
      const written: string[] = []
      const table = await parallel(entries, async (entry): Promise<SegmentRef> => {
        if ('ref' in entry) return entry.ref
        const { rows } = entry
        const { name, bytes } = await segments.write(rows, Buffer.concat(rows.map((row) => kind.key(row))))
        written.push(name)
        const seqs = rows.map((row) => kind.seq(row))
        const least = rows.reduce((least, row) => Math.min(least, kind.least(row)), Infinity)
        return [name, seqs[0] ?? 0, seqs.at(-1) ?? 0, rows.length, bytes, least]
      })
      return { table, written }
    },
  }
}

/** The rows of a stored segment, ascending. */
export async function readRows<Row>(segments: Segments, ref: SegmentRef, shown: string): Promise<readonly Row[]> {
  const rows = await segments.read(ref[0])
  if (!Array.isArray(rows) || rows.length !== ref[3]) throw damaged(shown)
  return rows as readonly Row[]
}

function sizeOf<Row>(entry: Entry<Row>): number {
  return 'ref' in entry ? entry.ref[4] : entry.size
}

// However badly they compress, a lot stays below the cap, unless one row alone is above it.
function lots<Row>({ cap }: TableKind<Row>, rows: readonly Row[]): Entry<Row>[] {
  const found: { readonly rows: Row[]; size: number }[] = []
  let length = Infinity
  for (const row of rows) {
    const own = Buffer.byteLength(JSON.stringify(row))
    const last = found.at(-1)
    if (last === undefined || length + own > cap) {
      found.push({ rows: [row], size: own / 4 })
      length = own
    } else {
      last.rows.push(row)
      last.size += own / 4
      length += own
    }
  }
  return found
}
