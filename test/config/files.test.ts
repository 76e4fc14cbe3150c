import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { layered, readEnvironment } from '../../src/config/environment.ts'
import { ownersPath, readTextFile, shownFile, shownPath, tryRead } from '../../src/config/files.ts'

test('reading: a file, none, a directory, one below a file, one that is not ours', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-files-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'a'), '\ufefftext')
  mkdirSync(join(folder, 'd'))
  assert.deepEqual(tryRead(readTextFile, join(folder, 'a')), { text: 'text' })
  assert.deepEqual(tryRead(readTextFile, join(folder, 'b')), { missing: true })
  assert.deepEqual(tryRead(readTextFile, join(folder, 'a', 'b')), { missing: true })
  assert.deepEqual(tryRead(readTextFile, join(folder, 'd')), { why: 'is a directory, not a file' })
  assert.deepEqual(tryRead(readTextFile, `${folder}/x\0y`), { why: 'cannot be read (ERR_INVALID_ARG_VALUE)' })
  writeFileSync(join(folder, 'big'), Buffer.alloc(16 * 1024 * 1024 + 1))
  assert.deepEqual(tryRead(readTextFile, join(folder, 'big')), { why: 'is larger than 16 MiB' })
  chmodSync(join(folder, 'a'), 0)
  // Root reads everything.
  if (process.getuid?.() !== 0) assert.deepEqual(tryRead(readTextFile, join(folder, 'a')), { why: 'cannot be read: permission denied' })
})

test('paths as owners write and read them', () => {
  assert.equal(ownersPath('~/x', '/w', '/home/ana'), '/home/ana/x')
  assert.equal(ownersPath('~', '/w', '/home/ana'), '/home/ana')
  assert.equal(ownersPath('~x', '/w', '/home/ana'), '/w/~x')
  assert.equal(ownersPath('../x', '/w/a', undefined), '/w/x')
  assert.equal(shownPath('/home/ana/.local', '/home/ana/'), '~/.local')
  assert.equal(shownPath('/home/anabel', '/home/ana'), '/home/anabel')
  assert.equal(shownPath('/x', '/'), '/x')
  assert.equal(shownFile('/w/etc/c.yaml', '/w'), 'etc/c.yaml')
  assert.equal(shownFile('/etc/c.yaml', '/w'), '/etc/c.yaml')
  assert.equal(shownFile('/w/..c', '/w'), '..c')
})

test('layers: the first that is not empty wins, and nothing is inherited', () => {
  const env = layered({ A: '', B: '1' }, { A: '2', B: '3' })
  assert.equal(env['A'], '2')
  assert.equal(env['B'], '1')
  assert.equal(env['toString'], undefined)
  assert.equal(readEnvironment()['PATH'], process.env['PATH'])
})
