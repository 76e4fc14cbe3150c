import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { saidStraightAt, straightMark } from '../../src/cli/straight.ts'
import type { State } from '../../src/config/config.ts'

const T = 1_760_000_000_000

test('what was said past the state is known to the next process, for a directory and for a bucket', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-straight-'))
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  t.after(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    rmSync(folder, { recursive: true })
  })
  const states: readonly State[] = [
    { kind: 'directory', path: folder, shown: folder },
    { kind: 's3', bucket: 'bucket', prefix: '', shown: 's3://bucket' },
    { kind: 's3', bucket: 'bucket', prefix: 'other/', shown: 's3://bucket/other' },
  ]
  for (const state of states) {
    assert.deepEqual(saidStraightAt(state), { said: 0, failed: 0 })
    straightMark(state).mark(T)
    assert.equal(straightMark(state).last(), T)
    // What cannot be written is known as well, and does not count as said.
    straightMark(state).failing?.(T + 5000)
    assert.deepEqual(saidStraightAt(state), { said: T, failed: T + 5000 })
    straightMark(state).mark(T + 9000)
    assert.deepEqual(saidStraightAt(state), { said: T + 9000, failed: T + 5000 })
    straightMark(state).failing?.(undefined)
    assert.deepEqual(saidStraightAt(state), { said: T + 9000, failed: 0 })
  }
  assert.equal(readdirSync(folder).length, states.length)
})

test('a link that someone else laid there is not followed, and the process remembers by itself', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-straight-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const target = join(folder, 'target')
  symlinkSync(target, join(folder, 'last-said-straight'))
  const mark = straightMark({ kind: 'directory', path: folder, shown: folder })
  mark.mark(T)
  assert.ok(mark.last() >= T)
  assert.deepEqual(readdirSync(folder), ['last-said-straight'])
})
