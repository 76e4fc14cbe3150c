// A list of logs, version 3 of the JSON that Google and Apple publish (gstatic.com/ct/log_list/v3/log_list_schema.json). States, types and members that
// were not known when this was written are taken as they come; a row that cannot be read costs that row.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { decodeBase64, decodeHash } from './base64.ts'
import { ParseError } from './errors.ts'
import { objectOf } from './tree-head.ts'

/** A log as a list has it. */
export interface ListedLog {
  /** Base64 of the log id. */
  readonly id: string
  /** DER SubjectPublicKeyInfo; the id is its hash. */
  readonly key: Buffer
  readonly protocol: 'rfc6962' | 'static-ct'
  /** Where it is read: the base URL of an RFC 6962 log, the monitoring prefix of a static one; with a slash at its end. */
  readonly url: string
  readonly description: string
  readonly operator: string
  /** `usable`, `readonly`, …, or one that nobody knew; undefined if the row has none. */
  readonly state: string | undefined
  /** Since when it is in that state, ms. */
  readonly stateSince: number | undefined
  /** `prod`, `test`, `monitoring_only`, or one that nobody knew; undefined if the row does not say. */
  readonly type: string | undefined
  /** notAfter of the certificates it takes, ms: from `start` to before `endExclusive`. */
  readonly interval: { readonly start: number; readonly endExclusive: number } | undefined
  /** The last head of a log that takes nothing any more, as the list has it. */
  readonly finalTreeHead: { readonly size: number; readonly rootHash: Buffer } | undefined
}

/** A list that could be read. */
export interface LogList {
  readonly logs: readonly ListedLog[]
  /** When the list was made, ms; Apple's does not say. */
  readonly madeAt: number | undefined
  readonly version: string | undefined
  /** Rows that could not be read, a sentence each. */
  readonly oddities: readonly string[]
  /** True if it is one of the lists that Google spoils for who should not use them: such a list is no good. */
  readonly mimic: boolean
}

// Two logs whose private keys are public: Google puts them into lists that it gives to who should not use them (ct-policy, 2026-01-22).
const MIMICS: readonly string[] = ['9EGV1vAOLbVUNcrdV3iS5T4VrUFwWPh44U/2uRh0FYk=', 'si9+3rWvav5QPeBAgbLXTBJThJL+3yyypSZQPO9TztI=']

/** There are some two hundred logs. */
const MOST_ROWS = 10_000
const MOST_ODDITIES = 100
/** Characters of what a list calls a log or an operator. */
const MOST_NAME = 200
const MOST_URL = 2000

/** Reads a list, of which the first rows count if they are too many. Throws ParseError if it is none at all. */
export function readLogList(json: string): LogList {
  const list = objectOf(json, 'log list')
  const { operators, version, log_list_timestamp: made } = list
  if (!Array.isArray(operators)) throw new ParseError('value', 'operators', 0, 'is not a list')
  const logs: ListedLog[] = []
  const oddities: string[] = []
  const seen = new Set<string>()
  let mimic = false
  let rowCount = 0
  let untold = 0
  const odd = (what: string): void => {
    if (oddities.length < MOST_ODDITIES) oddities.push(what)
    else untold += 1
  }
  for (const operator of operators as unknown[]) {
    const { name, logs: classic, tiled_logs: tiled } = fieldsOf(operator)
    const operatorName = nameOf(name)
    for (const [rows, protocol] of [
      [classic, 'rfc6962'],
      [tiled, 'static-ct'],
    ] as const) {
      for (const row of Array.isArray(rows) ? (rows as unknown[]) : []) {
        if (++rowCount > MOST_ROWS) break
        const fields = fieldsOf(row)
        if (MIMICS.includes(textOf(fields['log_id']))) mimic = true
        try {
          const log = readLog(fields, protocol, operatorName)
          // Two rows of one log: which of them is right cannot be told.
          if (seen.has(log.id)) odd(`${log.description}: the log id ${log.id} is there twice`)
          else logs.push(log)
          seen.add(log.id)
        } catch (error) {
          if (!(error instanceof ParseError)) throw error
          odd(`${nameOf(fields['description']) || operatorName || 'a row without a name'}: ${error.message}`)
        }
      }
    }
  }
  if (rowCount > MOST_ROWS) odd(`it has more than ${MOST_ROWS} rows, and the others are not looked at`)
  if (untold > 0) oddities.push(`and ${untold} more`)
  const madeAt = typeof made === 'string' ? Date.parse(made) : Number.NaN
  return { logs, oddities, mimic, madeAt: Number.isNaN(madeAt) ? undefined : madeAt, version: typeof version === 'string' ? version : undefined }
}

/** True if whoever holds the key (SubjectPublicKeyInfo, PEM or DER) signed the list's exact bytes: RSA PKCS#1 v1.5 or ECDSA, with SHA-256. */
export function verifyLogList(bytes: Uint8Array, signature: Uint8Array, key: string | Buffer): boolean {
  const publicKey = typeof key === 'string' ? createPublicKey(key) : createPublicKey({ key, format: 'der', type: 'spki' })
  return verify('sha256', bytes, publicKey, signature)
}

type Fields = Readonly<Record<string, unknown>>

function readLog(row: Fields, protocol: ListedLog['protocol'], operator: string): ListedLog {
  const { key: keyText, log_id: id, log_type: type } = row
  if (typeof keyText !== 'string') throw new ParseError('value', 'key', 0, 'is not a string')
  const key = decodeBase64(keyText, 'key')
  const logId = decodeHash(id, 'log_id')
  if (!createHash('sha256').update(key).digest().equals(logId)) throw new ParseError('value', 'log_id', 0, 'is not the hash of the key')
  const { state, stateSince, finalTreeHead } = readState(row['state'])
  return {
    id: logId.toString('base64'),
    key,
    protocol,
    url: readUrl(row, protocol === 'rfc6962' ? 'url' : 'monitoring_url'),
    description: nameOf(row['description']) || logId.toString('base64'),
    operator,
    state,
    stateSince,
    type: typeof type === 'string' ? nameOf(type) : undefined,
    interval: readInterval(row['temporal_interval']),
    finalTreeHead,
  }
}

function readUrl(row: Fields, member: string): string {
  const text = row[member]
  const url = typeof text === 'string' && text.length <= MOST_URL && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    throw new ParseError('value', member, 0, 'is no address to ask')
  return `${url.origin}${url.pathname.replace(/\/*$/, '/')}`
}

// `{ "usable": { "timestamp": "…" } }`: the one member's name is the state.
function readState(value: unknown): Pick<ListedLog, 'state' | 'stateSince' | 'finalTreeHead'> {
  const [entry] = Object.entries(fieldsOf(value))
  if (entry === undefined) return { state: undefined, stateSince: undefined, finalTreeHead: undefined }
  const [stateText, details] = entry
  const { tree_size: size, sha256_root_hash: root } = fieldsOf(fieldsOf(details)['final_tree_head'])
  const whole = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
  const rootHash = hashOf(root)
  const since = Date.parse(textOf(fieldsOf(details)['timestamp']))
  const stateSince = Number.isNaN(since) ? undefined : since
  return {
    state: nameOf(stateText),
    stateSince,
    finalTreeHead: rootHash === undefined || !whole ? undefined : { size, rootHash },
  }
}

function readInterval(value: unknown): ListedLog['interval'] {
  const { start_inclusive: from, end_exclusive: to } = fieldsOf(value)
  const [start, endExclusive] = [Date.parse(textOf(from)), Date.parse(textOf(to))]
  return Number.isNaN(start) || Number.isNaN(endExclusive) ? undefined : { start, endExclusive }
}

// It is a stranger's, where the list is not signed, and an object of his would not even be made a text.
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

// One that is none must not cost the log: it is read without.
function hashOf(value: unknown): Buffer | undefined {
  try {
    return decodeHash(value, 'sha256_root_hash')
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return undefined
  }
}

function nameOf(value: unknown): string {
  const text = textOf(value)
  return text.length <= MOST_NAME ? text : `${text.slice(0, MOST_NAME)}…`
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}
