// The loopback server under each fake: it listens on a free port, takes bodies, and closes even if a client hangs on.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'

export interface LoopbackServer {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string
  close(): Promise<void>
}

/** Serves on 127.0.0.1; `port` 0 takes a free one. An error in `answer` cuts that connection; the fake lives on. */
export async function listen(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>, port = 0): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    // A client that goes away in the middle is what half of the faults are about.
    response.on('error', () => {})
    answer(request, response).catch(() => response.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** The whole body, 16 MB at most: clients of a sandbox are ours. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  const stream: AsyncIterable<Buffer> = request
  for await (const bytes of stream) {
    size += bytes.length
    if (size > 16_777_216) throw new Error('the body is larger than 16 MB')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

/** Header names in lower case, repeated ones joined. */
export function flatHeaders(request: IncomingMessage): Readonly<Record<string, string>> {
  const out: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) out[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
  return out
}
