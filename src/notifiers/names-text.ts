// The names of a certificate for a person's eyes: harmless, the matched ones first, and as many as there is room for.
import { isIP } from 'node:net'
import { domainToUnicode } from 'node:url'
import type { CertificateAlert } from '../watch/alert.ts'
import { printable } from '../watch/printable.ts'
import { grouped, plural } from '../watch/words.ts'

const NAME = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i
/** A legal name has 253 characters; the rest is room for escapes. */
const NAME_LENGTH = 300

/** A name of a certificate: as it is if it is one, in quotes if it is something else; `xn--` forms with what they look like behind. */
export function nameText(name: string, max = NAME_LENGTH): string {
  if (isIP(name) !== 0 && !name.includes('%')) return name
  if (!NAME.test(name)) return `"${inert(name, Math.max(1, max - 2)).replaceAll('"', "'")}"`
  const shown = inert(name, max)
  if (shown !== name || !/(?:^|\.)xn--/i.test(name)) return shown
  const decoded = inert(domainToUnicode(name.replace(/^\*\./, '')), max)
  const adds = decoded !== '' && !name.toLowerCase().endsWith(decoded) && shown.length + decoded.length + 3 <= max
  return adds ? `${shown} (${decoded})` : shown
}

/**
 * Printable, and without `<` and `>`: no sink can then take it for markup, a mention or a link, whatever it decodes.
 * They are shown as `\u{3c}` and `\u{3e}`, as the invisible ones are.
 */
export function inert(text: string, max = 300): string {
  const shown = printable(text, max)
    .replaceAll('<', String.raw`\u{3c}`)
    .replaceAll('>', String.raw`\u{3e}`)
  return cut(shown, max)
}

/** At most `max` characters of a text that is harmless already, the last one `…` if there were more; never half an escape or half a character. */
export function cut(shown: string, max: number): string {
  if (shown.length <= max) return shown.replace(/[\ud800-\udbff](?=…$)/, '')
  return `${shown.slice(0, Math.max(0, max - 1)).replace(/[\ud800-\udbff]$|\\u?\{?[0-9a-f]*$/, '')}…`
}

/** The matched names, each once, in order; a certificate that matched by address, or by the API alone, gives what it has. */
export function matchedNames(alert: CertificateAlert): readonly string[] {
  const matched = [...new Set(alert.matched.map((m) => m.name))].filter((n) => n !== '')
  if (matched.length > 0) return matched
  return [...alert.names, ...alert.ip_addresses].filter((n) => n !== '').slice(0, 1)
}

/** How many names match, those included that an alert of bounded size leaves out. */
export function matchedCount(alert: CertificateAlert): number {
  const leftOut = alert.matched_count === undefined ? 0 : Math.max(0, alert.matched_count - alert.matched.length)
  return matchedNames(alert).length + leftOut
}

function otherCount(alert: CertificateAlert): number {
  const listed = otherNames(alert).length
  if (alert.names_count === undefined && alert.ip_addresses_count === undefined) return listed
  const all = (alert.names_count ?? alert.names.length) + (alert.ip_addresses_count ?? alert.ip_addresses.length)
  return Math.max(listed, all - matchedCount(alert))
}

/** The names that are in it besides. */
function otherNames(alert: CertificateAlert): readonly string[] {
  const matched = new Set(matchedNames(alert))
  return [...new Set([...alert.names, ...alert.ip_addresses])].filter((n) => n !== '' && !matched.has(n))
}

/** Shows a name in at most about `max` characters. */
export type ShowName = (name: string, max: number) => string

/** The first of some names, shown, that fit `budget` characters with a comma between; one at least if there is one. */
export function fitNames(names: readonly string[], budget: number, show: ShowName = nameText): readonly string[] {
  const shown: string[] = []
  let left = budget
  for (const name of names) {
    const next = show(name, shown.length === 0 ? Math.min(NAME_LENGTH, Math.max(20, left)) : NAME_LENGTH)
    if (shown.length > 0 && next.length + 2 > left) break
    shown.push(next)
    left -= next.length + 2
  }
  return shown
}

/** The first matched names that fit about `budget` characters, one at least, and how many more there are: `a, b +3 more that match +97 others`. */
export function namesText(alert: CertificateAlert, budget: number, show: ShowName = nameText): string {
  const matched = matchedNames(alert)
  const shown = fitNames(matched, budget - moreText(alert, 0).length, show)
  return `${shown.length === 0 ? 'no name' : shown.join(', ')}${moreText(alert, shown.length)}`
}

/** How many names there are besides the first `shown` matched ones: ` +3 more that match +97 others`, with the space before; empty if none. */
export function moreText(alert: CertificateAlert, shown: number): string {
  const hidden = matchedCount(alert) - shown
  const others = otherCount(alert)
  return (hidden > 0 ? ` +${grouped(hidden)} more that match` : '') + (others > 0 ? ` +${plural(others, 'other')}` : '')
}

/** To stand behind moreText: the first few of the names that nobody watches, for whose else it is tells much. `: a, b`, or `, among them a, b`. */
export function amongOthers(alert: CertificateAlert): string {
  const others = otherNames(alert)
  const shown: string[] = []
  let left = 300
  for (const name of others.slice(0, 8)) {
    const next = nameText(name, 120)
    left -= next.length + 2
    if (left < 0) break
    shown.push(next)
  }
  if (shown.length === 0) return ''
  return `${shown.length < otherCount(alert) ? ', among them' : ':'} ${shown.join(', ')}`
}
