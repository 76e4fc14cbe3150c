import { keepSecret } from './context.ts'

// Words that every URL of its kind has: no secret, and replaced everywhere they would make other lines unreadable.
const COMMON = new Set(['services', 'workflows', 'triggers', 'webhook', 'webhooks', 'heartbeat', 'issuances'])

/** Remembers a secret URL: whole, its path, and each part of the path that is long enough to be a secret, also decoded; the same for its query. */
export function keepSecretUrl(secrets: Set<string>, url: URL): void {
  keepSecret(secrets, url.href)
  if (url.pathname !== '/') keepSecret(secrets, url.pathname)
  const parts = [...url.pathname.split('/'), ...url.searchParams.values()]
  for (const part of parts) {
    if (COMMON.has(part)) continue
    keepSecret(secrets, part)
    keepSecret(secrets, decoded(part))
  }
  if (url.search.length > 1) keepSecret(secrets, url.search)
  keepUserInfo(secrets, url)
}

/** Remembers the user name and password in a URL, as written and decoded. */
export function keepUserInfo(secrets: Set<string>, url: URL): void {
  if (url.username === '' && url.password === '') return
  keepSecret(secrets, `${url.username}:${url.password}`)
  // A short password is one all the same; below four characters it could not be told from other text.
  for (const part of [url.username, url.password]) for (const text of [part, decoded(part)]) if (text.length >= 4) secrets.add(text)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
