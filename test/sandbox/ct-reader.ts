// A plain reader of the sandbox's logs on src/ct, which the sandbox does not use: what it accepts, any reader does.
import assert from 'node:assert/strict'
import { readCheckpoint, type Checkpoint } from '../../src/ct/checkpoint.ts'
import { growTree } from '../../src/ct/compact-range.ts'
import { readLeafIndex, readMerkleTreeLeaf, type TimestampedEntry } from '../../src/ct/leaf.ts'
import { readLogKey } from '../../src/ct/log-key.ts'
import { leafHash } from '../../src/ct/merkle.ts'
import { readDataTile, readHashTile, tilePath } from '../../src/ct/tile.ts'
import { edgeTiles } from '../ct/edge-tiles.ts'
import { readSth, verifyTreeHead, type SignedTreeHead } from '../../src/ct/tree-head.ts'
import type { ServedLog } from '../../src/sandbox/ct-log-server.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
}

export async function get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, { headers, redirect: 'manual' })
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
}

export async function getJson<T>(url: string): Promise<T> {
  const { status, bytes } = await get(url)
  assert.equal(status, 200, `${url}: ${bytes.toString()}`)
  const value: T = JSON.parse(bytes.toString())
  return value
}

export const keyOf = ({ log }: ServedLog) => readLogKey(log.keys.spki)

export async function readSthOf(served: ServedLog): Promise<{ readonly head: SignedTreeHead; readonly valid: boolean }> {
  const head = readSth((await get(`${served.url}ct/v1/get-sth`)).bytes.toString())
  return { head, valid: verifyTreeHead(head, keyOf(served)) }
}

export async function readCheckpointOf(served: ServedLog): Promise<Checkpoint & { readonly valid: boolean }> {
  return readCheckpoint((await get(`${served.url}checkpoint`)).bytes, keyOf(served))
}

/** Entries as both protocols give them. */
export interface ReadEntry {
  readonly entry: TimestampedEntry
  readonly leafInput: Buffer
}

/** Reads a static log from its first tile to its head. `root` is of what was read. */
export async function readStatic(
  served: ServedLog,
): Promise<{ readonly entries: readonly ReadEntry[]; readonly root: Buffer; readonly head: SignedTreeHead }> {
  const { head } = await readCheckpointOf(served)
  const entries: ReadEntry[] = []
  const tree = growTree()
  for (let index = 0; 256 * index < head.size; index++) {
    const width = Math.min(256, head.size - 256 * index)
    const { status, bytes } = await get(served.url + tilePath({ level: 'data', index, width }))
    assert.equal(status, 200)
    const hashes = readHashTile((await get(served.url + tilePath({ level: 0, index, width }))).bytes, width)
    readDataTile(bytes, width, ({ entry, timestamped }, n) => {
      tree.append(leafHash(timestamped, 2))
      assert.deepEqual(leafHash(timestamped, 2), Buffer.from(hashes[n]!))
      entries.push({ entry, leafInput: Buffer.concat([Buffer.of(0, 0), timestamped]) })
    })
  }
  return { entries, root: tree.root(), head }
}

/** The root from the hash tiles at the right edge alone. */
export async function rootFromEdge(served: ServedLog, size: number): Promise<Buffer> {
  const tree = growTree()
  for (const tile of edgeTiles(size)) {
    const { bytes } = await get(served.url + tilePath(tile))
    for (const hash of readHashTile(bytes, tile.width)) tree.appendSubtree(8 * tile.level, hash)
  }
  return tree.root()
}

export interface Page {
  readonly entries: readonly { readonly leaf_input: string; readonly extra_data: string }[]
}

/** Reads an RFC 6962 log to its head, page by page. */
export async function readClassic(
  served: ServedLog,
): Promise<{ readonly entries: readonly ReadEntry[]; readonly root: Buffer; readonly head: SignedTreeHead }> {
  const { head } = await readSthOf(served)
  const entries: ReadEntry[] = []
  const tree = growTree()
  while (entries.length < head.size) {
    const page = await getJson<Page>(`${served.url}ct/v1/get-entries?start=${entries.length}&end=${head.size - 1}`)
    for (const row of page.entries) {
      const leafInput = Buffer.from(row.leaf_input, 'base64')
      tree.append(leafHash(leafInput))
      entries.push({ entry: readMerkleTreeLeaf(leafInput), leafInput })
    }
  }
  return { entries, root: tree.root(), head }
}

export const leafIndexesOf = (entries: readonly ReadEntry[]) => entries.map(({ entry }) => readLeafIndex(entry.extensions))
