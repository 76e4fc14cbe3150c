// S3 over fetch, signed by a client of 6 kB: for the Lambda bundle, where the SDK would be most of the cold start.
import { createHash } from 'node:crypto'
import { AwsClient } from 'aws4fetch'
import { StoreError } from '../../watch/errors.ts'
import type { Exchange, S3Answer, S3Place, S3Request } from './exchange.ts'
import { MAX_BODY, shownPlace } from './exchange.ts'
import { errorCode, parseListing } from './list-xml.ts'
import type { ObjectStore } from './object-store.ts'
import { createObjectStore } from './object-store.ts'
import type { Patience } from './patience.ts'

/** The part of fetch that is used here; redirects are not followed. */
export type FetchLike = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: Uint8Array<ArrayBuffer>; signal: AbortSignal; redirect: 'manual' },
) => Promise<Response>

/** AWS credentials as Lambda's environment has them. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** How S3 is reached. `endpoint`: another service than Amazon's, in path style. `credentials` is asked before each request. */
export interface S3Access {
  readonly region: string
  readonly endpoint?: string
  readonly credentials: () => Credentials
  readonly fetch: FetchLike
}

/** An ObjectStore over aws4fetch. */
export function openAws4fetchStore(place: S3Place, access: S3Access, patience: Patience): ObjectStore {
  return createObjectStore(exchangeOver(place, access), place, patience)
}

function exchangeOver(place: S3Place, { region, endpoint, credentials, fetch }: S3Access): Exchange {
  const base = baseUrl(place.bucket, region, endpoint)
  const cache = new Map<string, ArrayBuffer>()
  return async (request, signal) => {
    // aws4fetch would retry by a clock of its own; we only let it sign.
    const client = new AwsClient({ ...credentials(), region, service: 's3', retries: 0, cache })
    const body = request.kind === 'put' ? request.body : Buffer.alloc(0)
    const method = METHODS[request.kind]
    const headers: Record<string, string> = { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'), ...conditions(request) }
    const signed = await client.sign(base + target(request), { method, headers })
    signed.headers.forEach((value, name) => (headers[name] = value))
    const response = await fetch(signed.url, {
      method,
      headers,
      signal,
      redirect: 'manual',
      ...(request.kind === 'put' && { body: new Uint8Array(request.body) }),
    })
    return answerOf(request, response, place)
  }
}

const METHODS = { get: 'GET', list: 'GET', put: 'PUT', remove: 'DELETE' }

function conditions(request: S3Request): Record<string, string> {
  if (request.kind === 'get' && request.unless !== undefined) return { 'if-none-match': request.unless }
  if (request.kind !== 'put') return {}
  const content = { 'content-type': 'application/octet-stream' }
  return 'ifMatch' in request.condition ? { ...content, 'if-match': request.condition.ifMatch } : { ...content, 'if-none-match': '*' }
}

// A bucket with a dot in its name has no certificate as a host name.
function baseUrl(bucket: string, region: string, endpoint: string | undefined): string {
  if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, '')}/${encodeURIComponent(bucket)}`
  const host = `s3.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`
  return bucket.includes('.') ? `https://${host}/${bucket}` : `https://${bucket}.${host}`
}

function target(request: S3Request): string {
  if (request.kind !== 'list') return `/${request.key.split('/').map(encoded).join('/')}`
  const after = request.after === undefined ? '' : `&continuation-token=${encoded(request.after)}`
  return `?list-type=2${after}&prefix=${encoded(request.prefix)}`
}

// As SigV4 has it, so that what is sent is what was signed.
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

async function answerOf(request: S3Request, response: Response, place: S3Place): Promise<S3Answer> {
  const { status } = response
  const body = await bounded(response, place)
  if (status >= 300) {
    const code = errorCode(body.subarray(0, 65_536).toString())
    return { status, ...(code !== undefined && { code }) }
  }
  if (request.kind === 'list') return { status, listed: parseListing(body.toString()) }
  const etag = response.headers.get('etag')
  return { status, body, ...(etag !== null && { etag }) }
}

async function bounded(response: Response, place: S3Place): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > MAX_BODY) throw new StoreError('io', `an object of the state at ${shownPlace(place)} is larger than any of ours: ${MAX_BODY} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
