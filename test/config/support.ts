import { loadConfig } from '../../src/config/load.ts'
import type { Config, Flags } from '../../src/config/config.ts'
import { formatProblems } from '../../src/config/problems.ts'

/** A world of files for loadConfig: names relative to /work. */
export interface Case {
  readonly yaml?: string
  readonly files?: Readonly<Record<string, string | Error>>
  readonly env?: Readonly<Record<string, string>>
  readonly flags?: Flags
  readonly needWatch?: boolean
  readonly home?: string | undefined
}

/** The result, and every problem as it is printed. */
export function load(given: Case): { readonly config?: Config; readonly text: string } {
  const files = new Map<string, string | Error>(
    Object.entries(given.files ?? {}).map(([name, text]) => [name.startsWith('/') ? name : `/work/${name}`, text]),
  )
  if (given.yaml !== undefined) files.set('/work/certbell.yaml', given.yaml)
  const result = loadConfig({
    flags: given.flags ?? {},
    env: given.env ?? {},
    cwd: '/work',
    home: 'home' in given ? given.home : '/home/ana',
    readFile: (path) => {
      const found = files.get(path)
      if (found instanceof Error) throw found
      return found
    },
    ...(given.needWatch === undefined ? {} : { needWatch: given.needWatch }),
  })
  return 'config' in result ? { config: result.config, text: '' } : { text: formatProblems(result.problems, result.file) }
}

/** The configuration of a case that must have none but good settings. */
export function good(given: Case): Config {
  const { config, text } = load(given)
  if (config === undefined) throw new Error(text)
  return config
}
