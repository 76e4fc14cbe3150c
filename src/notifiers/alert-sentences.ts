// What happened, as a title, and what to say about it, for every kind of alert and every sink.
import type { Alert, CertificateAlert, RecoveredAlert, TroubleAlert } from '../watch/alert.ts'
import { ago, grouped, listed, plural, span } from '../watch/words.ts'
import { sourceText } from './alert-words.ts'
import { inert, matchedNames, nameText } from './names-text.ts'

/** What happened, in one line, as a title. */
export function headline(alert: Alert): string {
  switch (alert.kind) {
    case 'certificate': {
      const [first] = matchedNames(alert)
      return `New certificate: ${first === undefined ? 'no name in it' : nameText(first)}`
    }
    case 'inventory':
      return `Now watching ${inert(alert.item, 260)}`
    case 'malformed':
      if ('entries' in alert)
        return `${plural(alert.count, 'entry', 'entries')} of ${inert(alert.source.log, 100)} cannot be read, and may be for any name`
      return 'An entry of the Cert Spotter API cannot be read, and may be for any name'
    case 'log-misbehaviour':
      return `A log misbehaves: ${inert(alert.log, 150)}`
    case 'trouble':
      return troubleTitle(inert(alert.component, 260), itemsOf(alert))
    case 'recovered':
      return recoveredTitle(inert(alert.component, 260), itemsOf(alert))
    case 'test':
  }
  return 'Test: Certbell reaches you here'
}

function troubleTitle(component: string, items: string): string {
  if (component === 'certspotter') return 'Certbell cannot use the Cert Spotter API'
  if (component === 'certspotter/overdue') return 'Certbell is late: names are not looked at'
  if (component === 'certspotter/tbs') return 'The Cert Spotter API and a certificate that it sent do not agree'
  if (items !== '') return `Certbell cannot see ${items}`
  if (component.startsWith('sink:')) return `Alerts do not all reach ${subject(component)}`
  if (component === 'state') return 'Certbell cannot keep its state'
  if (component.startsWith('log:')) return `Certbell does not see all of ${subject(component)}`
  if (component.startsWith('log-list:')) return `A log list needs a look: ${subject(component)}`
  return `Certbell has a trouble: ${component}`
}

function recoveredTitle(component: string, items: string): string {
  if (component === 'certspotter') return 'The Cert Spotter API answers again'
  if (component === 'certspotter/overdue') return 'Every watched name is looked at again'
  if (items !== '') return `Certbell sees ${items} again`
  if (component.startsWith('sink:')) return `Alerts reach ${subject(component)} again`
  if (component === 'state') return 'Certbell keeps its state again'
  if (component.startsWith('log:')) return `${subject(component)} is no trouble any more`
  if (component.startsWith('log-list:')) return `The log list ${subject(component)} is well again`
  return `Well again: ${component}`
}

// `sink:slack/message` is of a sink: the reader wants the thing itself.
function subject(component: string): string {
  const name = component.slice(component.indexOf(':') + 1)
  // A log list may be a path.
  return component.startsWith('log') ? name : name.replace(/\/.*$/, '')
}

// `=login.example.com` is of one name alone, which is all that matters here.
function itemsOf({ items = [] }: TroubleAlert | RecoveredAlert): string {
  return listed(items.map((item) => inert(item.replace(/^=/, ''), 80)))
}

/** What there is to say below the title of an alert that is not of a certificate, in sentences. */
export function body(alert: Exclude<Alert, CertificateAlert>, now: Date, max = 1500): string {
  switch (alert.kind) {
    case 'inventory':
      return inventoryText(alert, now)
    case 'malformed':
      if ('entries' in alert) return `${inert(alert.why, max)}. The first is entry ${grouped(alert.source.index)}; reading went on.`
      return `${inert(alert.why, max)}. It is ${sourceText(alert.source)}; the rest of the page was read.`.replace(/([.…])\. It is/, '$1 It is')
    case 'log-misbehaviour':
      // With room for the names of the files.
      return `${sentence(inert(alert.message, max > 1000 ? max - 450 : max))} Other logs are read on.${alert.evidence.length === 0 ? '' : ` Kept as evidence: ${inert(alert.evidence.join(', '), 400)}.`}`
    case 'trouble':
      return `${troubleText(inert(alert.message, max), inert(alert.component, 260))}${since(alert.since, now)}`
    case 'recovered':
      return afterTitle(headline(alert), inert(alert.message, max))
    case 'test':
  }
  return `${inert(alert.message, max)} This is a test: no certificate was issued.`.trim()
}

// The message may begin as the title does; nothing is said twice.
function afterTitle(title: string, message: string): string {
  if (!message.startsWith(title)) return message
  const rest = message.slice(title.length).replace(/^[\s,.:]+/, '')
  return rest.charAt(0).toUpperCase() + rest.slice(1)
}

function sentence(text: string): string {
  return ended(`${text.charAt(0).toUpperCase()}${text.slice(1)}`)
}

function ended(text: string): string {
  return text.replace(/(?<![.!?…])$/, '.')
}

// A message may begin with the name of a sink or an item, which keep their letters; of a log the title has the name already.
function troubleText(message: string, component: string): string {
  const name = `${subject(component)}: `
  return component.startsWith('log:') && message.startsWith(name) ? sentence(message.slice(name.length)) : ended(message)
}

function since(time: string, now: Date): string {
  const ms = now.getTime() - Date.parse(time)
  return ms >= 60_000 ? ` It began ${span(ms)} ago.` : ''
}

function inventoryText(alert: Extract<Alert, { kind: 'inventory' }>, now: Date): string {
  const end = 'From now on a new one rings here.'
  if (alert.count <= 0) return `There is no unexpired certificate for it yet. ${end}`
  const issuers = alert.issuers.map((issuer, i) => {
    const n = alert.issuer_counts[i]
    return `${issuer.trim() === '' ? 'unnamed' : inert(issuer, 80)}${n === undefined ? '' : ` ${grouped(n)}`}`
  })
  const from = issuers.length === 0 ? '' : `: ${listed(issuers, 8)}`
  const newest = alert.newest === undefined || Number.isNaN(Date.parse(alert.newest)) ? '' : ` The newest is ${datedFrom(alert.newest, now)}.`
  return `${plural(alert.count, 'unexpired certificate')} for ${plural(alert.hostnames, 'hostname')}${from}.${newest} ${end}`
}

function datedFrom(time: string, now: Date): string {
  return `dated ${ago(Date.parse(time), now.getTime())}`
}
