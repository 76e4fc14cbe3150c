// Every page looked at once: damage inside the file is otherwise found only when the page that has it is read, perhaps months later.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { damaged } from '../control.ts'
import { translate } from './errors.ts'
import { FILE_NAME, openForReading } from './open.ts'

/** Above this it would take more than a few seconds (bytes). */
const MOST = 1024 ** 3

/** Looks whether the state in `directory` is whole, reading only. `unchecked`: it is too large for that, or there is none. Throws OwnerError if it is damaged. */
export function quickCheck(directory: string, shown: string): 'whole' | 'unchecked' {
  const database = openForReading(directory, shown)
  if (database === undefined) return 'unchecked'
  try {
    if (statSync(join(directory, FILE_NAME)).size > MOST) return 'unchecked'
    // The first fault is enough.
    const found = database.prepare('pragma quick_check(1)').get()?.['quick_check']
    if (found !== 'ok') throw damaged(shown, found)
    return 'whole'
  } catch (error) {
    throw translate(error, shown, directory)
  } finally {
    database.close()
  }
}
