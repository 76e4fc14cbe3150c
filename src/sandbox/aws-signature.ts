// Checks a request's signature as AWS does (Signature Version 4, in headers), written from the specification and not from any client.
import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** Whom the fake knows. */
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: Buffer | string, data: string): Buffer => createHmac('sha256', key).update(data).digest()
const rfc3986 = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** S3's code for what is wrong with the signature; undefined if nothing is. S3 alone wants the body's hash in a header. */
export function signatureFault(request: IncomingMessage, body: Buffer, keys: AwsKeys, service = 's3'): string | undefined {
  const found = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? '')
  if (found === null) return 'AccessDenied'
  const [, credential = '', signedHeaders = '', signature] = found
  const [id = '', day = '', region = '', signedFor = '', end = ''] = credential.split('/')
  if (id !== keys.accessKeyId) return 'InvalidAccessKeyId'
  const header = (name: string): string => String(request.headers[name] ?? '').trim()
  if (signedFor !== service) return 'SignatureDoesNotMatch'
  const payload = header('x-amz-content-sha256') || (service === 's3' ? '' : sha256(body))
  if (/^[0-9a-f]{64}$/.test(payload) && payload !== sha256(body)) return 'XAmzContentSHA256Mismatch'
  if (Math.abs(Date.now() - Date.parse(header('x-amz-date').replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))) > 900_000)
    return 'RequestTimeTooSkewed'
  const url = new URL(request.url ?? '/', 'http://s3')
  const query = [...url.searchParams].map(([key, value]) => `${rfc3986(key)}=${rfc3986(value)}`).sort()
  const names = signedHeaders.split(';')
  const wanted = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))]
  if (wanted.some((name) => !names.includes(name))) return 'AccessDenied'
  const canonical = [
    request.method,
    url.pathname
      .split('/')
      .map((part) => rfc3986(decodeURIComponent(part)))
      .join('/'),
    query.join('&'),
    ...names.map((name) => `${name}:${header(name).replace(/\s+/g, ' ')}`),
    '',
    signedHeaders,
    payload,
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', header('x-amz-date'), `${day}/${region}/${service}/${end}`, sha256(canonical)].join('\n')
  const key = ['aws4_request'].reduce(hmac, hmac(hmac(hmac(`AWS4${keys.secretAccessKey}`, day), region), service))
  return hmac(key, toSign).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch'
}
