/** One line of `certbell doctor`. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'FAIL'
  readonly what: string
  /** What mends it. */
  readonly remedy?: string
}
