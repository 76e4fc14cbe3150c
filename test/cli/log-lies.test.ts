// Logs that lie, seen by the real command: each lie rings once, also over a kill, with the bytes as they came; no log is frozen by it, and no other waits for it.
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { it } from 'node:test'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { alteredEntry, brokenSignature, headAt, otherTree } from '../../src/sandbox/ct-lies.ts'
import { logList } from '../../src/sandbox/ct-list.ts'
import type { LogRow } from '../../src/sandbox/ct-list.ts'
import type { LogProtocol, ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import type { CtLog } from '../../src/sandbox/ct-log.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { certbell, until } from '../support/run.ts'

const [HOUR, MINUTE] = [3_600_000, 60_000]
const CLOCK = join(import.meta.dirname, '..', 'support', 'shift-clock.cjs')
const FILLER = makeFiller({ count: 8, names: (n) => [`n${n}.stranger.test`], notBefore: new Date() })

/** One line of stdout. */
interface Line {
  readonly kind: string
  readonly id: string
  readonly log?: string
  readonly misbehaviour?: string
  readonly evidence?: readonly string[]
  readonly names?: readonly string[]
}
interface Row {
  readonly log: string
  readonly size: number
  readonly position: number
  readonly verified: number
}
interface About {
  readonly url: string
  readonly sha256: string
  readonly received_at: string
  readonly bytes: string
}

/** Begun and verified at 300 entries; then it lies. */
const LIES: readonly {
  readonly kind: string
  readonly protocol: LogProtocol
  readonly tell: (served: ServedLog) => void
  /** What its row in the list says from then on. */
  readonly row?: (log: CtLog) => Partial<LogRow>
}[] = [
  { kind: 'wrong-signature', protocol: 'static-ct', tell: (served) => served.show(() => brokenSignature(served.log)) },
  {
    kind: 'split-view',
    protocol: 'rfc6962',
    tell: (served) => {
      const other = otherTree(served.log, { shared: 200, size: served.log.head.size, submissions: FILLER })
      served.show(() => other)
    },
  },
  {
    kind: 'shrunken-tree',
    protocol: 'static-ct',
    tell: (served) => {
      const other = otherTree(served.log, { shared: 100, size: 250, submissions: FILLER })
      served.show(() => other)
    },
  },
  {
    kind: 'root-mismatch',
    protocol: 'rfc6962',
    tell: (served) => {
      grow(served.log, 20)
      served.show(() => alteredEntry(served.log.head.size - 10))
    },
  },
  {
    kind: 'future-timestamp',
    protocol: 'rfc6962',
    tell: (served) => {
      grow(served.log, 20)
      served.show(() => headAt(served.log, Date.now() + 12 * HOUR))
    },
  },
  {
    kind: 'timestamp-back',
    protocol: 'static-ct',
    tell: (served) => {
      grow(served.log, 20)
      served.show(() => headAt(served.log, Date.now() - HOUR))
    },
  },
  {
    kind: 'leaf-index',
    protocol: 'static-ct',
    tell: ({ log }) => {
      log.add(FILLER[0]!, { leafIndex: 7 })
      log.publish()
    },
  },
  {
    kind: 'final-head-differs',
    protocol: 'rfc6962',
    tell: () => undefined,
    row: () => ({ state: 'readonly', finalTreeHead: { size: 300, root: Buffer.alloc(32, 5) } }),
  },
  {
    kind: 'read-only-grew',
    protocol: 'static-ct',
    tell: ({ log }) => grow(log, 20),
    row: (log) => ({ state: 'readonly', finalTreeHead: { size: 300, root: log.tree.root(300) } }),
  },
]

function grow(log: CtLog, count: number): void {
  log.addMany(count, FILLER)
  log.publish()
}

/** A folder with settings that read the logs of one host, and the real command in it. */
async function scene(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-log-lies-'))
  const host = await startCtHost()
  t.after(async () => {
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  })
  writeFileSync(
    join(folder, 'certbell.yaml'),
    `watch: [watched.example]\nstate: ./state\ncertspotter: false\nlogs: {lists: ['./logs.json'], interval: 1s}\n`,
  )
  const lines: Line[] = []
  const rung: string[] = []
  let ahead = 0
  return {
    host,
    folder,
    lines,
    list: (rows: readonly (ServedLog | LogRow)[]): void =>
      writeFileSync(join(folder, 'logs.json'), logList(rows, { madeAt: new Date(1_760_000_000_000 + rows.length) })),
    /** Logs a certificate that is to ring, and publishes it. */
    issue: (log: CtLog, name: string): void => {
      rung.push(issueTwins([log], { names: [`${name}.watched.example`], notBefore: new Date() }).issuance('1').tbs_sha256)
      log.publish()
    },
    /** Runs watch until `ready` is done, then ends it by the signal. `jump`: ms that the clock goes forward at SIGUSR2, and stays so. */
    watch: async (end: NodeJS.Signals, ready: (child: ChildProcess) => Promise<void>, jump = 0): Promise<void> => {
      const ran = await certbell(['watch'], {
        cwd: folder,
        timeout: 90_000,
        env: { NODE_OPTIONS: `--require ${CLOCK}`, CLOCK_JUMP_MS: String(jump), CLOCK_SHIFT_MS: String(ahead) },
        with: async (child) => {
          let rest = ''
          child.stdout?.on('data', (chunk: string) => {
            const parts = (rest + chunk).split('\n')
            rest = parts.pop() ?? ''
            lines.push(...parts.map((part) => JSON.parse(part) as Line))
          })
          await ready(child)
          child.kill(end)
        },
      })
      ahead += jump
      if (end !== 'SIGKILL') assert.equal(ran.code, 0, ran.err)
    },
    /** Resolves when `certbell logs` has as many rows, and all are so. */
    shows: async (count: number, so: (row: Row) => boolean): Promise<void> => {
      let out = ''
      for (let n = 0; n < 60; n++) {
        out = (await certbell(['logs', '--json'], { cwd: folder })).out
        const rows = out === '' ? [] : (JSON.parse(out) as readonly Row[])
        if (rows.length === count && rows.every(so)) return
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
      assert.fail(out)
    },
    misbehaved: (): readonly string[] => lines.filter(({ kind }) => kind === 'log-misbehaviour').map(({ misbehaviour = '' }) => misbehaviour),
    /** True when all that should ring has. */
    hasRung: (): boolean => lines.filter(({ kind }) => kind === 'certificate').length >= rung.length,
    /** Fails unless each certificate rang once. */
    rangOnce: (): void =>
      assert.deepEqual(
        lines
          .filter(({ kind }) => kind === 'certificate')
          .map(({ id }) => id)
          .sort(),
        [...rung].sort(),
      ),
  }
}

it('each lie rings once, with its bytes, and no log is frozen', { timeout: 240_000 }, async (t) => {
  const { host, folder, lines, list, issue, watch, shows, misbehaved, hasRung, rangOnce } = await scene(t)
  const logs = LIES.map((lie) => ({ ...lie, served: host.serve(createCtLog({ name: lie.kind }), { protocol: lie.protocol }) }))
  const honest = host.serve(createCtLog({ name: 'honest' }), { protocol: 'static-ct' })
  const all = [...logs.map(({ served }) => served), honest]
  for (const { log } of all) grow(log, 300)
  list(all)
  await watch('SIGTERM', async () => shows(all.length, ({ verified }) => verified === 300))
  assert.equal(lines.length, 0)

  const expected = LIES.map(({ kind }) => kind).sort()
  await watch('SIGKILL', async () => {
    for (const { served, tell } of logs) tell(served)
    list([...logs.map(({ served, row }) => ({ served, ...row?.(served.log) })), honest])
    issue(honest.log, 'beside')
    await until(hasRung, 'the honest log rings', 10_000)
    await until(() => misbehaved().length >= LIES.length, 'each lie rings', 60_000)
  })
  assert.deepEqual(misbehaved().toSorted(), expected)

  // As long as they lie, it is said once; and then each is read on. The list says nothing of closed logs any more, since those may not grow.
  list(all)
  await watch('SIGTERM', async () => {
    const from = host.requests.length
    const asked = (name: string): number => host.requests.slice(from).filter(({ log }) => log === name).length
    await until(() => all.every(({ log }) => asked(log.name) > 2), 'all are asked again')
    for (const { served, kind } of logs) {
      served.show(undefined)
      issue(served.log, kind)
    }
    await until(hasRung, 'what they have then rings', 40_000)
    await shows(all.length, ({ size, verified }) => verified === size && size > 300)
  })
  rangOnce()
  assert.deepEqual(misbehaved().toSorted(), expected)

  for (const line of lines) {
    if (line.misbehaviour === undefined) continue
    const { misbehaviour, log, evidence = [] } = line
    assert.equal(log, `Sandbox '${misbehaviour}' log`)
    const about = evidence
      .filter((name) => name.endsWith('.json'))
      .map((file) => JSON.parse(readFileSync(join(folder, 'state', file), 'utf8')) as About)
    assert.ok(about.length > 0, `${misbehaviour} has evidence`)
    for (const { url, received_at: at, bytes, sha256 } of about) {
      assert.ok(url.startsWith(logs.find((each) => each.kind === misbehaviour)?.served.url ?? 'none'))
      assert.ok(Math.abs(Date.parse(at) - Date.now()) < 5 * MINUTE)
      assert.equal(
        createHash('sha256')
          .update(readFileSync(join(folder, 'state', 'evidence', bytes)))
          .digest('hex'),
        sha256,
      )
    }
  }
})

for (const protocol of ['static-ct', 'rfc6962'] as const)
  it(`a log that keeps to another tree for an hour is read on from there, also over a kill: ${protocol}`, { timeout: 240_000 }, async (t) => {
    const { host, lines, list, issue, watch, shows, misbehaved, hasRung, rangOnce } = await scene(t)
    const served = host.serve(createCtLog({ name: 'parted' }), { protocol })
    const beside = host.serve(createCtLog({ name: 'beside' }), { protocol: 'static-ct' })
    grow(served.log, 200)
    list([served, beside])
    await watch('SIGTERM', async () => {
      await shows(2, ({ log, verified }) => verified === (log.includes('parted') ? 200 : 0))
      grow(served.log, 100)
      await shows(2, ({ log, verified }) => verified === (log.includes('parted') ? 300 : 0))
    })
    /** Resolves when its head was asked for so often again: what came of the one before is kept then. */
    const looks = async (count: number): Promise<void> => {
      const kind = protocol === 'static-ct' ? 'checkpoint' : 'get-sth'
      const before = host.count(kind, { log: 'parted' })
      await until(() => host.count(kind, { log: 'parted' }) >= before + count, 'it is looked at')
    }
    const view = otherTree(served.log, { shared: 220, size: 400, submissions: FILLER })
    const fork = view.log ?? assert.fail()
    issue(fork, 'first')
    served.show(() => view)
    await watch('SIGKILL', async () => {
      await until(() => misbehaved().length > 0 && hasRung(), 'it rings, and what it has does')
      await looks(2)
    })
    const jumps = 3
    for (let n = 1; n <= jumps; n++) {
      await watch(
        'SIGKILL',
        async (child) => {
          await looks(1)
          child.kill('SIGUSR2')
          issue(fork, `later-${n}`)
          issue(beside.log, `beside-${n}`)
          await until(hasRung, 'what is new in it rings')
          await looks(2)
          if (n === jumps) await shows(2, ({ size, verified }) => verified === size)
        },
        35 * MINUTE,
      )
    }
    await watch(
      'SIGTERM',
      async () => {
        issue(fork, 'last')
        await until(hasRung, 'it is read as any other')
        await shows(2, ({ size, verified }) => verified === size)
      },
      0,
    )
    rangOnce()
    assert.deepEqual(misbehaved(), ['root-mismatch', 'other-lineage'])
    assert.ok(lines.every(({ kind }) => kind !== 'malformed'))
  })
