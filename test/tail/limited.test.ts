// A log that refuses requests that come faster than it likes: what it lets through is told wherever its lag is.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { outputSchemas } from '../../scripts/output-schemas.ts'
import { logDocument, logRows } from '../../src/cli/log-rows.ts'
import type { Clock } from '../../src/clock.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { logOverviews } from '../../src/stores/log-overview.ts'
import { startTail } from './support.ts'

it('what a log lets through is in the table, in JSON and in the trouble, and gone once it is read to its end', async (t) => {
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const sleepUntil: Clock['sleepUntil'] = async (time, signal) => {
    while (now() < time && signal?.aborted !== true) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const host = await startCtHost()
  const served = host.serve(createCtLog({ name: 'limited' }), { protocol: 'static-ct' })
  served.log.addMany(6 * 256, makeFiller({ count: 4, names: (n) => [`n${n}.stranger.test`], notBefore: new Date() }))
  served.log.publish()
  let tiles = 0
  host.setFault(({ kind }) => (kind === 'data-tile' && ++tiles > 3 ? { retryAfter: 7200 } : undefined))
  const run = await startTail([served], { clock: { now, sleepUntil } })
  t.after(async () => {
    await run.stop()
    await host.close()
  })
  await run.until('it is told how much comes through', async () => (await run.state(served))?.limit !== undefined)
  const [shown] = logOverviews(await run.states(), now())
  assert.ok(shown !== undefined)
  assert.deepEqual([shown.cause, shown.limit?.requests], ['limited', 4], 'a head and three tiles')
  const [, row = []] = logRows([shown], now())
  assert.match(
    row.at(-1) ?? '',
    /^768 behind for \d+ s, because the log refuses requests that come faster \(429\): it let 4 requests through in \d+ s, and asks to be left alone for (?:1 h 59 min|2 h)$/,
  )
  const [document] = outputSchemas.logs.parse([logDocument(shown)])
  assert.deepEqual([document?.lag.cause, document?.lag.let_through?.requests], ['limited', 4])
  assert.ok(Math.abs(Date.parse(document?.lag.let_through?.wait_until ?? '') - now() - 7_200_000) < 20_000)
  assert.match(document?.last_error ?? '', /^it refuses requests for now \(429, Retry-After (?:1 h 59 min|2 h)\)$/)
  ahead += 16 * 60_000
  await run.until('it rings', () => run.of('trouble').length > 0)
  // Time jumps here: what is kept may be from before.
  assert.match(
    run.of('trouble')[0]?.message ?? '',
    /entries behind for 16 min, because the log refuses requests that come faster \(429\): it let (?:0 requests through in 10 min|4 requests through in \d+ s), and asks to be left alone for 1 h 4\d min/,
  )
  host.setFault(undefined)
  ahead += 7_200_000
  await run.caughtUp(served)
  assert.deepEqual([(await run.state(served))?.limit, logOverviews(await run.states(), now())[0]?.limit], [undefined, undefined])
})
