import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { startCertSpotterApi, type ApiFault, type CertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'

const notBefore = new Date('2026-10-05T09:29:27Z')

// A page, or an error object; each test knows which.
type Body = { id: string; issuer?: object }[] & { code?: string; message?: string; field?: string }

describe('the sandbox API', () => {
  let api: CertSpotterApi
  let now = 0
  const ids = createIds()
  const issue = (...names: string[]) => makeIssuance({ id: ids(), names, notBefore })
  const ask = async (query: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${api.url}/issuances?${query}`, { headers, redirect: 'manual' })
    const body: Body = JSON.parse(await response.text())
    return { status: response.status, headers: response.headers, body }
  }
  const idsOf = (body: Body) => body.map((x) => x.id)

  beforeEach(async () => {
    now = 1_000_000_000_000
    api = await startCertSpotterApi({ pageSize: 2, clock: () => now })
  })
  afterEach(() => api.close())

  it('pages in the order of discovery by cursor, to an empty page', async () => {
    const all = [issue('a.example.com'), issue('other.example.net'), issue('EXAMPLE.com'), issue('b.a.example.com')]
    api.add(...all)
    const first = await ask('domain=example.com&include_subdomains=true')
    assert.deepEqual(idsOf(first.body), [all[0]!.id, all[2]!.id])
    const second = await ask(`domain=example.com&include_subdomains=true&after=${all[2]!.id}`)
    assert.deepEqual(idsOf(second.body), [all[3]!.id])
    assert.deepEqual((await ask(`domain=example.com&include_subdomains=true&after=${all[3]!.id}`)).body, [])
    assert.deepEqual(
      api.requests.map((r) => [r.domain, r.after, r.full, r.status, r.served]),
      [
        ['example.com', '', true, 200, 2],
        ['example.com', all[2]!.id, true, 200, 1],
        ['example.com', all[3]!.id, true, 200, 0],
      ],
    )
  })

  it('a single name finds wildcards only if asked', async () => {
    api.add(issue('*.example.com'), issue('login.example.com'), issue('x.login.example.com'))
    assert.equal(idsOf((await ask('domain=login.example.com')).body).length, 1)
    assert.equal(idsOf((await ask('domain=login.example.com&match_wildcards=true')).body).length, 2)
  })

  it('shows what was expanded and no more', async () => {
    api.add(issue('a.example.com'))
    const keys = async (query: string) => {
      const { body } = await ask(`domain=example.com&include_subdomains=true${query}`)
      const shown = body[0]!
      return [Object.keys(shown).sort(), Object.keys(shown.issuer ?? {}).sort()]
    }
    const always = ['cert_sha256', 'id', 'not_after', 'not_before', 'pubkey_sha256', 'revoked', 'tbs_sha256']
    assert.deepEqual(await keys(''), [always, []])
    assert.deepEqual(await keys('&expand=dns_names&expand=issuer'), [
      [...always, 'dns_names', 'issuer'].sort(),
      ['friendly_name', 'name', 'pubkey_sha256'],
    ])
    assert.deepEqual((await keys('&expand=issuer.caa_domains'))[1], ['caa_domains', 'friendly_name', 'name', 'pubkey_sha256'])
    assert.deepEqual(await keys('&expand=cert_der&expand=revocation'), [[...always, 'cert_der', 'revocation'].sort(), []])
  })

  it('the quota is a rolling hour for each credential and class', async () => {
    api.setQuota({ full: 2, single: 1 })
    const full = () => ask('domain=example.com&include_subdomains=true')
    assert.equal((await full()).status, 200)
    now += 1_800_000
    assert.equal((await full()).status, 200)
    const third = await full()
    assert.equal(third.status, 429)
    assert.equal(third.headers.get('retry-after'), '1800')
    assert.equal(third.body.code, 'rate_limited')
    assert.equal((await ask('domain=example.com')).status, 200)
    assert.equal((await ask('domain=example.com&include_subdomains=true', { authorization: 'Bearer k' })).status, 200)
    now += 1_800_000
    assert.equal((await full()).status, 200)
    assert.equal((await full()).status, 429)
  })

  it('refuses unknown tokens, refused names, bad domains and unknown cursors', async () => {
    api.setTokens(['good'])
    api.refuse('plan.example')
    const table: readonly [string, Record<string, string>, number, string, string?][] = [
      ['domain=example.com', { authorization: 'Bearer bad' }, 401, 'unauthorized'],
      ['domain=plan.example', {}, 403, 'not_allowed_by_plan'],
      ['domain=com', {}, 400, 'invalid_parameter', 'domain'],
      ['', {}, 400, 'invalid_parameter', 'domain'],
      ['domain=example.com&after=nope', {}, 400, 'invalid_parameter', 'after'],
    ]
    for (const [query, headers, status, code, field] of table) {
      const answer = await ask(query, headers)
      const { body } = answer
      assert.deepEqual([answer.status, body.code, body.field], [status, code, field], query)
      assert.ok((body.message ?? '').length > 0)
    }
    assert.equal((await ask('domain=example.com', { authorization: 'Bearer good' })).status, 200)
    assert.equal((await ask('domain=example.com')).status, 200)
    api.allow('plan.example')
    assert.equal((await ask('domain=plan.example')).status, 200)
  })

  it('hooks see each request before and after', async () => {
    const seen: string[] = []
    api.beforeAnswer((r) => void seen.push(`before ${String(r.status)}`))
    api.afterAnswer((r) => void seen.push(`after ${r.status}`))
    await ask('domain=example.com')
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(seen, ['before undefined', 'after 200'])
  })
})

describe('accidents of the sandbox API', () => {
  let api: CertSpotterApi
  before(async () => {
    api = await startCertSpotterApi()
  })
  after(() => api.close())

  const get = async (fault: ApiFault, ms = 5000) => {
    api.script.push(fault)
    const response = await fetch(`${api.url}/issuances?domain=example.com`, { redirect: 'manual', signal: AbortSignal.timeout(ms) })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  it('answers what the script says, once each, then true again', async () => {
    assert.equal((await get({ status: 503, headers: { 'retry-after': '7' }, body: 'x' })).headers.get('retry-after'), '7')
    assert.match((await get('html200')).text, /^<!DOCTYPE/)
    assert.match((await get('object200')).text, /^\{/)
    assert.equal((await get('empty')).text, '')
    assert.throws(() => JSON.parse('[{"id":"1","tbs_sha256":'))
    assert.equal((await get('badjson')).text, '[{"id":"1","tbs_sha256":')
    const redirect = await get({ redirect: 'http://127.0.0.1:1/' })
    assert.deepEqual([redirect.status, redirect.headers.get('location')], [302, 'http://127.0.0.1:1/'])
    assert.equal((await get('big')).text.length, 50_000_002)
    assert.equal((await get({ slow: 30 })).text, '[]')
    assert.equal(api.requests.at(-1)?.served, 0)
  })

  for (const fault of ['truncated', 'reset', 'hang'] as const)
    it(`never gives a whole answer: ${fault}`, async () => {
      await assert.rejects(get(fault, 200))
    })

  it('streams for ever', async () => {
    api.script.push('endless')
    const response = await fetch(`${api.url}/issuances?domain=example.com`)
    let size = 0
    for await (const chunk of response.body!) {
      size += chunk.length
      if (size > 2_000_000) break
    }
    assert.ok(size > 2_000_000)
  })

  it('sends a small body that unpacks to 300 MB', async () => {
    api.script.push('gzipbomb')
    const response = await fetch(`${api.url}/issuances?domain=example.com`)
    assert.ok(Number(response.headers.get('content-length')) < 400_000)
    let size = 0
    for await (const chunk of response.body!) size += chunk.length
    assert.equal(size, 300_000_002)
  })

  it('asks a function when the script is empty', async () => {
    api.setFault((r) => (r.domain === 'bad.example' ? { status: 500 } : undefined))
    const status = async (domain: string) => (await fetch(`${api.url}/issuances?domain=${domain}`)).status
    assert.deepEqual([await status('bad.example'), await status('good.example')], [500, 200])
    api.setFault(undefined)
  })

  it('closes while a client hangs', async () => {
    const other = await startCertSpotterApi()
    other.script.push('hang')
    const asked = fetch(`${other.url}/issuances?domain=example.com`).catch(() => 'cut')
    await new Promise((resolve) => setTimeout(resolve, 50))
    await other.close()
    assert.equal(await asked, 'cut')
  })
})
