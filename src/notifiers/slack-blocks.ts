// Block Kit, as much of it as we use: plain_text and typed rich text, in which Slack parses nothing. Limits of apis.md 3.3 are kept by construction.
import type { HeaderBlock, KnownBlock, RichTextBlock, RichTextElement, RichTextSection } from '@slack/types'
import { cut } from './names-text.ts'

export type Block = KnownBlock
export type Part = RichTextElement

/** No text object of Slack's may hold more; we keep below. */
const TEXT = 2900
const HEADER = 150
/** Dates that every client can show: 1970 to 9999. */
const LAST_TIMESTAMP = 253_402_300_799

/** A title of 1 to 150 characters. */
export function header(inert: string): HeaderBlock {
  return { type: 'header', text: { type: 'plain_text', text: inert === '' ? 'Certbell' : cut(inert, HEADER), emoji: false } }
}

/** Typed text, cut into pieces that fit; none if it is empty, since Slack refuses empty ones. */
export function text(inert: string, style?: { readonly bold?: boolean }): readonly Part[] {
  const parts: Part[] = []
  for (let rest = inert; rest !== '';) {
    // Between words if there is one: a name must not fall apart.
    const space = rest.length > TEXT ? rest.lastIndexOf(' ', TEXT - 1) + 1 : rest.length
    // A name is never that long, so what falls apart here is no name; half a character must not stand at an end.
    const length = space > 0 ? space : /[\ud800-\udbff]$/.test(rest.slice(0, TEXT)) ? TEXT - 1 : TEXT
    parts.push({ type: 'text', text: rest.slice(0, length), ...(style?.bold === true && { style: { bold: true } }) })
    rest = rest.slice(length)
  }
  return parts
}

/** A link to an address that we built ourselves. */
export function link(url: string, label: string): Part {
  return { type: 'link', url, text: label }
}

/** A time shown in the reader's zone; what is no time that Slack can show is shown as the fallback. */
export function date(time: string, format: string, fallback: string): readonly Part[] {
  const seconds = Math.floor(Date.parse(time) / 1000)
  if (!(seconds >= 0 && seconds <= LAST_TIMESTAMP)) return text(fallback)
  return [{ type: 'date', timestamp: seconds, format, fallback: fallback === '' ? time.slice(0, 20) : fallback }]
}

/** One paragraph of parts; undefined if there are none. */
export function paragraph(parts: readonly Part[]): RichTextBlock | undefined {
  if (parts.length === 0) return undefined
  const section: RichTextSection = { type: 'rich_text_section', elements: [...parts] }
  return { type: 'rich_text', elements: [section] }
}

/** Lines of parts as one paragraph; empty ones are left out. */
export function lines(all: readonly (readonly Part[])[]): readonly Part[] {
  return all.filter((l) => l.length > 0).flatMap((l, i) => (i === 0 ? l : [...text('\n'), ...l]))
}

/** What parts weigh on Slack's limit for the sum of all text. Addresses and fallbacks are counted too: whether Slack does is not documented. */
export function weight(parts: readonly Part[]): number {
  let sum = 0
  for (const part of parts) {
    if ('text' in part) sum += part.text?.length ?? 0
    if (part.type === 'link') sum += part.url.length
    if (part.type === 'date') sum += part.format.length + (part.fallback?.length ?? 0)
  }
  return sum
}
