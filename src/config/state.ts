import { isAbsolute, join } from 'node:path'
import type { Predecessor, State } from './config.ts'
import { complain, setting, variablePlace } from './context.ts'
import type { Context } from './context.ts'
import { ownersPath, shownPath } from './files.ts'
import type { Place } from './problems.ts'
import { at } from './structure.ts'

/** Where state lives, or undefined after a problem. `flag` is --state. */
export function readState(context: Context, flag: string | undefined): State | undefined {
  const { env, cwd } = context
  if (flag !== undefined) return place(context, flag, { place: '--state' }, cwd)
  // Ours before the predecessor's two, of which S3 came first.
  for (const name of ['CERTBELL_STATE_DIR', 'S3_BUCKET', 'FILESYSTEM_PATH']) {
    const value = env[name]
    if (value === undefined) continue
    return place(context, name === 'S3_BUCKET' ? `s3://${bare(value)}` : value, variablePlace(context, name), cwd)
  }
  const tree = at(context.root, 'state')
  if (tree !== undefined) {
    const given = setting(context, undefined, tree)
    return given === undefined ? undefined : place(context, given.text, given.at, context.folder)
  }
  return byDefault(context)
}

/** Where the predecessor's state may be. It stays where it is, wherever ours is now. */
export function readPredecessor(context: Context): Predecessor {
  const { env, cwd, home } = context
  const [bucket, path] = [env['S3_BUCKET'], env['FILESYSTEM_PATH']]
  return {
    ...(bucket !== undefined && { bucket: bare(bucket).split('/', 1)[0] ?? '' }),
    ...(path !== undefined && { directory: ownersPath(path, cwd, home) }),
  }
}

// Some write it as the address that it is everywhere else.
function bare(bucket: string): string {
  return bucket.replace(/^s3:\/\//i, '')
}

function place(context: Context, text: string, from: Place, cwd: string): State | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === 's3') return inBucket(context, text.slice('s3://'.length), from)
  if (scheme === 'postgres' || scheme === 'postgresql')
    complain(context, from, 'state in Postgres comes with a later version; use a directory or s3://bucket/prefix')
  else if (scheme !== undefined) complain(context, from, `state cannot live at ${scheme}://; use a directory or s3://bucket/prefix`)
  else if (text.trim() === '' || text.includes('\0')) complain(context, from, 'names no directory. Write for instance /var/lib/certbell')
  else if (text.startsWith('~') && context.home === undefined) complain(context, from, 'begins with ~, and HOME is not set. Write the whole path')
  else return directory(context, ownersPath(text, cwd, context.home))
  return undefined
}

function directory({ home }: Context, path: string): State {
  return { kind: 'directory', path, shown: shownPath(path, home) }
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; keys of the characters that it calls safe, so that they are the same
// in a policy, in a URL and in a signature.
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
const PREFIX = /^[A-Za-z0-9!_.*'()=-]+(?:\/[A-Za-z0-9!_.*'()=-]+)*$/

function inBucket(context: Context, text: string, from: Place): State | undefined {
  const slash = text.indexOf('/')
  const bucket = slash === -1 ? text : text.slice(0, slash)
  const path = slash === -1 ? '' : text.slice(slash).replace(/^\/+|\/+$/g, '')
  if (!BUCKET.test(bucket)) {
    complain(context, from, `"${bucket}" is not the name of a bucket (lower-case letters, digits, hyphens, dots). Write s3://bucket/prefix`)
    return undefined
  }
  if (path !== '' && (!PREFIX.test(path) || path.length > 500 || path.split('/').some((part) => part === '.' || part === '..'))) {
    complain(context, from, `"${path}" is no prefix to keep state under. Write letters, digits, hyphens and slashes, as in s3://${bucket}/certbell`)
    return undefined
  }
  const below = path === '' ? '' : `/${path}`
  return { kind: 's3', bucket, prefix: path === '' ? '' : `${path}/`, shown: `s3://${bucket}${below}` }
}

function byDefault(context: Context): State | undefined {
  const { env, cwd, home } = context
  // systemd gives several of them if the unit names several.
  const systemd = env['STATE_DIRECTORY']?.split(':').find((path) => path !== '')
  if (systemd !== undefined) return directory(context, ownersPath(systemd, cwd, home))
  const xdg = env['XDG_STATE_HOME']
  // The specification has relative ones ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return directory(context, join(xdg, 'certbell'))
  if (home !== undefined && isAbsolute(home)) return directory(context, join(home, '.local', 'state', 'certbell'))
  complain(context, { path: 'state' }, 'there is no home directory to keep state in. Write `state: /var/lib/certbell`, or give --state')
  return undefined
}
