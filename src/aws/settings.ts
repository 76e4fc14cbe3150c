// The configuration as Lambda has it: from the environment, and from a file in the bundle's directory if there is one.
import { basename } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import type { ReadFile } from '../config/files.ts'
import { loadConfig } from '../config/load.ts'
import { formatProblems } from '../config/problems.ts'
import { OwnerError } from '../watch/errors.ts'

/** Lambda's only directory that can be written to; it is gone with the process. */
const HOME = '/tmp'

/** What the configuration is read from. `root`: where the bundle lies, absolute. */
export interface SettingsSource {
  readonly env: Environment
  readonly root: string
  readonly readFile: ReadFile
}

/** Reads it. Throws OwnerError `settings` with every problem, and `state-access` where state would not outlive the process. */
export function readSettings({ env, root, readFile }: SettingsSource): Config {
  const loaded = loadConfig({
    flags: {},
    env,
    cwd: root,
    home: HOME,
    // Packed by mistake: in Lambda secrets come from the environment, SSM or Secrets Manager.
    readFile: (path) => (basename(path) === '.env' ? undefined : readFile(path)),
  })
  if ('problems' in loaded) throw new OwnerError('settings', formatProblems(loaded.problems, loaded.file))
  if (loaded.config.state.kind === 'directory') {
    const { shown } = loaded.config.state
    throw new OwnerError(
      'state-access',
      `state in a directory (${shown}) is gone with the process here, and alerts with it. Set S3_BUCKET, or state: s3://bucket/prefix`,
    )
  }
  return loaded.config
}
