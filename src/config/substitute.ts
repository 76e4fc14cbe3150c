import type { Environment } from './environment.ts'
import type { Tree } from './document.ts'
import { problemAt } from './problems.ts'
import type { Problem } from './problems.ts'

// Whatever starts like a reference is one, or is a mistake: nothing that the file holds has `${` in it otherwise.
const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g

/** The tree with `${NAME}` and `${NAME:-default}` in its values (not its keys) replaced. Text that refers to what is not set comes back `broken`, its problem added to `problems`. */
export function substitute(tree: Tree, env: Environment, problems: Problem[]): Tree {
  if (tree.kind === 'map') return { ...tree, entries: tree.entries.map((entry) => ({ ...entry, value: substitute(entry.value, env, problems) })) }
  if (tree.kind === 'list') return { ...tree, items: tree.items.map((item) => substitute(item, env, problems)) }
  if (tree.kind !== 'text' || !tree.text.includes('${')) return tree
  const variables: string[] = []
  const before = problems.length
  const text = tree.text.replace(REFERENCE, (_, name: string | undefined, fallback: string | undefined) => {
    if (name === undefined) {
      problems.push(problemAt(tree.at, 'holds a "${" that is no reference. Write ${NAME} or ${NAME:-default}'))
      return ''
    }
    variables.push(name)
    const value = env[name] || fallback
    if (value === undefined)
      problems.push(problemAt(tree.at, `\${${name}} is not set. Set ${name} in the environment or in .env, or write \${${name}:-default}`))
    return value ?? ''
  })
  return { ...tree, text, variables, ...(problems.length > before ? { broken: true as const } : {}) }
}

/** Whether any value in the tree refers to the variable: the file then says itself what the variable is for. */
export function refersTo(tree: Tree | undefined, name: string): boolean {
  if (tree === undefined) return false
  if (tree.kind === 'map') return tree.entries.some((entry) => refersTo(entry.value, name))
  if (tree.kind === 'list') return tree.items.some((item) => refersTo(item, name))
  return tree.kind === 'text' && tree.variables?.includes(name) === true
}
