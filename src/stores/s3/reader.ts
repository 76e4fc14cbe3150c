// The read-only side over the same objects. It takes no part in writing; where a segment went away under it, it goes on with the next root.
import type { Reader } from '../backend.ts'
import { damaged } from '../control.ts'
import type { AlertRecord } from '../store.ts'
import { fateOf, oldestWaiting } from './queues.ts'
import type { RootFile } from './root-file.ts'
import type { Root, SegmentRef } from './root.ts'
import { ALERTS, ISSUANCES, certRecord } from './rows.ts'
import type { Segments } from './segments.ts'
import { MissingSegment } from './segments.ts'
import type { TableKind } from './table.ts'
import { readRows } from './table.ts'

/** Over a root and its segments. `close` is the caller's. */
export function createReader(file: RootFile, segments: Segments, shown: string, close: () => Promise<void>): Reader {
  // Rows from the newest to the oldest, until `visit` returns false.
  const backwards = async <Row>(
    kind: TableKind<Row>,
    tableOf: (root: Root) => readonly SegmentRef[],
    from: (root: Root) => number,
    visit: (row: Row, root: Root) => boolean,
  ): Promise<void> => {
    let below = Infinity
    let missed: string | undefined
    for (;;) {
      const { root } = await file.load()
      const lowest = from(root)
      try {
        for (const ref of [...tableOf(root)].reverse()) {
          if (ref[1] >= below || ref[2] < lowest) continue
          const rows = await readRows<Row>(segments, ref, shown)
          for (let n = rows.length - 1; n >= 0; n--) {
            const row = rows[n]
            if (row === undefined || kind.seq(row) >= below) continue
            below = kind.seq(row)
            if (!visit(row, root)) return
          }
        }
        return
      } catch (error) {
        if (!(error instanceof MissingSegment)) throw error
        if (missed === error.message) throw damaged(shown, error)
        missed = error.message
      }
    }
  }

  return {
    control: async () => (await file.load()).root.control,
    alerts: async ({ pending, limit = Infinity }) => {
      const records: AlertRecord[] = []
      if (limit <= 0) return records
      await backwards(
        ALERTS,
        (root) => root.alerts,
        (root) => (pending ? Math.min(...Object.values(root.sinks).map(oldestWaiting)) : 0),
        ([seq, , sinks, alert], root) => {
          const deliveries = sinks.flatMap((sink) => {
            const queue = root.sinks[sink]
            return queue === undefined ? [] : [{ sink, ...fateOf(queue, seq) }]
          })
          if (!pending || deliveries.some(({ state }) => state !== 'delivered')) records.push({ alert, deliveries })
          return records.length < limit
        },
      )
      return records
    },
    issuances: async (visit) =>
      backwards(
        ISSUANCES,
        (root) => root.issuances,
        () => 0,
        (row, root) => {
          const record = certRecord(row)
          return record.notAfter < root.expiredBefore || visit(record)
        },
      ),
    documents: async (prefix) => new Map(Object.entries((await file.load()).root.documents).filter(([name]) => name.startsWith(prefix))),
    waiting: async () => {
      const { root } = await file.load()
      const sinks = Object.create(null) as Record<string, { waiting: number; parked: number }>
      for (const [name, { queued, messages }] of Object.entries(root.sinks)) {
        if (queued === 0 && messages.length === 0) continue
        const count = (parked: boolean): number => messages.reduce((sum, message) => sum + (message.parked === parked ? message.seqs.length : 0), 0)
        sinks[name] = { waiting: queued + count(false), parked: count(true) }
      }
      return sinks
    },
    close,
  }
}
