// The settings that are one value each.
import type { Config, Flags } from './config.ts'
import { complain, readSecret, setting, variablePlace } from './context.ts'
import type { Context } from './context.ts'
import type { Place } from './problems.ts'
import { keepSecretUrl } from './secrets.ts'
import { at } from './structure.ts'
import { didYouMean } from './suggest.ts'
import { checkUrl, parseListen } from './url.ts'

const MAIL = /^[\x21-\x3f\x41-\x7e]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/

const NO = /^(?:0|false|no|off)$/i

/** Where alerts go on standard output. */
export function readStdout(context: Context): Config['stdout'] {
  const given = setting(context, undefined, at(context.root, 'stdout'))?.text
  return given === 'pretty' || given === 'json' || given === 'off' ? given : 'auto'
}

/** Mail address or URL; it becomes part of a header. */
export function readContact(context: Context): string | undefined {
  const given = setting(context, 'CERTBELL_CONTACT', at(context.root, 'contact'))
  if (given === undefined) return undefined
  const mail = given.text.replace(/^mailto:/i, '')
  if (MAIL.test(mail) && !/[()<>]/.test(mail)) return mail
  if (/^https?:\/\/[^/\\]/i.test(given.text) && /^[\x21-\x7e]+$/.test(given.text) && !/[()<>]/.test(given.text) && URL.canParse(given.text))
    return given.text
  complain(context, given.at, `"${given.text}" is neither a mail address nor a URL. Write security@example.com`)
  return undefined
}

/** The heartbeat's URL. */
export function readHeartbeat(context: Context): string | undefined {
  const given = setting(context, 'CERTBELL_HEARTBEAT', at(context.root, 'heartbeat'))
  const text = given === undefined ? undefined : readSecret(context, given)
  if (given === undefined || text === undefined) return undefined
  const checked = checkUrl(text)
  if ('problem' in checked) {
    complain(context, given.at, `the heartbeat ${checked.problem}`)
    return undefined
  }
  keepSecretUrl(context.secrets, checked.url)
  return checked.url.href
}

/** Where health and metrics are served. */
export function readListen(context: Context): Config['listen'] {
  const given = setting(context, 'CERTBELL_LISTEN', at(context.root, 'listen'))
  if (given === undefined || (given.at.place !== undefined && given.text === 'off')) return undefined
  const parsed = parseListen(given.text)
  if ('host' in parsed) return parsed
  complain(context, given.at, `"${given.text}" ${parsed.problem}`)
  return undefined
}

const FORMATS: readonly string[] = ['text', 'json', 'syslog']

/** How log lines look. `syslog` is the predecessor's word for text. */
export function readLogFormat(context: Context, flag: string | undefined): Config['logFormat'] {
  const text = flag ?? context.env['LOG_FORMAT']?.trim()
  if (text === undefined) return 'text'
  const format = text.toLowerCase()
  if (FORMATS.includes(format)) return format === 'json' ? 'json' : 'text'
  const place: Place = flag === undefined ? variablePlace(context, 'LOG_FORMAT') : { place: '--log-format' }
  complain(context, place, `"${text}" is not a log format. Write text or json.${didYouMean(format, FORMATS)}`.replace(/\.$/, ''))
  return 'text'
}

/** How much is said. */
export function readDebug(context: Context, flags: Flags): { readonly debug: boolean; readonly quiet: boolean } {
  const quiet = flags.quiet === true
  if (quiet && flags.verbose === true) complain(context, { place: '--quiet' }, 'and --verbose contradict each other. Give one of them')
  const variable = context.env['DEBUG']
  return { quiet, debug: !quiet && (flags.verbose === true || (variable !== undefined && !NO.test(variable.trim()))) }
}
