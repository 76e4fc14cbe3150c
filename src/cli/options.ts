// Flags that every command takes, and what they are once parsed.
import type { Command } from 'commander'

export interface CommonFlags {
  readonly config?: string
  readonly state?: string
  readonly json?: boolean
  readonly logFormat?: string
  readonly verbose?: boolean
  readonly quiet?: boolean
  readonly color?: boolean
}

/** Adds the global flags, so that they may stand before or after the command's own words. */
export function withCommonFlags(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: certbell.yaml, if it is there)')
    .option('--state <place>', 'where state is kept: a directory')
    .option('--json', 'results as JSON')
    .option('--log-format <format>', 'log lines on stderr: text or json')
    .option('--verbose', 'say more')
    .option('--quiet', 'log only what is wrong')
    .option('--no-color', 'no colour')
}
