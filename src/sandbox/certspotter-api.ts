// A Cert Spotter API on loopback: pages by cursor, expands, tokens, quota in a rolling hour, and accidents by script.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerFault, type ApiFault } from './certspotter-faults.ts'
import type { ApiIssuance } from './issuance.ts'
import { flatHeaders, listen } from './server.ts'

export type { ApiFault } from './certspotter-faults.ts'

/** One request as it came, and what was answered. */
export interface ApiRequest {
  /** The API's clock, ms. */
  readonly time: number
  readonly path: string
  readonly query: URLSearchParams
  readonly domain: string
  /** Empty string if not given. */
  readonly after: string
  /** True if subdomains are asked for: it counts on the full-domain quota. */
  readonly full: boolean
  readonly headers: Readonly<Record<string, string>>
  /** Undefined until answered, and if the connection was cut before. */
  status?: number
  /** How many issuances were served; undefined unless it was a page. */
  served?: number
  /** The scripted accident, if there was one. */
  fault?: ApiFault
}

export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
}

export interface CertSpotterApiOptions {
  readonly pageSize?: number
  /** Tokens that are known. Undefined: any. Without an Authorization header requests are served either way. */
  readonly tokens?: readonly string[]
  /** Queries in a rolling hour, for each credential and class. Undefined: no limit. */
  readonly quota?: { readonly full: number; readonly single: number }
  /** Ms; default Date.now. */
  readonly clock?: () => number
  readonly port?: number
}

export interface CertSpotterApi {
  /** The base, `/v1` included. */
  readonly url: string
  /** Every request so far, in order of arrival. */
  readonly requests: readonly ApiRequest[]
  /** Accidents for the next requests, one each; `undefined` in it is a true answer. */
  readonly script: (ApiFault | undefined)[]
  /** Adds at the end of the order of discovery. Issuances with `_any: true` are in every answer. */
  add(...issuances: readonly ApiIssuance[]): void
  /** Accidents by request, asked when the script is empty. */
  setFault(fault: ((request: ApiRequest) => ApiFault | undefined) | undefined): void
  /** Refuses a domain from now on: 403 `not_allowed_by_plan` unless told otherwise. */
  refuse(domain: string, refusal?: Partial<Refusal>): void
  allow(domain: string): void
  setQuota(quota: CertSpotterApiOptions['quota']): void
  setTokens(tokens: readonly string[] | undefined): void
  setPageSize(size: number): void
  /** Called and awaited before each answer, and after each was handed to the socket. */
  beforeAnswer(hook: ((request: ApiRequest) => void | Promise<void>) | undefined): void
  afterAnswer(hook: ((request: ApiRequest) => void | Promise<void>) | undefined): void
  close(): Promise<void>
}

const EXPANDABLE = new Set(['dns_names', 'revocation', 'problem_reporting', 'cert_der', 'pubkey', 'pubkey_der', 'cert'])
const EXPANDABLE_ISSUER = new Set(['caa_domains', 'operator', 'website', 'pubkey_der', 'name_der'])
const HOUR = 3_600_000

/** Starts the API on a free port of 127.0.0.1. */
export async function startCertSpotterApi(options: CertSpotterApiOptions = {}): Promise<CertSpotterApi> {
  const clock = options.clock ?? Date.now
  const issuances: ApiIssuance[] = []
  const place = new Map<string, number>()
  const refused = new Map<string, Refusal>()
  const used = new Map<string, number[]>()
  const requests: ApiRequest[] = []
  const script: (ApiFault | undefined)[] = []
  let { pageSize = 100, tokens, quota } = options
  let faultOf: ((request: ApiRequest) => ApiFault | undefined) | undefined
  let before: ((request: ApiRequest) => void | Promise<void>) | undefined
  let after: ((request: ApiRequest) => void | Promise<void>) | undefined

  const answer = async (message: IncomingMessage, response: ServerResponse) => {
    const request = note(message, clock())
    requests.push(request)
    await before?.(request)
    const done = new Promise<void>((resolve) => response.once('close', resolve).once('finish', resolve))
    await respond(request, response)
    await done
    await after?.(request)
  }

  const respond = async (request: ApiRequest, response: ServerResponse) => {
    const fault = script.length > 0 ? script.shift() : faultOf?.(request)
    if (fault !== undefined) {
      request.fault = fault
      if (typeof fault !== 'object' || !('slow' in fault)) {
        const status = answerFault(response, fault)
        if (status !== undefined) request.status = status
        return
      }
      await new Promise((resolve) => setTimeout(resolve, fault.slow))
    }
    const page = decide(request)
    const text = JSON.stringify(page.body)
    request.status = page.status
    if (Array.isArray(page.body)) request.served = page.body.length
    response
      .writeHead(page.status, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), ...page.headers })
      .end(text)
  }

  const decide = (request: ApiRequest): Answer => {
    if (request.path.replace(/\/$/, '') !== '/v1/issuances') return error(404, 'not_found', 'There is nothing at this address')
    const authorization = request.headers['authorization']
    if (authorization !== undefined && tokens !== undefined && !tokens.includes(authorization.replace(/^Bearer\s*/i, '').trim()))
      return error(401, 'unauthorized', 'The API key is invalid')
    const domain = request.domain.toLowerCase()
    const refusal = refused.get(domain)
    if (refusal !== undefined) return error(refusal.status, refusal.code, refusal.message)
    if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(domain)) return error(400, 'invalid_parameter', 'Invalid domain', { field: 'domain' })
    const wait = spend(`${authorization ?? ''} ${request.full ? 'full' : 'single'}`, quota?.[request.full ? 'full' : 'single'], request.time)
    if (wait !== undefined)
      return {
        ...error(429, 'rate_limited', 'You have exceeded the domain search rate limit for the SSLMate CT Search API.'),
        headers: { 'retry-after': String(wait) },
      }
    const start = request.after === '' ? -1 : place.get(request.after)
    if (start === undefined) return error(400, 'invalid_parameter', 'No such issuance', { field: 'after' })
    return { status: 200, body: page(domain, request, start + 1), headers: {} }
  }

  /** Counts one query, or says in how many seconds there is room again. */
  const spend = (key: string, limit: number | undefined, now: number): number | undefined => {
    const times = (used.get(key) ?? []).filter((t) => t > now - HOUR)
    used.set(key, times)
    const oldest = times[0]
    if (limit !== undefined && times.length >= limit) return Math.max(1, Math.ceil(((oldest ?? now) + HOUR - now) / 1000))
    times.push(now)
    return undefined
  }

  const page = (domain: string, request: ApiRequest, start: number): unknown[] => {
    const expands = new Set(request.query.getAll('expand'))
    const wildcards = request.query.get('match_wildcards') === 'true'
    const shown: unknown[] = []
    for (let i = start; i < issuances.length && shown.length < pageSize; i++) {
      const issuance = issuances[i]!
      if (issuance['_any'] === true || covers(issuance.dns_names, domain, request.full, wildcards)) shown.push(show(issuance, expands))
    }
    return shown
  }

  const server = await listen(answer, options.port)
  return {
    url: `${server.origin}/v1`,
    requests,
    script,
    add(...more) {
      for (const issuance of more) {
        place.set(issuance.id, issuances.length)
        issuances.push(issuance)
      }
    },
    setFault(fault) {
      faultOf = fault
    },
    refuse(domain, refusal = {}) {
      refused.set(domain, {
        status: 403,
        code: 'not_allowed_by_plan',
        message: `Cannot search ${domain} because it is not beneath an eTLD`,
        ...refusal,
      })
    },
    allow(domain) {
      refused.delete(domain)
    },
    setQuota(next) {
      quota = next
    },
    setTokens(next) {
      tokens = next
    },
    setPageSize(size) {
      pageSize = size
    },
    beforeAnswer(hook) {
      before = hook
    },
    afterAnswer(hook) {
      after = hook
    },
    close: () => server.close(),
  }
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
}

function note(message: IncomingMessage, time: number): ApiRequest {
  const url = new URL(message.url ?? '/', 'http://127.0.0.1')
  const query = url.searchParams
  return {
    time,
    path: url.pathname,
    query,
    domain: query.get('domain') ?? '',
    after: query.get('after') ?? '',
    full: query.get('include_subdomains') === 'true',
    headers: flatHeaders(message),
  }
}

function error(status: number, code: string, text: string, more: Readonly<Record<string, string>> = {}): Answer {
  return { status, body: { code, message: text, ...more }, headers: {} }
}

/** The API's own matching, which is ASCII and knows nothing of items. */
function covers(names: unknown, domain: string, below: boolean, wildcards: boolean): boolean {
  if (!Array.isArray(names)) return false
  const parent = domain.slice(domain.indexOf('.') + 1)
  return names.some((raw: unknown) => {
    const name = String(raw).toLowerCase().replace(/\.$/, '')
    return name === domain || (below && name.endsWith(`.${domain}`)) || (wildcards && name === `*.${parent}`)
  })
}

function show(issuance: ApiIssuance, expands: ReadonlySet<string>): Readonly<Record<string, unknown>> {
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(issuance)) {
    if (key.startsWith('_') || (EXPANDABLE.has(key) && !expands.has(key))) continue
    if (key !== 'issuer') out[key] = value
    else if ([...expands].some((e) => e === 'issuer' || e.startsWith('issuer.'))) out[key] = showIssuer(value, expands)
  }
  return out
}

function showIssuer(issuer: unknown, expands: ReadonlySet<string>): unknown {
  if (issuer === null || typeof issuer !== 'object') return issuer
  return Object.fromEntries(Object.entries(issuer).filter(([key]) => !EXPANDABLE_ISSUER.has(key) || expands.has(`issuer.${key}`)))
}
