// The Cert Spotter API (SSLMate CT Search API v1) as a source: one query, and what its answer means.
import type { Http, HttpResponse } from '../http.ts'
import { NetworkError } from '../http.ts'
import { parseRetryAfter } from '../watch/retry.ts'
import type { Failure, Step } from '../watch/step.ts'
import type { AskedItem, ErrorObject, PageReader } from './certspotter-page.ts'
import { PageError, readErrorObject } from './certspotter-page.ts'

export interface CertSpotterOptions {
  readonly http: Http
  /** Base URL without the trailing slash; `/issuances` is added. */
  readonly url: string
  readonly token?: string
  readonly userAgent: string
  /** A whole answer must be there by then, ms. */
  readonly timeoutMs: number
  readonly readPage: PageReader
}

/** What one query came to. `blockedUntil` (ms) may come with a page as well: any `Retry-After` is obeyed. */
export type Asked =
  | { readonly kind: 'step'; readonly step: Step; readonly blockedUntil?: number }
  | { readonly kind: 'failure'; readonly failure: Failure }

/** Asks for one name's next page. Never throws for what the other side does. */
export type CertSpotter = (item: AskedItem, cursor: string | undefined, now: () => number) => Promise<Asked>

// A page holds 100 issuances; one of 100 certificates with 2,000 names each would come to some 15 MB.
const MAX_BYTES = 16 * 1024 * 1024
/** A 429 that does not say how long. */
const BLOCK = 3_600_000
/** A 429 that names a time which is over already: by a clock that differs a little from ours, or by mistake. */
const SOON = 30_000
const EXPAND = ['dns_names', 'issuer', 'issuer.caa_domains', 'revocation', 'problem_reporting', 'cert_der']

/** The source for one API and token. */
export function createCertSpotter(options: CertSpotterOptions): CertSpotter {
  const headers = {
    accept: 'application/json',
    'user-agent': options.userAgent,
    // An empty Bearer would be a wrong token; none at all is an anonymous query.
    ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
  }
  // A page is read to its end before the next is asked for, so they may all use the same half megabyte.
  const scratch = { buffer: Buffer.alloc(0) }
  // An error may quote the token back. It is kept in the state and told to every sink, so it goes before anything is cut.
  const withoutToken = (body: Buffer): string => body.toString('utf8').replaceAll(options.token ?? '\0', '[token]')
  return async (item, cursor, now) => {
    let response: HttpResponse
    try {
      response = await options.http({
        method: 'GET',
        url: queryUrl(options.url, item, cursor),
        headers,
        timeoutMs: options.timeoutMs,
        maxBytes: MAX_BYTES,
        scratch,
      })
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      return failure('api', `the Cert Spotter API cannot be reached: ${error.message}`, error.sent)
    }
    const at = now()
    const told = parseRetryAfter(response.headers['retry-after'], new Date(at))?.getTime()
    const blockedUntil = told !== undefined && told > at ? told : undefined
    const toldNow = told !== undefined && blockedUntil === undefined
    if (response.status === 200) {
      try {
        const read = options.readPage(response.body, item, cursor, new Date(at))
        if (read.kind === 'page') return { kind: 'step', step: read.step, ...(blockedUntil !== undefined && { blockedUntil }) }
        return refused(200, errorObject(withoutToken(response.body)), options.token !== undefined, blockedUntil, at, toldNow)
      } catch (error) {
        if (!(error instanceof PageError)) throw error
        if (blockedUntil !== undefined) return wait(blockedUntil)
        return failure('api', `the Cert Spotter API gave an answer that cannot be read: ${error.message}`, true)
      }
    }
    return refused(response.status, errorObject(withoutToken(response.body)), options.token !== undefined, blockedUntil, at, toldNow)
  }
}

function queryUrl(base: string, item: AskedItem, cursor: string | undefined): string {
  const query = new URLSearchParams({ domain: item.domain, ...(!item.exact && { include_subdomains: 'true' }), match_wildcards: 'true' })
  for (const field of EXPAND) query.append('expand', field)
  if (cursor !== undefined) query.append('after', cursor)
  return `${base}/issuances?${query.toString()}`
}

function errorObject(body: string): ErrorObject {
  try {
    return readErrorObject(JSON.parse(body) as unknown)
  } catch {
    // HTML of a gateway in between.
    return {}
  }
}

// By status and the stable `code`; messages are for people and may change (apis.md 1.6).
function refused(status: number, error: ErrorObject, hasToken: boolean, blockedUntil: number | undefined, now: number, toldNow: boolean): Asked {
  const said = error.message ?? error.code
  const words = `${status === 200 ? 'an error' : String(status)}${said === undefined ? '' : `: ${said}`}`
  if (status === 429 || error.code === 'rate_limited') return wait(blockedUntil ?? now + (toldNow ? SOON : BLOCK))
  // An error object that came with 200 is the error that it names.
  if ((status === 403 || status === 200) && (error.code === 'not_allowed_by_plan' || error.field === 'domain'))
    return failure('name', `the Cert Spotter API refuses this name (${words})`, true, blockedUntil, error.code ?? error.field)
  if (status === 400 && error.code !== undefined)
    return failure('name', `the Cert Spotter API refuses the query for this name (${words})`, true, blockedUntil, error.code)
  if (status === 401 || status === 403) {
    return failure(
      'credential',
      hasToken
        ? `the Cert Spotter API refuses the token (${words}). Nothing is lost: reading goes on where it stopped. Check CERTSPOTTER_API_TOKEN, then run certbell doctor`
        : `the Cert Spotter API refuses queries without a token (${words}). Nothing is lost. Set CERTSPOTTER_API_TOKEN, then run certbell doctor`,
      true,
      blockedUntil,
    )
  }
  if (blockedUntil !== undefined) return wait(blockedUntil)
  if (status >= 300 && status < 400)
    return failure('api', `the Cert Spotter API answers with a redirect (${status}), which is never followed. Check certspotter.url`, true)
  return failure('api', `the Cert Spotter API answers ${words}`, true)
}

function failure(kind: 'credential' | 'name' | 'api', message: string, spent: boolean, until?: number, reason?: string): Asked {
  return {
    kind: 'failure',
    failure: { kind, message, spent, ...(until !== undefined && { until }), ...(reason !== undefined && { reason }) },
  }
}

function wait(until: number): Asked {
  return { kind: 'failure', failure: { kind: 'wait', until, message: 'the Cert Spotter API asks us to wait (rate limit)' } }
}
