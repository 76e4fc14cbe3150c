// Merkle proofs, checked as RFC 9162 writes it down (sections 2.1.3.2 and 2.1.4.2). Proofs are unsigned: they count only against signed roots.
// Sizes pass 2^32: halved with division, never shifted.
import { EMPTY_ROOT, nodeHash } from './merkle.ts'

const half = (n: number): number => Math.floor(n / 2)
const isOdd = (n: number): boolean => n % 2 === 1
const areHashes = (all: readonly Uint8Array[]): boolean => all.every(({ length }) => length === 32)
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** True if the leaf is at `index` of the tree with that size and root. */
export function provesInclusion(index: number, size: number, leafHash: Uint8Array, path: readonly Uint8Array[], root: Uint8Array): boolean {
  if (index < 0 || index >= size || !areHashes([leafHash, root, ...path])) return false
  let fn = index
  let sn = size - 1
  let r = leafHash
  for (const p of path) {
    if (sn === 0) return false
    if (isOdd(fn) || fn === sn) {
      r = nodeHash(p, r)
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else r = nodeHash(r, p)
    fn = half(fn)
    sn = half(sn)
  }
  return sn === 0 && equal(r, root)
}

/** True if the tree of `first` leaves is a prefix of the tree of `second`. Of the empty tree nothing is to be proved. */
export function provesConsistency(first: number, second: number, root1: Uint8Array, root2: Uint8Array, path: readonly Uint8Array[]): boolean {
  if (first < 0 || first > second) return false
  if (first === second) return path.length === 0 && equal(root1, root2)
  if (first === 0) return path.length === 0 && equal(root1, EMPTY_ROOT)
  const shown = rootsShown(first, second, root1, path)
  return shown !== undefined && equal(shown.root1, root1) && equal(shown.root2, root2)
}

/**
 * True if the path shows that it is not: it leads to the root of the tree of `second`, and from there to another beginning of `first` leaves. A path that
 * leads to neither shows nothing; nor does any of a tree whose size is a power of two, since its root is a part of the path.
 */
export function refutesConsistency(first: number, second: number, root1: Uint8Array, root2: Uint8Array, path: readonly Uint8Array[]): boolean {
  if (first <= 0 || first >= second || isPowerOfTwo(first)) return false
  const shown = rootsShown(first, second, root1, path)
  return shown !== undefined && equal(shown.root2, root2) && !equal(shown.root1, root1)
}

/** Whether it is. */
export function isPowerOfTwo(n: number): boolean {
  return n > 0 && Number.isInteger(Math.log2(n)) && 2 ** Math.log2(n) === n
}

// The two roots to which the path leads, 0 < first < second; undefined if it has another length than such a path.
function rootsShown(
  first: number,
  second: number,
  root1: Uint8Array,
  path: readonly Uint8Array[],
): { readonly root1: Uint8Array; readonly root2: Uint8Array } | undefined {
  if (path.length === 0 || !areHashes([root1, ...path])) return undefined
  const [start, ...rest] = isPowerOfTwo(first) ? [root1, ...path] : path
  if (start === undefined) return undefined
  let fn = first - 1
  let sn = second - 1
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)]
  let [fr, sr] = [start, start]
  for (const c of rest) {
    if (sn === 0) return undefined
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(c, fr)
      sr = nodeHash(c, sr)
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else sr = nodeHash(sr, c)
    fn = half(fn)
    sn = half(sn)
  }
  return sn === 0 ? { root1: fr, root2: sr } : undefined
}

/**
 * The right edge of a tree of `index` leaves (all before this one), from the audit path of the last leaf of a tree of `index + 1`: the path is exactly
 * that edge, from the right. Undefined if the path or the root does not fit.
 */
export function edgeBefore(index: number, leafHash: Uint8Array, path: readonly Uint8Array[], root: Uint8Array): readonly Uint8Array[] | undefined {
  return provesInclusion(index, index + 1, leafHash, path, root) ? path.toReversed() : undefined
}
