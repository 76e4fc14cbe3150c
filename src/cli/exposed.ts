// Files with secrets in them that anyone on the machine can read.
import { statSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { shownFile } from '../config/files.ts'

/** A sentence for each such file; none where nothing needs to be said. A group that may read it was given that on purpose. */
export function exposedFiles(config: Pick<Config, 'secretFiles'>, cwd: string): readonly { readonly what: string; readonly remedy: string }[] {
  return config.secretFiles.flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined || !stat.isFile() || (stat.mode & 0o004) === 0) return []
    const shown = shownFile(path, cwd)
    return [{ what: `${shown} has secrets in it, and everyone on this machine can read it`, remedy: `chmod 600 ${shown}` }]
  })
}
