// Perfect subtrees that make up a part of a tree, and where the tiles have their roots.
import type { Tile } from './tile.ts'

/** The perfect subtree of 2^level leaves that begins at `start`. */
export interface Subtree {
  readonly level: number
  readonly start: number
}

/** The subtrees that make up the leaves from `start` to before `endExclusive`, from left to right: the fewest there are. */
export function subtreesOf(start: number, endExclusive: number): readonly Subtree[] {
  const subtrees: Subtree[] = []
  for (let at = start; at < endExclusive;) {
    let level = 0
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= endExclusive) level += 1
    subtrees.push({ level, start: at })
    at += 2 ** level
  }
  return subtrees
}

/** Where a subtree's hashes stand: items `first` to before `first + count` of a hash tile of a tree of `size`. */
export interface TileSlice {
  readonly tile: Tile & { readonly level: number }
  readonly first: number
  readonly count: number
}

/** The slice of one tile whose items, folded, are the subtree's root. */
export function tileSliceOf({ level, start }: Subtree, size: number): TileSlice {
  const tileLevel = Math.floor(level / 8)
  const span = 256 ** tileLevel
  const item = start / span
  const index = Math.floor(item / 256)
  const width = Math.min(256, Math.floor(size / span) - index * 256)
  return { tile: { level: tileLevel, index, width }, first: item - index * 256, count: 2 ** (level - 8 * tileLevel) }
}
