// The front door: words to commands, errors to exit codes.
import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { readTextFile } from '../config/files.ts'
import { toStderr } from '../log.ts'
import { FencedError } from '../stores/store.ts'
import { OwnerError, StoreError } from '../watch/errors.ts'
import { printable } from '../watch/printable.ts'
import { sayCrash } from './crash.ts'
import type { CommonFlags } from './options.ts'
import { withCommonFlags } from './options.ts'
import { Exit, openSession } from './session.ts'

/** Runs a command line (without node and script). Sets the exit code and ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const loud = argv.includes('--verbose')
  // A reader that went away (`certbell certs | head`) ends us quietly; one that alerts were for does not come back, so that is a failure. What it
  // had not got waits for the next run.
  let unwritten = false
  process.stdout.on('error', (error) => {
    unwritten = true
    if ('code' in error && error.code === 'EPIPE') process.exit(argv.some((word) => word === 'watch' || word === 'poll') ? 1 : 0)
  })
  process.on('uncaughtException', (error) => {
    sayCrash(error, loud)
    process.exit(1)
  })
  process.on('unhandledRejection', (error) => {
    sayCrash(error, loud)
    process.exit(1)
  })
  const code = await run(argv, loud)
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
  process.exit(unwritten ? Math.max(code, 1) : code)
}

async function run(argv: readonly string[], loud: boolean): Promise<number> {
  let code = 0
  const version = readVersion()
  const program = commands(version, (result) => (code = result))
  try {
    await program.parseAsync(withDefaultCommand(argv, program), { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof Exit) {
      if (error.message !== '') toStderr(`${error.message}\n`)
      return error.exitCode
    }
    if (error instanceof OwnerError) {
      toStderr(`certbell: ${printable(error.message, 1000)}\n`)
      return 2
    }
    if (error instanceof StoreError || error instanceof FencedError) {
      toStderr(`certbell: ${printable(error.message, 1000)}. Nothing that was kept is lost\n`)
      return 1
    }
    sayCrash(error, loud)
    return 1
  }
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}

// `certbell example.com` means `certbell watch example.com`; a word without a dot is more likely a command that was mistyped.
function withDefaultCommand(argv: readonly string[], program: Command): string[] {
  const takesValue = new Set(['--config', '--state', '--log-format'])
  const at = argv.findIndex((word, index) => !word.startsWith('-') && !takesValue.has(argv[index - 1] ?? ''))
  const word = argv[at]
  if (word === undefined || program.commands.some((command) => command.name() === word) || word === 'help') return [...argv]
  return /[.:@=*]/.test(word) ? ['watch', ...argv] : [...argv]
}

function commands(version: string, done: (code: number) => void): Command {
  const program = new Command('certbell')
  const output = { writeErr: (text: string) => toStderr(printableLines(text)) }
  program
    .description('Rings when a certificate is issued for a name you watch.')
    .version(version, '--version')
    .helpOption('--help', 'this help')
    .exitOverride()
    .configureOutput(output)
    .addHelpText(
      'after',
      '\nExample: certbell watch example.com\n\nEvery command has --help with an example. Exit codes: 0 done and well, 1 something failed or is pending, 2 a mistake in flags, settings or state.',
    )
  withCommonFlags(program)

  const add = (name: string, description: string, examples: readonly string[]): Command => {
    const command = withCommonFlags(program.command(name).description(description))
    command.helpOption('--help', 'this help').exitOverride().configureOutput(output)
    command.addHelpText('after', `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${examples.map((example) => `  ${example}`).join('\n')}`)
    return command
  }
  // Flags before the command's word count as well.
  const flagsOf = (command: Command): CommonFlags => ({
    ...program.opts<CommonFlags>(),
    ...Object.fromEntries(Object.entries(command.opts()).filter(([key, value]) => value !== undefined && !(key === 'color' && value === true))),
  })
  const session = (command: Command, names: readonly string[] = [], needWatch = true): ReturnType<typeof openSession> =>
    openSession(flagsOf(command), version, names, needWatch)

  add('watch', 'runs until SIGINT or SIGTERM, and rings', ['certbell watch example.com', 'certbell watch --config certbell.yaml --log-format json'])
    .argument('[name...]', 'names to watch besides those of the configuration')
    .action(async (names: string[], _options: unknown, command: Command) =>
      done(await (await import('./commands/watch.ts')).watch(await session(command, names))),
    )

  add('poll', 'one pass over what is due now; for cron', ['certbell poll', 'certbell poll --wait example.com'])
    .argument('[name...]', 'names to watch besides those of the configuration')
    .option('--wait', 'go on until every baseline and backlog is done and delivered, obeying quotas')
    .action(async (names: string[], options: { wait?: boolean }, command: Command) =>
      done(await (await import('./commands/poll.ts')).poll(await session(command, names), options.wait === true)),
    )

  add('demo', 'shows all of it on this machine: no account, no internet', ['certbell demo', 'certbell demo --keep'])
    .option('--keep', 'leave it running, with its addresses printed')
    .action(async (options: { keep?: boolean }, command: Command) =>
      done(
        await (
          await import('./commands/demo.ts')
        ).demo({ keep: options.keep === true, color: flagsOf(command).color !== false && process.stdout.isTTY, version }),
      ),
    )

  add('init', 'asks a few questions and writes certbell.yaml and .env', [
    'certbell init',
    'certbell init --yes --watch example.com --slack https://hooks.slack.com/services/...',
  ])
    .option('--yes', 'ask nothing')
    .option('--watch <names>', 'names to watch, separated by comma or space', (value: string, before: string[]) => [...before, value], [])
    .option('--slack <url>', 'Slack incoming webhook; may be given several times', (value: string, before: string[]) => [...before, value], [])
    .option('--token <token>', 'Cert Spotter API token')
    .option('--force', 'overwrite what is there')
    .action(async (options: { yes?: boolean; watch: string[]; slack: string[]; token?: string; force?: boolean }, command: Command) =>
      done(await init(options, flagsOf(command), version)),
    )

  add('check', 'validates the configuration and says what it means', ['certbell check', 'certbell check --json']).action(
    async (_options: unknown, command: Command) => done(await (await import('./commands/check.ts')).check(await session(command))),
  )

  add('doctor', 'check, and whether API, logs, sinks, state and clock are as they must be', ['certbell doctor']).action(
    async (_options: unknown, command: Command) => done(await (await import('./commands/doctor.ts')).doctor(await session(command))),
  )

  add('test-alert', 'sends a sample, marked as a test, through every sink', ['certbell test-alert']).action(
    async (_options: unknown, command: Command) =>
      done(await (await import('./commands/test-alert.ts')).testAlert(await session(command, [], false))),
  )

  add('status', 'whether all is well, and if not, what to do', ['certbell status', 'certbell status --json']).action(
    async (_options: unknown, command: Command) => done(await (await import('./commands/status.ts')).status(await session(command))),
  )

  add('certs', 'the inventory: known certificates, newest first', ['certbell certs', 'certbell certs login.example.com --json'])
    .argument('[name]', 'only those that concern this name')
    .addOption(limit())
    .action(async (name: string | undefined, options: { limit?: number }, command: Command) =>
      done(await (await import('./commands/certs.ts')).certs(await session(command), name, options.limit)),
    )

  add('alerts', 'the alerts, newest first, and whether they arrived', ['certbell alerts', 'certbell alerts --pending --json'])
    .option('--pending', 'only those that a sink has not taken yet')
    .addOption(limit())
    .action(async (options: { pending?: boolean; limit?: number }, command: Command) =>
      done(await (await import('./commands/alerts.ts')).alerts(await session(command, [], false), options.pending === true, options.limit)),
    )

  add('logs', 'the logs that are read: how far, how far behind, and why', ['certbell logs', 'certbell logs --json']).action(
    async (_options: unknown, command: Command) => done(await (await import('./commands/logs.ts')).logs(await session(command, [], false))),
  )

  return program
}

function limit(): Option {
  return new Option('--limit <n>', 'at most so many').argParser((value) => {
    const n = Number(value)
    if (!Number.isSafeInteger(n) || n < 1) throw new InvalidArgumentError('It must be a whole number above 0.')
    return n
  })
}

async function init(
  options: { yes?: boolean; watch: string[]; slack: string[]; token?: string; force?: boolean },
  flags: CommonFlags,
  version: string,
): Promise<number> {
  const { runInit } = await import('./init.ts')
  const { writeWholeFile } = await import('./init-files.ts')
  const terminal = process.stdin.isTTY && process.stdout.isTTY
  const result = await runInit({
    cwd: process.cwd(),
    version,
    yes: options.yes === true,
    force: options.force === true,
    ...(flags.config !== undefined && { config: flags.config }),
    watch: options.watch,
    slack: options.slack,
    ...(options.token !== undefined && { token: options.token }),
    ...(terminal && { prompt: async () => (await import('./init-prompts.ts')).clackPrompter() }),
    readFile: readTextFile,
    write: writeWholeFile,
  })
  if (result.exit === 0) process.stdout.write(`${result.out}\n`)
  else toStderr(`${result.out}\n`)
  return result.exit
}

// What was mistyped is quoted back: it may have come from anywhere.
function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line, 400))
    .join('\n')
}
