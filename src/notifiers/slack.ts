// Slack's incoming webhook. A refusal is told by the text of the answer, not by its status; each text has its consequence.
import { setTimeout as sleep } from 'node:timers/promises'
import { NetworkError, type Http, type HttpResponse } from '../http.ts'
import { printable } from '../watch/printable.ts'
import { parseRetryAfter } from '../watch/retry.ts'
import { cut } from './names-text.ts'
import type { Notifier, Outcome } from './notifier.ts'
import { redactor } from './redact.ts'
import { composeSlack } from './slack-message.ts'

export interface SlackOptions {
  /** The sink's name, for its queue. */
  readonly name: string
  /** The webhook; a secret. */
  readonly url: string
  readonly http: Http
  /** Ms; default 10 s. */
  readonly timeoutMs?: number
  readonly userAgent: string
  /** Waits; a test's own returns at once. */
  readonly pause?: (ms: number) => Promise<void>
}

/** Slack takes a message a second for each webhook. */
const SPACING = 1000
/** Slack's answer to one request has no more than a word. */
const MAX_ANSWER_BYTES = 65_536
const ANSWER = 200
const WITHOUT_RETRY_AFTER = 30_000
const SOON = 5000

/** It refuses this form of the message; another may pass. */
const REFUSED = new Set([
  'invalid_payload',
  'invalid_blocks',
  'invalid_blocks_format',
  'invalid_attachments',
  'no_text',
  'too_many_attachments',
  'msg_blocks_too_long',
  'msg_too_long',
  'user_not_found',
])

/** The webhook, its channel or its workspace is gone: no message will pass before someone acts. */
const DEAD = new Set([
  'invalid_token',
  'invalid_auth',
  'token_revoked',
  'account_inactive',
  'action_prohibited',
  'posting_to_general_channel_denied',
  'channel_not_found',
  'channel_is_archived',
  'is_archived',
  'no_service',
  'no_service_id',
  'no_active_hooks',
  'no_team',
  'team_disabled',
  'team_not_found',
])

type Verdict = Outcome | { readonly kind: 'refused'; readonly answer: string }

/** A Slack webhook as a sink. One `send` is one request, or two a second apart where Slack refuses the blocks. */
export function createSlack(options: SlackOptions): Notifier {
  const { name, url, http, userAgent, timeoutMs = 10_000 } = options
  const pause = options.pause ?? (async (ms) => sleep(ms))
  const redact = redactor(url)
  // Redacted before it is cut or escaped, either of which could leave half a secret unrecognised; and once more after, when escapes are gone.
  const safe = (text: string) => cut(printable(redact(printable(redact(text.slice(0, 10_000)), 4 * ANSWER)), ANSWER), ANSWER)

  const post = async (payload: unknown, now: () => Date): Promise<Verdict> => {
    try {
      const response = await http({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': userAgent },
        body: JSON.stringify(payload),
        timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
      })
      return judge(response, now(), safe)
    } catch (error) {
      if (error instanceof NetworkError) return { kind: 'retry', answer: safe(`no answer (${error.code}): ${error.message}`) }
      // Whatever else a port throws, the message is not lost by it.
      return { kind: 'retry', answer: safe(`no answer: ${error instanceof Error ? error.message : 'unknown error'}`) }
    }
  }

  return {
    name,
    batch: 10,
    spacingMs: SPACING,
    compose: composeSlack,
    async send(composed, now) {
      const forms = parseForms(composed)
      if (forms === undefined) return { kind: 'parked', answer: 'the stored message cannot be read' }
      const first = await post(forms.full, now)
      if (first.kind !== 'refused') return first
      await pause(SPACING)
      const second = await post(forms.plain, now)
      return second.kind === 'refused' ? { kind: 'parked', answer: second.answer } : second
    },
  }
}

function judge(response: HttpResponse, now: Date, safe: (text: string) => string): Verdict {
  const { status, headers } = response
  const body = response.body.toString('utf8').trim()
  if (status === 200 && body === 'ok') return { kind: 'delivered', answer: 'ok' }
  const answer = safe(status === 200 ? (body === '' ? 'an empty answer' : body) : `${status} ${body}`.trim())
  const word = errorWord(body)
  const told = parseRetryAfter(headers['retry-after'], now)
  // A time that is over already says nothing: its clock differs from ours, or it means "at once", which would be for ever.
  const at = told !== undefined && told > now ? told : undefined
  const retry: Outcome = at === undefined ? { kind: 'retry', answer } : { kind: 'retry', answer, at }
  if (status === 429)
    return { kind: 'retry', answer, at: at ?? new Date(now.getTime() + (told === undefined ? WITHOUT_RETRY_AFTER : SOON)), limited: true }
  if (REFUSED.has(word)) return { kind: 'refused', answer }
  if (DEAD.has(word)) return { kind: 'dead', answer }
  // `rollup_error` and whatever a gateway or a portal says in between. Redirects are not followed: they would hand the message to someone else.
  if (word === 'rollup_error' || status < 400 || status >= 500 || status === 408 || status === 425) return retry
  if (status === 401 || status === 403 || status === 404 || status === 410) return { kind: 'dead', answer }
  return { kind: 'refused', answer }
}

/** The error's name: the whole body, or `error` of a JSON object; empty if neither is a word. */
function errorWord(body: string): string {
  const text = /^\{[^]{0,500}?"error"\s*:\s*"(\w{1,60})"/.exec(body)?.[1] ?? body
  return /^\w{1,60}$/.test(text) ? text : ''
}

function parseForms(composed: string): { readonly full: unknown; readonly plain: unknown } | undefined {
  try {
    const forms: unknown = JSON.parse(composed)
    if (forms !== null && typeof forms === 'object' && 'full' in forms && 'plain' in forms) return { full: forms.full, plain: forms.plain }
  } catch {
    // Said by the caller.
  }
  return undefined
}
