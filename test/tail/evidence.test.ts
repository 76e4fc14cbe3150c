import assert from 'node:assert/strict'
import { it } from 'node:test'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { brokenSignature, wrongRoot } from '../../src/sandbox/ct-lies.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { systemRandom } from '../../src/sandbox/random.ts'
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

it('more lies of one kind within the hour are kept as evidence, so many of them, and ring no more', async (t) => {
  const host = await startCtHost()
  const served = host.serve(createCtLog({ name: 'liar' }), { protocol: 'static-ct' })
  const filler = makeFiller({ count: 4, names: (n) => [`n${n}.stranger.test`], notBefore: new Date() })
  const run = await startTail([served])
  t.after(async () => {
    await run.stop()
    await host.close()
  })
  await run.caughtUp(served)
  const lie = async (): Promise<void> => {
    served.log.addMany(10, filler)
    served.log.publish()
    served.show(() => brokenSignature(served.log))
    await run.until('it is seen', async () => (await run.state(served))?.failing?.kind === 'misbehaves')
    served.show(undefined)
    await run.caughtUp(served)
  }
  for (let n = 0; n < 9; n++) await lie()
  const kept = [...run.evidence.keys()]
  assert.equal(kept.length, 9)
  await lie()
  await lie()
  assert.deepEqual([...run.evidence.keys()], kept)
  const [alert, ...others] = run.of('log-misbehaviour')
  assert.deepEqual([alert?.evidence, others], [[`evidence/${kept[0]}`], []])
})

it('of a lie, an answer that is too large to be kept is noted and not copied', async (t) => {
  const host = await startCtHost()
  const served = host.serve(createCtLog({ name: 'liar' }), { protocol: 'static-ct' })
  // 10 MB in one tile, which nothing packs.
  for (let n = 0; n < 256; n++) served.log.add({ certificate: { der: systemRandom(40_000) }, chain: [] })
  served.log.publish()
  served.show(() => wrongRoot(served.log))
  const run = await startTail([served], { start: 'beginning' })
  t.after(async () => {
    await run.stop()
    await host.close()
  })
  await run.until('it rings', () => run.of('log-misbehaviour').length > 0)
  const noted = [...run.evidence.values()].filter((about) => 'bytes_too_many_to_keep' in about)
  assert.equal(noted.length, 1, JSON.stringify([...run.evidence]))
  assert.ok(Number(noted[0]?.['bytes_too_many_to_keep']) > 10_000_000)
})
