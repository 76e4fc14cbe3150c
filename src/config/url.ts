// URLs of the owner's. They may be secrets: what is wrong is said without showing them.
import { isIPv4, isIPv6 } from 'node:net'

/** Whether the host of a parsed URL is this machine: 127.0.0.0/8, ::1, localhost. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
}

/** A URL that may be asked: https, or http on loopback; no user name, no white space. The problem never shows it. */
export function checkUrl(text: string): { readonly url: URL } | { readonly problem: string } {
  if (text.trim() === '') return { problem: 'is empty. Write a URL that starts with https://' }
  if (/[\s\u0000-\u001f\u007f]/.test(text)) return { problem: 'is a URL with white space in it. Write it without' }
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return { problem: /^https?:\/\//i.test(text) ? 'is not a well-formed URL' : 'is not a URL. It must start with https://' }
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { problem: 'is not a URL. It must start with https://' }
  // `https:example.com` and `https:///x` are mended by the parser; the owner surely meant something else.
  if (!/^https?:\/\/[^/\\]/i.test(text)) return { problem: 'is not a well-formed URL' }
  if (url.username !== '' || url.password !== '')
    return { problem: 'is a URL with a user name or password in it, which is not sent. Write it without' }
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return { problem: 'is an http: URL, which anyone on the way can read. Write https:// (http: is for this machine alone)' }
  return { url }
}

/** `host:port`, `[::1]:port`, or a problem in words that follow the value. The host comes without brackets. */
export function parseListen(text: string): { readonly host: string; readonly port: number } | { readonly problem: string } {
  const match = /^(\[[^\]]*\]|[^:]*):([0-9]{1,5})$/.exec(text)
  const port = Number(match?.[2])
  const named = match?.[1] ?? ''
  const host = named.startsWith('[') ? named.slice(1, -1) : named
  const isHost = named.startsWith('[')
    ? isIPv6(host)
    : isIPv4(host) || (/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i.test(host) && !/^[0-9.]+$/.test(host))
  if (match === null || !isHost || port > 65_535) return { problem: `is not host:port. Write ${listenMeant(text)}` }
  return { host, port }
}

function listenMeant(text: string): string {
  const port = /^:?([1-9][0-9]{0,4})$/.exec(text)?.[1]
  const example = port !== undefined && Number(port) <= 65_535 ? port : '8080'
  return `127.0.0.1:${example}, or 0.0.0.0:${example} for every address`
}
