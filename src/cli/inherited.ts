// The predecessor's state where a process of one's own can read it.
import { statSync } from 'node:fs'
import type { World } from '../app.ts'
import { readTextFile } from '../config/files.ts'

/** Looks in the bucket first, as the predecessor did, then in the directory. See World.readInherited. */
export const readInherited: World['readInherited'] = async ({ predecessor: { bucket, directory }, aws }, names) => {
  const kept = new Map<string, string | Error>()
  if (directory !== undefined) for (const name of names) readFile(kept, `${directory}/${name}`, name)
  if (bucket !== undefined) {
    const { inheritedObjects } = await import('./bucket.ts')
    for (const [name, content] of await inheritedObjects(bucket, aws, names)) kept.set(name, content)
  }
  return kept
}

function readFile(kept: Map<string, string | Error>, path: string, name: string): void {
  try {
    // A pipe of that name would be waited for for ever.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) throw new Error('it is not a file')
    const content = readTextFile(path)
    if (content !== undefined) kept.set(name, content)
  } catch (error) {
    kept.set(name, error instanceof Error ? error : new Error('it cannot be read', { cause: error }))
  }
}
