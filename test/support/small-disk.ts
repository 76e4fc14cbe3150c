// A file system that is full soon.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

function mount(place: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', place], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A folder with a file system of 8 MiB in it. Undefined, and the test skipped, where none can be mounted. */
export function smallDisk(t: TestContext): { readonly folder: string; readonly disk: string; remove(): void } | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-full-'))
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  if (!mount(disk)) {
    rmSync(folder, { recursive: true, force: true })
    t.skip('a small file system can be mounted by root only')
    return undefined
  }
  return {
    folder,
    disk,
    remove: () => {
      // A process that was killed may hold it for a moment.
      execFileSync('umount', ['-l', disk])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Fills a disk but for so many bytes, with a file `filler`. */
export function fill(disk: string, free = 0): void {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(join(disk, 'filler'), Buffer.alloc(bavail * bsize - free))
}
