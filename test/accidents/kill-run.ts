// One accident: the program is killed at one step, started again, and everything must have arrived, nothing twice that need not be.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import type { ApiIssuance } from '../../src/sandbox/issuance.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import type { EntryOptions, Step } from '../support/entry.ts'

const ENTRY = join(import.meta.dirname, '..', 'support', 'entry.ts')
const HOUR = 3_600_000
const DAY = 24 * HOUR
const OLD = 170
const NAMES = ['example.com', '=login.example.net']

export interface KillRun {
  readonly step: Step
  readonly seed: number
}

/** Runs one accident. Resolves with whether the process was really killed; throws AssertionError if a promise was broken. */
export async function killRun({ step, seed }: KillRun): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-kill-'))
  const slackHad = new Set<string>()
  const random = mulberry(seed * 31 + step.length)
  const api = await startCertSpotterApi({ pageSize: 100 })
  const slack = await startSlack()
  try {
    const now = Date.now()
    const ids = createIds()
    // Later than any start below: news to a baseline whenever that begins.
    const soon = now + 5 * HOUR
    const rings: string[] = []
    const add = (name: string, notBefore: number): ApiIssuance => {
      const issuance = makeIssuance({ id: ids(), names: [name], notBefore: new Date(notBefore) })
      api.add(issuance)
      return issuance
    }
    // Two pages of what exists, four of them new enough to ring.
    for (let n = 0; n < OLD; n++) {
      if (n % 50 === 25) {
        rings.push(`fresh${n}.example.com`)
        add(`fresh${n}.example.com`, soon)
      } else add(`old${n}.example.com`, now - 20 * DAY)
    }
    const common = { api: api.url, slack: slack.url, state: join(folder, 'state'), names: NAMES }
    const inBaseline = random() < 0.5
    if (!inBaseline) {
      cpSync(await baselineDone(), common.state, { recursive: true })
      for (const name of rings.splice(0)) slackHad.add(name)
    }
    for (let n = 0; n < 12; n++) {
      rings.push(`new${n}.example.com`)
      add(`new${n}.example.com`, soon)
    }
    rings.push('login.example.net')
    add('login.example.net', soon)

    const n = 1 + Math.floor(random() * (step.endsWith('request') || step.endsWith('commit') ? (inBaseline ? 4 : 2) : 3))
    const first = await child({ ...common, startAt: now + 2 * HOUR, kill: { step, n } })
    const killed = first === 'SIGKILL'
    const last = await child({ ...common, startAt: now + 4 * HOUR })
    assert.equal(last, 0, `the restart after ${step} ${n} (seed ${seed}) ends well`)

    const texts = slack.messages.map(({ payload }) => JSON.stringify(payload))
    const inventories = texts.filter((text) => text.includes('Now watching'))
    const certificates = texts.filter((text) => text.includes('ew certificate'))
    if (process.env['SHOW']) console.log(texts.map((t) => JSON.parse(t).text))
    assert.equal(inventories.length + certificates.length, texts.length, `nothing else is said (${step} ${n}, seed ${seed})`)
    for (const name of rings) {
      const unique = new Set(certificates.filter((text) => text.includes(name)))
      assert.equal(unique.size, 1, `${name} is in one message (${step} ${n}, seed ${seed})`)
    }
    const repeated = texts.length - new Set(texts).size
    assert.ok(repeated <= (existsSync(`${common.state}.in-flight`) ? 1 : 0), `nothing came twice (${step} ${n}, seed ${seed}: ${repeated} repeated)`)
    assert.ok(
      texts.every((text) => !text.includes('old1.example.com') && [...slackHad].every((name) => !text.includes(name))),
      'nothing rings again',
    )
    assert.equal(new Set(inventories).size, inBaseline ? 2 : 0, `each name has one inventory (${step} ${n}, seed ${seed})`)
    assert.deepEqual(slack.violations, [])
    // A page that was taken in is never asked for again; only the one whose answer died with the process is. (A name's last page is looked at anew.)
    const asked = api.requests.filter(({ domain, served }) => domain === 'example.com' && (served ?? 0) === 100).map(({ after }) => after ?? '')
    assert.ok(asked.length - new Set(asked).size <= (killed ? 1 : 0), `full pages are not read again (${step} ${n}, seed ${seed})`)
    return killed
  } finally {
    await api.close()
    await slack.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

let template: Promise<string> | undefined

// A state whose baselines are done, made once: what differs between runs comes after it.
async function baselineDone(): Promise<string> {
  template ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'certbell-kill-template-'))
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
    const api = await startCertSpotterApi()
    const slack = await startSlack()
    const now = Date.now()
    const ids = createIds()
    for (let n = 0; n < OLD; n++) api.add(makeIssuance({ id: ids(), names: [`old${n}.example.com`], notBefore: new Date(now - 20 * DAY) }))
    const state = join(folder, 'state')
    assert.equal(await child({ api: api.url, slack: slack.url, state, names: NAMES, startAt: now }), 0)
    await api.close()
    await slack.close()
    return state
  })()
  return template
}

/** Exit code, or the signal that ended it. Whatever it says on the way is a fault. */
async function child(options: EntryOptions): Promise<number | string | null> {
  const started = spawn(process.execPath, [ENTRY, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Hundreds of starts of the same few files.
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'certbell-test-compile-cache') },
  })
  let said = ''
  started.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  started.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = await new Promise<number | string | null>((resolve) => started.on('close', (code, signal) => resolve(signal ?? code)))
  assert.equal(said.replaceAll(/^.*ExperimentalWarning.*\n(?:\(Use `node.*\n)?/gm, ''), '', 'it says nothing')
  return ended
}

/** A small random number generator that a seed repeats: https://en.wikipedia.org/wiki/Xorshift family, 32 bits. */
function mulberry(seed: number): () => number {
  let state = (seed + 1) * 2_654_435_761
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
}
