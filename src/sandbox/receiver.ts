// Takes any request, remembers it and says "ok": the other end of a heartbeat, and a trap for redirects that must not be followed.
import { flatHeaders, listen, readBody } from './server.ts'

export interface ReceivedRequest {
  /** Ms, Date.now. */
  readonly time: number
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Receiver {
  readonly url: string
  readonly requests: readonly ReceivedRequest[]
  /** From now on this status and body. */
  answer(status: number, body?: string): void
  close(): Promise<void>
}

/** Starts it on a free port of 127.0.0.1. */
export async function startReceiver(): Promise<Receiver> {
  const requests: ReceivedRequest[] = []
  let status = 200
  let text = 'ok'
  const server = await listen(async (request, response) => {
    const body = await readBody(request)
    requests.push({
      time: Date.now(),
      method: request.method ?? '',
      path: request.url ?? '',
      headers: flatHeaders(request),
      body: body.toString('utf8'),
    })
    response.writeHead(status, { 'content-type': 'text/plain' }).end(text)
  })
  return {
    url: server.origin,
    requests,
    answer(next, body = 'ok') {
      status = next
      text = body
    },
    close: () => server.close(),
  }
}
