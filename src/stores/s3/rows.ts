// The rows of the two tables: lists rather than objects, since every name of a key would be in each segment.
import type { ListCounts } from '../list-counts.ts'
import { listCounts, withListCounts } from '../list-counts.ts'
import { createHash } from 'node:crypto'
import type { Alert } from '../../watch/alert.ts'
import type { CertRecord } from '../store.ts'
import type { TableKind } from './table.ts'

/** An issuance. `source` is its kind and id; `rang` is 0 or 1. */
export type IssuanceRow = readonly [
  seq: number,
  id: string,
  names: readonly string[],
  ips: readonly string[],
  issuer: string | null,
  notBefore: number,
  notAfter: number,
  seenAt: number,
  sourceKind: string,
  sourceId: string,
  rang: number,
  /** How many names and addresses there were, where some are left out; rows that are whole have none. */
  counts?: ListCounts,
]

/** An alert, when it was made (ms), and the sinks it is for. */
export type AlertRow = readonly [seq: number, at: number, sinks: readonly string[], alert: Alert]

/** Keys are the TBS hashes. */
export const ISSUANCES: TableKind<IssuanceRow> = {
  width: 32,
  cap: 160 * 1024,
  key: (row) => Buffer.from(row[1], 'hex'),
  seq: (row) => row[0],
  least: (row) => row[6],
}

/** Keys are 128 bits of a hash over kind and id: nobody can make two alike, so that one would hide the other. */
export const ALERTS: TableKind<AlertRow> = {
  width: 16,
  cap: 48 * 1024,
  key: (row) => alertKey(row[3]),
  seq: (row) => row[0],
  least: (row) => row[1],
}

/** The key of an alert, 16 bytes. */
export function alertKey({ kind, id }: Alert): Buffer {
  return createHash('sha256').update(`${kind} ${id}`).digest().subarray(0, 16)
}

/** The row of an issuance. */
export function issuanceRow(seq: number, record: CertRecord): IssuanceRow {
  const { id, names, ipAddresses, issuer, notBefore, notAfter, seenAt, source, rang } = record
  const row = [seq, id, names, ipAddresses, issuer ?? null, notBefore, notAfter, seenAt, source.kind, source.id, rang ? 1 : 0] as const
  const counts = listCounts(record)
  return counts === undefined ? row : [...row, counts]
}

/** The issuance of a row. */
export function certRecord([, id, names, ipAddresses, issuer, notBefore, notAfter, seenAt, kind, sourceId, rang, counts]: IssuanceRow): CertRecord {
  return {
    id,
    names,
    ipAddresses,
    ...withListCounts(counts),
    ...(issuer !== null && { issuer }),
    notBefore,
    notAfter,
    seenAt,
    source: { kind, id: sourceId },
    rang: rang === 1,
  }
}
