import assert from 'node:assert/strict'
import { createHash, verify, createPublicKey } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { readExtraData } from '../../src/ct/extra-data.ts'
import { edgeBefore, provesConsistency, provesInclusion } from '../../src/ct/proofs.ts'
import { leafHash } from '../../src/ct/merkle.ts'
import { readSignedNote } from '../../src/ct/signed-note.ts'
import { issuanceId } from '../../src/ct/tbs.ts'
import { createAuthority } from '../../src/sandbox/ct-authority.ts'
import { makeFiller } from '../../src/sandbox/ct-filler.ts'
import { createCtLog, type CtLog } from '../../src/sandbox/ct-log.ts'
import { startCtHost, type CtHost, type ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { get, getJson, leafIndexesOf, readCheckpointOf, readClassic, readStatic, readSthOf, rootFromEdge, type Page } from './ct-reader.ts'

const notBefore = new Date('2026-10-05T09:29:27Z')
const authority = createAuthority()
const filler = makeFiller()

describe('a log in the sandbox', () => {
  let host: CtHost
  let log: CtLog
  let served: ServedLog
  let now = Date.parse('2026-11-25T12:00:00Z')

  before(async () => {
    host = await startCtHost()
    log = createCtLog({ name: 'argon', clock: () => now })
    served = host.serve(log, { pageSize: 100, lines: { grease: true, ed25519: true } })
    for (const count of [5, 195, 56, 500]) {
      log.addMany(count, filler)
      now += 1000
      log.publish()
    }
    const pair = authority.issue({ names: ['login.example.com'], notBefore })
    const sct = log.add({ precertificate: pair.precertificate, chain: authority.chain })
    log.add({ certificate: pair.withScts([sct.bytes]), chain: authority.chain })
    now += 1000
    log.publish()
  })
  after(() => host.close())

  it('signs a checkpoint, with grease and an Ed25519 line that a reader of the key id passes over', async () => {
    const texts = new Set<string>()
    for (let n = 0; n < 10; n++) {
      log.publish()
      texts.add((await get(`${served.url}checkpoint`)).bytes.toString())
      const { origin, head, valid } = await readCheckpointOf(served)
      assert.deepEqual([origin, head.size, head.timestamp, valid], [served.origin, 758, now, true])
    }
    assert.equal(texts.size, 10)
    const { headers } = await get(`${served.url}checkpoint`)
    assert.equal((await get(`${served.url}checkpoint`, { 'if-none-match': headers.get('etag')! })).status, 304)
    const note = readSignedNote((await get(`${served.url}checkpoint`)).bytes)
    assert.deepEqual(
      note.signatures.map(({ name }) => name).toSorted(),
      ['grease.invalid', ...Array.from({ length: 3 }, () => served.origin)].toSorted(),
    )
    const key = createPublicKey(log.keys.ed25519)
    assert.equal(note.signatures.filter(({ signature }) => verify(null, Buffer.from(note.text), key, signature)).length, 1)
  })

  it('serves one list of entries by both protocols, and all of it hashes to the root', async () => {
    const tiled = await readStatic(served)
    const classic = await readClassic(served)
    assert.deepEqual(tiled.root, tiled.head.rootHash)
    assert.deepEqual(classic.root, tiled.root)
    assert.deepEqual(
      classic.entries.map(({ leafInput }) => leafInput),
      tiled.entries.map(({ leafInput }) => leafInput),
    )
    assert.deepEqual(
      leafIndexesOf(tiled.entries),
      Array.from({ length: 758 }, (_, n) => n),
    )
    const sth = await readSthOf(served)
    assert.ok(sth.valid)
    assert.deepEqual(sth.head.rootHash, tiled.root)
  })

  it('has hash tiles of all levels, for every head it published', async () => {
    for (const head of log.heads) assert.deepEqual(await rootFromEdge(served, head.size), head.root, `size ${head.size}`)
    assert.equal((await get(`${served.url}tile/1/000`)).status, 404)
    assert.equal((await get(`${served.url}tile/0/002.p/246`)).status, 200)
  })

  it('answers 404 for tiles that no head called for, and for other spellings', async () => {
    for (const path of [
      'tile/0/002',
      'tile/0/002.p/245',
      'tile/data/000.p/6',
      'tile/0/003.p/1',
      'tile/00/000',
      'tile/0/x000/000',
      'tile/0/000.p/256',
      'tile/0/000.p/05',
      'tile/6/000',
      'tile/names/000',
    ])
      assert.equal((await get(served.url + path)).status, 404, path)
    assert.equal((await get(`${served.url}tile/data/000.p/5`)).status, 200)
  })

  it('deletes partial tiles if told: the full one is there', async () => {
    const tidy = host.serve(log, { partials: 'deleted' })
    assert.equal((await get(`${tidy.url}tile/data/000.p/5`)).status, 404)
    assert.equal((await get(`${tidy.url}tile/data/000`)).status, 200)
    assert.equal((await get(`${tidy.url}tile/data/002.p/246`)).status, 200)
    served = host.serve(log, { pageSize: 100, lines: { grease: true, ed25519: true } })
  })

  it('packs data tiles unasked, and nothing else', async () => {
    const encodings = await Promise.all(
      ['tile/data/000', 'tile/0/000', 'checkpoint'].map(async (path) =>
        (await get(served.url + path, { 'accept-encoding': 'identity' })).headers.get('content-encoding'),
      ),
    )
    assert.deepEqual(encodings, ['gzip', null, null])
    const plain = host.serve(createCtLog({ name: 'plain' }), { gzip: false })
    plain.log.addMany(1, filler)
    plain.log.publish()
    assert.equal((await get(`${plain.url}tile/data/000.p/1`)).headers.get('content-encoding'), null)
  })

  it('serves the issuers by their hash', async () => {
    for (const { der } of authority.chain) {
      const { status, bytes } = await get(`${served.url}issuer/${createHash('sha256').update(der).digest('hex')}`)
      assert.equal(status, 200)
      assert.deepEqual(bytes, der)
    }
    assert.equal((await get(`${served.url}issuer/${'0'.repeat(64)}`)).status, 404)
    assert.deepEqual((await getJson<{ certificates: string[] }>(`${served.url}ct/v1/get-roots`)).certificates, [
      authority.chain[1]!.der.toString('base64'),
    ])
  })

  it('caps and aligns pages as CTFE does', async () => {
    const count = async (start: number, end: number) =>
      (await getJson<Page>(`${served.url}ct/v1/get-entries?start=${start}&end=${end}`)).entries.length
    assert.equal(await count(0, 999), 100)
    assert.equal(await count(0, 0), 1)
    assert.equal(await count(30, 500), 70)
    assert.equal(await count(30, 110), 81, 'less than a page is not aligned')
    assert.equal(await count(99, 500), 1)
    assert.equal(await count(700, 5000), 58)
  })

  it('refuses what is beyond the head, and nonsense', async () => {
    for (const query of ['start=758&end=760', 'start=5&end=4', 'start=-1&end=4', 'start=a&end=b', ''])
      assert.equal((await get(`${served.url}ct/v1/get-entries?${query}`)).status, 400, query)
    for (const path of [
      'get-sth-consistency?first=5&second=759',
      'get-sth-consistency?first=6&second=5',
      'get-entry-and-proof?leaf_index=5&tree_size=5',
      'get-proof-by-hash?hash=AA==&tree_size=5',
    ])
      assert.equal((await get(`${served.url}ct/v1/${path}`)).status, 400, path)
    assert.equal((await get(`${served.url}ct/v1/get-nothing`)).status, 404)
    assert.equal((await get(`${host.origin}/nobody/ct/v1/get-sth`)).status, 404)
  })

  it('proves inclusion and consistency', async () => {
    const root = (size: number) => log.heads.find((head) => head.size === size)!.root
    const decode = (path: readonly string[]) => path.map((each) => Buffer.from(each, 'base64'))
    const { consistency } = await getJson<{ consistency: string[] }>(`${served.url}ct/v1/get-sth-consistency?first=200&second=758`)
    assert.ok(provesConsistency(200, 758, root(200), root(758), decode(consistency)))
    assert.deepEqual((await getJson<{ consistency: string[] }>(`${served.url}ct/v1/get-sth-consistency?first=0&second=758`)).consistency, [])
    const last = await getJson<{ leaf_input: string; audit_path: string[] }>(`${served.url}ct/v1/get-entry-and-proof?leaf_index=755&tree_size=756`)
    const hash = leafHash(Buffer.from(last.leaf_input, 'base64'))
    assert.ok(edgeBefore(755, hash, decode(last.audit_path), root(756)))
    const query = new URLSearchParams({ hash: hash.toString('base64'), tree_size: '758' }).toString()
    const found = await getJson<{ leaf_index: number; audit_path: string[] }>(`${served.url}ct/v1/get-proof-by-hash?${query}`)
    assert.equal(found.leaf_index, 755)
    assert.ok(provesInclusion(755, 758, hash, decode(found.audit_path), root(758)))
    assert.equal((await get(`${served.url}ct/v1/get-proof-by-hash?${query.replace(/758/, '200')}`)).status, 404)
  })

  it('logs precertificate and certificate as one issuance, with what belongs to each', async () => {
    const { entries } = await getJson<Page>(`${served.url}ct/v1/get-entries?start=756&end=757`)
    const read = (await readClassic(served)).entries.slice(756)
    assert.deepEqual(
      read.map(({ entry }) => entry.type),
      ['precert', 'x509'],
    )
    const [precert, x509] = entries.map((row, n) => readExtraData(Buffer.from(row.extra_data, 'base64'), read[n]!.entry.type))
    assert.equal(issuanceId(precert!.precertificate!), createHash('sha256').update(read[0]!.entry.der).digest('hex'))
    assert.equal(issuanceId(read[1]!.entry.der), issuanceId(precert!.precertificate!))
    assert.deepEqual(Buffer.from(read[0]!.entry.issuerKeyHash!), createHash('sha256').update(authority.chain[0]!.pubkeyDer).digest())
    for (const extra of [precert!, x509!])
      assert.deepEqual(
        extra.chain.map((der) => Buffer.from(der)),
        authority.chain.map(({ der }) => der),
      )
  })

  it('keeps entries back until it publishes', async () => {
    const quiet = host.serve(createCtLog({ name: 'quiet' }))
    quiet.log.addMany(3, filler)
    assert.equal((await readSthOf(quiet)).head.size, 0)
    assert.equal((await get(`${quiet.url}ct/v1/get-entries?start=0&end=2`)).status, 400)
    quiet.log.publish({ size: 2, timestamp: 5 })
    assert.deepEqual([(await readSthOf(quiet)).head.size, (await readSthOf(quiet)).head.timestamp], [2, 5])
    assert.equal((await readClassic(quiet)).entries.length, 2)
  })

  it('merges by itself', async () => {
    const busy = host.serve(createCtLog({ name: 'busy' }), { mergeEvery: 20 })
    busy.log.addMany(3, filler)
    for (let n = 0; n < 200 && (await readSthOf(busy)).head.size < 3; n++) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal((await readStatic(busy)).entries.length, 3)
  })

  it('leaves out the leaf index where a log has none, and serves what its protocol has', async () => {
    const old = host.serve(createCtLog({ name: 'old', leafIndexes: false }), { protocol: 'rfc6962' })
    const hybrid = host.serve(createCtLog({ name: 'hybrid', leafIndexes: false }), { protocol: 'hybrid' })
    for (const { log } of [old, hybrid]) {
      log.addMany(300, filler)
      log.publish()
    }
    assert.deepEqual(
      leafIndexesOf((await readClassic(old)).entries).filter((index) => index !== undefined),
      [],
    )
    const statuses = async ({ url }: ServedLog) =>
      Promise.all(
        ['ct/v1/get-sth', 'checkpoint', 'tile/0/000', 'tile/data/000', 'tile/data/001.p/44'].map(async (path) => (await get(url + path)).status),
      )
    assert.deepEqual(await statuses(old), [200, 404, 404, 404, 404])
    assert.deepEqual(await statuses(hybrid), [200, 404, 404, 200, 404])
    const tiled = host.serve(createCtLog({ name: 'tiled' }), { protocol: 'static-ct' })
    assert.deepEqual(await statuses(tiled), [404, 200, 404, 404, 404])
  })

  it('gives the same issuances in another log for the same serial numbers', async () => {
    const [one, two] = ['one', 'two'].map((name) => host.serve(createCtLog({ name, leafIndexes: name === 'one' })))
    one!.log.addMany(70, filler, 1000)
    two!.log.addMany(10, filler, 5)
    two!.log.addMany(70, filler, 1000)
    for (const { log } of [one!, two!]) log.publish()
    const ids = async (served: ServedLog) =>
      (await readClassic(served)).entries.map(({ entry }) =>
        entry.type === 'x509' ? issuanceId(entry.der) : createHash('sha256').update(entry.der).digest('hex'),
      )
    const [first, second] = [await ids(one!), await ids(two!)]
    assert.deepEqual(second.slice(10), first)
    assert.equal(new Set([...first, ...second]).size, 80)
  })

  it('remembers what was asked', async () => {
    const asked = host.requests.length
    await get(`${served.url}tile/data/002.p/246`, { 'user-agent': 'test (mail@example.org)' })
    const [request] = host.requests.slice(asked)
    assert.deepEqual(
      [request!.log, request!.kind, request!.tile, request!.status],
      ['argon', 'data-tile', { level: 'data', index: 2, width: 246 }, 200],
    )
    assert.equal(request!.headers['user-agent'], 'test (mail@example.org)')
    assert.equal(host.count('get-entries', { log: 'argon', status: 400 }), 5)
    assert.ok(host.count('data-tile') > host.count('data-tile', { log: 'argon' }))
  })

  it('carries fifty logs', async () => {
    const many = Array.from({ length: 50 }, (_, n) => host.serve(createCtLog({ name: `log-${n}` })))
    for (const { log } of many) {
      log.addMany(10, filler)
      log.publish()
    }
    const heads = await Promise.all(many.map(async (each) => (await readCheckpointOf(each)).valid))
    assert.ok(heads.every(Boolean))
    assert.equal(new Set(many.map(({ log }) => log.keys.id.toString('hex'))).size, 50)
  })
})
