// A Slack incoming webhook on loopback: refuses what Slack refuses, remembers what it took, and fails as it is told.
import { reset } from './certspotter-faults.ts'
import { flatHeaders, listen, readBody } from './server.ts'
import { isObject, judge } from './slack-limits.ts'

/** How one request goes wrong; undefined: as Slack would answer it. */
export type SlackFault =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly slow: number }
  /** Not taken, no answer until the client goes. */
  | 'hang'
  /** Not taken, the connection is cut. */
  | 'reset'
  /** Taken, but the sender never hears of it. */
  | 'accept-hang'
  | 'accept-reset'

export interface SlackAttempt {
  /** Ms, Date.now, when the whole request had come. */
  readonly time: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Undefined if it was not JSON. */
  readonly payload: unknown
  /** What was done with it: the answer's body, or the fault. */
  readonly outcome: string
}

export interface SlackMessage {
  readonly time: number
  readonly payload: Readonly<Record<string, unknown>>
}

export interface SlackOptions {
  /** Default `/services/T0SANDBOX/B0SANDBOX/` and 24 letters. */
  readonly path?: string
  readonly port?: number
}

export interface Slack {
  /** The webhook. */
  readonly url: string
  /** What was accepted, in order. */
  readonly messages: readonly SlackMessage[]
  readonly attempts: readonly SlackAttempt[]
  /** Every breach of Slack's limits and of our own promises, in words. */
  readonly violations: readonly string[]
  /** Faults for the next requests, one each; `undefined` in it is a true answer. */
  readonly script: (SlackFault | undefined)[]
  /** What happens when the script is empty; a function is asked each time. */
  setMode(mode: SlackFault | undefined | ((payload: unknown) => SlackFault | undefined)): void
  /** Called after a message was accepted, before the answer. */
  onMessage(hook: ((message: SlackMessage) => void) | undefined): void
  close(): Promise<void>
}

/** Starts it on a free port of 127.0.0.1. */
export async function startSlack(options: SlackOptions = {}): Promise<Slack> {
  const path = options.path ?? '/services/T0SANDBOX/B0SANDBOX/notARealSecretButLongEnu'
  const messages: SlackMessage[] = []
  const attempts: SlackAttempt[] = []
  const violations: string[] = []
  const script: (SlackFault | undefined)[] = []
  let mode: SlackFault | undefined | ((payload: unknown) => SlackFault | undefined)
  let hook: ((message: SlackMessage) => void) | undefined

  const server = await listen(async (request, response) => {
    const payload = parse(await readBody(request))
    const time = Date.now()
    const note = (outcome: string) => void attempts.push({ time, path: request.url ?? '', headers: flatHeaders(request), payload, outcome })
    const say = (status: number, body: string, headers: Readonly<Record<string, string>> = {}) => {
      note(body)
      response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(body)
    }
    // `doctor` knocks without posting.
    if (request.method !== 'POST') {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok')
      return
    }
    const fault = script.length > 0 ? script.shift() : typeof mode === 'function' ? mode(payload) : mode
    if (typeof fault === 'object' && 'status' in fault) return say(fault.status, fault.body ?? 'error', fault.headers)
    if (typeof fault === 'object') await new Promise((resolve) => setTimeout(resolve, fault.slow))
    if (fault === 'hang') return note('hang')
    if (fault === 'reset') {
      note('reset')
      return reset(response)
    }
    if (request.url !== path) return say(404, 'no_service')
    const verdict = judge(payload)
    violations.push(...verdict.violations)
    if (verdict.refused !== undefined || !isObject(payload))
      return say(verdict.refused?.endsWith('too_long') === true ? 413 : 400, verdict.refused ?? 'invalid_payload')
    const message = { time, payload }
    messages.push(message)
    hook?.(message)
    if (fault === 'accept-hang') return note('accept-hang')
    if (fault === 'accept-reset') {
      note('accept-reset')
      return reset(response)
    }
    say(200, 'ok')
  }, options.port)

  return {
    url: `${server.origin}${path}`,
    messages,
    attempts,
    violations,
    script,
    setMode(next) {
      mode = next
    },
    onMessage(next) {
      hook = next
    },
    close: () => server.close(),
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
