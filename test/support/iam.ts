// What IAM would say to a request: enough of its rules for the policies here. What it does not know it refuses to judge.

/** A statement of a policy. */
export interface Statement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>
}

/** A request: an action on a resource, with the keys that conditions look at. */
export interface Asked {
  readonly action: string
  readonly resource: string
  readonly context?: Readonly<Record<string, string>>
}

const list = (value: string | readonly string[]): readonly string[] => (typeof value === 'string' ? [value] : value)

function like(pattern: string, text: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${expression}$`, 's').test(text)
}

const operators: Readonly<Record<string, (pattern: string, text: string) => boolean>> = {
  StringEquals: (pattern, text) => pattern === text,
  StringLike: like,
  Bool: (pattern, text) => pattern === text,
}

function holds({ Condition = {} }: Statement, context: Readonly<Record<string, string>>): boolean {
  return Object.entries(Condition).every(([operator, keys]) => {
    const matches = operators[operator]
    if (matches === undefined) throw new Error(`the operator ${operator} is not known here`)
    // A key that the request does not have does not match.
    return Object.entries(keys).every(([key, patterns]) => {
      const text = context[key]
      return text !== undefined && list(patterns).some((pattern) => matches(pattern, text))
    })
  })
}

/** True if the statements allow it and none denies it. */
export function allows(statements: readonly Statement[], { action, resource, context = {} }: Asked): boolean {
  const matching = statements.filter(
    (statement) =>
      list(statement.Action).some((pattern) => like(pattern, action)) &&
      list(statement.Resource).some((pattern) => like(pattern, resource)) &&
      holds(statement, context),
  )
  return matching.length > 0 && matching.every(({ Effect }) => Effect === 'Allow')
}
