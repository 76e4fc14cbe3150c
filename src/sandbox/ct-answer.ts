// An answer before it goes out: faults change it here, and tiles are packed once.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

export interface CtAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: () => Buffer
  /** Sent with Content-Encoding gzip, asked for or not, as Sunlight does. */
  readonly gzip?: boolean
  /** Where the packed body may be kept: it is the same for ever. */
  readonly key?: string
}

/** An answer of JSON. */
export function jsonAnswer(value: unknown, headers: Readonly<Record<string, string>> = {}): CtAnswer {
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body: () => Buffer.from(JSON.stringify(value)) }
}

/** An answer with an ETag; see `unlessKnown`. */
export function taggedAnswer(bytes: Buffer, headers: Readonly<Record<string, string>>): CtAnswer {
  const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`
  return { status: 200, headers: { ...headers, etag }, body: () => bytes }
}

/** The answer, or 304 if it has the ETag that the reader knows. */
export function unlessKnown(answer: CtAnswer, ifNoneMatch: string | undefined): CtAnswer {
  const { etag } = answer.headers
  return etag === undefined || etag !== ifNoneMatch ? answer : { status: 304, headers: { etag }, body: () => Buffer.alloc(0) }
}

/** A refusal in a line of text, as CTFE's. */
export function refusal(status: number, why: string): CtAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }, body: () => Buffer.from(`${why}\n`) }
}

/** What goes over the wire. */
export interface Packed {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Packs answers, and keeps up to `limit` bytes of those that have a key. */
export function createPacker(limit: number): (answer: CtAnswer) => Packed {
  const kept = new Map<string, Packed>()
  let bytes = 0
  return (answer) => {
    const { key } = answer
    const known = key === undefined ? undefined : kept.get(key)
    if (known !== undefined) return known
    const packed = pack(answer)
    if (key !== undefined && packed.body.length <= limit) {
      kept.set(key, packed)
      bytes += packed.body.length
      // A Map goes through its keys in the order they came: the oldest goes first.
      for (const [old, { body }] of kept) {
        if (bytes <= limit) break
        kept.delete(old)
        bytes -= body.length
      }
    }
    return packed
  }
}

function pack({ headers, body, gzip }: CtAnswer): Packed {
  // Level 1: the sandbox shares two cores with what it is there to measure.
  const wire = gzip === true ? gzipSync(body(), { level: 1 }) : body()
  return {
    headers: { ...headers, ...(gzip === true ? { 'content-encoding': 'gzip' } : {}), 'content-length': String(wire.length) },
    body: wire,
  }
}
