// How the logs themselves are read, if they are.
import { createPublicKey } from 'node:crypto'
import type { LogListSource, LogsConfig } from './config.ts'
import { complain, fromEnvironment, readSecret, setting } from './context.ts'
import type { Context } from './context.ts'
import type { Tree } from './document.ts'
import { parseDuration } from './duration.ts'
import { ownersPath, shownFile } from './files.ts'
import { at, literalOf } from './structure.ts'
import { didYouMean } from './suggest.ts'
import { checkUrl } from './url.ts'

const YES = /^(?:1|true|yes|on)$/i
const NO = /^(?:0|false|no|off)$/i

/** The settings, or false. */
export function readLogs(context: Context): false | LogsConfig {
  const tree = at(context.root, 'logs')
  const given = fromEnvironment(context, 'CERTBELL_LOGS', tree)
  if (given !== undefined && NO.test(given.text)) return false
  if (given !== undefined && !YES.test(given.text)) complain(context, given.at, `"${given.text}" is neither true nor false`)
  if (given === undefined && (tree === undefined || literalOf(tree) === false)) return false
  const lists = at(tree, 'lists')
  const start = setting(context, undefined, at(tree, 'start'))?.text
  return {
    lists: lists?.kind === 'list' ? readLists(context, lists) : [{ kind: 'google' }, { kind: 'apple' }],
    only: readOnly(context, at(tree, 'only')),
    start: start === 'beginning' ? 'beginning' : 'end',
    intervalMs: readInterval(context, at(tree, 'interval')),
    bandwidth: readBandwidth(context, at(tree, 'bandwidth')),
  }
}

function readLists(context: Context, { items, at: place }: Tree & { readonly kind: 'list' }): readonly LogListSource[] {
  if (items.length === 0) complain(context, place, 'the list is empty. Write [google, apple], or leave it away')
  return items.flatMap((item) => readList(context, item) ?? [])
}

// A word that is empty would choose no log, and all of them if it is the only one: neither can be meant.
function readOnly(context: Context, tree: Tree | undefined): readonly string[] {
  if (tree?.kind !== 'list') return []
  return tree.items.flatMap((item) => {
    if (item.kind !== 'text' || item.broken === true) return []
    const word = item.text.trim()
    if (word === '') complain(context, item.at, 'the word is empty. Write argon*, or leave it away')
    return [word]
  })
}

function readList(context: Context, item: Tree): LogListSource | undefined {
  if (item.kind === 'map') return readSigned(context, item)
  if (item.kind !== 'text' || item.broken === true) return undefined
  const text = item.text.trim()
  if (text === 'google' || text === 'apple') return { kind: text }
  if (/^https?:/i.test(text)) {
    complain(context, item.at, `a list at a URL needs the key of who signs it. Write {url: ${text}, key: …}`)
    return undefined
  }
  // A path that is one plain word is more likely a name with a slip in it.
  const meant = /^[a-z]*$/i.test(text) ? didYouMean(text, ['google', 'apple']) : ''
  if (text === '' || meant !== '') {
    complain(context, item.at, `${text === '' ? 'an empty word' : `"${text}"`} is no log list. Write google, apple or the path of a file.${meant}`)
    return undefined
  }
  const path = ownersPath(text, context.folder, context.home)
  return { kind: 'file', path, shown: shownFile(path, context.cwd) }
}

function readSigned(context: Context, item: Tree): LogListSource | undefined {
  const [url, key] = [setting(context, undefined, at(item, 'url')), setting(context, undefined, at(item, 'key'))]
  // Of a key that is misspelt the rest is told elsewhere.
  if (item.kind !== 'map' || item.entries.some((entry) => entry.key !== 'url' && entry.key !== 'key')) return undefined
  if (at(item, 'key') === undefined) complain(context, item.at, 'a list at a URL needs the key of who signs it. Write {url: https://…, key: …}')
  else if (at(item, 'url') === undefined) complain(context, item.at, 'it has a key and no URL. Write {url: https://…, key: …}')
  if (url === undefined || key === undefined) return undefined
  const checked = checkUrl(url.text)
  if ('problem' in checked) {
    complain(context, url.at, `the log list ${checked.problem}`)
    return undefined
  }
  const text = readSecret({ ...context, secrets: new Set() }, key)
  if (text === undefined) return undefined
  try {
    const parsed = text.includes('-----BEGIN')
      ? createPublicKey(text)
      : createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' })
    return { kind: 'url', url: checked.url.href, key: parsed.export({ format: 'der', type: 'spki' }) }
  } catch {
    complain(context, key.at, 'the key of the log list is no public key. Write PEM, base64 of the DER SubjectPublicKeyInfo, or file:PATH')
    return undefined
  }
}

function readInterval(context: Context, tree: Tree | undefined): number {
  const given = setting(context, undefined, tree)
  if (given === undefined) return 3000
  const parsed = parseDuration(given.text)
  if ('ms' in parsed) return parsed.ms
  complain(context, given.at, `"${given.text}" ${parsed.problem}`)
  return 3000
}

const UNITS: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9 }

// Bits a second, as networks are sold.
function readBandwidth(context: Context, tree: Tree | undefined): number | undefined {
  const given = setting(context, undefined, tree)
  if (given === undefined) return undefined
  const match = /^([1-9][0-9]{0,5}) ?([kmg])bit(?:\/s)?$/i.exec(given.text)
  if (match !== null) return (Number(match[1]) * (UNITS[match[2]?.toLowerCase() ?? ''] ?? 1)) / 8
  complain(context, given.at, `"${given.text}" is not a bandwidth. Write 100Mbit`)
  return undefined
}
