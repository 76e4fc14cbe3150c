// Real data beside the repository. Tests that need it skip where it is absent.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
export const FIXTURES = process.env['CERTBELL_FIXTURES'] ?? join(ROOT, '..', 'shared', 'fixtures')

export const needsFixtures = existsSync(FIXTURES) ? {} : { skip: `no fixtures at ${FIXTURES}; set CERTBELL_FIXTURES` }

export function fixture(path: string): Buffer {
  return readFileSync(join(FIXTURES, path))
}

export interface ApiIssuance {
  readonly id: string
  readonly tbs_sha256: string
  readonly pubkey_sha256: string
  readonly dns_names: readonly string[]
  readonly not_before: string
  readonly not_after: string
  readonly issuer: { readonly name: string }
  readonly cert_der?: string
  readonly cert?: { readonly data?: string }
}

/** Every issuance of the API's fixtures that has its certificate with it. */
export function apiCertificates(): readonly { readonly issuance: ApiIssuance; readonly der: Buffer }[] {
  const files = [
    'certspotter-2019-example.com-with-cert',
    'certspotter-docs-example-all-expands',
    'certspotter-2026-10-page-real',
    'certspotter-2023-cloudflare-and-wordpress-real',
  ]
  return files.flatMap((file) => {
    const page: readonly ApiIssuance[] = JSON.parse(fixture(`certspotter-api/${file}.json`).toString())
    return page.flatMap((issuance) => {
      const base64 = issuance.cert_der ?? issuance.cert?.data
      return base64 === undefined ? [] : [{ issuance, der: Buffer.from(base64, 'base64') }]
    })
  })
}

export interface LogEntry {
  readonly type: 'x509' | 'precert'
  /** The certificate, or the TBS of the leaf. */
  readonly leaf: Buffer
  /** The precertificate as submitted. */
  readonly submitted?: Buffer
  readonly dnsNames: readonly string[]
}

/** The live get-entries rows, cut by ct-protocol 1.3 and 1.4. */
export function liveEntries(): readonly LogEntry[] {
  const rows: readonly {
    leaf_input: string
    extra_data: string
    dns_names: readonly string[]
  }[] = JSON.parse(fixture('rfc6962-live-entries.json').toString())
  return rows.map((row) => {
    const leaf = Buffer.from(row.leaf_input, 'base64')
    const extra = Buffer.from(row.extra_data, 'base64')
    if (leaf.readUInt16BE(10) === 0) return { type: 'x509', leaf: vector(leaf, 12), dnsNames: row.dns_names }
    return { type: 'precert', leaf: vector(leaf, 44), submitted: vector(extra, 0), dnsNames: row.dns_names }
  })
}

function vector(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at + 3, at + 3 + bytes.readUIntBE(at, 3))
}

/** The entries of a static-ct data tile: TileLeaf is TimestampedEntry, then the precertificate if it is one, then the chain's fingerprints. */
export function tileEntries(tile: Buffer): readonly LogEntry[] {
  const out: LogEntry[] = []
  for (let at = 0; at < tile.length;) {
    const precert = tile.readUInt16BE(at + 8) === 1
    const leaf = vector(tile, at + 10 + (precert ? 32 : 0))
    at += 10 + (precert ? 32 : 0) + 3 + leaf.length
    at += 2 + tile.readUInt16BE(at)
    let submitted: Buffer | undefined
    if (precert) {
      submitted = vector(tile, at)
      at += 3 + submitted.length
    }
    at += 2 + tile.readUInt16BE(at)
    out.push({ type: precert ? 'precert' : 'x509', leaf, dnsNames: [], ...(submitted === undefined ? {} : { submitted }) })
  }
  return out
}

/** A line of the Sunlight tree's truth (`index` to `precertIndex`) or of certspotter's reports (`index`, `tbs`, `item`). */
export interface TreeLine {
  readonly index: number
  readonly kind: string
  readonly cn?: string
  readonly dns: readonly string[] | null
  readonly ip?: readonly string[] | null
  readonly serial: string
  readonly precertIndex?: number
  readonly tbs: string
  readonly item: string
}

/** The lines of a JSON lines file of the tree. */
export function treeLines(path: string): readonly TreeLine[] {
  return fixture(path)
    .toString()
    .trim()
    .split('\n')
    .map((line): TreeLine => JSON.parse(line))
}

/** All 3,300 entries of the Sunlight log's tree. */
export function sunlightEntries(): readonly LogEntry[] {
  const tiles = [...Array.from({ length: 12 }, (_, i) => String(i).padStart(3, '0')), '012.p/228']
  return tiles.flatMap((tile) => tileEntries(gunzipSync(fixture(`static-ct-trees/sunlight/size-03300/tile/data/${tile}`))))
}
