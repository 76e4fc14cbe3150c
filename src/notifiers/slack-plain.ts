// The top-level `text`: one line for a notification, or a whole message for a Slack that refuses our blocks. It is mrkdwn, the one place where Slack parses.
import type { Alert, CertificateAlert } from '../watch/alert.ts'
import { grouped, listed, plural } from '../watch/words.ts'
import { alike, clip, code, mrkdwn } from './slack-text.ts'
import { inert, matchedCount, matchedNames, nameText, namesText } from './names-text.ts'
import { body, headline } from './alert-sentences.ts'
import {
  crtShUrl,
  datedText,
  dayText,
  formText,
  issuerText,
  itemsOf,
  keyText,
  lifetimeText,
  loggedText,
  reasons,
  serialText,
  sourceText,
} from './alert-words.ts'

/** Slack advises 4,000 at most. */
const TEXT = 3900
const LINE = 1000

/** The whole point in one line of at most 1,000 characters. */
export function onLine(certificates: readonly CertificateAlert[], others: readonly Exclude<Alert, CertificateAlert>[], now: Date): string {
  const said = others.slice(0, 3).map((alert) => mrkdwn(`${headline(alert)}: ${body(alert, now, 400)}`))
  if (others.length > 3) said.push(`and ${plural(others.length - 3, 'more alert')}`)
  if (certificates.length > 0) said.unshift(certificateLine(certificates))
  return clip(said.join(' · '), LINE)
}

function certificateLine(certificates: readonly CertificateAlert[]): string {
  const firsts = alike(certificates.slice(0, 3).map((a) => nameText(matchedNames(a)[0] ?? 'no name', 260)))
  const [only] = certificates
  if (only !== undefined && certificates.length === 1) {
    const more = matchedCount(only) - 1
    return `New certificate for ${firsts[0]}${more > 0 ? ` and ${plural(more, 'more name')}` : ''} from ${mrkdwn(issuerText(only.issuer))}`
  }
  const rest = certificates.length - firsts.length
  return `${plural(certificates.length, 'new certificate')} on ${itemsLine(certificates)}: ${firsts.join(', ')}${rest > 0 ? ` and ${grouped(rest)} more` : ''}`
}

function itemsLine(certificates: readonly CertificateAlert[]): string {
  return listed(alike(itemsOf(certificates)))
}

/** Everything that matters in lines of text, at most 3,900 characters with `first` before it. */
export function inFull(
  first: string,
  certificates: readonly CertificateAlert[],
  others: readonly Exclude<Alert, CertificateAlert>[],
  now: Date,
): string {
  const said = first === '' ? [] : [first]
  let left = TEXT - first.length
  const say = (line: string) => {
    if (line.length + 1 > left) return false
    said.push(line)
    left -= line.length + 1
    return true
  }
  for (const [i, alert] of others.entries()) {
    const cap = others.length === 1 ? 2000 : 250
    if (!say(`${mrkdwn(headline(alert))}\n${clip(mrkdwn(body(alert, now, cap)), 3000)}`)) {
      say(`and ${plural(others.length - i, 'more alert')}`)
      break
    }
  }
  const [only] = certificates
  if (only !== undefined && certificates.length === 1) whole(only, now, left).every(say)
  else if (only !== undefined) {
    say(`${plural(certificates.length, 'new certificate')} on ${itemsLine(certificates)}`)
    for (const [i, alert] of certificates.entries()) {
      if (!say(item(alert, now, Math.floor((left - 40) / (certificates.length - i))))) {
        say(`and ${plural(certificates.length - i, 'more certificate')}`)
        break
      }
    }
  }
  return said.join('\n')
}

function whole(alert: CertificateAlert, now: Date, budget: number): readonly string[] {
  const [why, ...also] = reasons(alert, 200)
  const lifetime = lifetimeText(alert)
  const dated = datedText(alert, now)
  const facts = [
    keyText(alert.key),
    serialText(alert.serial) === undefined ? undefined : `serial ${serialText(alert.serial)}`,
    sourceText(alert.source),
    formText(alert),
  ]
  const rest = [
    mrkdwn(
      `${issuerText(alert.issuer)} issued it${dated === undefined ? '' : `, ${dated}`}. Valid ${dayText(alert.not_before)} to ${dayText(alert.not_after)}${lifetime === undefined ? '' : `, ${lifetime}`}.${alert.revoked === true ? ' It is revoked already.' : ''}`,
    ),
    mrkdwn(facts.filter((x) => x !== undefined).join(' · ')),
    ...(why === undefined ? [] : [mrkdwn(`Why: ${why}`)]),
    ...also.slice(0, 2).map((reason) => mrkdwn(`Also: ${reason}`)),
    crtShUrl(alert) ?? '',
  ].filter((line) => line !== '')
  const used = rest.reduce((sum, line) => sum + line.length + 1, 0)
  return [`New certificate: ${names(alert, budget - used - 40)}`, ...rest]
}

/** A line of about `budget` characters. */
function item(alert: CertificateAlert, now: Date, budget: number): string {
  const serial = serialText(alert.serial)
  const end = `: ${mrkdwn([issuerText(alert.issuer, 40), lifetimeText(alert), serial === undefined ? undefined : `serial ${inert(serial, 42)}`, loggedText(alert, now)].filter((x) => x !== undefined).join(', '))}`
  return `• ${names(alert, budget - end.length - 4)}${end}`
}

function names(alert: CertificateAlert, budget: number): string {
  return namesText(alert, budget, (name, max) => {
    const whole = code(nameText(name, Math.max(18, max - 2)))
    // An ampersand takes five characters: a name of nothing else must not push out the others.
    return whole.length <= max ? whole : code(nameText(name, Math.max(3, Math.floor((max - 2) / 5))))
  })
}
