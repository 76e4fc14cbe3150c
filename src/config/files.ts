import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'

/** Reads a whole text file: undefined if there is none; throws if it is there and cannot be read. */
export type ReadFile = (path: string) => string | undefined

// A configuration, a watch list or a secret is never this large, and a mistyped path may well be (a disk image, a log).
const MAX_BYTES = 16 * 1024 * 1024

/** Reads a text file from disk. Throws if it cannot be read or is above 16 MiB. */
export function readTextFile(path: string): string | undefined {
  try {
    const { size, device } = describe(path)
    if (device) throw new Error('is a device, not a file')
    if (size > MAX_BYTES) throw new Error('is larger than 16 MiB')
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

// A pipe may be a way to hand over a secret; a device such as /dev/zero has no end.
function describe(path: string): { readonly size: number; readonly device: boolean } {
  const stat = statSync(path)
  return { size: stat.size, device: stat.isCharacterDevice() || stat.isBlockDevice() }
}

/** A file's text or why there is none, in words that follow the file's name. */
export function tryRead(readFile: ReadFile, path: string): { readonly text: string } | { readonly missing: true } | { readonly why: string } {
  try {
    const text = readFile(path)
    return text === undefined ? { missing: true } : { text: text.startsWith('\ufeff') ? text.slice(1) : text }
  } catch (error) {
    return { why: whyUnreadable(error) }
  }
}

/** A path as the owner means it: `~` is the home directory, what is relative starts at `from`. */
export function ownersPath(path: string, from: string, home: string | undefined): string {
  if (home !== undefined && (path === '~' || path.startsWith('~/'))) return join(home, path.slice(1))
  return resolve(from, path)
}

/** A path for the owner's eyes: `~` for the home directory. */
export function shownPath(path: string, home: string | undefined): string {
  if (home === undefined || !isAbsolute(home) || resolve(home) === sep) return path
  const root = resolve(home)
  return path === root || path.startsWith(root + sep) ? `~${path.slice(root.length)}` : path
}

/** A file's path for the owner's eyes: relative where it is inside the working directory. */
export function shownFile(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return short === '' || short === '..' || short.startsWith(`..${sep}`) || isAbsolute(short) ? path : short
}

function whyUnreadable(error: unknown): string {
  const code = codeOf(error)
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read: permission denied'
  if (code === 'EISDIR') return 'is a directory, not a file'
  if (code !== undefined) return `cannot be read (${code})`
  return error instanceof Error && error.message.startsWith('is ') ? error.message : 'cannot be read'
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
