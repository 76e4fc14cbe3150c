// The root object: the only one that is ever replaced, small, read by everyone at every turn. All that grows is in segments that it names.
import { gunzipSync, gzipSync } from 'node:zlib'
import { OwnerError } from '../../watch/errors.ts'
import type { Control } from '../control.ts'
import { damaged, emptyControl, parseControl } from '../control.ts'
import type { SinkQueue } from './queues.ts'

/**
 * One immutable segment of a table: its name, the numbers of its first and last row, how many rows, compressed bytes of them, and the least of what
 * they are dropped by (ms).
 */
export type SegmentRef = readonly [name: string, first: number, last: number, rows: number, bytes: number, least: number]

/** What the root says. `stamps` are the latest writes, newest last: a writer finds its own there if the answer to it was lost. */
export interface Root {
  readonly version: 1
  generation: number
  stamps: readonly string[]
  control: Control
  issuances: readonly SegmentRef[]
  alerts: readonly SegmentRef[]
  sinks: Record<string, SinkQueue>
  /** Small texts by name. */
  documents: Record<string, string>
  lastAlert: number
  lastMessage: number
  /** Issuances whose notAfter is before this (ms) are no longer there, even if a segment still has them. */
  expiredBefore: number
}

/** So many stamps are kept: as many others may write before an answer that was lost is looked into. */
export const STAMPS = 16

/** The root of a place that has none yet. */
export function emptyRoot(): Root {
  const sinks = Object.create(null) as Root['sinks']
  return {
    version: 1,
    generation: 0,
    stamps: [],
    control: emptyControl(),
    issuances: [],
    alerts: [],
    sinks,
    documents: Object.create(null) as Root['documents'],
    lastAlert: 0,
    lastMessage: 0,
    expiredBefore: 0,
  }
}

/** The object's bytes for a root's text. */
export function packRoot(text: string): Buffer {
  return gzipSync(text)
}

const MAX_TEXT = 64 * 1024 * 1024

/** The text of a root object. Throws OwnerError `state-damaged`. */
export function unpackRoot(body: Buffer, shown: string): string {
  try {
    return gunzipSync(body, { maxOutputLength: MAX_TEXT }).toString()
  } catch (cause) {
    throw damaged(shown, cause)
  }
}

/** Reads a root's text: a new value each time, free to be changed. Throws OwnerError `state-newer` or `state-damaged`. */
export function parseRoot(text: string, shown: string): Root {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw damaged(shown, cause)
  }
  if (!isObject(value)) throw damaged(shown)
  const { version } = value
  if (typeof version === 'number' && version > 1) {
    throw new OwnerError(
      'state-newer',
      `the state at ${shown} was written by a newer Certbell (version ${version}, this one knows 1). Install that version again, or use another state place`,
    )
  }
  const { generation, stamps, control, issuances, alerts, sinks, documents, lastAlert, lastMessage, expiredBefore } = value
  const whole =
    version === 1 &&
    [generation, lastAlert, lastMessage, expiredBefore].every((number) => typeof number === 'number') &&
    Array.isArray(stamps) &&
    isTable(issuances) &&
    isTable(alerts) &&
    isObject(sinks) &&
    Object.values(sinks).every((sink) => isObject(sink) && Array.isArray(sink['messages']) && Array.isArray(sink['delivered']))
  if (!whole) throw damaged(shown)
  const root = value as unknown as Root
  root.control = parseControl(JSON.stringify(control ?? null), shown)
  root.sinks = Object.assign(Object.create(null) as Root['sinks'], sinks)
  root.documents = Object.assign(Object.create(null) as Root['documents'], documents)
  return root
}

/** The content of a root without what names the write: equal if nothing has changed. */
export function contentOf(root: Root): string {
  return JSON.stringify({ ...root, generation: 0, stamps: [] })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTable(value: unknown): boolean {
  return Array.isArray(value) && value.every((ref) => Array.isArray(ref) && typeof ref[0] === 'string' && typeof ref[5] === 'number')
}

/** The names of all segments that a root needs. */
export function namesIn({ issuances, alerts, sinks }: Pick<Root, 'issuances' | 'alerts' | 'sinks'>): Set<string> {
  const names = new Set([...issuances, ...alerts].map(([name]) => name))
  for (const { messages } of Object.values(sinks)) for (const { name } of messages) names.add(name)
  return names
}
