// The owner's mistakes, as text. What is shown here was written by the owner, but may hold a secret in the wrong place or have been pasted from anywhere.
import { printable } from '../watch/printable.ts'

/** One mistake of the owner's. `line` and `column` (from 1) are in the configuration file, `place` is anything else that holds it: `MONITOR_DOMAINS`, `--state`, `names.txt:3`. `path` is the key, `watch[1]`. */
export interface Problem {
  readonly line?: number
  readonly column?: number
  readonly place?: string
  readonly path?: string
  readonly message: string
}

/** Where a value stands: a problem without its message. */
export type Place = Omit<Problem, 'message'>

/** The problem with what stands there. */
export function problemAt(place: Place, message: string): Problem {
  return { ...place, message }
}

/** Every problem, a line each under a heading, ending without a newline. `file` is the configuration file as the owner knows it, if there is one. Whatever is in `secrets` is replaced. */
export function formatProblems(problems: readonly Problem[], file?: string, secrets: readonly string[] = []): string {
  const inFile = file !== undefined && problems.some((problem) => problem.line !== undefined || problem.place === undefined)
  const head = inFile ? `${printable(file)} has` : 'The settings have'
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  const rows = [...problems].sort(byPosition).map((problem) => ({ where: whereOf(problem), what: whatOf(problem) }))
  // One very long place must not push everything else to the right.
  const width = Math.max(5, ...rows.map((row) => row.where.length).filter((length) => length <= 24))
  return [`${head} ${count}:`, ...rows.map((row) => `  ${row.where.padEnd(width)}  ${row.what}`.trimEnd())]
    .map((line) => withoutSecrets(line, secrets))
    .join('\n')
}

/** The text with every secret, and whatever follows the host of a Slack webhook, replaced by `…`. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text.replace(/(hooks\.slack(?:-gov)?\.com)[/\\][^\s"'…]*/gi, '$1/…')
  // The longest first, so that no tail of a whole URL is left behind by the replacement of a part.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) if (secret.length > 0) clean = clean.replaceAll(secret, '…')
  return clean
}

function byPosition(a: Problem, b: Problem): number {
  return (a.line ?? Infinity) - (b.line ?? Infinity) || (a.column ?? 0) - (b.column ?? 0) || 0
}

function whereOf(problem: Problem): string {
  if (problem.line !== undefined) return problem.column === undefined ? String(problem.line) : `${problem.line}:${problem.column}`
  return printable(problem.place ?? '', 120)
}

function whatOf(problem: Problem): string {
  const message = printable(problem.message, 600)
  return problem.path === undefined || problem.path === '' ? message : `${printable(problem.path, 120)}: ${message}`
}
