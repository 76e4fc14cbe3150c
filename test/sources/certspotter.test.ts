import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createHttp } from '../../src/http-undici.ts'
import type { ApiFault, CertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import type { Receiver } from '../../src/sandbox/receiver.ts'
import { startReceiver } from '../../src/sandbox/receiver.ts'
import type { Asked } from '../../src/sources/certspotter.ts'
import { createCertSpotter } from '../../src/sources/certspotter.ts'
import { createPageReader } from '../../src/sources/certspotter-page.ts'
import { parseItem } from '../../src/watch/item.ts'
import { createMatcher } from '../../src/watch/match.ts'

const NOW = Date.UTC(2026, 10, 6, 8, 15)
const TOKEN = 'k_secret_token'
const full = { key: 'example.com', text: 'example.com', domain: 'example.com', exact: false }
const exact = { key: '=login.example.com', text: '=login.example.com', domain: 'login.example.com', exact: true }

describe('the Cert Spotter source, over real HTTP', () => {
  let api: CertSpotterApi
  let trap: Receiver
  const net = createHttp()
  const ids = createIds()
  before(async () => {
    trap = await startReceiver()
  })
  after(async () => {
    await net.close()
    await trap.close()
    await api.close()
  })
  beforeEach(async () => {
    await (api as CertSpotterApi | undefined)?.close()
    api = await startCertSpotterApi()
    api.add(
      makeIssuance({ id: ids(), names: ['login.example.com'], notBefore: new Date(NOW) }),
      makeIssuance({ id: ids(), names: ['b.example.com'], notBefore: new Date(NOW) }),
    )
  })

  const source = (more: { readonly url?: string; readonly token?: string | undefined; readonly timeoutMs?: number } = {}) => {
    const parsed = parseItem('example.com')
    assert.ok('item' in parsed)
    const token = 'token' in more ? more.token : TOKEN
    return createCertSpotter({
      http: net.http,
      url: more.url ?? api.url,
      ...(token !== undefined && { token }),
      userAgent: 'certbell/test',
      timeoutMs: more.timeoutMs ?? 5000,
      readPage: createPageReader(createMatcher([parsed.item], [])),
    })
  }
  const ask = async (more: Parameters<typeof source>[0] = {}, item = full, cursor?: string): Promise<Asked> => source(more)(item, cursor, () => NOW)
  /** What an answer came to, in a line. */
  const short = (asked: Asked): string =>
    asked.kind === 'step'
      ? `${asked.step.entries} entries${asked.blockedUntil === undefined ? '' : `, wait ${(asked.blockedUntil - NOW) / 1000} s`}`
      : asked.failure.kind === 'wait'
        ? `wait ${(asked.failure.until - NOW) / 1000} s`
        : `${asked.failure.kind} ${asked.failure.spent ? 'spent' : 'unspent'}: ${asked.failure.message}`

  it('asks what is recommended, and nothing else', async () => {
    await ask()
    await ask({}, full, '175 97&x=1')
    await ask({}, exact)
    const [first, second, third] = api.requests
    assert.equal(first?.path, '/v1/issuances')
    assert.deepEqual(
      [...(first?.query ?? [])],
      [
        ['domain', 'example.com'],
        ['include_subdomains', 'true'],
        ['match_wildcards', 'true'],
        ['expand', 'dns_names'],
        ['expand', 'issuer'],
        ['expand', 'issuer.caa_domains'],
        ['expand', 'revocation'],
        ['expand', 'problem_reporting'],
        ['expand', 'cert_der'],
      ],
    )
    assert.equal(first?.headers['authorization'], `Bearer ${TOKEN}`)
    assert.equal(first?.headers['user-agent'], 'certbell/test')
    assert.equal(first?.headers['accept'], 'application/json')
    assert.deepEqual([second?.after, second?.domain], ['175 97&x=1', 'example.com'])
    assert.deepEqual(
      [third?.domain, third?.full, third?.query.has('include_subdomains'), third?.query.get('match_wildcards')],
      ['login.example.com', false, false, 'true'],
    )
  })

  it('has no Authorization header without a token', async () => {
    assert.equal(short(await ask({ token: undefined })), '2 entries')
    assert.ok(!('authorization' in (api.requests[0]?.headers ?? {})))
  })

  it('goes on from the cursor', async () => {
    const first = await ask()
    assert.ok(first.kind === 'step' && first.step.cursor !== undefined)
    assert.deepEqual(
      first.step.sightings.map(({ matched }) => matched.map(({ name }) => name)),
      [['login.example.com'], ['b.example.com']],
    )
    assert.equal(short(await ask({}, full, first.step.cursor)), '0 entries')
  })

  const json = (code: string, more: object = {}): string => JSON.stringify({ code, message: `words for ${code}`, ...more })
  const answers: readonly (readonly [string, ApiFault, RegExp])[] = [
    ['429 with seconds', { status: 429, headers: { 'retry-after': '306' }, body: json('rate_limited') }, /^wait 306 s$/],
    ['429 with a date', { status: 429, headers: { 'retry-after': 'Fri, 06 Nov 2026 09:15:00 GMT' }, body: json('rate_limited') }, /^wait 3600 s$/],
    ['429 without a word: an hour', { status: 429, body: '' }, /^wait 3600 s$/],
    [
      '429 with a date just past, by another clock: half a minute',
      { status: 429, headers: { 'retry-after': 'Fri, 06 Nov 2026 07:00:00 GMT' } },
      /^wait 30 s$/,
    ],
    ['429 with HTML', { status: 429, headers: { 'retry-after': '60' }, body: '<html>slow down</html>' }, /^wait 60 s$/],
    ['rate_limited under another status', { status: 403, body: json('rate_limited') }, /^wait 3600 s$/],
    ['503 with seconds', { status: 503, headers: { 'retry-after': '120' }, body: '' }, /^wait 120 s$/],
    ['503 with a date', { status: 503, headers: { 'retry-after': 'Fri, 06 Nov 2026 08:16:00 GMT' } }, /^wait 60 s$/],
    ['200 with a page and Retry-After', { status: 200, headers: { 'retry-after': '45' }, body: '[]' }, /^0 entries, wait 45 s$/],
    ['200 that cannot be read, with Retry-After', { status: 200, headers: { 'retry-after': '45' }, body: 'x' }, /^wait 45 s$/],
    [
      '401',
      { status: 401, body: json('unauthorized') },
      /^credential spent: .*refuses the token \(401: words for unauthorized\).*CERTSPOTTER_API_TOKEN.*certbell doctor/,
    ],
    ['403', { status: 403, body: json('forbidden') }, /^credential spent: /],
    ['403 with HTML', { status: 403, body: '<html>blocked</html>' }, /^credential spent: /],
    ['403 for a name', { status: 403, body: json('not_allowed_by_plan') }, /^name spent: .*refuses this name \(403: words for not_allowed_by_plan\)/],
    ['400 with a field', { status: 400, body: json('invalid_parameter', { field: 'domain' }) }, /^name spent: /],
    ['400 without a code', { status: 400, body: 'Bad Request' }, /^api spent: /],
    ['404', { status: 404, body: json('not_found') }, /^api spent: .*404/],
    ['500', { status: 500, body: json('internal_error') }, /^api spent: .*500: words for internal_error/],
    ['502 with HTML', { status: 502, body: '<html>Bad Gateway</html>' }, /^api spent: .*answers 502$/],
    ['200 with an error object', 'object200', /^api spent: .*an error: an object where an array belongs/],
    ['200 with a rate limit', { status: 200, body: json('rate_limited') }, /^wait 3600 s$/],
    ['200 with a refusal of the name', { status: 200, body: json('not_allowed_by_plan') }, /^name spent: /],
    ['200 with HTML', 'html200', /^api spent: .*cannot be read: it is not JSON/],
    ['invalid JSON', 'badjson', /^api spent: .*it is not JSON/],
    ['an empty body', 'empty', /^api spent: .*it is empty/],
    ['204', { status: 204, body: '' }, /^api spent: /],
    ['cut off', 'truncated', /^api spent: .*cannot be reached: the connection broke off/],
    ['reset', 'reset', /^api spent: .*the connection broke off/],
    ['a body that never ends', 'endless', /^api spent: .*larger than 16 MiB/],
    ['a body of 50 MB', 'big', /^api spent: .*larger than 16 MiB/],
    ['a gzip bomb', 'gzipbomb', /^api spent: .*larger than 16 MiB/],
    ['an encoding that was not asked for', { status: 200, headers: { 'content-encoding': 'zstd' }, body: '[]' }, /^api spent: /],
    ['gzip that is none', { status: 200, headers: { 'content-encoding': 'gzip' }, body: '[]' }, /^api spent: .*broken/],
  ]
  for (const [why, fault, out] of answers) {
    it(`${why}: ${out.source.slice(1, 40)}`, async () => {
      api.script.push(fault)
      const line = short(await ask())
      assert.match(line, out)
      assert.ok(!line.includes(TOKEN))
      assert.equal(api.requests.length, 1, 'asked once')
      assert.equal(short(await ask()), '2 entries', 'and the next one is none the worse')
    })
  }

  it('401 without a token asks for one', async () => {
    api.script.push({ status: 401, body: json('unauthorized') })
    assert.match(short(await ask({ token: undefined })), /^credential spent: .*without a token.*Set CERTSPOTTER_API_TOKEN/)
  })

  it('a wrong token is the credential, a refused name is the name', async () => {
    api.setTokens(['another'])
    assert.match(short(await ask()), /^credential/)
    api.setTokens(undefined)
    api.refuse('example.com')
    assert.match(short(await ask()), /^name/)
    assert.equal(short(await ask({}, exact)), '1 entries')
  })

  for (const status of [301, 302, 307, 308]) {
    it(`${status} is not followed, and the token goes nowhere else`, async () => {
      api.script.push({ status, headers: { location: `${trap.url}/v1/issuances?domain=example.com` }, body: '' })
      assert.match(short(await ask()), new RegExp(`^api spent: .*redirect \\(${status}\\), which is never followed`))
      assert.deepEqual(trap.requests, [])
    })
  }

  it('a socket that hangs ends with the timeout', async () => {
    api.script.push('hang')
    const began = performance.now()
    assert.match(short(await ask({ timeoutMs: 200 })), /^api spent: .*no whole answer within 0\.2 s/)
    assert.ok(performance.now() - began < 2000)
  })

  it('an answer that dribbles ends with the timeout as well', async () => {
    api.script.push({ slow: 1000 })
    assert.match(short(await ask({ timeoutMs: 200 })), /^api spent: .*no whole answer within/)
  })

  it('a query that surely never reached the API is not spent', async () => {
    assert.match(short(await ask({ url: 'http://certbell-test.invalid/v1' })), /^api unspent: .*host name cannot be resolved/)
    const gone = await startReceiver()
    await gone.close()
    assert.match(short(await ask({ url: `${gone.url}/v1` })), /^api unspent: .*connection is refused/)
  })
})
