// The heartbeat: a dead man's switch elsewhere is told that all is well, or that it is not. Silence means that we are gone.
import type { Http } from '../http.ts'
import { NetworkError } from '../http.ts'
import type { Overview } from '../stores/overview.ts'

const TIMEOUT = 10_000

/** One beat: GET the address while all is well, the address with `/fail` when it is not. Never throws; what goes wrong is told without the address, which is a secret. */
export function createHeartbeat(options: {
  readonly url?: string
  readonly http: Http
  readonly userAgent: string
  readonly look: () => Promise<Overview>
  readonly failed: (message: string) => void
}): () => Promise<void> {
  const { url } = options
  if (url === undefined) return async () => {}
  return async () => {
    // A state that cannot be read is not well.
    const well = await options.look().then(
      (overview) => overview.well,
      () => false,
    )
    try {
      const answer = await options.http({
        method: 'GET',
        url: well ? url : failUrl(url),
        headers: { 'user-agent': options.userAgent },
        timeoutMs: TIMEOUT,
        maxBytes: 65_536,
      })
      if (answer.status >= 300) options.failed(`the address answers ${answer.status}`)
    } catch (error) {
      options.failed(error instanceof NetworkError ? error.message : 'it cannot be sent')
    }
  }
}

function failUrl(url: string): string {
  const parsed = new URL(url)
  parsed.pathname = `${parsed.pathname.replace(/\/+$/, '')}/fail`
  return parsed.href
}
