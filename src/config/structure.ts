// Holds the file's tree against the schema and says what does not fit, at its place.
import { configSchema } from './schema.ts'
import type { Entry, Tree } from './document.ts'
import { problemAt } from './problems.ts'
import type { Problem } from './problems.ts'
import { didYouMean } from './suggest.ts'

/** What zod tells of one mistake, as far as it is used here. */
interface Issue {
  readonly code?: string | undefined
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly string[]
  readonly errors?: readonly (readonly Issue[])[]
}

const CERTSPOTTER_KEYS = ['token', 'url', 'quota', 'interval', 'baseline']
const QUOTA_KEYS = ['full', 'single']
const LOGS_KEYS = ['lists', 'only', 'start', 'interval', 'bandwidth']
const LIST_KEYS = ['url', 'key']

/** The keys that each mapping of the file may have. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(configSchema.shape),
  certspotter: CERTSPOTTER_KEYS,
  'certspotter.quota': QUOTA_KEYS,
  logs: LOGS_KEYS,
  'logs.lists': LIST_KEYS,
}

// Where someone looks for a key in the wrong mapping.
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ...LOGS_KEYS.map((key) => [key, `logs.${key}`] as const),
  ...CERTSPOTTER_KEYS.map((key) => [key, `certspotter.${key}`] as const),
  ...QUOTA_KEYS.map((key) => [key, `certspotter.quota.${key}`] as const),
  ['webhook', 'slack'],
  ['domains', 'watch'],
  ['names', 'watch'],
])

const SECRET = /^(?:slack|heartbeat|certspotter\.(?:token|url))\b/

/** Every unknown key and every value of the wrong kind. */
export function checkStructure(root: Tree): readonly Problem[] {
  const result = configSchema.safeParse(plain(root))
  return result.success ? [] : flatten(result.error.issues as readonly Issue[], []).flatMap((issue) => told(root, issue))
}

/** The value at a path, or undefined: `at(tree, 'certspotter', 'quota')`. */
export function at(tree: Tree | undefined, ...path: readonly string[]): Tree | undefined {
  let found = tree
  for (const key of path) found = found?.kind === 'map' ? found.entries.find((entry) => entry.key === key)?.value : undefined
  return found
}

/** The tree as JSON would have it. A number or truth from a variable counts where one belongs. */
function plain(tree: Tree): unknown {
  if (tree.kind === 'map') return Object.fromEntries(tree.entries.map((entry) => [entry.key, plain(entry.value)]))
  if (tree.kind === 'list') return tree.items.map(plain)
  if (tree.kind === 'literal') return tree.value
  return literalOf(tree) ?? tree.text
}

/** The number or truth that a variable gave in a place where only those make sense. */
export function literalOf(tree: Tree): number | boolean | undefined {
  if (tree.kind === 'literal') return tree.value ?? undefined
  if (tree.kind !== 'text' || tree.variables === undefined) return undefined
  const path = tree.at.path ?? ''
  if (path.startsWith('certspotter.quota.') && /^[0-9]{1,15}$/.test(tree.text)) return Number(tree.text)
  if (path === 'logs' && tree.text === 'true') return true
  return (path === 'certspotter' || path === 'logs') && tree.text === 'false' ? false : undefined
}

/** A union's failure as that of the alternative whose kind of value it is, if there is one. */
function flatten(issues: readonly Issue[], prefix: readonly PropertyKey[]): readonly Issue[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path]
    const alternative = issue.errors?.find((errors) => errors.every((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'))
    return alternative === undefined ? [{ ...issue, path }] : flatten(alternative, path)
  })
}

function told(root: Tree, issue: Issue): readonly Problem[] {
  const found = descend(root, issue.path)
  if (found === undefined || (found.kind === 'text' && found.broken)) return []
  if (issue.code === 'unrecognized_keys' && found.kind === 'map')
    return (issue.keys ?? []).flatMap((key) => found.entries.filter((entry) => entry.key === key).map(unknownKey))
  const path = found.at.path ?? ''
  // The reader of the value has a better remedy: `Write 5m` for "5 minutes".
  if ((path === 'certspotter.interval' || path === 'logs.interval') && found.kind === 'text') return []
  return [
    problemAt(
      found.at,
      `${subject(found, SECRET.test(path))} ${issue.message}.${found.kind === 'text' ? choiceMeant(found.text, issue.message) : ''}`.replace(
        /\.$/,
        '',
      ),
    ),
  ]
}

function descend(root: Tree, path: readonly PropertyKey[]): Tree | undefined {
  let found: Tree | undefined = root
  for (const step of path) found = found?.kind === 'list' ? found.items[Number(step)] : at(found, String(step))
  return found
}

function unknownKey(entry: Entry): Problem {
  const path = entry.at.path ?? ''
  const known = KEYS[path.replace(/\[\d+\]$/, '')] ?? []
  const elsewhere = path === '' ? ELSEWHERE.get(entry.key) : undefined
  const hint = elsewhere === undefined ? didYouMean(entry.key, known) : ` Did you mean "${elsewhere}"?`
  // A key with digits or signs in it may be a token or a webhook that slipped into the wrong place: its line and column are enough.
  const shown = hint !== '' || /^[A-Za-z_.-]{1,24}$/.test(entry.key) ? ` "${entry.key}"` : ''
  return problemAt(entry.at, `unknown key${shown}.${hint === '' ? ` Known are ${known.join(', ')}` : hint}`)
}

function subject(tree: Tree, secret: boolean): string {
  if (tree.kind === 'map') return 'a mapping'
  if (tree.kind === 'list') return 'a list'
  if (tree.kind === 'literal' && tree.value === null) return 'an empty value'
  if (secret) return 'what stands here'
  return tree.kind === 'literal' ? String(tree.value) : `"${tree.text}"`
}

/** ` Did you mean "pretty"?` for a choice with a slip in it. */
function choiceMeant(text: string, message: string): string {
  const values = /^is not one of (.*)$/.exec(message)?.[1]?.split(', ')
  return values === undefined ? '' : didYouMean(text, values)
}
