// The errors of the house, by whose fault it is: the world's are results, not exceptions; these two are for people.

/** The owner erred: a setting, a flag, a state that must not be touched. The message says what and the remedy; the process exits 2. */
export class OwnerError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'OwnerError'
    this.code = code
  }
}

/** What is said of an error that nobody knows of, in words that ask for help. `more`: with its message. */
export function faultOfOurs(error: unknown, more = false): string {
  const what = error instanceof Error ? (more ? `${error.name}: ${error.message.slice(0, 200)}` : error.name) : 'unknown'
  return `Certbell failed at it (${what}), which is a fault of Certbell's: please report it`
}

/** What could not be kept is tried again after so long, ms. */
export const STATE_RETRY = 30_000
const BUSY_RETRY = 2000

/** The same by what was in the way: who holds a lock is mostly done with it in a moment. */
export function retryAfter({ code }: StoreError): number {
  return code === 'busy' ? BUSY_RETRY : STATE_RETRY
}

/** The state cannot be written or read just now (disk full, I/O error, locked for long, removed under us). Nothing of the step was kept. */
export class StoreError extends Error {
  readonly code: 'full' | 'io' | 'busy' | 'lost'
  constructor(code: 'full' | 'io' | 'busy' | 'lost', message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}
