// Certificates as Block Kit: one in full, or up to ten with a paragraph each, the room for names shared fairly between them.
import type { CertificateAlert } from '../watch/alert.ts'
import { grouped, listed, plural } from '../watch/words.ts'
import { date, header, lines, link, paragraph, text, weight, type Block, type Part } from './slack-blocks.ts'
import { amongOthers, fitNames, inert, matchedCount, matchedNames, moreText, namesText } from './names-text.ts'
import { headline } from './alert-sentences.ts'
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
  revokeText,
  serialText,
  sourceText,
} from './alert-words.ts'

/** A message is meant to hold ten; the layout takes more, shorter, and says what it leaves out. */
const DETAILED = 10
const SHOWN = 40
/** Ten in detail with a name of 253 characters each need nearly all that a message holds. */
const ROOMY = 11_000
/** Of the names that stand before all else. */
const FIRST_NAMES = 600

/** Blocks whose text weighs at most `budget` characters (of 4,000 or more), at most 43 of them. */
export function certificateBlocks(alerts: readonly CertificateAlert[], now: Date, budget: number): readonly Block[] {
  const [only] = alerts
  if (only === undefined) return []
  return alerts.length === 1 ? one(only, now, budget) : several(alerts, now, budget)
}

function one(alert: CertificateAlert, now: Date, budget: number): readonly Block[] {
  const title = header(headline(alert))
  const also = reasons(alert).slice(1)
  const key = [keyText(alert.key), serial(alert)].filter((x) => x !== undefined).join(' · ')
  const revoke = revokeText(alert)
  const rest = [
    sentence(alert, now),
    [...label('Valid'), ...validity(alert)],
    key === '' ? [] : [...label('Key'), ...text(key)],
    whyLine(alert, 300),
    ...also.slice(0, 4).map((reason) => [...label('Also'), ...text(reason)]),
    revoke === undefined ? [] : [...label('Not yours?'), ...text(`The CA says: ${revoke}`)],
    where(alert),
  ]
  // The first names stand first. A long list of them would hide what else there is to say behind "see more", so it comes last.
  const matched = matchedNames(alert)
  const first = fitNames(matched, FIRST_NAMES)
  const names = [...label('Names'), ...text((first.join(', ') || 'none') + moreText(alert, first.length) + amongOthers(alert))]
  const left = budget - title.text.text.length - [names, ...rest].reduce((sum, line) => sum + weight(line) + 1, 0) - 60
  return present([
    title,
    paragraph(lines([names, ...rest])),
    paragraph(moreNames(matched.slice(first.length), matchedCount(alert) - first.length, left)),
  ])
}

/** The matched names for which there was no room at the beginning, `count` with those that the alert leaves out. */
function moreNames(waiting: readonly string[], count: number, budget: number): readonly Part[] {
  const shown = fitNames(waiting, budget)
  if (shown.length === 0) return []
  const hidden = count - shown.length
  return [...label('Also matching'), ...text(`${shown.join(', ')}${hidden > 0 ? ` and ${grouped(hidden)} more` : ''}`)]
}

function several(alerts: readonly CertificateAlert[], now: Date, budget: number): readonly Block[] {
  const shown = alerts.slice(0, SHOWN)
  const brief = alerts.length > DETAILED || budget < ROOMY
  // What all of them ring for is said once, at the end.
  const [first] = alerts
  const same = first !== undefined && alerts.every((a) => a.reason === first.reason && a.severity === first.severity)
  const why = same ? whyLine(first, 200) : []
  const title = header(`${plural(alerts.length, 'new certificate')} on ${listed(itemsOf(alerts))}`)
  const details = shown.map((alert) => (brief ? short(alert, now) : detail(alert, now, !same)))
  const end = lines([why, alerts.length > SHOWN ? text(`and ${plural(alerts.length - SHOWN, 'more certificate')}: certbell alerts lists them`) : []])
  const fixed = title.text.text.length + weight(end) + details.reduce((sum, d) => sum + weight(d) + 1, 0)
  const shares = share(
    shown.map((alert) => namesText(alert, Number.POSITIVE_INFINITY).length + 40),
    budget - fixed,
  )
  const paragraphs = shown.map((alert, i) => paragraph(lines([text(namesText(alert, shares[i] ?? 0), { bold: true }), details[i] ?? []])))
  return present([title, ...paragraphs, paragraph(end)])
}

/** Gives each what it wants as long as that leaves the others an equal part. */
function share(wants: readonly number[], total: number): readonly number[] {
  const given = wants.map(() => 0)
  let left = total
  let waiting = wants.length
  for (const [i, want] of [...wants.entries()].sort((a, b) => a[1] - b[1])) {
    given[i] = Math.min(want, Math.floor(left / waiting))
    left -= given[i] ?? 0
    waiting--
  }
  return given
}

function label(word: string): readonly Part[] {
  return [...text(word, { bold: true }), ...text('  ')]
}

function sentence(alert: CertificateAlert, now: Date): readonly Part[] {
  const dated = datedText(alert, now)
  const issued = `${issuerText(alert.issuer)} issued it${dated === undefined ? '' : `, ${dated}`}.`
  return [...text(issued), ...(alert.revoked === true ? text(' It is revoked already.', { bold: true }) : [])]
}

function validity(alert: CertificateAlert): readonly Part[] {
  const day = (time: string) => date(time, '{date_short}', dayText(time))
  const lifetime = lifetimeText(alert)
  return [...day(alert.not_before), ...text(' → '), ...day(alert.not_after), ...text(lifetime === undefined ? '' : ` · ${lifetime}`)]
}

function serial(alert: CertificateAlert): string | undefined {
  const shown = serialText(alert.serial)
  return shown === undefined ? undefined : `serial ${shown}`
}

function crtSh(alert: CertificateAlert): readonly Part[] {
  const url = crtShUrl(alert)
  return url === undefined ? [] : [...text(' · '), link(url, 'crt.sh')]
}

function where(alert: CertificateAlert): readonly Part[] {
  const seen = [sourceText(alert.source), formText(alert)].filter((x) => x !== undefined).join(' · ')
  return [...label('Seen'), ...text(seen), ...crtSh(alert)]
}

/** One line for a certificate among others; at most 800 characters, so that ten leave room for a whole name each. */
function detail(alert: CertificateAlert, now: Date, withReason: boolean): readonly Part[] {
  const lifetime = lifetimeText(alert)
  const key = keyText(alert.key)
  const parts = [
    ...text(`${issuerText(alert.issuer, 60)} · ${lifetime === undefined ? '' : `${lifetime}, `}until `),
    ...date(alert.not_after, '{date_short}', dayText(alert.not_after)),
    ...text(
      [key === undefined ? undefined : inert(key, 50), serial(alert), sourceText(alert.source), formText(alert), loggedText(alert, now)]
        .map((x) => (x === undefined ? '' : ` · ${x}`))
        .join(''),
    ),
    ...crtSh(alert),
    ...(alert.revoked === true ? text(' · revoked', { bold: true }) : []),
  ]
  const also = reasons(alert, 120).slice(1, 3)
  return lines([parts, withReason ? whyLine(alert, 120) : [], ...also.map((reason) => [...label('Also'), ...text(reason)])])
}

/** The reason, with the severity as a word where it is more than news. */
function whyLine(alert: CertificateAlert, max: number): readonly Part[] {
  const [why = ''] = reasons(alert, max)
  return why === '' ? [] : [...label(alert.severity === 'info' ? 'Why' : `Why, ${alert.severity}`), ...text(why)]
}

function short(alert: CertificateAlert, now: Date): readonly Part[] {
  return text([issuerText(alert.issuer, 40), lifetimeText(alert), loggedText(alert, now)].filter((x) => x !== undefined).join(' · '))
}

function present(blocks: readonly (Block | undefined)[]): readonly Block[] {
  return blocks.filter((b) => b !== undefined)
}
