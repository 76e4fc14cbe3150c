// What Slack refuses, and what we promise to stay below, read off a payload. Limits as of @slack/types 3.2 and bolt-js#2509.

/** `refused` is the webhook's answer where Slack would not take it; `violations` are all breaches, those of our own promises included. */
export interface Judgement {
  readonly refused?: string
  readonly violations: readonly string[]
}

type Json = Readonly<Record<string, unknown>>

/** A JSON object, neither null nor a list. */
export const isObject = (x: unknown): x is Json => x !== null && typeof x === 'object' && !Array.isArray(x)
const list = (x: unknown): readonly unknown[] => (Array.isArray(x) ? x : [])
const lengthOf = (x: unknown): number => (typeof x === 'string' ? x.length : -1)

/** Judges one payload of an incoming webhook. */
export function judge(payload: unknown): Judgement {
  if (!isObject(payload)) return { refused: 'invalid_payload', violations: ['not a JSON object'] }
  const violations: string[] = []
  const fatal: string[] = []
  const breach = (what: string) => void violations.push(what)
  const refuse = (answer: string, what: string) => {
    fatal.push(answer)
    violations.push(what)
  }

  const text = payload['text']
  const groups = [list(payload['blocks']), ...list(payload['attachments']).map((a) => (isObject(a) ? list(a['blocks']) : []))]
  if (typeof text !== 'string' || text.trim() === '') {
    if (groups.every((g) => g.length === 0)) refuse('no_text', 'neither text nor blocks')
    else breach('no top-level text')
  } else if (text.length > 40_000) refuse('msg_too_long', `text of ${text.length}`)
  else if (text.length > 4000) breach(`text of ${text.length}`)
  if (list(payload['attachments']).length > 100) refuse('too_many_attachments', 'more than 100 attachments')
  for (const key of ['unfurl_links', 'unfurl_media']) if (payload[key] !== false) breach(`${key} is not false`)
  if (payload['link_names'] === true || payload['parse'] === 'full') breach('link_names or parse')

  const ids = new Set<unknown>()
  let total = 0
  for (const blocks of groups) {
    if (blocks.length > 50) refuse('invalid_blocks', `${blocks.length} blocks`)
    for (const object of textObjects(blocks)) {
      const length = lengthOf(object['text'])
      total += length
      if (length === 0) refuse('invalid_blocks', 'an empty text')
      if (length > 3000 && (object['type'] === 'mrkdwn' || object['type'] === 'plain_text')) refuse('invalid_blocks', `a text of ${length}`)
    }
    for (const block of blocks) {
      for (const what of blockFaults(block)) refuse('invalid_blocks', what)
      const id = isObject(block) ? block['block_id'] : undefined
      if (id === undefined) continue
      if (ids.has(id) || lengthOf(id) < 1 || lengthOf(id) > 255) refuse('invalid_blocks', 'a block_id that is too long, too short or there twice')
      ids.add(id)
    }
  }
  if (total > 13_200) refuse('msg_blocks_too_long', `${total} characters in blocks`)
  else if (total > 12_000) breach(`${total} characters in blocks`)
  return fatal[0] === undefined ? { violations } : { refused: fatal[0], violations }
}

/** Everything anywhere that has a type and a text. */
function* textObjects(x: unknown): Generator<Json> {
  if (Array.isArray(x)) for (const item of x) yield* textObjects(item)
  else if (isObject(x)) {
    if (typeof x['text'] === 'string' && 'type' in x) yield x
    for (const value of Object.values(x)) yield* textObjects(value)
  }
}

function blockFaults(block: unknown): readonly string[] {
  if (!isObject(block)) return ['a block that is no object']
  const elements = list(block['elements'])
  const faults: string[] = []
  const need = (fine: boolean, what: string) => void (fine || faults.push(what))
  switch (block['type']) {
    case 'header': {
      const text = isObject(block['text']) ? block['text'] : {}
      need(
        text['type'] === 'plain_text' && lengthOf(text['text']) >= 1 && lengthOf(text['text']) <= 150,
        'a header that is not 1 to 150 characters of plain_text',
      )
      break
    }
    case 'section': {
      need('text' in block || 'fields' in block, 'a section without text and fields')
      const fields = list(block['fields'])
      need(!('fields' in block) || (fields.length >= 1 && fields.length <= 10), `${fields.length} fields`)
      for (const f of fields)
        need(isObject(f) && lengthOf(f['text']) >= 1 && lengthOf(f['text']) <= 2000, 'a field that is not 1 to 2,000 characters')
      break
    }
    case 'context':
      need(elements.length >= 1 && elements.length <= 10, `a context of ${elements.length}`)
      break
    case 'actions':
      need(elements.length >= 1 && elements.length <= 25, `${elements.length} actions`)
      break
    case 'rich_text':
      need(elements.length >= 1, 'rich_text without elements')
      for (const e of elements) faults.push(...richFaults(e))
      break
    case 'markdown':
      need(lengthOf(block['text']) >= 1 && lengthOf(block['text']) <= 12_000, 'markdown that is not 1 to 12,000 characters')
      break
    case 'divider':
    case 'image':
    case 'table':
      break
    default:
      faults.push(`a block of type ${String(block['type'])}`)
  }
  for (const e of [block['accessory'], ...elements]) if (isObject(e) && e['type'] === 'button') need(buttonFits(e), 'a button over its limits')
  return faults
}

function buttonFits(button: Json): boolean {
  const label = isObject(button['text']) ? lengthOf(button['text']['text']) : -1
  return label >= 1 && label <= 75 && lengthOf(button['url']) <= 3000 && lengthOf(button['value']) <= 2000 && lengthOf(button['action_id']) <= 255
}

const RICH = new Set(['rich_text_section', 'rich_text_list', 'rich_text_preformatted', 'rich_text_quote'])
const RICH_INLINE = new Set(['text', 'link', 'date', 'emoji', 'user', 'usergroup', 'channel', 'broadcast', 'color'])

function richFaults(element: unknown): readonly string[] {
  if (!isObject(element) || !RICH.has(String(element['type']))) return ['an unknown rich_text element']
  const inner = list(element['elements'])
  if (inner.length === 0) return ['an empty rich_text element']
  if (element['type'] === 'rich_text_list') {
    const style = element['style'] === 'bullet' || element['style'] === 'ordered'
    return [
      ...(style ? [] : ['a list without style']),
      ...inner.flatMap((e) => (isObject(e) && e['type'] === 'rich_text_section' ? richFaults(e) : ['a list item that is no section'])),
    ]
  }
  return inner.flatMap((e) => {
    if (!isObject(e) || !RICH_INLINE.has(String(e['type']))) return ['an unknown rich_text part']
    if (e['type'] === 'text' && lengthOf(e['text']) < 1) return ['a text part without text']
    if (e['type'] === 'link' && !/^https?:\/\//.test(String(e['url']))) return ['a link without URL']
    if (e['type'] === 'date' && (!Number.isInteger(e['timestamp']) || lengthOf(e['format']) < 1)) return ['a date without timestamp or format']
    return []
  })
}
