// Log lists as Google publishes them (v3): any set of logs, in any state, signed with a key of our own.
import { generateKeyPairSync, sign } from 'node:crypto'
import type { ServedLog } from './ct-log-server.ts'

/** The row of a log. */
export interface LogRow {
  readonly served: ServedLog
  /** Default `usable`; null for a row without a state. */
  readonly state?: string | null
  /** Of a `readonly` log. */
  readonly finalTreeHead?: { readonly size: number; readonly root: Buffer }
  readonly operator?: string
  readonly description?: string
  readonly interval?: { readonly start: Date; readonly endExclusive: Date }
  /** Replaces or adds members of the row; `undefined` takes one away. */
  readonly overrides?: Readonly<Record<string, unknown>>
}

export interface LogListOptions {
  readonly madeAt?: Date
  readonly version?: string
  /** Replaces or adds members of the list. */
  readonly overrides?: Readonly<Record<string, unknown>>
}

/** The list's JSON. A log served by both protocols is listed as a static one; `hybrid` as an RFC 6962 one. */
export function logList(rows: readonly (ServedLog | LogRow)[], options: LogListOptions = {}): string {
  const madeAt = options.madeAt ?? new Date()
  const operators = new Map<string, { name: string; email: string[]; logs: object[]; tiled_logs: object[] }>()
  for (const each of rows) {
    const row: LogRow = 'served' in each ? each : { served: each }
    const name = row.operator ?? 'Certbell sandbox'
    const operator = operators.get(name) ?? { name, email: ['ct@sandbox.test'], logs: [], tiled_logs: [] }
    operators.set(name, operator)
    const classic = row.served.protocol === 'rfc6962' || row.served.protocol === 'hybrid'
    operator[classic ? 'logs' : 'tiled_logs'].push(rowOf(row, classic, madeAt))
  }
  return JSON.stringify(
    {
      is_all_logs: true,
      version: options.version ?? '1.0',
      log_list_timestamp: madeAt.toISOString(),
      operators: [...operators.values()],
      ...options.overrides,
    },
    undefined,
    2,
  )
}

function rowOf(row: LogRow, classic: boolean, madeAt: Date): object {
  const { log, url, submissionUrl } = row.served
  const { state = 'usable', finalTreeHead: final, interval } = row
  const timestamp = madeAt.toISOString()
  return {
    description: row.description ?? `Sandbox '${log.name}' log`,
    log_id: log.keys.id.toString('base64'),
    key: log.keys.spki.toString('base64'),
    ...(classic ? { url } : { submission_url: submissionUrl, monitoring_url: url }),
    mmd: classic ? 86_400 : 60,
    log_type: 'prod',
    ...(state === null
      ? {}
      : {
          state: {
            [state]: {
              timestamp,
              ...(final === undefined ? {} : { final_tree_head: { tree_size: final.size, sha256_root_hash: final.root.toString('base64') } }),
            },
          },
        }),
    ...(interval === undefined
      ? {}
      : { temporal_interval: { start_inclusive: interval.start.toISOString(), end_exclusive: interval.endExclusive.toISOString() } }),
    ...row.overrides,
  }
}

/** Signs lists. */
export interface ListKey {
  /** SubjectPublicKeyInfo. */
  readonly pem: string
  /** What `.sig` holds: RSA PKCS#1 v1.5 with SHA-256 over the list's exact bytes. */
  sign(list: string): Buffer
}

/** A new key. Google's has 4,096 bits; this one is sooner made. */
export function createListKey(): ListKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(), sign: (list) => sign('sha256', Buffer.from(list), privateKey) }
}
