// Evidence of logs that lie: bounded, the first of each never given up, and never silent.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import type { EvidenceLimits } from '../../src/cli/evidence.ts'
import { keepEvidence } from '../../src/cli/evidence.ts'

function place(t: TestContext) {
  const path = mkdtempSync(join(tmpdir(), 'certbell-evidence-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  let clock = 1_780_000_000
  return {
    path,
    files: (): readonly string[] => readdirSync(join(path, 'evidence')).sort(),
    keep: async (name: string, bytes: string | Uint8Array, limits?: EvidenceLimits): Promise<readonly string[]> => {
      const files = await keepEvidence({ kind: 'directory', path, shown: path }, name, Buffer.from(bytes), { log: 'x' }, limits)
      // An hour later than the one before.
      clock += 3600
      for (const file of files) utimesSync(join(path, file), clock, clock)
      return files
    },
  }
}

describe('evidence', () => {
  it('is two files, for their owner alone, that say where and when', async (t) => {
    const { path, keep } = place(t)
    const files = await keep("Google 'Argon2027h1' log-split-view-4354630040", 'head')
    assert.deepEqual(
      files.map((file) => file.replace(/[0-9a-f]{12}\./, 'HASH.')),
      ['evidence/Google-Argon2027h1-log-split-view-4354630040-HASH.bin', 'evidence/Google-Argon2027h1-log-split-view-4354630040-HASH.json'],
    )
    for (const file of files) assert.equal(statSync(join(path, file)).mode & 0o777, 0o600)
    assert.equal(statSync(join(path, 'evidence')).mode & 0o777, 0o700)
    const about = JSON.parse(readFileSync(join(path, files[1] ?? ''), 'utf8')) as Readonly<Record<string, string>>
    assert.equal(`evidence/${about['bytes']}`, files[0])
  })

  it('that comes again stays as it was', async (t) => {
    const { path, keep, files } = place(t)
    const [, json = ''] = await keep('a-split-view-1', 'head')
    const before = readFileSync(join(path, json), 'utf8')
    await keepEvidence({ kind: 'directory', path, shown: path }, 'a-split-view-1', Buffer.from('head'), { received_at: 'later' })
    assert.deepEqual([readFileSync(join(path, json), 'utf8'), files().length], [before, 2])
  })

  it('is kept though the log has a long name: kind and size are not cut off', async (t) => {
    const [file = ''] = await place(t).keep(`${'a long name '.repeat(30)}-root-mismatch-77`, 'head')
    assert.match(file, /-root-mismatch-77-[0-9a-f]{12}\.bin$/)
  })

  it('of one log and kind is the first, and the newest', async (t) => {
    const { keep, files } = place(t)
    const limits = { each: 4, total: 1_000_000 }
    const other = await keep('a-wrong-signature-5', 'other kind', limits)
    const kept: string[] = []
    for (let n = 0; n < 30; n++) kept.push(...(await keep(`a-split-view-${n}`, `head ${n}`, limits)))
    const expected = [...other, ...kept.slice(0, 2), ...kept.slice(-6)].map((file) => file.replace('evidence/', '')).sort()
    assert.deepEqual(files(), expected)
  })

  it('is bounded in all: old ones go, but no first; what does not fit then is refused, in words', async (t) => {
    const { path, keep, files } = place(t)
    const limits = { each: 100, total: 10_000 }
    const firsts = (await Promise.all(['a-split-view-1', 'b-split-view-1'].map(async (name) => keep(name, Buffer.alloc(2000, name), limits)))).flat()
    for (let n = 2; n < 20; n++) await keep(`a-split-view-${n}`, Buffer.alloc(2000, n), limits)
    const sizes = files().map((file) => statSync(join(path, 'evidence', file)).size)
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 10_000)
    for (const file of firsts) assert.ok(files().includes(file.replace('evidence/', '')), file)
    await assert.rejects(
      keep('c-split-view-1', Buffer.alloc(9000), limits),
      /may hold 0 MiB, and nothing more in it may go\. Move its files elsewhere/,
    )
    assert.ok(!files().some((file) => file.startsWith('c-')))
    assert.ok((await keep('c-split-view-1', Buffer.alloc(2000), limits)).length === 2, 'one that fits is kept still')
  })

  it('that cannot be written says why', async (t) => {
    const { path, keep } = place(t)
    writeFileSync(join(path, 'evidence'), 'a file')
    await assert.rejects(keep('a-split-view-1', 'head'), /^Error: the folder evidence in the state directory cannot be written \(\w+\)/)
  })

  it('on a full disk says so, and leaves no half', async (t) => {
    const { path, keep, files } = place(t)
    mkdirSync(join(path, 'evidence'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', join(path, 'evidence')], { stdio: 'ignore' })
    } catch {
      t.skip('a small file system can be mounted by root only')
      return
    }
    try {
      await assert.rejects(keep('a-split-view-1', Buffer.alloc(100_000)), /^Error: the disk is full\. Make room$/)
      assert.deepEqual(files(), [])
      assert.equal((await keep('a-split-view-1', 'head')).length, 2)
    } finally {
      execFileSync('umount', [join(path, 'evidence')])
    }
  })
})
