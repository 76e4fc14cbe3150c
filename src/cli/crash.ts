// The last net: an error that nobody expected is said in one clean line, without a secret and without a stack that nobody asked for.
import { toStderr } from '../log.ts'
import { printable } from '../watch/printable.ts'

let redact = (text: string): string => text

/** From now on these secrets are known: nothing said at the end holds them. */
export function setRedaction(redaction: (text: string) => string): void {
  redact = redaction
}

/** Says an unexpected error on stderr. With DEBUG or --verbose the stack comes with it. */
export function sayCrash(error: unknown, withStack: boolean): void {
  const text = error instanceof Error ? (withStack ? (error.stack ?? error.message) : `${error.name}: ${error.message}`) : String(error)
  const shown = withStack
    ? text
        .split('\n')
        .map((line) => printable(line, 500))
        .join('\n')
    : printable(text, 500)
  toStderr(
    redact(
      `certbell: unexpected: ${shown}\nThis is a fault of certbell's. Nothing that was kept is lost. Run it again with --verbose and report what it says\n`,
    ),
  )
}
