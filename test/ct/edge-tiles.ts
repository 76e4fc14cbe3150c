// The tiles at a tree's right edge, as c2sp.org/tlog-tiles has them: the plain definition, for tests.
import type { Tile } from '../../src/ct/tile.ts'

const TILE_WIDTH = 256

/** The tiles at the right edge of a tree, from the highest level to level 0: their items, one after the other, are what its compact range is made of. */
export function edgeTiles(size: number): readonly (Tile & { readonly level: number })[] {
  const tiles: (Tile & { readonly level: number })[] = []
  let items = size
  for (let level = 0; items > 0; level++, items = Math.floor(items / TILE_WIDTH)) {
    const width = items % TILE_WIDTH
    if (width > 0) tiles.unshift({ level, index: Math.floor(items / TILE_WIDTH), width })
  }
  return tiles
}
