import { accessSync, closeSync, constants, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Writes a whole file or nothing. Without `overwrite` throws an error with the code EEXIST if it is there, even if it came into being this moment. */
export type WriteFile = (path: string, text: string, options: { readonly mode: number; readonly overwrite: boolean }) => void

/** WriteFile on disk: a temporary file beside the target, flushed, then put in its place. */
export const writeWholeFile: WriteFile = (path, text, { mode, overwrite }) => {
  const temporary = join(dirname(path), `.certbell-${process.pid}-${Math.floor(Math.random() * 1e9).toString(36)}`)
  const file = openSync(temporary, 'wx', mode)
  try {
    try {
      const bytes = Buffer.from(text, 'utf8')
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (overwrite) renameSync(temporary, path)
    // A link, unlike a rename, replaces nothing.
    else linkSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Why no file can be written into a folder, with the remedy; undefined if one can. Asked before any question is. */
export function folderProblem(folder: string): string | undefined {
  try {
    const stat = statSync(folder, { throwIfNoEntry: false })
    if (stat === undefined) return `the folder ${folder} does not exist. Make it first: mkdir -p ${folder}`
    if (!stat.isDirectory()) return `${folder} is a file, not a folder. Name a file in a folder: --config /etc/certbell/certbell.yaml`
    accessSync(folder, constants.W_OK | constants.X_OK)
    return undefined
  } catch {
    return `nothing can be written into the folder ${folder}. Check who owns it, or name another place with --config`
  }
}
