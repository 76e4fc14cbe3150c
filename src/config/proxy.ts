import type { Config } from './config.ts'
import { complain, variablePlace } from './context.ts'
import type { Context } from './context.ts'
import { keepUserInfo } from './secrets.ts'

/** The proxies that the environment names. As with curl the lower-case name wins, and `proxy:3128` means http. */
export function readProxy(context: Context): Config['proxy'] {
  const http = readOne(context, 'http_proxy', 'HTTP_PROXY')
  const https = readOne(context, 'https_proxy', 'HTTPS_PROXY')
  const no = context.env['no_proxy'] ?? context.env['NO_PROXY']
  return { ...(http === undefined ? {} : { http }), ...(https === undefined ? {} : { https }), ...(no === undefined ? {} : { no }) }
}

function readOne(context: Context, ...names: readonly string[]): string | undefined {
  const name = names.find((name) => context.env[name] !== undefined)
  const text = name === undefined ? undefined : context.env[name]?.trim()
  if (name === undefined || text === undefined) return undefined
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const url = URL.canParse(whole) ? new URL(whole) : undefined
  if (url !== undefined) keepUserInfo(context.secrets, url)
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') return url.href
  complain(context, variablePlace(context, name), 'is not the address of an HTTP proxy. Write http://host:port')
  return undefined
}
