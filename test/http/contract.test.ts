// One contract for both ports of the network: what a request comes to is the same, whichever client carries it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Http, HttpRequest, NetworkFailure } from '../../src/http.ts'
import { NetworkError } from '../../src/http.ts'
import { createFetchHttp } from '../../src/http-fetch.ts'
import { inflate } from '../../src/http-inflate.ts'
import { createHttp } from '../../src/http-undici.ts'
import { SELF_SIGNED } from './self-signed.ts'

const ports: Readonly<Record<string, () => { readonly http: Http; readonly close: () => Promise<void> }>> = {
  undici: () => createHttp(),
  'the platform’s fetch': () => ({ http: createFetchHttp(globalThis.fetch), close: async () => {} }),
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

describe('the HTTP port', () => {
  let answer: Answer = (_, response) => void response.end()
  const server = createServer((request, response) => answer(request, response))
  const tls = createTlsServer(SELF_SIGNED, (_, response) => void response.end())
  let url = ''
  let tlsUrl = ''
  before(async () => {
    for (const one of [server, tls]) await once(one.listen(0, '127.0.0.1'), 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    tlsUrl = `https://127.0.0.1:${(tls.address() as AddressInfo).port}`
  })
  after(() => {
    for (const one of [server, tls]) {
      one.close()
      one.closeAllConnections()
    }
  })

  for (const [name, open] of Object.entries(ports)) {
    describe(name, () => {
      const { http, close } = open()
      after(close)
      const get = async (more: Partial<HttpRequest> = {}) =>
        http({ method: 'GET', url: `${url}/x?secret=1`, timeoutMs: 5000, maxBytes: 1000, ...more })
      const fails = async (code: NetworkFailure, sent: boolean, more: Partial<HttpRequest> = {}): Promise<NetworkError> => {
        const error = await get(more).then(
          () => assert.fail('there was an answer'),
          (reason: unknown) => reason,
        )
        assert.ok(error instanceof NetworkError, String(error))
        assert.deepEqual([error.code, error.sent], [code, sent], error.message)
        assert.doesNotMatch(error.message, /127\.0\.0\.1|secret/)
        return error
      }

      it('sends method, path, headers and body as they are', async () => {
        let seen: unknown
        answer = (request, response) => {
          const { method, url, headers } = request
          let body = ''
          request.on('data', (chunk: Buffer) => (body += chunk.toString()))
          request.on('end', () => {
            seen = { method, url, mine: headers['x-mine'], type: headers['content-type'], length: headers['content-length'], body }
            response.end('ok')
          })
        }
        const headers = { 'x-mine': 'yes', 'content-type': 'application/json' }
        const { status, body } = await get({ method: 'POST', url: `${url}/a%20b?q=%2F`, headers, body: '{"ä":1}' })
        assert.deepEqual([status, body.toString()], [200, 'ok'])
        assert.deepEqual(seen, { method: 'POST', url: '/a%20b?q=%2F', mine: 'yes', type: 'application/json', length: '8', body: '{"ä":1}' })
      })

      it('any status is an answer, with lower-case headers, repeated ones joined', async () => {
        answer = (_, response) => void response.writeHead(503, { 'Retry-After': '7', 'X-Many': ['a', 'b'] }).end('later')
        const { status, headers, body } = await get()
        assert.deepEqual([status, headers['retry-after'], headers['x-many'], body.toString()], [503, '7', 'a, b', 'later'])
      })

      it('a redirect is an answer and is not followed', async () => {
        const paths: string[] = []
        answer = (request, response) => {
          paths.push(request.url ?? '')
          response.writeHead(302, { location: `${url}/elsewhere` }).end('moved')
        }
        const { status, headers } = await get()
        assert.deepEqual([status, headers['location']], [302, `${url}/elsewhere`])
        assert.deepEqual(paths, ['/x?secret=1'])
      })

      it('an answer without a body has an empty one', async () => {
        answer = (_, response) => void response.writeHead(204).end()
        assert.deepEqual([...(await get()).body], [])
      })

      for (const [encoding, pack] of [
        ['gzip', gzipSync],
        ['deflate', deflateSync],
        ['br', brotliCompressSync],
      ] as const) {
        it(`unpacks ${encoding}, which it asked for`, async () => {
          answer = (request, response) => {
            assert.ok(request.headers['accept-encoding']?.includes(encoding))
            response.writeHead(200, { 'content-encoding': encoding }).end(pack('hello'))
          }
          assert.equal((await get()).body.toString(), 'hello')
        })
      }

      it('a body that may stay packed says whether it is', async () => {
        for (const [said, how] of [
          ['gzip', 'gzip'],
          [' GZip ', 'gzip'],
          ['identity', undefined],
        ] as const) {
          const bytes = how === undefined ? Buffer.from('hello') : gzipSync('hello')
          answer = (_, response) => void response.writeHead(200, { 'content-encoding': said }).end(bytes)
          const { body, encoding } = await get({ packed: true })
          assert.equal(inflate(body, encoding, 1000).toString(), 'hello')
          // The platform's fetch cannot leave it.
          if (name === 'undici') assert.deepEqual([encoding, body], [how, bytes])
        }
        answer = (_, response) => void response.writeHead(200, { 'content-encoding': 'zstd-of-tomorrow' }).end('?')
        await fails('unreadable', true, { packed: true })
        answer = (_, response) => void response.end('x'.repeat(1001))
        await fails('too-large', true, { packed: true })
      })

      it('maxBytes bytes are not too many, one more is', async () => {
        answer = (_, response) => void response.end('x'.repeat(1000))
        assert.equal((await get()).body.length, 1000)
        answer = (_, response) => void response.end('x'.repeat(1001))
        await fails('too-large', true)
      })

      it('a bomb is stopped by what comes out of it, soon', async () => {
        const member = gzipSync(Buffer.alloc(1_000_000, ' '))
        answer = (_, response) =>
          void response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.concat(Array.from({ length: 300 }, () => member)))
        const before = process.memoryUsage().rss
        await fails('too-large', true, { maxBytes: 1_048_576 })
        assert.ok(process.memoryUsage().rss - before < 150 * 1024 * 1024)
      })

      it('a body without an end is stopped', async () => {
        answer = (_, response) => {
          const more = (): void => void (!response.destroyed && response.write(Buffer.alloc(65_536), more))
          response.writeHead(200)
          more()
        }
        await fails('too-large', true, { maxBytes: 1_048_576 })
      })

      it('broken gzip, or an encoding that it does not know, is no answer', async () => {
        answer = (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('this is no gzip')
        assert.match((await fails('unreadable', true)).message, /compressed answer is broken/)
        answer = (_, response) => void response.writeHead(200, { 'content-encoding': 'zstd-of-tomorrow' }).end('?')
        assert.match((await fails('unreadable', true)).message, /encoding that was not asked for/)
      })

      it('time runs from the start to the last byte', async () => {
        answer = () => undefined
        assert.match((await fails('timeout', true, { timeoutMs: 60 })).message, /^no whole answer within 0\.1 s$/)
        answer = (_, response) => void response.writeHead(200, { 'content-length': '100' }).write('x')
        await fails('timeout', true, { timeoutMs: 60 })
      })

      it('the caller may stop it', async () => {
        answer = () => stop.abort()
        const stop = new AbortController()
        await fails('aborted', true, { signal: stop.signal })
      })

      it('a connection that breaks: before the answer, and inside it', async () => {
        answer = (_, response) => void response.socket?.resetAndDestroy()
        await fails('reset', true)
        answer = (_, response) => {
          response.writeHead(200, { 'content-length': '5000' })
          response.write('[', () => response.socket?.resetAndDestroy())
        }
        await fails('reset', true)
        answer = (_, response) => {
          response.writeHead(200, { 'content-length': '5000' })
          response.write('[', () => response.socket?.end())
        }
        await fails('reset', true)
      })

      for (const [what, code, answer] of [
        ['no HTTP', 'unreadable', '220 mail.example.com ESMTP\r\n'],
        ['a header of 20 KB', 'unreadable', `HTTP/1.1 200 OK\r\nx-big: ${'a'.repeat(20_000)}\r\ncontent-length: 2\r\n\r\nok`],
        ['two lengths', 'unreadable', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 7\r\n\r\nok'],
        ['a length that is none', 'unreadable', 'HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nok'],
        ['a chunk that is none', 'unreadable', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n'],
        ['gzip that ends too early, in a whole answer', 'unreadable', 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nok'],
        ['an end within the head', 'reset', 'HTTP/1.1 200 OK\r\ncontent-le'],
        ['an end within the body', 'reset', 'HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nok'],
        ['an end within the body, of the connection too', 'reset', 'HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nok'],
        ['an end within a chunk', 'reset', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\nok'],
        [
          'an end within a chunk, of the connection too',
          'reset',
          'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n7\r\nok',
        ],
      ] as const)
        it(`${what}: ${code}`, async () => {
          const odd = createTcpServer((socket) => void socket.on('error', () => undefined).end(answer))
          await once(odd.listen(0, '127.0.0.1'), 'listening')
          try {
            await fails(code, true, { url: `http://127.0.0.1:${(odd.address() as AddressInfo).port}/` })
          } finally {
            odd.close()
          }
        })

      it('nobody listens: surely unsent', async () => {
        const closed = createTcpServer()
        await once(closed.listen(0, '127.0.0.1'), 'listening')
        const { port } = closed.address() as AddressInfo
        await new Promise((resolve) => closed.close(resolve))
        await fails('refused', false, { url: `http://127.0.0.1:${port}/` })
      })

      it('a host that does not exist: surely unsent', async () => {
        await fails('dns', false, { url: 'http://no-such-host.invalid/' })
      })

      it('a certificate that nobody vouches for: surely unsent', async () => {
        await fails('tls', false, { url: tlsUrl })
      })
    })
  }
})
