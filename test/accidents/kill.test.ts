// SIGKILL at every step, with the real process. npm run soak does the same with many more seeds.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { STEPS } from '../support/entry.ts'
import { killRun } from './kill-run.ts'

const RUNS = Number(process.env['CERTBELL_KILL_RUNS'] ?? 15)

describe('a process killed at any step loses nothing and repeats only what Slack had and we had not noted', { concurrency: 2 }, () => {
  for (const step of STEPS) {
    it(`${step}, ${RUNS} times`, { timeout: 600_000 }, async () => {
      let killed = 0
      for (let seed = 1; seed <= RUNS; seed++) if (await killRun({ step, seed })) killed += 1
      assert.ok(killed >= RUNS / 2, `most runs really were killed: ${killed} of ${RUNS}`)
    })
  }
})
