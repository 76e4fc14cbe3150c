// How far behind a log we are, and why.

/**
 * `slow`: it answers, and takes long. `limited`: it refuses us for asking too often. `down`: no answer, or errors. `broken`: answers that cannot be
 * read. `bandwidth`: our own cap. `cpu`: we cannot read faster. `misbehaves`: what it sends is not what it signed.
 */
export type LagCause = 'slow' | 'limited' | 'down' | 'broken' | 'bandwidth' | 'cpu' | 'misbehaves'

/** The cause in words, of a log that is behind; they follow "because". */
export function causeText(cause: LagCause): string {
  switch (cause) {
    case 'slow':
      return 'the log answers slowly'
    case 'limited':
      return 'the log refuses requests that come faster (429)'
    case 'down':
      return 'the log does not answer, or with errors'
    case 'broken':
      return "the log's answers cannot be read"
    case 'bandwidth':
      return 'of the cap in logs.bandwidth'
    case 'cpu':
      return 'this machine reads no faster'
    case 'misbehaves':
      return 'what the log sends is not what it signed'
  }
}
