// A Cert Spotter API for benchmarks, in a process of its own: pages of 100 issuances with DER, made once, served as bytes.
import { createServer } from 'node:http'
import { makeIssuance } from '../src/sandbox/issuance.ts'

const PAGES = Number(process.argv[2] ?? 1000)
const SIZE = 100
/** What the product asks for; the rest of the sandbox's answer would only be dead weight for everyone. */
const SHOWN = new Set([
  'id',
  'tbs_sha256',
  'cert_sha256',
  'pubkey_sha256',
  'not_before',
  'not_after',
  'revoked',
  'dns_names',
  'issuer',
  'revocation',
  'problem_reporting',
  'cert_der',
])

const bodies = new Map<string, Buffer>()
const notBefore = new Date(Date.now() - 40 * 86_400_000)
let id = 17_000_000_000
let after = ''
for (let page = 0; page < PAGES; page++) {
  const entries = Array.from({ length: SIZE }, (_, n) => {
    id += 7
    const name = `host-${page * SIZE + n}.example.com`
    const issuance = makeIssuance({ id: String(id), names: [name, `www.${name}`], notBefore })
    return Object.fromEntries(Object.entries(issuance).filter(([key]) => SHOWN.has(key)))
  })
  bodies.set(after, Buffer.from(JSON.stringify(entries)))
  after = String(id)
}
const empty = Buffer.from('[]')

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1')
  const body = bodies.get(url.searchParams.get('after') ?? '') ?? empty
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) console.log(JSON.stringify({ url: `http://127.0.0.1:${address.port}/v1` }))
})
