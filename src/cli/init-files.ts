import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
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
