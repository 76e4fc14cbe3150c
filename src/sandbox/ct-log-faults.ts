// What can go wrong between a reader and a log, each as it looks on the wire. Lies that a log signs are views (ct-shown.ts), not faults.
import type { ServerResponse } from 'node:http'
import { answerFault, reset, type ApiFault } from './certspotter-faults.ts'
import type { CtAnswer, Packed } from './ct-answer.ts'

/** Accidents that take the place of the answer; `truncated` cuts the true one. */
type Instead = Exclude<ApiFault, { readonly slow: number } | 'truncated'>

export type CtFault =
  | Instead
  /** Half of the true body, less than the Content-Length, then a reset. */
  | 'truncated'
  /** Half of the true body, then silence until the reader goes. */
  | 'stall'
  /** 429 unless told: come back in that many seconds, or at that time. */
  | { readonly retryAfter: number | Date; readonly status?: number }
  /** Ms before the answer, or before another accident. */
  | { readonly slow: number; readonly before?: CtFault }
  /** The true answer of get-entries with this many entries, more or fewer than asked. */
  | { readonly entries: number }
  /** The first share of the true body, 0 to 1, as if it were the whole; of a gzipped one with `packed` the share of the gzip stream. */
  | { readonly keep: number; readonly packed?: boolean }
  /** One bit of the true body flipped, at this byte; from the end if negative. */
  | { readonly flip: number }

/** What is left of a fault when it changes the true answer and does not replace it. */
export function alterAnswer(answer: CtAnswer, fault: CtFault): CtAnswer {
  if (typeof fault !== 'object') return answer
  const { key: _key, ...rest } = answer
  if ('keep' in fault && fault.packed !== true) return { ...rest, body: () => share(answer.body(), fault.keep) }
  if ('flip' in fault)
    return {
      ...rest,
      body: () => {
        const body = Buffer.from(answer.body())
        const at = fault.flip < 0 ? body.length + fault.flip : fault.flip
        body[at] = (body[at] ?? 0) ^ 1
        return body
      },
    }
  return answer
}

/** Sends what was made ready, or the accident. Returns the status that the reader sees, if it sees one. */
export function sendCt(response: ServerResponse, status: number, packed: () => Packed, fault: CtFault | undefined): number | undefined {
  if (fault === 'truncated' || fault === 'stall') {
    const { headers, body } = packed()
    response.writeHead(status, headers)
    response.write(share(body, 0.5), () => {
      if (fault === 'truncated') reset(response)
    })
    return status
  }
  if (typeof fault === 'object' && 'retryAfter' in fault) {
    const { retryAfter } = fault
    const headers = { 'retry-after': typeof retryAfter === 'number' ? String(retryAfter) : retryAfter.toUTCString() }
    return answerFault(response, { status: fault.status ?? 429, headers, body: 'slow down\n' })
  }
  if (fault !== undefined && isInstead(fault)) return answerFault(response, fault)
  const { headers, body } = packed()
  const cut = typeof fault === 'object' && 'keep' in fault && fault.packed === true ? share(body, fault.keep) : body
  response.writeHead(status, { ...headers, 'content-length': String(cut.length) }).end(cut)
  return status
}

function isInstead(fault: Exclude<CtFault, 'truncated' | 'stall'>): fault is Instead {
  return typeof fault === 'string' || 'redirect' in fault || ('status' in fault && !('retryAfter' in fault))
}

function share(body: Buffer, part: number): Buffer {
  return body.subarray(0, Math.floor(body.length * part))
}

/** A limit of requests per second, for each log or for all together: more get 429 with Retry-After, or without if `silent`. To be asked for each request. */
export function rateLimit(
  perSecond: number,
  options: { readonly burst?: number; readonly silent?: boolean } = {},
): (request: { readonly time: number }) => CtFault | undefined {
  const burst = options.burst ?? perSecond
  let tokens = burst
  let at: number | undefined
  return ({ time }) => {
    tokens = Math.min(burst, tokens + ((time - (at ?? time)) / 1000) * perSecond)
    at = time
    if (tokens >= 1) {
      tokens--
      return undefined
    }
    return options.silent === true ? { status: 429, body: 'too many requests\n' } : { retryAfter: Math.ceil((1 - tokens) / perSecond) }
  }
}
