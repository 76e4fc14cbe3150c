// The terminal while certbell runs: a line for what happens, and one live line at the bottom for what comes next.
import { styleText } from 'node:util'
import { toStderr } from '../log.ts'
import { printable } from '../watch/printable.ts'
import type { Line } from '../reporter.ts'

export interface Screen {
  /** A line that stays. */
  print(text: string): void
  /** What happened, with the time in front. */
  say(line: Line): void
  /** Replaces the live line; undefined takes it away. */
  live(text: string | undefined): void
}

const ABOUT = 22
const CLEAR = '\r\u001b[2K'

/** A screen on stderr, which must be a terminal. */
export function createScreen(options: {
  readonly color: boolean
  readonly verbose: boolean
  readonly redact: (text: string) => string
  readonly now: () => Date
}): Screen {
  let shown = false
  const write = (text: string): void => {
    toStderr(`${shown ? CLEAR : ''}${options.redact(text)}`)
    shown = false
  }
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    options.color ? styleText(style, text, { validateStream: false }) : text
  return {
    print: (text) => write(`${text}\n`),
    say: ({ level, about, text }) => {
      if (level === 'debug' && !options.verbose) return
      const time = options.now().toTimeString().slice(0, 8)
      const words = level === 'error' ? paint('red', text) : level === 'warn' ? paint('yellow', text) : text
      write(`${paint('dim', time)}  ${printable(about, 60).padEnd(ABOUT)} ${words}\n`)
    },
    live: (text) => {
      write('')
      if (text === undefined) return
      toStderr(options.redact(paint('dim', text.slice(0, Math.max(20, (process.stderr.columns ?? 80) - 1)))))
      shown = true
    },
  }
}
