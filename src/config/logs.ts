// How the logs themselves are read, if they are.
import { createPublicKey } from 'node:crypto'
import type { LogListSource, LogsConfig } from './config.ts'
import { complain, fromEnvironment, readSecret, setting } from './context.ts'
import type { Context } from './context.ts'
import type { Tree } from './document.ts'
import { parseDuration } from './duration.ts'
import { ownersPath, shownFile } from './files.ts'
import { at, literalOf } from './structure.ts'
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
  const only = at(tree, 'only')
  const start = setting(context, undefined, at(tree, 'start'))?.text
  return {
    lists:
      lists?.kind === 'list' && lists.items.length > 0
        ? lists.items.flatMap((item) => readList(context, item) ?? [])
        : [{ kind: 'google' }, { kind: 'apple' }],
    only: only?.kind === 'list' ? only.items.flatMap((item) => (item.kind === 'text' && item.text.trim() !== '' ? [item.text.trim()] : [])) : [],
    start: start === 'beginning' ? 'beginning' : 'end',
    intervalMs: readInterval(context, at(tree, 'interval')),
    bandwidth: readBandwidth(context, at(tree, 'bandwidth')),
  }
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
  const path = ownersPath(text, context.folder, context.home)
  return { kind: 'file', path, shown: shownFile(path, context.cwd) }
}

function readSigned(context: Context, item: Tree): LogListSource | undefined {
  const [url, key] = [setting(context, undefined, at(item, 'url')), setting(context, undefined, at(item, 'key'))]
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
