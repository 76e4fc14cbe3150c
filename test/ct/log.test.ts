// What logs say: heads, checkpoints, leaves, tiles, lists. Real ones, and real ones spoiled.
import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { decodeBase64 } from '../../src/ct/base64.ts'
import { checkpointKeyId, readCheckpoint } from '../../src/ct/checkpoint.ts'
import { growTree } from '../../src/ct/compact-range.ts'
import { ParseError } from '../../src/ct/errors.ts'
import { readExtraData } from '../../src/ct/extra-data.ts'
import { readLeafIndex, readMerkleTreeLeaf } from '../../src/ct/leaf.ts'
import { readLogKey } from '../../src/ct/log-key.ts'
import { readLogList, verifyLogList } from '../../src/ct/log-list.ts'
import { leafHash } from '../../src/ct/merkle.ts'
import { provesConsistency } from '../../src/ct/proofs.ts'
import { readSignedNote } from '../../src/ct/signed-note.ts'
import { issuanceId, tbsWithoutCt } from '../../src/ct/tbs.ts'
import type { Tile } from '../../src/ct/tile.ts'
import { readDataTile, readHashTile, tileEntryAt, tilePath, walkDataTile } from '../../src/ct/tile.ts'
import { edgeTiles } from './edge-tiles.ts'
import { readSth, verifyTreeHead } from '../../src/ct/tree-head.ts'
import { FIXTURES, fixture, needsFixtures } from './fixtures.ts'

const json = (path: string): unknown => JSON.parse(fixture(path).toString())
const bytes = (text: string): Buffer => Buffer.from(text, 'base64')
const caught = (act: () => void): unknown => {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

interface Vectors {
  readonly rfc6962: readonly {
    readonly key: string
    readonly log_id?: string
    readonly sths?: readonly object[]
    readonly sth?: object
    readonly consistency: readonly string[]
  }[]
  readonly checkpoints: readonly { readonly key: string; readonly key_id: string; readonly timestamp: number; readonly text: string }[]
  readonly sct_extension: { readonly hex: string; readonly leaf_index: number }
}

describe('signed tree heads', () => {
  test('real ones verify, and with any member changed they do not', needsFixtures, () => {
    const { rfc6962 } = json('ct-vectors.json') as Vectors
    let count = 0
    for (const { key: spki, log_id: id, sths, sth } of rfc6962) {
      const key = readLogKey(bytes(spki))
      if (id !== undefined) assert.equal(key.id.toString('base64'), id)
      for (const each of sths ?? [sth]) {
        const head = readSth(JSON.stringify({ ...each, more: 'ignored' }))
        assert.ok(verifyTreeHead(head, key))
        assert.ok(!verifyTreeHead({ ...head, size: head.size + 1 }, key))
        assert.ok(!verifyTreeHead({ ...head, timestamp: head.timestamp + 1 }, key))
        assert.ok(!verifyTreeHead({ ...head, rootHash: Buffer.alloc(32) }, key))
        count += 1
      }
    }
    assert.equal(count, 3)
  })

  test('the later of two is the earlier, grown', needsFixtures, () => {
    const { sth1, sth2, consistency } = json('argon2027h1-sth-consistency.json') as { sth1: object; sth2: object; consistency: string[] }
    const [one, two] = [readSth(JSON.stringify(sth1)), readSth(JSON.stringify(sth2))]
    assert.ok(provesConsistency(one.size, two.size, one.rootHash, two.rootHash, consistency.map(bytes)))
    assert.ok(!provesConsistency(one.size, two.size, two.rootHash, one.rootHash, consistency.map(bytes)))
  })

  for (const [why, spoiled] of [
    ['no JSON', '<html>'],
    ['a list', '[]'],
    ['a size with a fraction', '{"tree_size":1.5}'],
    ['a negative size', '{"tree_size":-1}'],
    ['a size as text', '{"tree_size":"1"}'],
    ['a size beyond 2^53', '{"tree_size":9007199254740993}'],
    ['a short root', `{"tree_size":1,"timestamp":1,"sha256_root_hash":"AAAA","tree_head_signature":"BAMAAA=="}`],
    ['no signature', `{"tree_size":1,"timestamp":1,"sha256_root_hash":"${Buffer.alloc(32).toString('base64')}"}`],
    ['base64 that is none', `{"tree_size":1,"timestamp":1,"sha256_root_hash":"${Buffer.alloc(32).toString('base64')}","tree_head_signature":"BA-_"}`],
  ] as const) {
    test(`broken in form: ${why}`, () => {
      assert.throws(() => readSth(spoiled), ParseError)
    })
  }

  test('a signature that is cut off is broken in form, not a lie', needsFixtures, () => {
    const { rfc6962 } = json('ct-vectors.json') as Vectors
    const [log] = rfc6962
    const key = readLogKey(bytes(log?.key ?? ''))
    const head = readSth(JSON.stringify(log?.sths?.[0]))
    for (const signature of [
      head.signature.subarray(0, -1),
      Buffer.concat([head.signature, Buffer.of(0)]),
      Buffer.from([1, 3, 0, 0]),
      Buffer.alloc(0),
    ])
      assert.throws(() => verifyTreeHead({ ...head, signature }, key), ParseError)
  })
})

describe('checkpoints', () => {
  test('real ones, with grease and lines of other keys', needsFixtures, () => {
    const { checkpoints } = json('ct-vectors.json') as Vectors
    for (const { key: spki, key_id: keyId, timestamp, text } of checkpoints) {
      const key = readLogKey(bytes(spki))
      const { head, valid, origin } = readCheckpoint(Buffer.from(text), key)
      assert.ok(valid)
      assert.equal(head.timestamp, timestamp)
      assert.equal(checkpointKeyId(origin, key.id).toString('hex'), keyId)
      const lines = text.split('\n')
      const another = Buffer.from([lines[0], String(Number(lines[1]) + 1), ...lines.slice(2)].join('\n'))
      assert.ok(!readCheckpoint(another, key).valid)
    }
    assert.equal(checkpoints.length, 3)
  })

  for (const [why, text] of [
    ['empty', ''],
    ['HTML', '<html>\n</html>\n'],
    ['no signature', `log\n1\n${Buffer.alloc(32).toString('base64')}\n`],
    ['an extension line', `log\n1\n${Buffer.alloc(32).toString('base64')}\nmore\n\n\u2014 log AAAAAAA=\n`],
    ['a size with a leading zero', `log\n01\n${Buffer.alloc(32).toString('base64')}\n\n\u2014 log AAAAAAA=\n`],
    ['a minus for the dash', `log\n1\n${Buffer.alloc(32).toString('base64')}\n\n- log AAAAAAA=\n`],
    ['a blob without padding', `log\n1\n${Buffer.alloc(32).toString('base64')}\n\n\u2014 log AAAAAAA\n`],
    ['a control character', `lo\u0007g\n1\n${Buffer.alloc(32).toString('base64')}\n\n\u2014 log AAAAAAA=\n`],
  ] as const) {
    test(`broken in form: ${why}`, needsFixtures, () => {
      const { checkpoints } = json('ct-vectors.json') as Vectors
      assert.throws(() => readCheckpoint(Buffer.from(text), readLogKey(bytes(checkpoints[0]?.key ?? ''))), ParseError)
    })
  }

  test('a note ends at its last empty line', () => {
    const note = readSignedNote(Buffer.from('a\n\nb\n\n\u2014 x AAAAAAA=\n'))
    assert.equal(note.text, 'a\n\nb\n')
    assert.deepEqual(
      note.signatures.map(({ name }) => name),
      ['x'],
    )
  })
})

describe('entries of RFC 6962 logs', () => {
  interface Row {
    readonly index: number
    readonly leaf_input: string
    readonly extra_data: string
    readonly dns_names: readonly string[]
  }

  test('40 live rows: 26 certificates, 14 precertificates, each with its issuer', needsFixtures, () => {
    const rows = json('rfc6962-live-entries.json') as readonly Row[]
    const types = { x509: 0, precert: 0 }
    for (const { leaf_input: leaf, extra_data: extra } of rows) {
      const entry = readMerkleTreeLeaf(bytes(leaf))
      types[entry.type] += 1
      const { chain, precertificate } = readExtraData(bytes(extra), entry.type)
      const [issuer] = chain
      assert.ok(issuer)
      if (entry.type === 'x509') {
        assert.ok(new X509Certificate(entry.der).checkIssued(new X509Certificate(issuer)))
      } else {
        assert.ok(precertificate)
        const spki = new X509Certificate(issuer).publicKey.export({ format: 'der', type: 'spki' })
        assert.deepEqual(Buffer.from(entry.issuerKeyHash ?? []), createHash('sha256').update(spki).digest())
        assert.deepEqual(Buffer.from(tbsWithoutCt(precertificate)), Buffer.from(entry.der), 'the leaf is the precertificate without its poison')
        assert.equal(issuanceId(precertificate), issuanceId(entry.der))
      }
    }
    assert.deepEqual(types, { x509: 26, precert: 14 })
  })

  test('whatever the bytes, a value or a ParseError', needsFixtures, () => {
    const rows = json('rfc6962-live-entries.json') as readonly Row[]
    const inputs = rows.slice(0, 8).map(({ leaf_input: leaf }) => bytes(leaf))
    fc.assert(
      fc.property(fc.nat(inputs.length - 1), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(), (which, changes, cut) => {
        const input = Buffer.from(inputs[which] ?? [])
        for (const [at, value] of changes) input[at % 60] = value
        const spoiled = input.subarray(0, cut % (input.length + 1))
        try {
          const entry = readMerkleTreeLeaf(spoiled)
          assert.ok(entry.der.length <= spoiled.length)
          readLeafIndex(entry.extensions)
        } catch (error) {
          assert.ok(error instanceof ParseError, String(error))
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('the index in an SCT of a static log', needsFixtures, () => {
    const { sct_extension: vector } = json('ct-vectors.json') as Vectors
    assert.equal(readLeafIndex(Buffer.from(vector.hex, 'hex')), vector.leaf_index)
    assert.equal(readLeafIndex(Buffer.from('0500020102000005ffffffffff', 'hex')), 2 ** 40 - 1, 'unknown ones are skipped')
    assert.equal(readLeafIndex(Buffer.alloc(0)), undefined)
    for (const odd of ['000004000000', '00000500000000010000050000000001', '00'])
      assert.throws(() => readLeafIndex(Buffer.from(odd, 'hex')), ParseError)
  })
})

describe('static logs', () => {
  const tile = (folder: string, which: Tile): Buffer => {
    const body = fixture(join(folder, tilePath(which)))
    return body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body
  }

  test('1,024 entries of a Sunlight test log hash to its level-0 tiles', needsFixtures, () => {
    for (const index of [0, 1, 2, 3]) {
      const hashes = readHashTile(tile('static-ct/navigli2025h2', { level: 0, index, width: 256 }), 256)
      let count = 0
      readDataTile(tile('static-ct/navigli2025h2', { level: 'data', index, width: 256 }), 256, ({ entry, timestamped, precertificate }, n) => {
        assert.deepEqual(leafHash(timestamped, 2), Buffer.from(hashes[n] ?? []))
        assert.equal(readLeafIndex(entry.extensions), index * 256 + n)
        assert.equal(issuanceId(precertificate ?? entry.der), issuanceId(entry.der))
        count += 1
      })
      assert.equal(count, 256)
    }
  })

  interface Log {
    readonly origin: string
    readonly key: string
    readonly logId: string
    readonly checkpointKeyId: string
    readonly snapshots: readonly { readonly dir: string; readonly size: number; readonly root: string }[]
  }
  interface Truth {
    readonly index: number
    readonly type: 'x509' | 'precert'
    readonly kind: string
    readonly timestamp: number
    readonly certSha256: string
    readonly precertIndex?: number
  }

  for (const name of ['sunlight', 'tesseract'] as const) {
    test(`${name}: every snapshot verifies from its entries, and its edge makes the same tree`, needsFixtures, () => {
      const log = (json('static-ct-trees/logs.json') as Record<string, Log>)[name]
      assert.ok(log)
      const key = readLogKey(bytes(log.key))
      assert.equal(key.id.toString('base64'), log.logId)
      assert.equal(checkpointKeyId(log.origin, key.id).toString('hex'), log.checkpointKeyId)
      const truth = fixture(`static-ct-trees/${name}/truth.jsonl`)
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Truth)
      for (const { dir, size, root } of log.snapshots) {
        const folder = `static-ct-trees/${name}/${dir}`
        const { head, valid, origin } = readCheckpoint(fixture(`${folder}/checkpoint`), key)
        assert.ok(valid)
        assert.deepEqual([origin, head.size, Buffer.from(head.rootHash).toString('base64')], [log.origin, size, root])

        const tree = growTree()
        const ids = new Map<number, string>()
        for (let index = 0; index * 256 < size; index++) {
          const width = Math.min(256, size - index * 256)
          readDataTile(tile(folder, { level: 'data', index, width }), width, ({ entry, timestamped, precertificate, fingerprints }, n) => {
            const at = index * 256 + n
            const expected = truth[at]
            assert.ok(expected)
            tree.append(leafHash(timestamped, 2))
            assert.equal(readLeafIndex(entry.extensions), at)
            assert.deepEqual([entry.type, entry.timestamp], [expected.type, expected.timestamp])
            assert.equal(
              createHash('sha256')
                .update(precertificate ?? entry.der)
                .digest('hex'),
              expected.certSha256,
            )
            ids.set(at, issuanceId(entry.der))
            if (expected.precertIndex !== undefined) assert.equal(ids.get(at), ids.get(expected.precertIndex), 'one issuance')
            assert.ok(fingerprints.length > 0)
          })
        }
        assert.deepEqual(tree.root(), Buffer.from(head.rootHash))

        const edge = growTree()
        for (const which of edgeTiles(size))
          for (const hash of readHashTile(tile(folder, which), which.width)) edge.appendSubtree(8 * which.level, hash)
        assert.deepEqual(edge.range(), tree.range())
      }
    })
  }

  test('whatever the bytes of a tile, entries within it or a ParseError', needsFixtures, () => {
    const body = tile('static-ct/navigli2025h2', { level: 'data', index: 0, width: 256 }).subarray(0, 5000)
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(body.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(body.length), (changes, cut) => {
        const spoiled = Buffer.from(body)
        for (const [at, value] of changes) spoiled[at] = value
        const bytes = new Uint8Array(spoiled.subarray(0, cut))
        let last = 0
        const error = caught(() =>
          walkDataTile(bytes, 256, (offsets) => {
            const { start, der, derEnd, extensions, end, precertificate, precertificateEnd, fingerprints, fingerprintsEnd } = offsets
            const order = [last, start, der, derEnd, extensions, end, precertificate, precertificateEnd, fingerprints, fingerprintsEnd, bytes.length]
            assert.deepEqual(
              order,
              [...order].sort((a, b) => a - b),
            )
            assert.ok(Number.isSafeInteger(tileEntryAt(bytes, offsets).entry.timestamp))
            last = fingerprintsEnd
          }),
        )
        assert.ok(error instanceof ParseError, String(error))
      }),
      { numRuns: 2000 },
    )
  })

  test('a tile that is cut off, too long or of another width', needsFixtures, () => {
    const body = tile('static-ct/navigli2025h2', { level: 'data', index: 0, width: 256 })
    let seen = 0
    assert.throws(() => readDataTile(body.subarray(0, body.length / 2), 256, () => seen++), ParseError)
    assert.ok(seen > 100 && seen < 140, 'what came whole was handed over')
    assert.throws(() => readDataTile(Buffer.concat([body, Buffer.of(0)]), 256, () => undefined), ParseError)
    seen = 0
    readDataTile(body, 10, () => seen++)
    assert.equal(seen, 10, 'a full tile stands for a partial one')
    const hashes = tile('static-ct/navigli2025h2', { level: 0, index: 0, width: 256 })
    assert.equal(readHashTile(hashes, 17).length, 17)
    assert.throws(() => readHashTile(hashes.subarray(0, 32 * 16), 17), ParseError)
    assert.throws(() => readHashTile(Buffer.alloc(0), 17), ParseError)
  })
})

describe('log lists', () => {
  const KEY = (): string => fixture('log-list/google-log-list-pubkey.pem').toString()

  test("Google's signature", needsFixtures, () => {
    const [list, signature] = [fixture('log-list/google-v85.92.json'), fixture('log-list/google-v85.92.sig')]
    assert.ok(verifyLogList(list, signature, KEY()))
    assert.ok(!verifyLogList(Buffer.concat([list, Buffer.from('\n')]), signature, KEY()))
    assert.ok(!verifyLogList(list, Buffer.alloc(512), KEY()))
  })

  test('the union of both lists by log id is the union that others made', needsFixtures, () => {
    const [google, apple] = ['google-all-2026-08-22', 'apple-2026-08-22'].map((name) => readLogList(fixture(`log-list/${name}.json`).toString()))
    assert.ok(google && apple)
    assert.deepEqual([google.oddities, apple.oddities], [[], []])
    assert.equal(google.logs.length, 117)
    const union = json('log-list/union-2026-08-21.json') as {
      logs: { log_id: string; protocol: string; url?: string; monitoring_url?: string; google_state: string | null }[]
    }
    const all = new Map([...apple.logs, ...google.logs].map((log) => [log.id, log]))
    for (const row of union.logs) {
      const log = all.get(row.log_id)
      assert.ok(log, row.log_id)
      assert.equal(log.protocol, row.protocol === 'rfc6962' ? 'rfc6962' : 'static-ct')
      assert.equal(log.url.replace(/\/$/, ''), (row.url ?? row.monitoring_url)?.replace(/\/$/, ''))
    }
  })

  test('what nobody knew is taken as it comes, and a bad row costs that row', needsFixtures, () => {
    const list = JSON.parse(fixture('log-list/google-v85.92.json').toString()) as {
      operators: { logs: Record<string, unknown>[]; tiled_logs: Record<string, unknown>[] }[]
    }
    const rows = list.operators.flatMap(({ logs }) => logs)
    const [first, second, third, fourth] = rows
    assert.ok(first && second && third && fourth)
    first['state'] = { hibernating: { timestamp: '2027-01-01T00:00:00Z' } }
    first['log_type'] = 'quantum'
    second['log_id'] = Buffer.alloc(32).toString('base64')
    third['url'] = 'javascript:alert(1)'
    delete fourth['key']
    const { logs, oddities, version, madeAt } = readLogList(JSON.stringify({ ...list, future: {} }))
    assert.equal(oddities.length, 3)
    assert.match(oddities.join('\n'), /log_id: is not the hash of the key[^]*url: is no address[^]*key: is not a string/)
    const odd = logs.find(({ id }) => id === first['log_id'])
    assert.deepEqual([odd?.state, odd?.type], ['hibernating', 'quantum'])
    assert.equal(version, '85.92')
    assert.equal(madeAt, Date.parse('2026-05-29T13:42:48Z'))
  })

  test('a spoiled list is known by its logs', needsFixtures, () => {
    const union = json('log-list/union-2026-08-21.json') as { logs: { key: string }[] }
    const key = union.logs[0]?.key ?? ''
    const row = { key, log_id: readLogKey(bytes(key)).id.toString('base64'), url: 'https://ct.example/' }
    assert.equal(readLogList(JSON.stringify({ operators: [{ name: 'x', logs: [row] }] })).mimic, false)
    // By its id alone: their keys are not here, so the row is odd besides.
    const mimic = { ...row, log_id: '9EGV1vAOLbVUNcrdV3iS5T4VrUFwWPh44U/2uRh0FYk=' }
    assert.equal(readLogList(JSON.stringify({ operators: [{ name: 'x', logs: [mimic] }] })).mimic, true)
  })

  test('a log that takes nothing any more has its last head', needsFixtures, () => {
    const { logs } = readLogList(fixture('log-list/google-all-2026-08-22.json').toString())
    const sabre = logs.find(({ description }) => description.includes('Sabre2026h2'))
    assert.equal(sabre?.state, 'readonly')
    assert.equal(sabre?.finalTreeHead?.size, 68_732_791)
  })

  for (const text of ['', '[]', '{}', '{"operators":{}}', 'null'])
    test(`no list at all: ${text}`, () => {
      assert.throws(() => readLogList(text), ParseError)
    })
})

test('a chain of more certificates than any has', () => {
  const extra = (count: number): Buffer => {
    const chain = Buffer.alloc(3 * count)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(chain.length)
    return Buffer.concat([Buffer.of(0, 0, 1, 7), length.subarray(1), chain])
  }
  assert.equal(readExtraData(extra(1000), 'precert').chain.length, 1000)
  assert.throws(() => readExtraData(extra(1001), 'precert'), ParseError)
})

describe('a log list of a stranger', () => {
  const read = (rows: readonly unknown[], more = {}): ReturnType<typeof readLogList> =>
    readLogList(JSON.stringify({ operators: [{ name: 'x', logs: rows, ...more }] }))
  const row = (n = 0): Readonly<Record<string, unknown>> => {
    const key = Buffer.from(`key ${n}`)
    return { key: key.toString('base64'), log_id: createHash('sha256').update(key).digest('base64'), url: 'https://ct.example/' }
  }

  test('values of any kind cost their row at most', () => {
    let nested = ''
    for (let n = 0; n < 20_000; n++) nested += '['
    const deep = JSON.parse(`${nested}${']'.repeat(20_000)}`) as unknown
    for (const odd of [{ toString: 1, valueOf: 1 }, deep, null, 1, [], true])
      for (const member of ['log_id', 'key', 'description', 'url', 'state', 'log_type', 'temporal_interval', 'tls_only']) {
        const { logs, oddities } = readLogList(
          `{"operators":[{"name":"x","logs":[${JSON.stringify(row())},${JSON.stringify({ ...row(1), [member]: '@' }).replace('"@"', odd === deep ? `${nested}${']'.repeat(20_000)}` : JSON.stringify(odd))}]}]}`,
        )
        assert.equal(logs.length + oddities.length, 2, member)
        assert.equal(logs[0]?.id, row()['log_id'])
      }
    for (const odd of [{ timestamp: { toString: 1 } }, { timestamp: [] }, 1])
      assert.equal(read([{ ...row(), state: { usable: odd } }]).logs[0]?.state, 'usable')
    assert.equal(read([{ ...row(), temporal_interval: { start_inclusive: { toString: 1 }, end_exclusive: [] } }]).logs[0]?.interval, undefined)
  })

  test('a last head that is none is left out', () => {
    const head = (final: unknown) => read([{ ...row(), state: { readonly: { final_tree_head: final } } }]).logs[0]?.finalTreeHead
    const root = Buffer.alloc(32, 7)
    assert.deepEqual(head({ tree_size: 5, sha256_root_hash: root.toString('base64') }), { size: 5, rootHash: root })
    for (const odd of [1, { tree_size: 5 }, { tree_size: 5, sha256_root_hash: 'AAEC' }, { tree_size: -1, sha256_root_hash: root.toString('base64') }])
      assert.equal(head(odd), undefined)
  })

  test('a static log needs no submission_url', () => {
    const { logs, oddities } = read([], { tiled_logs: [{ ...row(), url: undefined, monitoring_url: 'https://mon.example/x' }] })
    assert.deepEqual([logs[0]?.url, oddities], ['https://mon.example/x/', []])
  })

  test('so many rows, sentences, and letters of a name', () => {
    const many = read(Array.from({ length: 20_000 }, () => 1))
    assert.equal(many.oddities.length, 101)
    assert.equal(many.oddities.at(-1), 'and 9901 more')
    const { logs, oddities } = read([
      { ...row(), description: 'd'.repeat(1_000_000), state: { ['s'.repeat(1000)]: {} } },
      { ...row(1), url: `https://x.example/${'u'.repeat(2000)}` },
    ])
    assert.deepEqual([logs[0]?.description.length, logs[0]?.state?.length, logs.length, oddities.length], [201, 201, 1, 1])
  })
})

test('base64 is strict', () => {
  assert.deepEqual(decodeBase64('AAEC', 'x'), Buffer.of(0, 1, 2))
  for (const text of ['AAE', 'AAE_', 'AAEC\n', 'AB==', 'A A=']) assert.throws(() => decodeBase64(text, 'x'), ParseError)
})

test('the fixtures are all looked at', needsFixtures, () => {
  assert.deepEqual(readdirSync(join(FIXTURES, 'static-ct-trees')).sort(), ['README.md', 'logs.json', 'pki', 'sunlight', 'tesseract'])
})
