// The window: /livez, /healthz and /metrics, for those who look after the process. It shows nothing secret, takes nothing in, and has no other page.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { HealthDocument } from './health.ts'

export interface WebPorts {
  /** False if no loop has come round for long. */
  readonly alive: () => boolean
  readonly health: () => Promise<HealthDocument>
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>
}

export interface WebServer {
  /** The port that it listens on: the one asked for, or the one it was given for 0. */
  readonly port: number
  close(): Promise<void>
}

/** Starts listening. Rejects with the system's error if the address cannot be had. */
export async function startWeb(host: string, port: number, ports: WebPorts): Promise<WebServer> {
  const server = createServer({ connectionsCheckingInterval: 1000 }, (request, response) => {
    answer(request, ports)
      .catch((): Answer => ({ status: 500, type: 'text/plain; charset=utf-8', body: 'the state cannot be read\n' }))
      .then((reply) => send(request, response, reply))
      .catch(() => response.destroy())
  })
  // Nobody here needs longer, and nobody may hold a connection for nothing.
  server.requestTimeout = 5000
  server.headersTimeout = 5000
  // Not refused but closed when idle: a scanner that holds connections must not make a healthy process look dead.
  server.maxConnections = 2000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

async function answer(request: IncomingMessage, ports: WebPorts): Promise<Answer> {
  const text = 'text/plain; charset=utf-8'
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, type: text, body: 'GET only\n' }
  switch (request.url?.split('?')[0]) {
    case '/livez':
      return ports.alive() ? { status: 200, type: text, body: 'alive\n' } : { status: 503, type: text, body: 'no loop has come round for minutes\n' }
    case '/healthz': {
      const health = await ports.health()
      return { status: health.well ? 200 : 503, type: 'application/json; charset=utf-8', body: `${JSON.stringify(health)}\n` }
    }
    case '/metrics': {
      const { text: body, contentType } = await ports.metrics()
      return { status: 200, type: contentType, body }
    }
    default:
      return { status: 404, type: text, body: '/livez, /healthz or /metrics\n' }
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'",
    connection: 'close',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
