import { isAbsolute, join } from 'node:path'
import type { DirectoryState } from './config.ts'
import { complain, setting, variablePlace } from './context.ts'
import type { Context } from './context.ts'
import { ownersPath, shownPath } from './files.ts'
import type { Place } from './problems.ts'
import { at } from './structure.ts'

const S3_LATER = 'state in S3 comes with the next version; use a directory'

/** Where state lives, or undefined after a problem. `flag` is --state. */
export function readState(context: Context, flag: string | undefined): DirectoryState | undefined {
  const { env, cwd, home } = context
  const path = chosen(context, flag)
  if (path === undefined) return undefined
  // Wherever the state is now: the predecessor's files stay where they are and are read once.
  const predecessor = env['FILESYSTEM_PATH']
  return {
    kind: 'directory',
    path,
    shown: shownPath(path, home),
    ...(predecessor === undefined ? {} : { migrateFrom: ownersPath(predecessor, cwd, home) }),
  }
}

function chosen(context: Context, flag: string | undefined): string | undefined {
  const { env, cwd } = context
  if (flag !== undefined) return directory(context, flag, { place: '--state' }, cwd)
  // Ours before the predecessor's two, of which S3 came first.
  for (const name of ['CERTBELL_STATE_DIR', 'S3_BUCKET', 'FILESYSTEM_PATH']) {
    const value = env[name]
    if (value === undefined) continue
    return directory(context, name === 'S3_BUCKET' ? `s3://${value}` : value, variablePlace(context, name), cwd)
  }
  const tree = at(context.root, 'state')
  if (tree !== undefined) {
    const given = setting(context, undefined, tree)
    return given === undefined ? undefined : directory(context, given.text, given.at, context.folder)
  }
  return byDefault(context)
}

function directory(context: Context, text: string, place: Place, from: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === 's3') complain(context, place, S3_LATER)
  else if (scheme === 'postgres' || scheme === 'postgresql') complain(context, place, 'state in Postgres comes with a later version; use a directory')
  else if (scheme !== undefined) complain(context, place, `state cannot live at ${scheme}://; use a directory`)
  else if (text.trim() === '' || text.includes('\0')) complain(context, place, 'names no directory. Write for instance /var/lib/certbell')
  else if (text.startsWith('~') && context.home === undefined) complain(context, place, 'begins with ~, and HOME is not set. Write the whole path')
  else return ownersPath(text, from, context.home)
  return undefined
}

function byDefault(context: Context): string | undefined {
  const { env, cwd, home } = context
  // systemd gives several of them if the unit names several.
  const systemd = env['STATE_DIRECTORY']?.split(':').find((path) => path !== '')
  if (systemd !== undefined) return ownersPath(systemd, cwd, home)
  const xdg = env['XDG_STATE_HOME']
  // The specification has relative ones ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'certbell')
  if (home !== undefined && isAbsolute(home)) return join(home, '.local', 'state', 'certbell')
  complain(context, { path: 'state' }, 'there is no home directory to keep state in. Write `state: /var/lib/certbell`, or give --state')
  return undefined
}
