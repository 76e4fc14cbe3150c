// certbell.yaml as a tree in which everything knows where it stands. yaml's own messages quote the source, where a secret may be, so they are said in our words.
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Document, YAMLError } from 'yaml'
import { problemAt } from './problems.ts'
import type { Place, Problem } from './problems.ts'

/** A value of the file. `broken` text has a problem that is reported already: what it would mean is unknown. */
export type Tree =
  | { readonly kind: 'map'; readonly at: Place; readonly entries: readonly Entry[] }
  | { readonly kind: 'list'; readonly at: Place; readonly items: readonly Tree[] }
  | { readonly kind: 'text'; readonly at: Place; readonly text: string; readonly variables?: readonly string[]; readonly broken?: true }
  | { readonly kind: 'literal'; readonly at: Place; readonly value: number | boolean | null }

/** A key with its value. `at` is the key's place. */
export interface Entry {
  readonly key: string
  readonly at: Place
  readonly value: Tree
}

/** What was read; without a tree where the text is no YAML mapping. */
export interface ParsedFile {
  readonly tree?: Tree & { readonly kind: 'map' }
  readonly problems: readonly Problem[]
}

// The only keys whose values may be something else than text; elsewhere `0123` and `1e3` are what the owner wrote, not what YAML makes of it.
const LITERAL = new Set(['certspotter', 'certspotter.quota.full', 'certspotter.quota.single', 'logs'])

// An alias costs one line and may stand for millions of nodes.
const MAX_NODES = 200_000
const MAX_DEPTH = 16

/** Reads the file's text. Every problem of form is among `problems`; this never throws. */
export function parseFile(text: string): ParsedFile {
  const lines = new LineCounter()
  let document: Document.Parsed
  try {
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  } catch {
    return { problems: [{ line: 1, column: 1, message: 'is not YAML that can be read' }] }
  }
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return line === 0 ? { line: 1, column: 1 } : { line, column: col }
  }
  const problems: Problem[] = []
  // A tag that is not known is a warning to the parser; to the owner it is a value that means something else than it seems to.
  for (const error of [...document.errors, ...document.warnings]) {
    const at = placeOf(error.pos[0])
    // One slip makes the parser stumble on through the rest of its line.
    if (problems.some((problem) => problem.line === at.line)) continue
    const braces = error.code === 'UNEXPECTED_TOKEN' && /[{[,].*\$\{/.test(lineAt(text, error.pos[0]))
    problems.push(problemAt(at, braces ? 'broken YAML: inside { } and [ ] quote the variable: "${NAME}"' : inOurWords(error, text)))
  }
  // A key given twice can still be read; anything else leaves us guessing what belongs where.
  if (document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) return { problems }
  const root = document.contents
  if (root === null || (isScalar(root) && (root.value === null || root.value === '')))
    return { problems: [...problems, { line: 1, message: `is empty. ${EXAMPLE}` }] }
  if (!isMap(root))
    return {
      problems: [
        ...problems,
        problemAt(placeOf(root.range[0]), `${isSeq(root) ? 'is a list' : 'is a single value'}, not a mapping of settings. ${EXAMPLE}`),
      ],
    }
  const walk = walker(document, placeOf, problems)
  const tree = walk(root, '', 0, 0)
  return tree.kind === 'map' ? { tree, problems } : { problems }
}

const EXAMPLE = 'Write for instance `watch: [example.com]`'

function walker(document: Document.Parsed, placeOf: (offset: number) => Place, problems: Problem[]) {
  let nodes = 0
  const broken = (at: Place, message: string): Tree => {
    problems.push(problemAt(at, message))
    return { kind: 'text', at, text: '', broken: true }
  }
  const walk = (node: unknown, path: string, depth: number, near: number): Tree => {
    // Nothing behind `key:` in braces has no place of its own.
    const offset = (isNode(node) ? node.range?.[0] : undefined) ?? near
    const at = { ...placeOf(offset), ...(path === '' ? {} : { path }) }
    nodes++
    // Reported once: the thousandth node too many is no news.
    if (nodes > MAX_NODES)
      return nodes === MAX_NODES + 1
        ? broken(at, "holds too much. Put long lists into files: watch: ['@names.txt']")
        : { kind: 'text', at, text: '', broken: true }
    if (depth > MAX_DEPTH) return broken(at, 'is nested too deeply')
    if (isAlias(node)) {
      const target = node.resolve(document)
      return target === undefined
        ? broken(at, 'is an alias that names no anchor above it. Write example.com for *.example.com, or quote it')
        : walk(target, path, depth + 1, offset)
    }
    if (isMap(node)) {
      const entries: Entry[] = []
      for (const pair of node.items) {
        const keyNode = pair.key
        const keyAt = { ...placeOf((isNode(keyNode) ? keyNode.range?.[0] : undefined) ?? offset), ...(path === '' ? {} : { path }) }
        if (!isScalar(keyNode)) {
          problems.push(problemAt(keyAt, 'a key is a list, a mapping or an alias. A key is a word; quote values that start with { or [ or $'))
          continue
        }
        const key = keyNode.source ?? ''
        // Given twice: reported already, and the first one counts.
        if (entries.some((entry) => entry.key === key)) continue
        entries.push({ key, at: keyAt, value: walk(pair.value, join(path, key), depth + 1, keyNode.range?.[0] ?? offset) })
      }
      return { kind: 'map', at, entries }
    }
    if (isSeq(node)) return { kind: 'list', at, items: node.items.map((item, i) => walk(item, `${path}[${i}]`, depth + 1, offset)) }
    if (!isScalar(node)) return { kind: 'literal', at, value: null }
    const { value, source } = node
    if (typeof value === 'string') return { kind: 'text', at, text: value }
    if (value === null || value === undefined) return { kind: 'literal', at, value: null }
    if ((typeof value === 'number' || typeof value === 'boolean') && LITERAL.has(path)) return { kind: 'literal', at, value }
    return { kind: 'text', at, text: source ?? '' }
  }
  return walk
}

/** A key's path: `certspotter.quota`. */
function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

const WORDS: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  BAD_ALIAS: 'an alias (*) that is none. Quote a value that starts with *',
  BAD_DQ_ESCAPE: 'a backslash in double quotes that means nothing. Use single quotes',
  BAD_SCALAR_START: 'a value starts with a character that YAML keeps for itself (@ ` %). Quote it',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key: value" on one line. Start a new line, or quote the value',
  BLOCK_IN_FLOW: 'a block inside [ ] or { }. Close the bracket first',
  DUPLICATE_KEY: 'a key that stands above already. Keep one of them',
  KEY_OVER_1024_CHARS: 'a key of more than 1024 characters',
  MULTILINE_IMPLICIT_KEY: 'a key that goes over several lines. Is a ":" or a quote missing above?',
  MULTIPLE_DOCS: 'a second document (---). Keep one',
  TAG_RESOLVE_FAILED: 'a tag (!) that means nothing here. Remove it, or quote a value that starts with !',
  TAB_AS_INDENT: 'a tab as indentation. Use spaces',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed above',
  MISSING_CHAR: 'something is missing here: a closing quote or bracket, a comma, or the space behind ":"',
  UNEXPECTED_TOKEN: 'something that does not belong here. Is a quote, a bracket or an indentation wrong?',
}

function lineAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', offset)
  return text.slice(start, end === -1 ? undefined : end)
}

function inOurWords(error: YAMLError, text: string): string {
  const words = WORDS[error.code] ?? 'something that cannot be read as YAML'
  // Only a key that looks like one: someone's webhook may stand where a key belongs.
  const key = error.code === 'DUPLICATE_KEY' ? /^[a-z]{2,16}(?=\s*:)/.exec(text.slice(error.pos[0]))?.[0] : undefined
  if (key !== undefined) return `"${key}" stands above already. Keep one of them`
  return error.code === 'DUPLICATE_KEY' ? words : `broken YAML: ${words}`
}
