// `certbell init`: from three answers to certbell.yaml and .env, both whole or not at all.
import { dirname, join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { tokenProblem } from '../config/certspotter.ts'
import { dotenvLine } from '../config/dotenv.ts'
import { shownFile, tryRead } from '../config/files.ts'
import type { ReadFile } from '../config/files.ts'
import { formatProblems } from '../config/problems.ts'
import type { Problem } from '../config/problems.ts'
import { checkUrl } from '../config/url.ts'
import { parseItem } from '../watch/item.ts'
import { folderProblem } from './init-files.ts'
import type { WriteFile } from './init-files.ts'
import type { Prompter, Question } from './init-prompts.ts'

/** What `init` needs. `prompt` is absent where nobody can be asked (no terminal). */
export interface InitOptions {
  readonly cwd: string
  /** The package's version, for the schema's address. */
  readonly version: string
  /** Ask nothing. */
  readonly yes: boolean
  readonly force: boolean
  /** --config; default `certbell.yaml`. */
  readonly config?: string
  /** --watch, each perhaps several names separated by comma or space. */
  readonly watch?: readonly string[]
  /** --slack, each one webhook. */
  readonly slack?: readonly string[]
  readonly token?: string
  readonly prompt?: () => Promise<Prompter>
  readonly readFile: ReadFile
  readonly write: WriteFile
}

/** `out` is for stdout with exit 0, for stderr with exit 2; without a newline at its end. It holds no secret. */
export interface InitResult {
  readonly exit: 0 | 2
  readonly out: string
}

interface Answers {
  readonly watch: readonly string[]
  readonly slack: readonly string[]
  readonly token: string | undefined
}

/** Writes the configuration and says what to do next. Owner's mistakes, and a place that cannot be written, are exit 2. */
export async function runInit(options: InitOptions): Promise<InitResult> {
  const yamlPath = resolve(options.cwd, options.config ?? 'certbell.yaml')
  const envPath = join(dirname(yamlPath), '.env')
  const yamlName = shownFile(yamlPath, options.cwd)
  const envName = shownFile(envPath, options.cwd)
  const unfit = folderProblem(dirname(yamlPath))
  if (unfit !== undefined) return { exit: 2, out: unfit }
  if (!options.force && !('missing' in tryRead(options.readFile, yamlPath))) return refused(yamlName)
  if (options.yes || options.prompt === undefined) {
    const problems = flagProblems(options, dirname(yamlPath))
    if (problems.length > 0) return { exit: 2, out: formatProblems(problems, undefined, secretsOf(options)) }
  }
  const answers = options.yes || options.prompt === undefined ? given(options) : await asked(options, dirname(yamlPath), await options.prompt())
  if (answers === undefined) return { exit: 2, out: 'Nothing was written.' }

  const secrets = [
    ...answers.slack.map((value, i) => ({ name: webhookVariable(i), value })),
    ...(answers.token === undefined ? [] : [{ name: 'CERTSPOTTER_API_TOKEN', value: answers.token }]),
  ]
  const old = tryRead(options.readFile, envPath)
  if ('why' in old) return { exit: 2, out: `${envName} ${old.why}` }
  if (secrets.length > 0 && 'text' in old && !options.force) return refused(envName)
  // A mapping without its secret would be read as one that is not set, so the secrets are there first.
  const overwrite = options.force
  try {
    if (secrets.length > 0) options.write(envPath, envText('text' in old ? old.text : '', secrets), { mode: 0o600, overwrite })
    options.write(yamlPath, yamlText(answers, schemaAddress(options, dirname(yamlPath))), { mode: 0o644, overwrite })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error
    if (error.code === 'EEXIST') return refused(`${yamlName} or ${envName}`)
    return { exit: 2, out: `${yamlName} or ${envName} cannot be written (${error.code})` }
  }
  return { exit: 0, out: done(yamlName, secrets.length > 0 ? envName : undefined, answers, options.config) }
}

function refused(name: string): InitResult {
  return { exit: 2, out: `${name} exists already and is left as it is. Edit it, or write it anew with --force` }
}

function webhookVariable(i: number): string {
  return i === 0 ? 'SLACK_WEBHOOK' : `SLACK_WEBHOOK_${i + 1}`
}

function secretsOf({ slack = [], token }: InitOptions): readonly string[] {
  return [...slack, token].flatMap((secret) => (secret !== undefined && secret.length >= 6 ? [secret] : []))
}

function flagProblems({ watch, slack = [], token, yes, readFile }: InitOptions, folder: string): readonly Problem[] {
  if (!yes)
    return [
      { place: 'init', message: 'asks questions and there is no terminal to ask at. Write for instance: certbell init --yes --watch example.com' },
    ]
  const names = split(watch ?? [])
  const problems: Problem[] = names.flatMap((name) => problemOf('--watch', nameProblem(name, folder, readFile)))
  if (names.length === 0)
    problems.push({ place: '--watch', message: 'is missing: there is nothing to watch. Write for instance --watch example.com' })
  for (const url of slack) problems.push(...problemOf('--slack', slackProblem(url.trim())))
  if (token !== undefined) problems.push(...problemOf('--token', tokenProblem(token.trim())))
  return problems
}

function problemOf(place: string, message: string | undefined): readonly Problem[] {
  return message === undefined ? [] : [{ place, message }]
}

function given({ watch = [], slack = [], token }: InitOptions): Answers {
  return { watch: split(watch), slack: [...new Set(slack.map((url) => url.trim()))], token: token?.trim() }
}

/** Asks for what the flags have not given rightly. Undefined if the person gave up. */
async function asked(options: InitOptions, folder: string, prompter: Prompter): Promise<Answers | undefined> {
  const from = given(options)
  const optional = (problem: (text: string) => string | undefined) => (answer: string) => (answer.trim() === '' ? undefined : problem(answer.trim()))
  const ask = async (value: string | undefined, how: 'text' | 'secret', question: Question): Promise<string | undefined> =>
    value !== undefined && question.validate(value) === undefined ? value : prompter[how](question)

  const watch = await ask(from.watch.join(' ') || undefined, 'text', {
    message: 'Which names shall be watched? Each with everything below it; several with a space between',
    placeholder: 'example.com',
    validate: (answer) => namesProblem(answer, folder, options.readFile),
  })
  if (watch === undefined) return undefined
  const right = from.slack.length > 0 && from.slack.every((url) => slackProblem(url) === undefined)
  const slack = right
    ? from.slack.join(' ')
    : await prompter.secret({ message: 'Slack incoming webhook (empty for none)', validate: optional(slackProblem) })
  if (slack === undefined) return undefined
  const token = await ask(from.token, 'secret', {
    message: 'Cert Spotter API token (empty for none: 10 queries an hour)',
    validate: optional(tokenProblem),
  })
  if (token === undefined) return undefined
  return { watch: split([watch]), slack: right ? from.slack : slack.trim() === '' ? [] : [slack.trim()], token: token.trim() || undefined }
}

function split(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => text.split(/[\s,]+/)).filter((name) => name !== ''))]
}

function namesProblem(answer: string, folder: string, readFile: ReadFile): string | undefined {
  const names = split([answer])
  if (names.length === 0) return 'Write a name such as example.com'
  return names.map((name) => nameProblem(name, folder, readFile)).find((problem) => problem !== undefined)
}

// What a list holds is for `check` to say, which has its lines.
function nameProblem(name: string, folder: string, readFile: ReadFile): string | undefined {
  if (name.startsWith('@')) return listProblem(name.slice(1), folder, readFile)
  const parsed = parseItem(name)
  if ('problem' in parsed) return parsed.problem
  return parsed.item.kind === 'all'
    ? '"." (every certificate there is) is seen only in the logs. Write names; `logs: true` goes into certbell.yaml by hand'
    : undefined
}

function listProblem(file: string, folder: string, readFile: ReadFile): string | undefined {
  if (file === '') return '"@" names no file. Write @names.txt'
  const read = tryRead(readFile, resolve(folder, file))
  return 'text' in read ? undefined : `the file "${file}" ${'why' in read ? read.why : `does not exist in ${folder}`}`
}

function slackProblem(text: string): string | undefined {
  const checked = checkUrl(text)
  if ('problem' in checked) return `the webhook ${checked.problem}`
  return checked.url.pathname === '/' ? 'the webhook is a URL without a path. Write it whole, as Slack shows it' : undefined
}

/** The file's text. Values go through the YAML writer: a name may begin with `=` or `*`, or be a number to YAML. */
function yamlText({ watch, slack, token }: Answers, schema: string): string {
  const variables = slack.map((_, i) => `\${${webhookVariable(i)}}`)
  const settings = {
    watch,
    ...(slack.length === 0 ? {} : { slack: slack.length === 1 ? variables[0] : variables }),
    ...(token === undefined ? {} : { certspotter: { token: '${CERTSPOTTER_API_TOKEN}' } }),
  }
  return `# yaml-language-server: $schema=${schema}\n${stringify(settings, { lineWidth: 0 })}`
}

/** The installed schema if the package lies here, else the published one of this version. */
function schemaAddress({ readFile, version }: InitOptions, folder: string): string {
  const local = 'node_modules/certbell/schema/certbell.schema.json'
  return 'text' in tryRead(readFile, join(folder, local)) ? `./${local}` : `https://unpkg.com/certbell@${version}/schema/certbell.schema.json`
}

/** The .env file's text with ours replaced where they stand, or added at the end; everything else stays. */
function envText(old: string, secrets: readonly { readonly name: string; readonly value: string }[]): string {
  let lines = old === '' ? [] : old.replace(/\r?\n$/, '').split(/\r?\n/)
  for (const { name, value } of secrets) {
    const isOurs = (line: string) => new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`).test(line)
    const first = lines.findIndex(isOurs)
    const line = dotenvLine(name, value)
    if (first === -1) lines.push(line)
    else lines = lines.flatMap((text, i) => (i === first ? [line] : isOurs(text) ? [] : [text]))
  }
  return `${lines.join('\n')}\n`
}

function done(yamlName: string, envName: string | undefined, { slack }: Answers, config: string | undefined): string {
  const flag = config === undefined ? '' : ` --config ${config}`
  const steps = [
    [`certbell check${flag}`, 'says what it means'],
    ...(slack.length === 0 ? [] : [[`certbell test-alert${flag}`, 'sends a sample to Slack']]),
    [`certbell watch${flag}`, 'rings from now on'],
  ]
  const width = Math.max(...steps.map(([command]) => command?.length ?? 0))
  return [
    envName === undefined
      ? `${yamlName} is written.`
      : `${yamlName} is written, and the secrets are in ${envName}, which you alone can read. Keep it out of version control.`,
    '',
    'Next:',
    ...steps.map(([command, what]) => `  ${(command ?? '').padEnd(width)}   ${what}`),
  ].join('\n')
}
