// What can go wrong between a client and the API, each as it looks on the wire.
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'

/** One scripted accident; it is the whole answer, `slow` apart, which delays a true one. */
export type ApiFault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | { readonly redirect: string }
  | { readonly slow: number }
  | 'html200'
  | 'object200'
  | 'badjson'
  | 'empty'
  /** Fewer bytes than promised, then a reset. */
  | 'truncated'
  | 'reset'
  /** No answer until the client goes. */
  | 'hang'
  /** A body that never ends; it stops after 200 MB or when the client goes. */
  | 'endless'
  /** 300 MB of spaces in 300 kB. */
  | 'gzipbomb'
  /** A body of 50 MB, true JSON. */
  | 'big'

/** Cuts the connection with RST rather than FIN, as a crashed server or a firewall does. */
export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy()
}

/** Answers with the accident. Returns the status that the client sees, if it sees one. */
export function answerFault(response: ServerResponse, fault: Exclude<ApiFault, { slow: number }>): number | undefined {
  const json = { 'content-type': 'application/json' }
  const whole = (status: number, headers: Readonly<Record<string, string>>, body: string | Buffer) => {
    response.writeHead(status, { ...headers, 'content-length': String(Buffer.byteLength(body)) }).end(body)
    return status
  }
  if (typeof fault === 'object') {
    if ('redirect' in fault) return whole(302, { location: fault.redirect }, '')
    return whole(fault.status, { ...json, ...fault.headers }, fault.body ?? JSON.stringify({ code: 'internal_error', message: 'scripted' }))
  }
  switch (fault) {
    case 'html200':
      return whole(200, { 'content-type': 'text/html' }, '<!DOCTYPE html><html><body><h1>Gateway</h1>Please wait</body></html>')
    case 'object200':
      return whole(200, json, JSON.stringify({ code: 'internal_error', message: 'an object where an array belongs' }))
    case 'badjson':
      return whole(200, json, '[{"id":"1","tbs_sha256":')
    case 'empty':
      return whole(200, json, '')
    case 'truncated':
      response.writeHead(200, { ...json, 'content-length': '5000' })
      response.write('[{"id":"17","tbs_sha256":"', () => reset(response))
      return 200
    case 'reset':
      reset(response)
      return undefined
    case 'endless':
      response.writeHead(200, json)
      endless(response)
      return 200
    case 'gzipbomb':
      return whole(200, { ...json, 'content-encoding': 'gzip' }, bomb())
    case 'big':
      return whole(200, json, `[${' '.repeat(50_000_000)}]`)
    case 'hang':
    default:
      return undefined
  }
}

function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(65_536, ' ')
  response.write('[')
  let sent = 0
  const more = () => {
    while (!response.destroyed && sent < 200_000_000) {
      sent += chunk.length
      if (!response.write(chunk)) {
        response.once('drain', more)
        return
      }
    }
    if (!response.destroyed) reset(response)
  }
  more()
}

// Gzip takes members one after the other, so a megabyte is packed once and repeated.
function bomb(): Buffer {
  const spaces = gzipSync(Buffer.alloc(1_000_000, ' '))
  return Buffer.concat([gzipSync('['), ...Array.from({ length: 300 }, () => spaces), gzipSync(']')])
}
