// An S3 of our own on loopback: path style, conditional reads and writes, listings, and everything that goes wrong with them.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { listen, readBody } from './server.ts'
import type { AwsKeys } from './aws-signature.ts'
import { signatureFault } from './aws-signature.ts'
import { errorXml, listXml } from './s3-xml.ts'

/** An object as it is kept. `at`: ms since the epoch. `etag` with its quotes. */
export interface FakeObject {
  body: Buffer
  etag: string
  at: number
}

/** One request, as it is logged. Sizes in bytes, of bodies alone. */
export interface S3Request {
  readonly method: string
  /** Empty for a listing. */
  readonly key: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly received: number
  status: number
  sent: number
}

/** What may go wrong with one request. 'lost': it is done, and the connection breaks before the answer; 'cut': it breaks before it is done. */
export type S3Fault = 'deny' | 'conflict' | 'slow-down' | 'broken' | 'lost' | 'cut'

/** Switches, to be turned at any time. */
export interface S3Switches {
  /** The role may not list: what is not there is forbidden. */
  noList: boolean
  /** The role may nothing. */
  denyAll: boolean
  noDelete: boolean
  /** A look-alike that does not know conditional writes. */
  ignoreConditions: boolean
  /** A look-alike that refuses the checksums of newer SDKs. */
  refuseChecksums: boolean
  /** There is no such bucket. */
  noBucket: boolean
  latencyMs: number
  /** Asked for every request. */
  fault: (request: { readonly method: string; readonly key: string }) => S3Fault | undefined
}

export interface FakeS3 {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string
  readonly bucket: string
  readonly objects: Map<string, FakeObject>
  readonly log: S3Request[]
  readonly switches: S3Switches
  /** Puts an object there, as another program would. */
  set(key: string, body: Buffer | string, at?: number): void
  close(): Promise<void>
}

const PAGE = 1000

/** Starts one. `keys`: signatures are checked against them; without, any is good. `pageSize`: keys in one listing. */
export async function startS3(
  options: { readonly bucket?: string; readonly keys?: AwsKeys; readonly port?: number; readonly pageSize?: number } = {},
): Promise<FakeS3> {
  const { bucket = 'bucket', keys, pageSize = PAGE } = options
  const objects = new Map<string, FakeObject>()
  const log: S3Request[] = []
  const switches: S3Switches = {
    noList: false,
    denyAll: false,
    noDelete: false,
    ignoreConditions: false,
    refuseChecksums: false,
    noBucket: false,
    latencyMs: 0,
    fault: () => undefined,
  }
  const set = (key: string, body: Buffer | string, at = Date.now()): void => {
    const bytes = Buffer.from(body)
    objects.set(key, { body: bytes, etag: `"${createHash('md5').update(bytes).digest('hex')}"`, at })
  }

  const server = await listen(async (request, response) => {
    const body = await readBody(request)
    const url = new URL(request.url ?? '/', 'http://s3')
    const [, inBucket = '', ...rest] = url.pathname.split('/').map(decodeURIComponent)
    const key = rest.join('/')
    const method = request.method ?? ''
    const entry: S3Request = { method, key, headers: request.headers, received: body.length, status: 0, sent: 0 }
    log.push(entry)
    const answer: Answer = (status, headers = {}, text = '') => {
      const bytes = Buffer.from(text)
      entry.status = status
      entry.sent = method === 'HEAD' ? 0 : bytes.length
      response.writeHead(status, { 'content-length': bytes.length, 'x-amz-request-id': '1', ...headers }).end(method === 'HEAD' ? undefined : bytes)
    }
    const refuse = (status: number, code: string): void => answer(status, { 'content-type': 'application/xml' }, errorXml(code, key))
    if (switches.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, switches.latencyMs))

    const fault = switches.fault({ method, key })
    if (fault === 'cut') return void response.destroy()
    if (fault === 'slow-down') return refuse(503, 'SlowDown')
    if (fault === 'broken') return refuse(500, 'InternalError')
    if (fault === 'conflict') return refuse(409, 'ConditionalRequestConflict')
    const wrong = keys === undefined ? undefined : signatureFault(request, body, keys)
    if (wrong !== undefined) return refuse(wrong === 'XAmzContentSHA256Mismatch' ? 400 : 403, wrong)
    if (switches.denyAll || fault === 'deny') return refuse(403, 'AccessDenied')
    if (switches.noBucket || inBucket !== bucket) return refuse(404, 'NoSuchBucket')
    if (switches.refuseChecksums && Object.keys(request.headers).some((name) => /^x-amz-(checksum-|sdk-checksum-|trailer)/.test(name)))
      return refuse(501, 'NotImplemented')
    const silent = (): void => void response.destroy()
    const [say, sayNo] = fault === 'lost' ? [silent, silent] : [answer, refuse]
    serve(request, { objects, switches, set, bucket, pageSize }, { key, body, query: url.searchParams }, say, sayNo)
  }, options.port)
  return { endpoint: server.origin, bucket, objects, log, switches, set, close: async () => server.close() }
}

type Answer = (status: number, headers?: Record<string, string>, text?: Buffer | string) => void

function serve(
  { method, headers }: IncomingMessage,
  at: Pick<FakeS3, 'objects' | 'switches' | 'set' | 'bucket'> & { readonly pageSize: number },
  { key, body, query }: { readonly key: string; readonly body: Buffer; readonly query: URLSearchParams },
  answer: Answer,
  refuse: (status: number, code: string) => void,
): void {
  const { objects, switches } = at
  const object = objects.get(key)
  if (method === 'GET' && key === '') {
    if (switches.noList) return refuse(403, 'AccessDenied')
    const prefix = query.get('prefix') ?? ''
    const after = query.get('continuation-token') ?? ''
    const found = [...objects].filter(([name]) => name.startsWith(prefix) && name > after).sort(([a], [b]) => (a < b ? -1 : 1))
    const page = found.slice(0, at.pageSize).map(([name, { etag, body, at }]) => ({ key: name, etag, size: body.length, at }))
    return answer(
      200,
      { 'content-type': 'application/xml' },
      listXml(at.bucket, prefix, page, found.length > page.length ? page.at(-1)?.key : undefined),
    )
  }
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (object === undefined) return switches.noList ? refuse(403, 'AccessDenied') : refuse(404, 'NoSuchKey')
      if (headers['if-none-match'] === object.etag) return answer(304, { etag: object.etag })
      return answer(200, { etag: object.etag, 'last-modified': new Date(object.at).toUTCString() }, object.body)
    case 'PUT': {
      const wanted = headers['if-match']
      if (!switches.ignoreConditions) {
        if (headers['if-none-match'] === '*' && object !== undefined) return refuse(412, 'PreconditionFailed')
        if (wanted !== undefined && object === undefined) return switches.noList ? refuse(403, 'AccessDenied') : refuse(404, 'NoSuchKey')
        if (wanted !== undefined && wanted !== object?.etag) return refuse(412, 'PreconditionFailed')
      }
      at.set(key, body)
      return answer(200, { etag: objects.get(key)?.etag ?? '' })
    }
    case 'DELETE':
      if (switches.noDelete) return refuse(403, 'AccessDenied')
      objects.delete(key)
      return answer(204)
    default:
      return refuse(405, 'MethodNotAllowed')
  }
}
