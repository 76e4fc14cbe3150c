// What bytes from outside can be: a value, or this.

/** Why bytes could not be read: they end too early, have a length or a tag that cannot be, hold too much or the wrong thing. */
export type ParseErrorCode = 'truncated' | 'length' | 'tag' | 'value'

/** The only error that the readers in `src/ct` throw at bytes. `offset` is where in the bytes given, `what` the part being read, in spec words. */
export class ParseError extends Error {
  override readonly name = 'ParseError'
  readonly code: ParseErrorCode
  readonly offset: number
  readonly what: string
  /** What is wrong with it, to follow its name. */
  readonly why: string

  constructor(code: ParseErrorCode, what: string, offset: number, why: string) {
    super(`${what}: ${why} at byte ${offset}`)
    this.code = code
    this.offset = offset
    this.what = what
    this.why = why
  }
}
