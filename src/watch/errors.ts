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

/** The state cannot be written or read just now (disk full, I/O error, locked for long, removed under us). Nothing of the step was kept. */
export class StoreError extends Error {
  readonly code: 'full' | 'io' | 'busy' | 'lost'
  constructor(code: 'full' | 'io' | 'busy' | 'lost', message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}
