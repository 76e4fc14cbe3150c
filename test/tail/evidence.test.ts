import assert from 'node:assert/strict'
import { it } from 'node:test'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { brokenSignature } from '../../src/sandbox/ct-lies.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { startTail } from './support.ts'

it('a lie whose evidence cannot be kept rings all the same, says why, and stops nothing', async (t) => {
  const host = await startCtHost()
  const served = host.serve(createCtLog({ name: 'liar' }), { protocol: 'static-ct' })
  const filler = makeFiller({ count: 4, names: (n) => [`n${n}.stranger.test`], notBefore: new Date() })
  served.log.addMany(10, filler)
  served.log.publish()
  const run = await startTail([served], { evidenceFails: 'the disk is full. Make room' })
  t.after(async () => {
    await run.stop()
    await host.close()
  })
  await run.caughtUp(served)
  served.show(() => brokenSignature(served.log))
  await run.until('it rings', () => run.of('log-misbehaviour').length > 0)
  const [alert] = run.of('log-misbehaviour')
  assert.deepEqual(alert?.evidence, [])
  assert.match(alert?.message ?? '', /that its key did not sign.*\. What it sent could not be kept as evidence: the disk is full\. Make room$/)
  served.show(undefined)
  served.log.addMany(10, filler)
  served.log.publish()
  await run.caughtUp(served)
})
