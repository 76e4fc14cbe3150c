// The log lists as a configuration names them: over HTTP with a signature, or from a file.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { LogListSource } from './config/config.ts'
import { verifyLogList } from './ct/log-list.ts'
import type { Http } from './http.ts'
import { GOOGLE_LIST_KEY } from './sources/google-list-key.ts'
import type { ListSource } from './sources/log-lists.ts'

const GOOGLE = 'https://www.gstatic.com/ct/log_list/v3/all_logs_list.json'
const APPLE = 'https://valid.apple.com/ct/log_list/current_log_list.json'
const HOURLY = 3_600_000
/** A file is the owner's: a change is seen within 10 s. */
const FILE_EVERY = 5000
const LIMITS = { timeoutMs: 30_000, maxBytes: 16 * 1024 * 1024 }

/** The source of a list. */
export function listSource(source: LogListSource, http: Http, userAgent: string): ListSource {
  switch (source.kind) {
    case 'google':
      return {
        name: 'google',
        isPublic: true,
        isSigned: true,
        every: HOURLY,
        read: overHttp(GOOGLE, Buffer.from(GOOGLE_LIST_KEY, 'base64'), http, userAgent),
      }
    case 'apple':
      return { name: 'apple', isPublic: true, isSigned: false, every: HOURLY, read: overHttp(APPLE, undefined, http, userAgent) }
    case 'url':
      return { name: source.url, isPublic: false, isSigned: true, every: HOURLY, read: overHttp(source.url, source.key, http, userAgent) }
    case 'file':
      return { name: source.shown, key: source.path, isPublic: false, isSigned: false, every: FILE_EVERY, read: fromFile(source.path) }
  }
}

function fromFile(path: string): ListSource['read'] {
  return async (known) => {
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      throw new Error(error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'the file does not exist' : 'the file cannot be read', {
        cause: error,
      })
    }
    const tag = createHash('sha256').update(text).digest('hex')
    return tag === known ? undefined : { text, tag }
  }
}

// The list and its signature change daily and are fetched one after the other: where they do not fit, both are asked for once more.
function overHttp(url: string, key: Buffer | undefined, http: Http, userAgent: string): ListSource['read'] {
  const get = async (
    address: string,
    signal: AbortSignal | undefined,
    tag?: string,
  ): Promise<{ readonly body: Buffer; readonly tag: string | undefined } | undefined> => {
    const headers = { 'user-agent': userAgent, ...(tag !== undefined && { 'if-none-match': tag }) }
    const response = await http({ method: 'GET', url: address, headers, ...LIMITS, ...(signal !== undefined && { signal }) }).catch(
      (error: unknown) => {
        throw new Error(`it cannot be reached: ${error instanceof Error ? error.message : 'no answer'}`, { cause: error })
      },
    )
    if (response.status === 304 && tag !== undefined) return undefined
    if (response.status !== 200) throw new Error(`its server answers ${response.status}`)
    return { body: response.body, tag: response.headers['etag'] }
  }
  return async (tag, signal) => {
    for (let attempt = 1; ; attempt++) {
      const list = await get(url, signal, tag)
      if (list === undefined) return undefined
      const text = list.body.toString()
      if (key === undefined) return { text, tag: list.tag }
      const signature = await get(url.replace(/\.json$/, '.sig'), signal)
      if (signature !== undefined && verifyLogList(list.body, signature.body, key)) return { text, tag: list.tag }
      if (attempt === 2) throw new Error('its signature is not that of its key')
    }
  }
}
