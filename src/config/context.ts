// What every reader of settings is given: the layers, where relative paths start, and where to put what it finds.
import type { Tree } from './document.ts'
import type { Environment } from './environment.ts'
import { ownersPath, tryRead } from './files.ts'
import type { ReadFile } from './files.ts'
import { problemAt } from './problems.ts'
import type { Place, Problem } from './problems.ts'
import { refersTo } from './substitute.ts'

/** The layers below the flags, and the lists that grow while settings are read. */
export interface Context {
  /** The environment over `.env`, without empty variables. */
  readonly env: Environment
  /** The names of `env` that only `.env` gives. */
  readonly fromDotenv: ReadonlySet<string>
  readonly root: Tree | undefined
  /** There is a configuration file, or should be, and what it holds is not known; a problem says why. */
  readonly unread: boolean
  readonly cwd: string
  /** The configuration file's directory, or `cwd`. */
  readonly folder: string
  readonly home: string | undefined
  readonly readFile: ReadFile
  readonly problems: Problem[]
  readonly warnings: string[]
  readonly secrets: Set<string>
  readonly remote: RemoteSecrets
}

/** Secrets that are kept elsewhere, by their reference: what is known of them, and which are asked for and not known yet. */
export interface RemoteSecrets {
  /** An Error where it cannot be had; its message follows the place of the setting. */
  readonly known: ReadonlyMap<string, string | Error>
  readonly wanted: Set<string>
}

const REMOTE = /^(?:ssm|secretsmanager):/

/** A value as text, and where it came from. */
export interface Setting {
  readonly text: string
  readonly at: Place
}

/** Adds a problem. */
export function complain(context: Context, at: Place, message: string): void {
  context.problems.push(problemAt(at, message))
}

/** A variable's place: its name, and `.env` if it stands there. */
export function variablePlace(context: Context, name: string): Place {
  return { place: context.fromDotenv.has(name) ? `${name} in .env` : name }
}

/** A variable that is set and that the file's value does not use by itself: then the file says more than the variable does (a sink's name, other names beside it). */
export function fromEnvironment(context: Context, variable: string, tree: Tree | undefined): Setting | undefined {
  const text = context.env[variable]
  return text === undefined || refersTo(tree, variable) ? undefined : { text: text.trim(), at: variablePlace(context, variable) }
}

/** A setting of plain text: the environment's, else the file's. Undefined if there is none or it has a problem already. */
export function setting(context: Context, variable: string | undefined, tree: Tree | undefined): Setting | undefined {
  const own = variable === undefined ? undefined : fromEnvironment(context, variable, tree)
  return own ?? (tree?.kind === 'text' && !tree.broken ? { text: tree.text.trim(), at: tree.at } : undefined)
}

/** A secret setting's value; `file:PATH`, `ssm:` and `secretsmanager:` are read. Undefined after a problem, and while it is not known yet. What was read is kept from all output. */
export function readSecret(context: Context, given: Setting): string | undefined {
  if (REMOTE.test(given.text)) return readRemote(context, given)
  if (!given.text.startsWith('file:')) {
    keepSecret(context.secrets, given.text)
    return given.text
  }
  const path = given.text.slice('file:'.length)
  if (path === '') {
    complain(context, given.at, 'names no file. Write file:PATH')
    return undefined
  }
  const read = tryRead(context.readFile, ownersPath(path, context.folder, context.home))
  if (!('text' in read)) {
    complain(context, given.at, `the file "${path}" ${'why' in read ? read.why : 'does not exist'}. Write file:PATH, relative to ${context.folder}`)
    return undefined
  }
  const value = read.text.replace(/[\r\n]+$/, '')
  if (value === '') {
    complain(context, given.at, `the file "${path}" is empty`)
    return undefined
  }
  keepSecret(context.secrets, value)
  return value
}

function readRemote(context: Context, given: Setting): string | undefined {
  const known = context.remote.known.get(given.text)
  if (known === undefined) {
    context.remote.wanted.add(given.text)
    return undefined
  }
  if (known instanceof Error) {
    complain(context, given.at, known.message)
    return undefined
  }
  const value = known.replace(/[\r\n]+$/, '')
  if (value === '') {
    complain(context, given.at, `what ${given.text} holds is empty`)
    return undefined
  }
  keepSecret(context.secrets, value)
  return value
}

/** Remembers a secret. Anything shorter than six characters would make other words unreadable and is no secret worth the name. */
export function keepSecret(secrets: Set<string>, text: string): void {
  if (text.length >= 6) secrets.add(text)
}
