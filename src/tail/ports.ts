// What reading logs needs of everything around it, and what it says.
import type { Clock } from '../clock.ts'
import type { Http } from '../http.ts'
import type { Bandwidth } from '../sources/bandwidth.ts'
import type { RequestOutcome } from '../sources/log-http.ts'
import type { LogLists } from '../sources/log-lists.ts'
import type { Sift } from '../sources/log-sift.ts'
import type { ReadPage } from '../sources/read-page.ts'
import type { TailStore } from '../stores/tail.ts'
import type { Alert } from '../watch/alert.ts'

/** What happens, for whoever shows or counts it. */
export type TailEvent =
  | { readonly kind: 'log-begun'; readonly log: string; readonly at: number }
  | { readonly kind: 'log-read'; readonly log: string; readonly entries: number; readonly verified: number }
  | { readonly kind: 'log-skipped'; readonly message: string }
  | { readonly kind: 'log-request'; readonly log: string; readonly outcome: RequestOutcome }
  | { readonly kind: 'log-failed'; readonly log: string; readonly message: string }
  | { readonly kind: 'alerts'; readonly alerts: readonly Alert[] }

export interface TailPorts {
  readonly store: TailStore
  readonly lists: LogLists
  readonly http: Http
  readonly clock: Clock
  readonly random: () => number
  readonly userAgent: string
  /** No request may take longer, ms. */
  readonly longestMs: number
  /** A request that failed so often in a row ends the turn; default: never. */
  readonly attempts?: number
  /** What asks to be left alone for longer (ms) ends the turn; default: it is waited for. */
  readonly patience?: number
  /** Reads answers and keeps back what may matter; `sift` looks into that. */
  readonly readPage: ReadPage
  readonly sift: Sift
  /** ms between two looks at a static log's checkpoint; at an RFC 6962 log it is three times that. */
  readonly interval: number
  readonly bandwidth: Bandwidth
  /** Whether an RFC 6962 log serves tiles as well. */
  readonly isHybrid: (url: string) => boolean
  readonly start: 'end' | 'beginning'
  /** A log that is new to us and has more entries is read at its end first. */
  readonly large: number
  readonly only: readonly string[]
  /** Keeps what a log sent, as it came, and says where. Throws Error with why it could not, in words. */
  readonly keepEvidence: (name: string, bytes: Uint8Array, about: Readonly<Record<string, unknown>>) => Promise<readonly string[]>
  readonly report: (event: TailEvent) => void
}
