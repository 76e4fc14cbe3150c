// Log lines: one event, one line, on stderr. Whatever is in them, no secret and nothing that a terminal would obey leaves here.
import { writeSync } from 'node:fs'
import { printable, safeJson } from './watch/printable.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

export interface Logger {
  (level: Level, message: string, fields?: Readonly<Record<string, unknown>>): void
}

const RANK: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 }
const MAX_LINE = 2000

export interface LogOptions {
  readonly format: 'text' | 'json'
  readonly least: Level
  readonly redact: (text: string) => string
  readonly now: () => Date
  readonly write: (line: string) => void
}

/** A logger that writes whole lines. */
export function createLogger(options: LogOptions): Logger {
  return (level, message, fields = {}) => {
    if (RANK[level] < RANK[options.least]) return
    const time = options.now().toISOString()
    if (options.format === 'json') {
      options.write(`${options.redact(safeJson({ time, level, message: printable(message, MAX_LINE), ...fields }))}\n`)
      return
    }
    const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${typeof value === 'string' ? safeJson(printable(value)) : safeJson(value)}`)
    options.write(`${options.redact(`${time} ${level.padEnd(5)} ${printable(message, MAX_LINE)}${rest.join('')}`)}\n`)
  }
}

/** Takes every secret out of a text. Longer ones first, so that a part of one never shields the rest. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const sorted = [...new Set(secrets)].filter((secret) => secret !== '').sort((a, b) => b.length - a.length)
  if (sorted.length === 0) return (text) => text
  return (text) => {
    let clean = text
    for (const secret of sorted) if (clean.includes(secret)) clean = clean.replaceAll(secret, '[secret]')
    return clean
  }
}

/** Writes to stderr at once, so that a crash right after loses nothing. A reader that has gone is no reason to fail. */
export function toStderr(text: string): void {
  try {
    writeSync(2, text)
  } catch {
    // EPIPE, or EAGAIN on a pipe that nobody reads: a log line is not worth the run.
  }
}
