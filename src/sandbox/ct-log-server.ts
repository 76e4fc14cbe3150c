// A host on loopback with any number of logs, each read by RFC 6962, as static tiles, or both.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPacker, refusal, taggedAnswer, unlessKnown, type CtAnswer } from './ct-answer.ts'
import { alterAnswer, sendCt, type CtFault } from './ct-log-faults.ts'
import type { CtLog } from './ct-log.ts'
import type { SignedHead } from './ct-key.ts'
import { checkpointNote, type NoteLines } from './ct-note.ts'
import { answerRfc6962, type PageRules } from './ct-rfc6962.ts'
import { fillView, type View } from './ct-shown.ts'
import { answerCheckpoint, answerIssuer, answerTile, readTilePath, type StaticRules, type TileRequest } from './ct-static.ts'
import { flatHeaders, listen } from './server.ts'

export type { CtFault } from './ct-log-faults.ts'

/** What is served. `hybrid`: RFC 6962, and full data tiles and issuers with no checkpoint, as TrustAsia's. */
export type LogProtocol = 'rfc6962' | 'static-ct' | 'both' | 'hybrid'

/** What was asked for: the RFC 6962 endpoint, a kind of static resource, a file of `put`, or nothing that there is. */
export type CtRequestKind =
  | 'get-sth'
  | 'get-entries'
  | 'get-sth-consistency'
  | 'get-proof-by-hash'
  | 'get-entry-and-proof'
  | 'get-roots'
  | 'checkpoint'
  | 'tile'
  | 'data-tile'
  | 'issuer'
  | 'file'
  | 'unknown'

/** One request as it came, and what was answered. */
export interface CtRequest {
  /** The host's clock, ms. */
  readonly time: number
  /** The log's name; empty if it is for none. */
  readonly log: string
  readonly kind: CtRequestKind
  /** With the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly tile: TileRequest | undefined
  readonly headers: Readonly<Record<string, string>>
  /** Requests of the same log being answered when this one came. */
  readonly concurrent: number
  /** Undefined until answered, and if nothing was. */
  status?: number
  /** The accident, if there was one. */
  fault?: CtFault
}

export interface ServeOptions {
  /** Default `both`. */
  readonly protocol?: LogProtocol
  /** Of get-entries: 256, aligned, unless told. */
  readonly pageSize?: number
  readonly aligned?: boolean
  /** Of data tiles: default true. */
  readonly gzip?: boolean
  readonly partials?: StaticRules['partials']
  /** Default: grease. */
  readonly lines?: NoteLines
  /** Publishes a head every so many ms. */
  readonly mergeEvery?: number
}

export interface ServedLog {
  readonly log: CtLog
  readonly protocol: LogProtocol
  /** Where it is read, by either protocol; a slash at the end. */
  readonly url: string
  /** Where a static log would take submissions; this one does not. Its origin is this without scheme and slash. */
  readonly submissionUrl: string
  readonly origin: string
  /** What each request is shown from now on. Undefined, and a view of undefined: the truth. */
  show(view: ((request: CtRequest) => View | undefined) | undefined): void
}

export interface CtHost {
  readonly origin: string
  /** The newest requests, in order of arrival. */
  readonly requests: readonly CtRequest[]
  /** Accidents for the next requests, one each; `undefined` in it is a true answer. */
  readonly script: (CtFault | undefined)[]
  serve(log: CtLog, options?: ServeOptions): ServedLog
  /** Serves a file, such as a log list, with an ETag. The path begins with a slash and is of no log. Returns its URL. */
  put(path: string, body: string | Uint8Array, contentType?: string): string
  /** Accidents by request, asked when the script is empty. */
  setFault(fault: ((request: CtRequest) => CtFault | undefined) | undefined): void
  /** How many answers of that kind, all logs and statuses unless told. Never forgotten. */
  count(kind: CtRequestKind, where?: { readonly log?: string; readonly status?: number }): number
  close(): Promise<void>
}

export interface CtHostOptions {
  /** Ms; default Date.now. */
  readonly clock?: () => number
  readonly port?: number
  /** Requests that are remembered at least; default 50,000. */
  readonly keep?: number
  /** Bytes of packed data tiles that are kept; default 64 MiB. */
  readonly cache?: number
}

interface Served extends ServedLog {
  readonly rules: PageRules & StaticRules
  readonly view: (request: CtRequest) => View | undefined
}

const RFC6962_KINDS = ['get-sth', 'get-entries', 'get-sth-consistency', 'get-proof-by-hash', 'get-entry-and-proof', 'get-roots'] as const

/** Starts a host on a free port of 127.0.0.1. */
export async function startCtHost(options: CtHostOptions = {}): Promise<CtHost> {
  const { clock = Date.now, keep = 50_000 } = options
  const logs = new Map<string, Served>()
  const files = new Map<string, CtAnswer>()
  const requests: CtRequest[] = []
  const script: (CtFault | undefined)[] = []
  const tally = new Map<string, number>()
  const busy = new Map<string, number>()
  const timers: NodeJS.Timeout[] = []
  let faultOf: ((request: CtRequest) => CtFault | undefined) | undefined

  const answer = async (message: IncomingMessage, response: ServerResponse) => {
    const served = logs.get(/^\/([^/]+)\//.exec(message.url ?? '')?.[1] ?? '')
    const name = served?.log.name ?? ''
    const request = note(message, served, clock(), busy.get(name) ?? 0)
    requests.push(request)
    if (requests.length > 2 * keep) requests.splice(0, keep)
    busy.set(name, request.concurrent + 1)
    response.once('close', () => busy.set(name, (busy.get(name) ?? 1) - 1))
    await respond(request, served, response)
    const key = `${request.kind} ${name} ${request.status ?? ''}`
    tally.set(key, (tally.get(key) ?? 0) + 1)
  }

  const respond = async (request: CtRequest, served: Served | undefined, response: ServerResponse) => {
    let fault = script.length > 0 ? script.shift() : faultOf?.(request)
    if (fault !== undefined) request.fault = fault
    while (typeof fault === 'object' && 'slow' in fault) {
      // A reader that waits keeps the process alive itself.
      await sleep(fault.slow, undefined, { ref: false })
      fault = fault.before
    }
    if (response.destroyed) return
    const entries = typeof fault === 'object' && 'entries' in fault ? fault.entries : undefined
    const file = files.get(request.path.split('?')[0] ?? '') ?? refusal(404, 'nothing here')
    const found = unlessKnown(served === undefined ? file : resource(request, served, entries), request.headers['if-none-match'])
    const altered = fault === undefined ? found : alterAnswer(found, fault)
    const status = sendCt(response, altered.status, () => pack(altered), fault)
    if (status !== undefined) request.status = status
  }

  const pack = createPacker(options.cache ?? 67_108_864)

  const server = await listen(answer, options.port)
  return {
    origin: server.origin,
    requests,
    script,
    serve(log, serve = {}) {
      const { protocol = 'both' } = serve
      const submissionUrl = `${server.origin}/submit/${log.name}/`
      const origin = submissionUrl.replace(/^http:\/\//, '').replace(/\/$/, '')
      let view: ((request: CtRequest) => View | undefined) | undefined
      const served: Served = {
        log,
        protocol,
        url: `${server.origin}/${log.name}/`,
        submissionUrl,
        origin,
        rules: {
          pageSize: serve.pageSize ?? 256,
          aligned: serve.aligned ?? true,
          note: noteKeeper(origin, serve.lines ?? { grease: true }),
          gzip: serve.gzip ?? true,
          partials: serve.partials ?? 'kept',
        },
        view: (request) => view?.(request),
        show(next) {
          view = next
        },
      }
      logs.set(log.name, served)
      if (serve.mergeEvery !== undefined) timers.push(setInterval(() => log.publish(), serve.mergeEvery).unref())
      return served
    },
    put(path, body, contentType = 'application/json') {
      files.set(path, taggedAnswer(Buffer.from(body), { 'content-type': contentType }))
      return `${server.origin}${path}`
    },
    setFault(fault) {
      faultOf = fault
    },
    count(kind, { log, status } = {}) {
      let sum = 0
      for (const [key, n] of tally) {
        const [k, name, answered] = key.split(' ')
        if (k === kind && (log === undefined || log === name) && (status === undefined || String(status) === answered)) sum += n
      }
      return sum
    },
    close() {
      for (const timer of timers) clearInterval(timer)
      return server.close()
    },
  }
}

/** Signs each head's checkpoint once: grease and the order of lines are other ones for each head, as Sunlight's are. */
function noteKeeper(origin: string, lines: NoteLines): StaticRules['note'] {
  const notes = new WeakMap<SignedHead, Buffer>()
  return ({ log, head }) => {
    const note = notes.get(head) ?? checkpointNote(origin, head, log.keys, lines)
    notes.set(head, note)
    return note
  }
}

function note(message: IncomingMessage, served: Served | undefined, time: number, concurrent: number): CtRequest {
  const path = message.url ?? '/'
  const url = new URL(path, 'http://127.0.0.1')
  const below = served === undefined ? undefined : url.pathname.slice(served.log.name.length + 2)
  const tile = below === undefined ? undefined : readTilePath(below)
  return {
    time,
    log: served?.log.name ?? '',
    kind: below === undefined ? 'file' : kindOf(below, tile),
    path,
    query: url.searchParams,
    tile,
    headers: flatHeaders(message),
    concurrent,
  }
}

function kindOf(below: string, tile: TileRequest | undefined): CtRequestKind {
  if (tile !== undefined) return tile.level === 'data' ? 'data-tile' : 'tile'
  if (below === 'checkpoint') return 'checkpoint'
  if (/^issuer\/[0-9a-f]{64}$/.test(below)) return 'issuer'
  return RFC6962_KINDS.find((kind) => below === `ct/v1/${kind}`) ?? 'unknown'
}

function resource(request: CtRequest, served: Served, entries: number | undefined): CtAnswer {
  const { protocol, rules } = served
  const { kind, tile } = request
  const shown = fillView(served.log, served.view(request))
  const tiled = protocol === 'static-ct' || protocol === 'both'
  if (kind === 'checkpoint' && tiled) return answerCheckpoint(shown, rules)
  if (kind === 'issuer' && protocol !== 'rfc6962') return answerIssuer(shown, request.path.split('?')[0]!.slice(-64))
  if (tile !== undefined && (tiled || (protocol === 'hybrid' && kind === 'data-tile' && tile.width === 256))) {
    const { key, ...answer } = answerTile(shown, tile, rules)
    // Only the log's own tiles are the same for ever: a fork's have other bytes under the same name.
    return key === undefined || shown.log !== served.log ? answer : { ...answer, key: `${served.log.name} ${key}` }
  }
  const classic = protocol === 'static-ct' ? undefined : answerRfc6962(shown, kind, request.query, rules, entries)
  return classic ?? refusal(404, 'no such resource')
}
