// A `.env` file: what the shells and the other tools agree on, and nothing is run or expanded.

/** The variables of a `.env` file, the last of a name winning, and the lines (from 1) that are none. */
export interface Dotenv {
  readonly variables: Readonly<Record<string, string>>
  readonly odd: readonly number[]
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=[^\S\n]*(.*)$/s

/** Reads KEY=VALUE lines: `export`, quotes ('as it is', "with \n \t \\ \""), quoted values over several lines, comments at the start or after white space. */
export function parseDotenv(text: string): Dotenv {
  const variables = new Map<string, string>()
  const odd: number[] = []
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/)
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? ''
    if (/^\s*(?:#|$)/.test(line)) continue
    const match = ASSIGNMENT.exec(line)
    if (match?.[1] === undefined || match[2] === undefined) {
      odd.push(i + 1)
      continue
    }
    const quote = match[2][0]
    if (quote !== '"' && quote !== "'") {
      variables.set(match[1], match[2].replace(/(?:^|\s)#.*$/, '').trim())
      continue
    }
    const quoted = readQuoted(quote, match[2].slice(1), lines, i)
    if (quoted === undefined) {
      odd.push(i + 1)
      continue
    }
    variables.set(match[1], quoted.value)
    i = quoted.lastLine
  }
  return { variables: Object.fromEntries(variables), odd }
}

/** One line of a `.env` file that parseDotenv and shells read back as the same value. */
export function dotenvLine(name: string, value: string): string {
  // Bare where it can be: `docker --env-file` takes quotes for part of the value.
  if (/^[A-Za-z0-9_./:@%+,=-]+$/.test(value)) return `${name}=${value}`
  if (!/['\r\n]/.test(value)) return `${name}='${value}'`
  return `${name}="${value
    .replace(/[\\"$`]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')}"`
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** The value up to its closing quote, perhaps lines below; undefined if it is never closed or something follows. */
function readQuoted(
  quote: string,
  rest: string,
  lines: readonly string[],
  line: number,
): { readonly value: string; readonly lastLine: number } | undefined {
  let value = ''
  for (let i = line; i < lines.length; i++) {
    const text = i === line ? rest : (lines[i] ?? '')
    if (i > line) value += '\n'
    for (let at = 0; at < text.length; at++) {
      const c = text[at] ?? ''
      if (c === quote) return /^\s*(?:#.*)?$/.test(text.slice(at + 1)) ? { value, lastLine: i } : undefined
      if (c === '\\' && quote === '"' && at + 1 < text.length) {
        const next = text[++at] ?? ''
        value += ESCAPES[next] ?? (/[\\"$`]/.test(next) ? next : `\\${next}`)
      } else value += c
    }
  }
  return undefined
}
