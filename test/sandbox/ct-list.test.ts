import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readLogList, verifyLogList } from '../../src/ct/log-list.ts'
import { createListKey, logList } from '../../src/sandbox/ct-list.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { wrongRoot } from '../../src/sandbox/ct-lies.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { startCtHost, type CtHost, type LogProtocol } from '../../src/sandbox/ct-log-server.ts'
import { get } from './ct-reader.ts'

describe("the sandbox's log list", () => {
  let host: CtHost
  before(async () => {
    host = await startCtHost()
  })
  after(() => host.close())

  it('lists logs of each protocol, in any state', () => {
    const serve = (name: string, protocol: LogProtocol) => host.serve(createCtLog({ name }), { protocol })
    const [classic, tiled, both, hybrid] = [serve('a', 'rfc6962'), serve('b', 'static-ct'), serve('c', 'both'), serve('d', 'hybrid')]
    const madeAt = new Date('2026-11-25T12:00:00Z')
    const interval = { start: new Date('2026-07-01T00:00:00Z'), endExclusive: new Date('2027-01-01T00:00:00Z') }
    const final = { size: 5, root: Buffer.alloc(32, 7) }
    const list = readLogList(
      logList(
        [
          classic,
          { served: tiled, state: 'readonly', finalTreeHead: final, operator: 'Another', interval },
          { served: both, state: null, description: 'Both' },
          { served: hybrid, overrides: { log_type: 'test' } },
        ],
        { madeAt, version: '5.6' },
      ),
    )
    assert.deepEqual([list.oddities, list.mimic, list.madeAt, list.version], [[], false, madeAt.getTime(), '5.6'])
    const rows = new Map(list.logs.map((log) => [log.url, log]))
    assert.deepEqual([...rows.keys()].toSorted(), [classic, tiled, both, hybrid].map(({ url }) => url).toSorted())
    const row = rows.get(tiled.url)!
    assert.deepEqual([row.protocol, row.state, row.operator], ['static-ct', 'readonly', 'Another'])
    assert.deepEqual([row.finalTreeHead?.size, row.finalTreeHead?.rootHash], [5, final.root])
    assert.deepEqual(row.interval, { start: interval.start.getTime(), endExclusive: interval.endExclusive.getTime() })
    assert.equal(row.id, tiled.log.keys.id.toString('base64'))
    assert.deepEqual([rows.get(classic.url)!.protocol, rows.get(classic.url)!.state], ['rfc6962', 'usable'])
    assert.deepEqual([rows.get(both.url)!.protocol, rows.get(both.url)!.state, rows.get(both.url)!.description], ['static-ct', undefined, 'Both'])
    assert.deepEqual([rows.get(hybrid.url)!.protocol, rows.get(hybrid.url)!.type], ['rfc6962', 'test'])
  })

  it('lists a read-only log with the final head that it had, or another', () => {
    const served = host.serve(createCtLog({ name: 'closed' }))
    served.log.addMany(5, makeFiller({ count: 1 }))
    const finalTreeHead = served.log.publish()
    const listed = (head: { size: number; root: Buffer }) =>
      readLogList(logList([{ served, state: 'readonly', finalTreeHead: head }])).logs[0]!.finalTreeHead
    served.log.addMany(2, makeFiller({ count: 1 }))
    served.log.publish()
    assert.deepEqual(listed(finalTreeHead), { size: 5, rootHash: served.log.tree.root(5) })
    assert.equal(served.log.head.size, 7, 'it grows all the same')
    assert.notDeepEqual(listed(wrongRoot(served.log).head!)!.rootHash, served.log.head.root)
  })

  it('is signed, and served with an ETag', async () => {
    const key = createListKey()
    const list = logList([host.serve(createCtLog({ name: 'e' }))])
    const url = host.put('/lists/all_logs_list.json', list)
    host.put('/lists/all_logs_list.sig', key.sign(list), 'application/octet-stream')
    const [first, signature] = [await get(url), await get(url.replace(/json$/, 'sig'))]
    assert.ok(verifyLogList(first.bytes, signature.bytes, key.pem))
    assert.ok(!verifyLogList(Buffer.concat([first.bytes, Buffer.from(' ')]), signature.bytes, key.pem))
    const tag = first.headers.get('etag')!
    const second = await get(url, { 'if-none-match': tag })
    assert.deepEqual([second.status, second.bytes.length], [304, 0])
    host.put('/lists/all_logs_list.json', logList([]))
    assert.equal((await get(url, { 'if-none-match': tag })).status, 200)
    assert.equal(host.count('file', { status: 304 }), 1)
  })

  it('keeps a key by its seed', () => {
    const id = (seed?: string) => createCtLog({ name: 'x', ...(seed === undefined ? {} : { seed }) }).keys.id.toString('hex')
    assert.equal(id('s'), id('s'))
    assert.notEqual(id('s'), id('t'))
    assert.notEqual(id(), id())
  })
})
