// What a command starts from: its configuration, or every mistake in it at once; how to write results; how to log.
import { homedir } from 'node:os'
import { readEnvironment } from '../config/environment.ts'
import { readTextFile } from '../config/files.ts'
import { loadConfigWithSecrets } from '../config/load.ts'
import { formatProblems } from '../config/problems.ts'
import type { Config } from '../config/config.ts'
import { createLogger, redactor, toStderr } from '../log.ts'
import type { Logger } from '../log.ts'
import type { CommonFlags } from './options.ts'
import { setRedaction } from './crash.ts'

export interface Session {
  readonly config: Config
  readonly flags: CommonFlags
  readonly log: Logger
  readonly redact: (text: string) => string
  /** Writes a result to stdout. */
  readonly out: (text: string) => void
  readonly color: boolean
  /** Somebody looks at stderr: progress lines are worth it. */
  readonly screen: boolean
  readonly version: string
}

/** Ends the command with a code; what there was to say has been said. */
export class Exit extends Error {
  readonly exitCode: number
  constructor(code: number, message = '') {
    super(message)
    this.name = 'Exit'
    this.exitCode = code
  }
}

/** Reads the configuration. Prints every problem and throws Exit(2) if there is one. */
export async function openSession(flags: CommonFlags, version: string, names: readonly string[] = [], needWatch = true): Promise<Session> {
  const env = readEnvironment()
  const options = {
    flags: {
      ...(flags.config !== undefined && { config: flags.config }),
      ...(flags.state !== undefined && { state: flags.state }),
      ...(flags.logFormat !== undefined && { logFormat: flags.logFormat }),
      ...(flags.verbose !== undefined && { verbose: flags.verbose }),
      ...(flags.quiet !== undefined && { quiet: flags.quiet }),
      names,
    },
    env,
    cwd: process.cwd(),
    readFile: readTextFile,
    home: env['HOME'] ?? homedir(),
    needWatch,
  }
  // What asks AWS is loaded by those who keep a secret there.
  const loaded = await loadConfigWithSecrets(options, async (reference, aws) => (await import('./aws-secrets.ts')).readAwsSecret(reference, aws))
  if ('problems' in loaded) throw new Exit(2, formatProblems(loaded.problems, loaded.file))
  const { config } = loaded
  const redact = redactor(config.secrets)
  setRedaction(redact)
  const noColor = flags.color === false || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  const log = createLogger({
    format: config.logFormat,
    least: config.quiet ? 'warn' : config.debug ? 'debug' : 'info',
    redact,
    now: () => new Date(),
    write: toStderr,
  })
  return {
    config,
    flags,
    log,
    redact,
    out: (text) => void process.stdout.write(redact(text)),
    color: process.stdout.isTTY && !noColor,
    screen: process.stderr.isTTY && config.logFormat === 'text' && !config.quiet,
    version,
  }
}
