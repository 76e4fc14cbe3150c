import type { CertspotterConfig } from './config.ts'
import { complain, readSecret, setting, variablePlace } from './context.ts'
import type { Context } from './context.ts'
import { parseDuration } from './duration.ts'
import { keepUserInfo } from './secrets.ts'
import { at, literalOf } from './structure.ts'
import { checkUrl } from './url.ts'

const DEFAULT_URL = 'https://api.certspotter.com/v1'

// What is said without an account, by the API's documentation.
const DEFAULT_QUOTA = { full: 10, single: 100 } as const

/** The API source's settings, or false if it is turned off. After a problem the defaults stand in. */
export function readCertspotter(context: Context, logs: boolean): false | CertspotterConfig {
  const tree = at(context.root, 'certspotter')
  if (tree !== undefined && literalOf(tree) === false) {
    if (!logs) complain(context, tree.at, 'false leaves nothing to look with. Remove it, or write `logs: true`')
    return false
  }
  const token = readToken(context)
  const baseline = setting(context, undefined, at(tree, 'baseline'))?.text
  return {
    ...(token === undefined ? {} : { token }),
    url: readUrl(context),
    quota: { full: readCount(context, 'full'), single: readCount(context, 'single') },
    intervalMs: readInterval(context),
    baseline: baseline === 'silent' || baseline === 'alert' ? baseline : 'inventory',
  }
}

function readToken(context: Context): string | undefined {
  const given = setting(context, 'CERTSPOTTER_API_TOKEN', at(context.root, 'certspotter', 'token'))
  const token = given === undefined ? undefined : readSecret(context, given)
  if (given === undefined || token === undefined) return undefined
  const problem = tokenProblem(token)
  if (problem === undefined) return token
  complain(context, given.at, problem)
  return undefined
}

/** What is wrong with an API token, without showing it; undefined if nothing is. */
export function tokenProblem(token: string): string | undefined {
  if (token === '') return 'the token is empty. Remove it to go without one'
  if (/^bearer\s/i.test(token)) return 'the token begins with "Bearer". Write what follows it alone'
  // It becomes part of a header: a line break in it would start another one.
  return /^[\x21-\x7e]+$/.test(token) ? undefined : 'the token has white space or other characters in it that no token has'
}

function readUrl(context: Context): string {
  const given = setting(context, 'CERTSPOTTER_API_URL', at(context.root, 'certspotter', 'url'))
  if (given === undefined) return DEFAULT_URL
  const checked = checkUrl(given.text)
  if ('problem' in checked) {
    if (URL.canParse(given.text)) keepUserInfo(context.secrets, new URL(given.text))
    complain(context, given.at, `the API's address ${checked.problem}`)
    return DEFAULT_URL
  }
  if (checked.url.search !== '' || checked.url.hash !== '')
    complain(context, given.at, 'the API\'s address has a "?" or "#" in it. Write the part before it: /issuances is added')
  const base = checked.url.href.replace(/\/+$/, '')
  if (base.endsWith('/issuances'))
    complain(context, given.at, `the API's address ends in /issuances, which is added. Write ${base.slice(0, -'/issuances'.length)}`)
  return base
}

function readCount(context: Context, key: 'full' | 'single'): number {
  const tree = at(context.root, 'certspotter', 'quota', key)
  const value = tree === undefined ? undefined : literalOf(tree)
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : DEFAULT_QUOTA[key]
}

function readInterval(context: Context): number | 'auto' {
  const tree = at(context.root, 'certspotter', 'interval')
  const given = setting(context, 'SLEEP_DELAY', tree)
  if (given === undefined || given.text === 'auto') return 'auto'
  const fromVariable = given.at.place !== undefined
  // The predecessor's seconds. 0 made it ask without a pause; the least that the quota allows is meant.
  if (fromVariable && /^0+$/.test(given.text)) {
    context.warnings.push(`${variablePlace(context, 'SLEEP_DELAY').place ?? ''} is 0: names are looked at as often as the quota allows.`)
    return 'auto'
  }
  const parsed = parseDuration(fromVariable && /^[0-9]+$/.test(given.text) ? `${given.text.replace(/^0+/, '')}s` : given.text)
  if ('ms' in parsed) return parsed.ms
  complain(context, given.at, `"${given.text}" ${parsed.problem}`)
  return 'auto'
}
