// The Slack message of some alerts, laid out once: pure, so that what is stored is what is sent, and a test can hold it against every limit.
import type { Alert, CertificateAlert } from '../watch/alert.ts'
import { plural, span } from '../watch/words.ts'
import type { LayoutContext } from './notifier.ts'
import { header, lines, paragraph, text, weight, type Block } from './slack-blocks.ts'
import { certificateBlocks } from './slack-certificates.ts'
import { inFull, onLine } from './slack-plain.ts'
import { body, headline } from './alert-sentences.ts'
import { reasons } from './alert-words.ts'

/** What is posted. Slack's servers must not fetch an attacker's site for a preview, so nothing unfurls. */
export interface SlackPayload {
  readonly text: string
  readonly blocks?: readonly Block[]
  readonly unfurl_links: false
  readonly unfurl_media: false
}

/** The two forms of one message: `plain` goes out where Slack refuses `full`. */
export interface SlackForms {
  readonly full: SlackPayload
  readonly plain: SlackPayload
}

/** The sum of all text in blocks: Slack refuses about 13,200, and we promise 12,000. */
const BUDGET = 11_900
/** Slack takes 50. */
const BLOCKS = 48

/** Alerts as JSON of SlackForms. Takes any number of any alerts; meant for up to ten certificates, or one of another kind. */
export function composeSlack(alerts: readonly Alert[], context: LayoutContext): string {
  const certificates = alerts.filter((a) => a.kind === 'certificate')
  const others = alerts.filter((a) => a.kind !== 'certificate')
  const outage = outageText(context)
  const first = outage === '' ? [] : [paragraph(text(outage))].filter((b) => b !== undefined)
  const before = otherBlocks(others, context.now, certificates.length > 0 ? 5500 : BUDGET - outage.length, certificates.length > 0 ? 4 : BLOCKS - 2)
  const left = BUDGET - outage.length - weigh(before)
  const blocks = [...first, ...before, ...certificateBlocks(certificates, context.now, left)]
  const line = onLine(certificates, others, context.now)
  const full: SlackPayload = {
    text: `${outage} ${line}`.trim() || 'Certbell has nothing to say',
    ...(blocks.length > 0 && { blocks }),
    unfurl_links: false,
    unfurl_media: false,
  }
  const plain: SlackPayload = { text: inFull(outage, certificates, others, context.now) || full.text, unfurl_links: false, unfurl_media: false }
  const forms: SlackForms = { full, plain }
  return JSON.stringify(forms)
}

function outageText(context: LayoutContext): string {
  const { outage, now } = context
  if (outage === undefined) return ''
  const follow = outage.waiting === 1 ? 'follows' : 'follow'
  return `Slack could not be reached for ${span(now.getTime() - outage.since.getTime())}. ${plural(outage.waiting, 'alert')} from that time ${follow}.`
}

/** Title and text for each, until room or blocks run out; then how many more there are. */
function otherBlocks(alerts: readonly Exclude<Alert, CertificateAlert>[], now: Date, budget: number, most: number): readonly Block[] {
  const blocks: Block[] = []
  let left = budget - 100
  for (const [i, alert] of alerts.entries()) {
    const next = otherBlock(alert, now, alerts.length === 1 ? 2500 : 500)
    left -= weigh(next)
    if (left < 0 || blocks.length + next.length > most) {
      const more = paragraph(text(`and ${plural(alerts.length - i, 'more alert')}: certbell alerts lists them`))
      if (more !== undefined) blocks.push(more)
      break
    }
    blocks.push(...next)
  }
  return blocks
}

function otherBlock(alert: Exclude<Alert, CertificateAlert>, now: Date, cap: number): readonly Block[] {
  // The message says what the first reason says; further ones are news.
  const also = reasons(alert, 200).slice(1, 4)
  const said = paragraph(lines([text(body(alert, now, cap)), ...also.map((reason) => text(`Also: ${reason}`))]))
  return said === undefined ? [header(headline(alert))] : [header(headline(alert)), said]
}

function weigh(blocks: readonly Block[]): number {
  let sum = 0
  for (const block of blocks) {
    if (block.type === 'header') sum += block.text.text.length
    if (block.type === 'rich_text') for (const element of block.elements) if (element.type === 'rich_text_section') sum += weight(element.elements)
  }
  return sum
}
