// What real logs served, taken apart by src/ct and put together again by the sandbox: the same bytes.
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { readExtraData } from '../../src/ct/extra-data.ts'
import { readLeafIndex, readMerkleTreeLeaf, type TimestampedEntry } from '../../src/ct/leaf.ts'
import { readSignedNote } from '../../src/ct/signed-note.ts'
import { readDataTile, tilePath } from '../../src/ct/tile.ts'
import { readCheckpoint } from '../../src/ct/checkpoint.ts'
import { readLogKey } from '../../src/ct/log-key.ts'
import { entryBytes, type ChainCertificate, type Submission } from '../../src/sandbox/ct-entry.ts'
import { createLogKeys } from '../../src/sandbox/ct-key.ts'
import { checkpointNote } from '../../src/sandbox/ct-note.ts'
import { createTree, hashLeaf, type Tree } from '../../src/sandbox/ct-tree.ts'
import { FIXTURES, fixture, needsFixtures } from '../ct/fixtures.ts'

const chainCertificate = (der: Uint8Array): ChainCertificate => ({
  der: Buffer.from(der),
  pubkeyDer: new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' }),
})

function submissionOf(entry: TimestampedEntry, precertificate: Uint8Array | undefined, chain: readonly ChainCertificate[]): Submission {
  if (precertificate === undefined) return { certificate: { der: Buffer.from(entry.der) }, chain }
  const made = { der: Buffer.from(precertificate), tbs: Buffer.from(entry.der) }
  // Only where a precertificate signing certificate signed is the hash of another key than the first of the chain's.
  const preissuer = new X509Certificate(chain[0]!.der).keyUsage?.includes('1.3.6.1.4.1.11129.2.4.4') ?? false
  return { precertificate: made, chain, ...(preissuer ? { issuerKeyHash: Buffer.from(entry.issuerKeyHash!) } : {}) }
}

interface Snapshot {
  readonly dir: string
  readonly size: number
  readonly root: string
}

interface TreeLog {
  readonly origin: string
  readonly key: string
  readonly logId: string
  readonly snapshots: readonly Snapshot[]
}

describe("the sandbox's bytes and those of real logs", needsFixtures, () => {
  for (const name of ['sunlight', 'tesseract'] as const) {
    const snapshots = () => {
      const logs: Record<string, TreeLog> = JSON.parse(fixture('static-ct-trees/logs.json').toString())
      return logs[name]!
    }

    it(`${name}: data tiles, hash tiles and roots`, () => {
      const last = snapshots().snapshots.at(-1)!
      const dir = `static-ct-trees/${name}/${last.dir}`
      const issuers = new Map<string, ChainCertificate>()
      const issuer = (fingerprint: string) => {
        const known = issuers.get(fingerprint) ?? chainCertificate(fixture(`${dir}/issuer/${fingerprint}`))
        issuers.set(fingerprint, known)
        return known
      }
      const tree: Tree = createTree()
      for (let index = 0; 256 * index < last.size; index++) {
        const width = Math.min(256, last.size - 256 * index)
        const stored = fixture(`${dir}/${tilePath({ level: 'data', index, width })}`)
        const tile = stored[0] === 0x1f ? gunzipSync(stored) : stored
        const again: Buffer[] = []
        readDataTile(tile, width, ({ entry, precertificate, fingerprints }) => {
          const hex = Buffer.from(fingerprints).toString('hex')
          const chain = (hex.match(/.{64}/g) ?? []).map(issuer)
          const bytes = entryBytes(submissionOf(entry, precertificate, chain), entry.timestamp, readLeafIndex(entry.extensions))
          again.push(bytes.tileLeaf)
          tree.append(hashLeaf(bytes.leafInput))
        })
        assert.deepEqual(Buffer.concat(again), tile, `data tile ${index}`)
      }
      for (const { size, root } of snapshots().snapshots) assert.equal(tree.root(size).toString('base64'), root, `size ${size}`)
      let tiles = 0
      for (const { dir, size } of snapshots().snapshots)
        for (const level of [0, 1])
          for (let index = 0; ; index++) {
            const items = Math.floor(size / 256 ** level)
            const width = Math.min(256, items - 256 * index)
            if (width <= 0) break
            const path = `static-ct-trees/${name}/${dir}/${tilePath({ level, index, width })}`
            assert.ok(existsSync(join(FIXTURES, path)), path)
            assert.deepEqual(tree.nodes(8 * level, 256 * index, 256 * index + width), fixture(path), path)
            tiles++
          }
      assert.ok(tiles > 5)
    })

    it(`${name}: checkpoints`, () => {
      const { key, logId, origin, snapshots: all } = snapshots()
      for (const { dir } of all) {
        const bytes = fixture(`static-ct-trees/${name}/${dir}/checkpoint`)
        const { head } = readCheckpoint(bytes, readLogKey(Buffer.from(key, 'base64')))
        const again = checkpointNote(
          origin,
          { size: head.size, timestamp: head.timestamp, root: Buffer.from(head.rootHash), signature: Buffer.from(head.signature) },
          { ...createLogKeys(), id: Buffer.from(logId, 'base64') },
        )
        if (name === 'tesseract') assert.deepEqual(again, bytes)
        else {
          // Sunlight's has more lines, in no order.
          const [ours, theirs] = [readSignedNote(again), readSignedNote(bytes)]
          assert.equal(ours.text, theirs.text)
          assert.ok(bytes.includes(again.subarray(Buffer.byteLength(ours.text) + 1)))
        }
      }
    })
  }

  it('RFC 6962: leaf_input and extra_data of live logs', () => {
    const rows: readonly { leaf_input: string; extra_data: string }[] = JSON.parse(fixture('rfc6962-live-entries.json').toString())
    for (const row of rows) {
      const [leafInput, extraData] = [row.leaf_input, row.extra_data].map((text) => Buffer.from(text, 'base64'))
      const entry = readMerkleTreeLeaf(leafInput!)
      const { precertificate, chain } = readExtraData(extraData!, entry.type)
      const again = entryBytes(submissionOf(entry, precertificate, chain.map(chainCertificate)), entry.timestamp, readLeafIndex(entry.extensions))
      assert.deepEqual(again.leafInput, leafInput)
      assert.deepEqual(again.extraData, extraData)
    }
    assert.equal(rows.length, 40)
  })
})
