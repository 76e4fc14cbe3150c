// Our own cap counts what comes, whatever becomes of it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import type { Http } from '../../src/http.ts'
import { NetworkError } from '../../src/http.ts'
import { createHttp } from '../../src/http-undici.ts'
import { createBandwidth } from '../../src/sources/bandwidth.ts'
import { createHosts } from '../../src/sources/hosts.ts'
import { createLogHttp } from '../../src/sources/log-http.ts'
import { steppedTime } from '../support/stepped-time.ts'

const LIMITS = { timeoutMs: 300, maxBytes: 4000 }

describe('an answer that comes to nothing', () => {
  for (const { what, answer, received } of [
    {
      what: 'cut off',
      answer: (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': 5000 })
        response.write(Buffer.alloc(3000), () => setTimeout(() => response.destroy(), 50))
      },
      received: 3000,
    },
    { what: 'that never ends', answer: (response: ServerResponse) => void response.write(Buffer.alloc(3000)), received: 3000 },
    { what: 'too large', answer: (response: ServerResponse) => void response.end(Buffer.alloc(6000)), received: 4000 },
    { what: 'that is none', answer: (response: ServerResponse) => void response.destroy(), received: 0 },
  ])
    it(`${what}: says how many bytes came`, async (t) => {
      const server = createServer((_, response) => answer(response))
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const net = createHttp()
      t.after(async () => {
        await net.close()
        server.closeAllConnections()
        server.close()
      })
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      await assert.rejects(net.http({ method: 'GET', url, ...LIMITS }), (error) => {
        assert.ok(error instanceof NetworkError)
        // The last piece of one that is too large came whole.
        return what === 'too large' ? error.received > received : error.received === received
      })
    })

  it('is paid for by that', async () => {
    const clock = steppedTime()
    const began = clock.now()
    const sent: number[] = []
    const http: Http = async () => {
      sent.push(clock.now() - began)
      throw new NetworkError('timeout', 'no whole answer', true, { received: 1000 })
    }
    const url = 'https://one.sandbox.test/log/'
    const log = createLogHttp({
      http,
      clock,
      url,
      host: createHosts(clock)(url),
      bandwidth: createBandwidth(100, clock),
      userAgent: 'test',
      longestMs: 1000,
    })
    const ask = async (): Promise<unknown> => log.get('x', LIMITS, new AbortController().signal).catch(() => undefined)
    const asking = ask().then(ask).then(ask)
    await clock.run(began + 60_000)
    await asking
    assert.deepEqual(sent, [0, 10_000, 20_000])
  })
})
