// A Slack message drawn in characters, about as Slack shows it: for `certbell demo` and the README.
import { printable } from '../watch/printable.ts'

const WIDTH = 100

/** A payload (an object of unknown origin, or its JSON) as lines, each after `┃ `; long ones are wrapped between words. Without blocks its `text` is drawn. */
export function renderSlack(payload: unknown): string {
  const message = typeof payload === 'string' ? parse(payload) : payload
  if (!isObject(message)) return '┃ (no message)'
  const blocks = Array.isArray(message['blocks']) ? message['blocks'] : []
  const drawn = blocks.map(drawBlock).filter((text) => text !== '')
  if (drawn.length === 0) drawn.push(unescape(stringOf(message['text'])))
  const out: string[] = []
  for (const [i, text] of drawn.entries()) {
    // Slack sets paragraphs apart, but not a title from what it is of.
    if (i > 0 && !isHeader(blocks[i - 1])) out.push('')
    out.push(...text.split('\n').flatMap(wrap))
  }
  return out.map((line) => `┃ ${line}`.trimEnd()).join('\n')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function drawBlock(block: unknown): string {
  if (!isObject(block)) return ''
  if (block['type'] === 'divider') return '────────'
  const own = isObject(block['text']) ? draw(block['text']) : ''
  const inner = [...elementsOf(block['fields']), ...elementsOf(block['elements'])].map(draw).filter((text) => text !== '')
  return [own, inner.join(block['type'] === 'context' ? '  ' : '\n')].filter((text) => text !== '').join('\n')
}

function draw(element: unknown): string {
  if (!isObject(element)) return ''
  switch (element['type']) {
    case 'mrkdwn':
      return unescape(stringOf(element['text']))
    case 'date':
      return clean(stringOf(element['fallback']))
    case 'emoji':
      return `:${clean(stringOf(element['name']))}:`
    case 'link':
      return clean(stringOf(element['text']) || stringOf(element['url']))
    case 'button':
      return `[ ${draw(element['text'])} ]`
    case 'rich_text_section':
    case 'rich_text_quote':
    case 'rich_text_preformatted':
      return elementsOf(element['elements']).map(draw).join('')
    case 'rich_text_list':
      return elementsOf(element['elements'])
        .map((item) => `• ${draw(item)}`)
        .join('\n')
    default:
      return clean(stringOf(element['text']))
  }
}

// It goes to a terminal, so what moves a cursor is made visible once more; line breaks are ours.
function clean(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line, 20_000))
    .join('\n')
}

function unescape(text: string): string {
  return clean(text).replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

function wrap(line: string): readonly string[] {
  const out: string[] = []
  let rest = line
  while (rest.length > WIDTH) {
    const space = rest.lastIndexOf(' ', WIDTH)
    if (space <= 0) break
    out.push(rest.slice(0, space))
    rest = rest.slice(space + 1)
  }
  out.push(rest)
  return out
}

function isHeader(block: unknown): boolean {
  return isObject(block) && block['type'] === 'header'
}

function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
