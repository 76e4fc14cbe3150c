// An alert as a person at a terminal reads it: the name first, then what and who, details indented below.
import { styleText } from 'node:util'
import type { Alert, CertificateAlert } from '../watch/alert.ts'
import { amongOthers, fitNames, inert, matchedNames, moreText, nameText } from './names-text.ts'
import { body, headline } from './alert-sentences.ts'
import { crtShUrl, dayText, formText, issuerText, keyText, lifetimeText, loggedText, reasons, serialText, sourceText } from './alert-words.ts'

export interface PrettyOptions {
  readonly color: boolean
  /** IANA name, such as `Europe/Berlin`; the system's own if absent. */
  readonly timezone?: string
}

type Style = Parameters<typeof styleText>[0]

const INDENT = ' '.repeat(10)
/** Names below the first line; a terminal scrolls, and `--json` has them all. */
const NAMES = 600

/** Lines without a line break at the end. Nothing in them moves the cursor but our own colours. `now` is when they are shown. */
export function prettyAlert(alert: Alert, now: Date, options: PrettyOptions): readonly string[] {
  const paint = (style: Style, text: string) => (options.color ? styleText(style, text, { validateStream: false }) : text)
  const time = clock(alert.seen_at, options.timezone)
  if (alert.kind === 'certificate') return certificate(alert, now, time, options, paint)
  const style: Style =
    alert.kind === 'trouble' || alert.kind === 'malformed' || alert.kind === 'log-misbehaviour'
      ? ['bold', 'red']
      : alert.kind === 'recovered'
        ? ['bold', 'green']
        : 'bold'
  const [, ...also] = reasons(alert)
  return [`${paint('dim', time)}  ${paint(style, inert(headline(alert), 400))}`, ...[body(alert, now), ...also].map((line) => INDENT + line)]
}

function certificate(
  alert: CertificateAlert,
  now: Date,
  time: string,
  options: PrettyOptions,
  paint: (style: Style, text: string) => string,
): readonly string[] {
  const matched = matchedNames(alert)
  const first = matched[0] === undefined ? 'no name' : nameText(matched[0])
  const happened = ['new certificate', issuerText(alert.issuer), lifetimeText(alert)].filter((x) => x !== undefined).join(' · ')
  const serial = serialText(alert.serial)
  const facts = [
    `valid ${dayText(alert.not_before, options.timezone)} → ${dayText(alert.not_after, options.timezone)}`,
    keyText(alert.key),
    serial === undefined ? undefined : `serial ${serial}`,
    sourceText(alert.source),
    formText(alert),
    loggedText(alert, now),
  ]
  const url = crtShUrl(alert)
  const second = fitNames(matched.slice(1), NAMES)
  const more = `${second.join(', ')}${moreText(alert, Math.min(1, matched.length) + second.length)}${amongOthers(alert)}`.trim()
  return [
    `${paint('dim', time)}  ${paint('bold', first.padEnd(20))}  ${happened}${alert.revoked === true ? ` · ${paint('red', 'revoked')}` : ''}`,
    ...(more === '' ? [] : [INDENT + more]),
    INDENT + facts.filter((x) => x !== undefined).join(' · '),
    ...reasons(alert).map((reason, i) => INDENT + (alert.severity === 'info' || i > 0 ? reason : paint('yellow', `${alert.severity}: ${reason}`))),
    ...(url === undefined ? [] : [INDENT + paint('dim', url)]),
  ]
}

function clock(time: string, timeZone: string | undefined): string {
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return '--:--:--'
  return new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    ...(timeZone !== undefined && { timeZone }),
  }).format(at)
}
