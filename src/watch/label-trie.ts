// Name items in a tree of labels, read from right to left: what a name costs depends on its labels, not on the number of items.
import { compileLabel, isWild } from './label-glob.ts'
import type { Item } from './item.ts'
import type { Label } from './name.ts'

/** A name item. */
export type NameItem = Extract<Item, { kind: 'name' }>

/** What looking up wildcards may still cost, in nodes. Shared by all the names of one certificate. */
export interface Budget {
  left: number
}

/** A set of name items. */
export interface LabelTrie {
  /** The first of equal ones stays. */
  add(item: NameItem): void
  /** The item nearest to the root that covers the domain and everything below it; undefined if none does. */
  broadest(domain: string): NameItem | undefined
  /** As `touched`, for a name of plain labels: letters, digits, hyphens, underscores. */
  plain(name: string): readonly NameItem[]
  /** Every item that a certificate's name touches. With the budget spent, wildcards also touch an item that they only might. */
  touched(labels: readonly Label[], budget: Budget): readonly NameItem[]
  /** True if one single item covers all that a certificate's name stands for. */
  covers(labels: readonly Label[]): boolean
}

interface Node {
  children: Map<string, Node> | undefined
  exact: NameItem | undefined
  subtree: NameItem | undefined
  /** The first item added here or below. */
  readonly first: NameItem | undefined
}

const NOTHING: readonly NameItem[] = []

/** An empty set. */
export function createLabelTrie(): LabelTrie {
  const root: Node = { children: undefined, exact: undefined, subtree: undefined, first: undefined }
  return {
    add(item) {
      let node = root
      for (const label of item.domain.split('.').reverse()) {
        node.children ??= new Map()
        let child = node.children.get(label)
        if (child === undefined) {
          child = { children: undefined, exact: undefined, subtree: undefined, first: item }
          node.children.set(label, child)
        }
        node = child
      }
      if (item.exact) node.exact ??= item
      else node.subtree ??= item
    },
    broadest(domain) {
      let node: Node | undefined = root
      for (const label of domain.split('.').reverse()) {
        node = node.children?.get(label)
        if (node === undefined || node.subtree !== undefined) return node?.subtree
      }
      return undefined
    },
    plain(name) {
      let found: NameItem[] | undefined
      let node: Node | undefined = root
      let end = name.length
      for (;;) {
        const dot = name.lastIndexOf('.', end - 1)
        node = node.children?.get(name.slice(dot + 1, end))
        if (node === undefined) break
        if (node.subtree !== undefined) (found ??= []).push(node.subtree)
        if (dot === -1) {
          if (node.exact !== undefined) (found ??= []).push(node.exact)
          break
        }
        end = dot
      }
      return found ?? NOTHING
    },
    touched(labels, budget) {
      const found: NameItem[] = []
      let nodes: Node[] = [root]
      for (let i = labels.length - 1; i >= 0 && nodes.length > 0; i--) {
        nodes = step(nodes, labels[i] ?? '', budget, found)
        for (const node of nodes) {
          if (node.subtree !== undefined) found.push(node.subtree)
          if (i === 0 && node.exact !== undefined) found.push(node.exact)
        }
      }
      return found
    },
    covers(labels) {
      let node: Node | undefined = root
      for (let i = labels.length - 1; i >= 0; i--) {
        const label = labels[i] ?? ''
        // A wildcard stands for more than any one child has.
        if (isWild(label)) return false
        node = node.children?.get(label)
        if (node === undefined) return false
        if (node.subtree !== undefined) return true
      }
      return node.exact !== undefined
    },
  }
}

function step(nodes: readonly Node[], label: Label, budget: Budget, found: NameItem[]): Node[] {
  const next: Node[] = []
  if (!isWild(label)) {
    for (const node of nodes) {
      const child = node.children?.get(label)
      if (child !== undefined) next.push(child)
    }
    return next
  }
  const matches = compileLabel(label)
  for (const node of nodes) {
    for (const [text, child] of node.children ?? []) {
      if (budget.left-- <= 0) {
        // An attacker's `*.*.*.*` must not cost minutes; a false ring beats a miss.
        if (child.first !== undefined) found.push(child.first)
        return next
      }
      if (matches(text)) next.push(child)
    }
  }
  return next
}
