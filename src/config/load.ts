// From flags, environment, .env and file to one Config, or to every mistake at once.
import { dirname, join } from 'node:path'
import { readAws } from './aws.ts'
import type { AwsSettings, Config, Flags } from './config.ts'
import { readCertspotter } from './certspotter.ts'
import { complain, fromEnvironment } from './context.ts'
import type { Context } from './context.ts'
import { parseFile } from './document.ts'
import type { Tree } from './document.ts'
import { parseDotenv } from './dotenv.ts'
import { layered } from './environment.ts'
import type { Environment } from './environment.ts'
import { ownersPath, shownFile, tryRead } from './files.ts'
import type { ReadFile } from './files.ts'
import { readWatchLists } from './items.ts'
import { withoutSecrets } from './problems.ts'
import type { Problem } from './problems.ts'
import { readProxy } from './proxy.ts'
import { readContact, readDebug, readHeartbeat, readListen, readLogFormat, readStdout } from './settings.ts'
import { readSlack } from './sinks.ts'
import { readPredecessor, readState } from './state.ts'
import { readLogs } from './logs.ts'
import { at, checkStructure } from './structure.ts'
import { substitute } from './substitute.ts'

/** What loadConfig needs of the world. */
export interface LoadOptions {
  readonly flags: Flags
  readonly env: Environment
  /** Absolute. */
  readonly cwd: string
  readonly readFile: ReadFile
  readonly home?: string | undefined
  /** False for commands that look at no name (`test-alert`): then an empty `watch` is no problem. Default true. */
  readonly needWatch?: boolean
}

/** The configuration, or every problem with it. `file` is the configuration file for people, where there is one. */
export type LoadResult = { readonly config: Config } | { readonly problems: readonly Problem[]; readonly file?: string }

/** Gets a secret that is kept elsewhere, by its reference: `ssm:/path`, `secretsmanager:NAME#key`. Throws an Error whose message follows the place of the setting. */
export type ReadRemoteSecret = (reference: string, aws: AwsSettings) => Promise<string>

/** As loadConfig, for settings whose secrets may be kept elsewhere. Each is read once, by `read`. */
export async function loadConfigWithSecrets(options: LoadOptions, read: ReadRemoteSecret): Promise<LoadResult> {
  const known = new Map<string, string | Error>()
  for (;;) {
    const { result, wanted, aws } = load(options, known)
    if (wanted.size === 0) return result
    await Promise.all(
      [...wanted].map(async (reference) =>
        known.set(reference, await read(reference, aws).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))),
      ),
    )
  }
}

/** Reads the configuration. Never throws for what the owner wrote; no problem and no warning holds a secret. Secrets that are kept elsewhere are problems. */
export function loadConfig(options: LoadOptions): LoadResult {
  const { result, wanted } = load(options, new Map())
  if (wanted.size === 0) return result
  return load(options, new Map([...wanted].map((reference) => [reference, new Error(`${reference} cannot be read here`)]))).result
}

interface Loaded {
  readonly result: LoadResult
  /** Secrets that were not known. */
  readonly wanted: ReadonlySet<string>
  readonly aws: AwsSettings
}

function load(options: LoadOptions, known: ReadonlyMap<string, string | Error>): Loaded {
  const { flags, cwd } = options
  const problems: Problem[] = []
  const warnings: string[] = []
  const found = findFile(options, problems)
  const hint = found === undefined && problems.length === 0 ? otherName(options) : undefined
  if (hint !== undefined) warnings.push(`${hint.place} ${hint.message}.`)
  const folder = found === undefined ? cwd : dirname(found.path)
  const file = found === undefined ? undefined : shownFile(found.path, cwd)
  const { unreadable, dotenv, ...layers } = readLayers(options, join(folder, '.env'), warnings)
  const root = found?.text === undefined ? undefined : readTree(found.text, layers.env, problems)

  const unread = root === undefined && (found !== undefined || hint !== undefined || problems.length > 0)
  const context: Context = {
    ...layers,
    root,
    unread,
    cwd,
    folder,
    home: options.home,
    readFile: options.readFile,
    problems,
    warnings,
    secrets: new Set(),
    remote: { known, wanted: new Set() },
  }
  const slack = readSlack(context)
  const logs = readLogs(context)
  const certspotter = readCertspotter(context, logs !== false)
  const heartbeat = readHeartbeat(context)
  const contact = readContact(context)
  const listen = readListen(context)
  const stdout = readStdout(context)
  const lists = readWatchLists(context, flags.names ?? [], { needed: options.needWatch ?? true, logs: logs !== false, otherSinks: slack.length > 0 })
  const state = readState(context, flags.state)
  if (logs !== false && state?.kind === 's3')
    complain(
      context,
      fromEnvironment(context, 'CERTBELL_LOGS', at(context.root, 'logs'))?.at ?? at(context.root, 'logs')?.at ?? { path: 'logs' },
      `reading logs writes every few seconds, which is not what ${state.shown} is for. Use a directory for state, or remove \`logs\``,
    )
  const predecessor = readPredecessor(context)
  const aws = readAws(context, state?.kind === 's3' || predecessor.bucket !== undefined)
  const logFormat = readLogFormat(context, flags.logFormat)
  const proxy = readProxy(context)
  const verbosity = readDebug(context, flags)
  if (stdout === 'off' && slack.length === 0) warnings.push('There is no sink: alerts are kept, and nobody is told. Give slack, or stdout: auto.')

  // Harmless while everything is there; otherwise perhaps the very reason.
  if (problems.length > 0 && unreadable !== undefined) problems.push(unreadable)
  if (hint !== undefined && (problems.length > 0 || (lists.watch.length === 0 && (options.needWatch ?? true)))) problems.push(hint)
  const secrets = [...context.secrets].sort((a, b) => b.length - a.length)
  const done = (result: LoadResult): Loaded => ({ result, wanted: context.remote.wanted, aws })
  if (problems.length > 0 || state === undefined) {
    return done({
      problems: problems.map((problem) => ({ ...problem, message: withoutSecrets(problem.message, secrets) })),
      ...(file === undefined ? {} : { file }),
    })
  }
  return done({
    config: {
      ...lists,
      slack,
      stdout,
      certspotter,
      logs,
      state,
      predecessor,
      aws,
      ...(contact === undefined ? {} : { contact }),
      ...(heartbeat === undefined ? {} : { heartbeat }),
      ...(listen === undefined ? {} : { listen }),
      logFormat,
      ...verbosity,
      proxy,
      ...(file === undefined ? {} : { file }),
      secrets,
      secretFiles: [found, dotenv].flatMap((one) =>
        one?.text !== undefined && secrets.some((secret) => one.text?.includes(secret)) ? [one.path] : [],
      ),
      warnings: warnings.map((warning) => withoutSecrets(warning, secrets)),
    },
  })
}

/** The configuration file, without a text if it could not be read; undefined if there is none and none was asked for. */
function findFile(
  { flags, env, cwd, home, readFile }: LoadOptions,
  problems: Problem[],
): { readonly path: string; readonly text?: string } | undefined {
  const asked =
    flags.config === undefined ? { name: env['CERTBELL_CONFIG'] || undefined, place: 'CERTBELL_CONFIG' } : { name: flags.config, place: '--config' }
  const path = ownersPath(asked.name ?? 'certbell.yaml', cwd, home)
  if (asked.name === '') {
    problems.push({ place: asked.place, message: 'names no file. Write --config certbell.yaml' })
    return undefined
  }
  const read = tryRead(readFile, path)
  if ('text' in read) return { path, text: read.text }
  if ('missing' in read && asked.name === undefined) return undefined
  const why = 'why' in read ? read.why : 'does not exist'
  problems.push({ place: asked.name === undefined ? 'certbell.yaml' : asked.place, message: `the file "${shownFile(path, cwd)}" ${why}` })
  return undefined
}

// The other ending that YAML files have: it is not read, and whoever wrote it believes that it is.
function otherName({ cwd, readFile }: LoadOptions): { readonly place: string; readonly message: string } | undefined {
  if ('missing' in tryRead(readFile, join(cwd, 'certbell.yml'))) return undefined
  return { place: 'certbell.yml', message: 'is not read. Rename it to certbell.yaml, or give --config certbell.yml' }
}

interface Layers {
  readonly env: Environment
  readonly fromDotenv: ReadonlySet<string>
  readonly unreadable?: Problem
  readonly dotenv?: { readonly path: string; readonly text: string }
}

/** The environment over the `.env` file. */
function readLayers({ env, cwd, readFile }: LoadOptions, path: string, warnings: string[]): Layers {
  const own = layered(env)
  const read = tryRead(readFile, path)
  if ('why' in read) {
    warnings.push(`${shownFile(path, cwd)} ${read.why}.`)
    return { env: own, fromDotenv: new Set(), unreadable: { place: shownFile(path, cwd), message: read.why } }
  }
  if (!('text' in read)) return { env: own, fromDotenv: new Set() }
  const { variables, odd } = parseDotenv(read.text)
  // The line itself may hold a secret.
  for (const line of odd) warnings.push(`${shownFile(path, cwd)}:${line} is not NAME=VALUE and is not read.`)
  if (variables['CERTBELL_CONFIG'] && own['CERTBELL_CONFIG'] === undefined)
    warnings.push('CERTBELL_CONFIG in .env is not used: .env is looked for beside the configuration file.')
  const fromDotenv = new Set(Object.keys(variables).filter((name) => own[name] === undefined))
  return { env: layered(own, variables), fromDotenv, dotenv: { path, text: read.text } }
}

function readTree(text: string, env: Environment, problems: Problem[]): Tree | undefined {
  const parsed = parseFile(text)
  problems.push(...parsed.problems)
  if (parsed.tree === undefined) return undefined
  const root = substitute(parsed.tree, env, problems)
  problems.push(...checkStructure(root))
  return root
}
