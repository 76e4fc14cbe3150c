// Trees that other people's log software wrote (Sunlight, TesseraCT), tailed from snapshot to snapshot: what rings is all that was submitted, and covers
// all that certspotter reported of them.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import type { CertificateAlert } from '../../src/watch/alert.ts'
import { FIXTURES, fixture, needsFixtures, treeLines } from '../ct/fixtures.ts'
import { displayName } from '../../src/watch/name.ts'
import type { TailRun } from './support.ts'
import { startTail } from './support.ts'

interface Tree {
  readonly origin: string
  readonly key: string
  readonly logId: string
  readonly snapshots: readonly { readonly dir: string; readonly size: number; readonly root: string }[]
}

const trees = (): Readonly<Record<'sunlight' | 'tesseract', Tree>> => JSON.parse(fixture('static-ct-trees/logs.json').toString())

/** Serves one snapshot at a time, as it was served when it was the newest. */
async function serve(t: TestContext, name: 'sunlight' | 'tesseract'): Promise<{ readonly url: string; readonly show: (dir: string) => void }> {
  let shown: string | undefined
  const server = createServer((request, response) => {
    const path = join(FIXTURES, 'static-ct-trees', name, shown ?? 'none', decodeURI(request.url ?? '/'))
    if (!existsSync(path)) {
      response.writeHead(404).end()
      return
    }
    const body = readFileSync(path)
    response.writeHead(200, { ...(body[0] === 0x1f && body[1] === 0x8b && { 'content-encoding': 'gzip' }) }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, show: (dir) => (shown = dir) }
}

async function tailed(t: TestContext, name: 'sunlight' | 'tesseract', watch: readonly string[]): Promise<TailRun> {
  const tree = trees()[name]
  const { url, show } = await serve(t, name)
  const log = { description: name, log_id: tree.logId, key: tree.key, mmd: 60, submission_url: `https://${tree.origin}/`, monitoring_url: url }
  const listText = JSON.stringify({
    version: '1',
    log_list_timestamp: '2026-11-23T00:00:00Z',
    operators: [{ name, email: [], logs: [], tiled_logs: [{ ...log, state: { usable: { timestamp: '2026-01-01T00:00:00Z' } } }] }],
  })
  const [first, ...later] = tree.snapshots
  show(first?.dir ?? '')
  const run = await startTail([], { listText, watch })
  t.after(async () => run.stop())
  for (const snapshot of [first, ...later]) {
    if (snapshot === undefined) continue
    show(snapshot.dir)
    await run.until(`verified to ${snapshot.size}`, async () => {
      const [state] = await run.states()
      return state !== undefined && state.begunAt > 0 && state.verified.size === snapshot.size
    })
    // A restart in the middle changes nothing.
    if (snapshot.size === 1000) await run.restart()
  }
  const [state] = await run.states()
  assert.deepEqual(state?.recent.at(-1)?.root, tree.snapshots.at(-1)?.root)
  assert.deepEqual([run.of('log-misbehaviour'), run.of('malformed')], [[], []])
  return run
}

function byIndex(run: TailRun): ReadonlyMap<number, CertificateAlert> {
  return new Map(run.of('certificate').map((alert) => [alert.source.kind === 'log' ? alert.source.index : -1, alert]))
}

void describe('trees of real log software', needsFixtures, () => {
  for (const name of ['sunlight', 'tesseract'] as const) {
    it(`${name}: every issuance rings once, with the names and addresses that were submitted`, async (t) => {
      const run = await tailed(t, name, ['.'])
      const alerts = byIndex(run)
      const truth = treeLines(`static-ct-trees/${name}/truth.jsonl`)
      // A final certificate with SCTs is one issuance with its precertificate.
      const first = truth.filter(({ precertIndex }) => precertIndex === undefined)
      assert.deepEqual(
        [...alerts.keys()].toSorted((a, b) => a - b),
        first.map(({ index }) => index),
      )
      assert.equal(run.of('certificate').length, alerts.size)
      for (const { index, dns, cn, ip } of first) {
        const alert = alerts.get(index)
        for (const each of [...(dns ?? []), ...(cn === undefined ? [] : [cn])])
          assert.ok(alert?.names.includes(displayName(each)), `${index} ${each}`)
        assert.deepEqual(alert?.ip_addresses, [...new Set(ip)], String(index))
        assert.ok(alert.source.kind === 'log' && alert.source.log_id === trees()[name].logId)
      }
      const finals = (await run.records()).filter(({ final }) => final !== undefined).length
      assert.equal(finals, truth.length - first.length, 'each certificate is noted with its precertificate')
    })
  }

  it('all that certspotter reported of everything, and the addresses that it never reports', async (t) => {
    const alerts = new Set((await tailed(t, 'sunlight', ['.'])).rung())
    const theirs = new Set(treeLines('static-ct-trees/sunlight/certspotter-all.jsonl').map(({ tbs }) => tbs))
    for (const tbs of theirs) assert.ok(alerts.has(tbs), tbs)
    assert.equal(alerts.size - theirs.size, 150)
  })

  it('all that certspotter reported for its watch list', async (t) => {
    const watch = fixture('static-ct-trees/sunlight/certspotter-some.watchlist').toString().trim().split('\n')
    const rang = new Set((await tailed(t, 'sunlight', watch)).rung())
    const theirs = treeLines('static-ct-trees/sunlight/certspotter-some.jsonl')
    assert.equal(theirs.length, 258)
    for (const { tbs } of theirs) assert.ok(rang.has(tbs), tbs)
  })
})
