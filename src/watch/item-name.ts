// Names as items. An owner's mistake gets the remedy, not only the rule.
import { parse } from 'tldts'
import type { Item } from './item.ts'
import { toALabels, toUnicode } from './name.ts'

type Parsed = { readonly item: Item } | { readonly problem: string }

const MAX_LABEL = 63
const MAX_NAME = 253

/** Reads a name item, already trimmed. Problems are without the text itself. `again` reads a part of it, to see whether that may be offered instead. */
export function parseName(written: string, again: (text: string) => Parsed): Parsed {
  const instead = (text: string, fallback: string): string => {
    const parsed = again(text.replace(/^\[(.*)\]$/, '$1'))
    if ('problem' in parsed) return fallback
    const { item } = parsed
    if (item.kind !== 'name') return `Write ${item.text}`
    const domain = item.text.replace(/^=/, '')
    return `Write ${domain}, or =${domain} for one name`
  }
  const example = 'Write a domain such as example.com, or =login.example.com for one name'

  const exact = written.startsWith('=')
  let name = (exact ? written.slice(1) : written).trim()
  if (name === '') return { problem: `has no name after the "=". ${example}` }
  const url = /^([a-z][a-z0-9+.-]*:)?\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)/i.exec(name)
  if (url !== null) return { problem: `is a URL. ${instead(url[2] ?? '', example)}` }
  const slash = name.indexOf('/')
  if (slash !== -1) return { problem: `has a path. ${instead(name.slice(0, slash), example)}` }
  const at = name.lastIndexOf('@')
  if (at !== -1) return { problem: `is an e-mail address. ${instead(name.slice(at + 1), example)}` }
  const port = /^(.*):\d*$/.exec(name)
  if (port !== null) return { problem: `has a port. ${instead(port[1] ?? '', example)}` }
  if (/[\s,;]/.test(name)) return { problem: `has a blank or a comma in it. Write each name as an item of its own` }

  name = name.replace(/[\u3002\uff0e\uff61]/g, '.')
  if (/^\*?\./.test(name)) {
    name = name.replace(/^\*?\./, '')
    if (exact) return { problem: `is a wildcard, and "=" is for one name. ${instead(name, example)}` }
  }
  if (name.endsWith('.')) name = name.slice(0, -1)
  if (name === '' || name.split('.').includes('')) {
    return {
      problem: `has an empty label: a dot too many. ${instead(
        name
          .split('.')
          .filter((label) => label !== '')
          .join('.'),
        example,
      )}`,
    }
  }
  if (name.includes('*')) {
    const rest = name.slice(name.lastIndexOf('*') + 1).replace(/^[^.]*\.?/, '')
    return { problem: `has a wildcard where none can be: an item covers everything below it anyway. ${instead(rest, example)}` }
  }
  return readDomain(name, exact, instead, example)
}

function readDomain(name: string, exact: boolean, instead: (text: string, fallback: string) => string, example: string): Parsed {
  // NFKC is what UTS 46 maps by: full-width letters become plain ones.
  const mapped = name.normalize('NFKC').toLowerCase().normalize('NFC')
  const wrong = /[\u0000-,/:-@[-^`{-\u007f]|[\p{C}\p{Z}]/u.exec(mapped.replace(/[\u200c\u200d]/g, ''))
  if (wrong !== null) return { problem: `has ${JSON.stringify(wrong[0])} in it, which no name has. ${example}` }
  const domain = toALabels(mapped)
  if (domain === undefined) return { problem: `has a label that cannot be written in ASCII (xn--...). ${example}` }
  const labels = domain.split('.')
  const long = labels.find((label) => label.length > MAX_LABEL)
  if (long !== undefined) return { problem: `has a label of ${long.length} characters; ${MAX_LABEL} are the most. ${example}` }
  if (domain.length > MAX_NAME) return { problem: `has ${domain.length} characters; ${MAX_NAME} are the most. ${example}` }
  const last = labels.at(-1) ?? ''
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(last)) {
    const kind = labels.length === 1 ? 'is a number where a name belongs' : 'ends in a number, so it is no name, and it is no IP address either'
    return { problem: `${kind}. Write a domain such as example.com, or an IP address such as 203.0.113.7` }
  }
  const { isIcann, domain: registrable } = parse(domain, {
    allowPrivateDomains: false,
    extractHostname: false,
    validateHostname: false,
    detectIp: false,
  })
  if (registrable === null) {
    if (isIcann === true)
      return { problem: `is a public suffix: everybody's names end in it. Write the domain that is yours, such as example.${mapped}` }
    return {
      problem: `is a single label. Write the whole name, such as ${instead(`${mapped}.example.com`, `${domain}.example.com`).replace(/^Write |,.*$/g, '')}`,
    }
  }
  const unicode = toUnicode(domain)
  return { item: { kind: 'name', text: `${exact ? '=' : ''}${mapped}`, domain, exact, ...(unicode === domain ? {} : { unicode }) } }
}
