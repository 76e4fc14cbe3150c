// The monitoring half of a static log: checkpoint, tiles and issuers (c2sp.org/static-ct-api, c2sp.org/tlog-tiles).
import { refusal, taggedAnswer, type CtAnswer } from './ct-answer.ts'
import { shownEntry, type Shown } from './ct-shown.ts'

export interface StaticRules {
  /** The checkpoint of what is shown: signed once, the same until the next. */
  readonly note: (shown: Shown) => Buffer
  /** True if data tiles are sent gzipped, always, as Sunlight's are. */
  readonly gzip: boolean
  /** `deleted`: a partial tile is gone once the full one is there. */
  readonly partials: 'kept' | 'deleted'
}

/** A tile that was asked for; `width` is 256 of a full one. */
export interface TileRequest {
  readonly level: number | 'data'
  readonly index: number
  readonly width: number
}

const TILE_WIDTH = 256
const TILE = { 'content-type': 'application/octet-stream', 'cache-control': 'public, max-age=604800, immutable' }

/** The checkpoint of what is shown. */
export function answerCheckpoint(shown: Shown, { note }: StaticRules): CtAnswer {
  const bytes = note(shown)
  return taggedAnswer(bytes, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
}

/** A tile, or 404 if no head called for it. */
export function answerTile(shown: Shown, tile: TileRequest, { gzip, partials }: StaticRules): CtAnswer {
  const { level, index, width } = tile
  const height = level === 'data' ? 0 : level
  // Whole items of the level: leaves, or roots of full tiles of the level below.
  const items = Math.floor(shown.size / TILE_WIDTH ** height)
  const [start, endExclusive] = [index * TILE_WIDTH, index * TILE_WIDTH + width]
  if (endExclusive > items) return refusal(404, 'no such tile')
  if (width < TILE_WIDTH) {
    const calledFor = endExclusive === items || shown.log.publishedAt(height, endExclusive)
    const complete = start + TILE_WIDTH <= items
    if (!calledFor || (complete && partials === 'deleted')) return refusal(404, 'no such partial tile')
  }
  if (level !== 'data') return { status: 200, headers: TILE, body: () => shown.log.tree.nodes(8 * level, start, endExclusive) }
  const altered = shown.flipped.some((n) => n >= start && n < endExclusive)
  return {
    status: 200,
    headers: TILE,
    gzip,
    ...(altered || width < TILE_WIDTH ? {} : { key: String(index) }),
    body: () => Buffer.concat(Array.from({ length: width }, (_, n) => shownEntry(shown, start + n).tileLeaf)),
  }
}

/** A certificate of a chain. */
export function answerIssuer({ log }: Shown, fingerprint: string): CtAnswer {
  const der = log.issuer(fingerprint)
  if (der === undefined) return refusal(404, 'no such issuer')
  return { status: 200, headers: { 'content-type': 'application/pkix-cert', 'cache-control': 'public, max-age=604800, immutable' }, body: () => der }
}

/** Reads `tile/…` of a path. Undefined for any other spelling than the one there is for a tile. */
export function readTilePath(path: string): TileRequest | undefined {
  const [, level, groups, width] = /^tile\/([0-5]|data)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path) ?? []
  if (level === undefined || groups === undefined || groups.startsWith('x000') || Number(width ?? 1) >= TILE_WIDTH) return undefined
  const index = Number(groups.replaceAll(/[x/]/g, ''))
  return { level: level === 'data' ? level : Number(level), index, width: width === undefined ? TILE_WIDTH : Number(width) }
}
