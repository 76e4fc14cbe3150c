// The configuration as Lambda has it: from the environment, and from a file in the bundle's directory if there is one. It is kept from one invocation
// to the next; secrets that are kept at AWS are asked for again hourly, and when one of them was refused: it may have been replaced.
import { basename } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import type { ReadFile } from '../config/files.ts'
import type { ReadRemoteSecret } from '../config/load.ts'
import { loadConfigWithSecrets } from '../config/load.ts'
import { formatProblems } from '../config/problems.ts'
import { OwnerError } from '../watch/errors.ts'

/** Lambda's only directory that can be written to; it is gone with the process. */
const HOME = '/tmp'
const HOUR = 3_600_000

/** What the configuration is read from. `root`: where the bundle lies, absolute. */
export interface SettingsSource {
  readonly env: Environment
  readonly root: string
  readonly readFile: ReadFile
}

export interface Settings {
  /**
   * The configuration at `now` (ms), the same object while nothing was read anew. A secret that cannot be had again stays what it was, with a warning.
   * Throws OwnerError `settings` with every problem, and `state-access` where state would not outlive the process.
   */
  at(now: number, read: ReadRemoteSecret): Promise<Config>
  /** A secret was refused. */
  doubt(): void
}

/** Nothing is read before it is asked for. */
export function createSettings({ env, root, readFile }: SettingsSource): Settings {
  const secrets = new Map<string, string>()
  let kept: { readonly config: Config; readonly readAt: number } | undefined
  let doubted = false

  const load = async (read: ReadRemoteSecret): Promise<Config> => {
    const warnings: string[] = []
    const loaded = await loadConfigWithSecrets(
      {
        flags: {},
        env,
        cwd: root,
        home: HOME,
        // Packed by mistake: in Lambda secrets come from the environment, SSM or Secrets Manager.
        readFile: (path) => (basename(path) === '.env' ? undefined : readFile(path)),
      },
      async (reference, aws) => {
        try {
          const value = await read(reference, aws)
          secrets.set(reference, value)
          return value
        } catch (error) {
          const known = secrets.get(reference)
          if (known === undefined) throw error
          warnings.push(`${error instanceof Error ? error.message : String(error)}; what it was is used on`)
          return known
        }
      },
    )
    if ('problems' in loaded) throw new OwnerError('settings', formatProblems(loaded.problems, loaded.file))
    const { config } = loaded
    if (config.state.kind === 'directory') {
      const remedy = 'Set S3_BUCKET, or state: s3://bucket/prefix'
      throw new OwnerError(
        'state-access',
        `state in a directory (${config.state.shown}) is gone with the process here, and alerts with it. ${remedy}`,
      )
    }
    return { ...config, warnings: [...config.warnings, ...warnings] }
  }

  return {
    at: async (now, read) => {
      const age = now - (kept?.readAt ?? now)
      if (kept !== undefined && (secrets.size === 0 || (!doubted && age >= 0 && age < HOUR))) return kept.config
      const config = await load(read)
      doubted = false
      kept = { config, readAt: now }
      return config
    },
    doubt: () => (doubted = true),
  }
}
