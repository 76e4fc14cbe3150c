import type { SlackSink } from './config.ts'
import { complain, fromEnvironment, keepSecret, readSecret } from './context.ts'
import type { Context, Setting } from './context.ts'
import type { Place } from './problems.ts'
import { keepSecretUrl } from './secrets.ts'
import { at } from './structure.ts'
import { checkUrl } from './url.ts'

const NAME = /^[a-z0-9-]{1,64}$/

// Its own outbox has this name.
const RESERVED = new Set(['stdout'])

/** The Slack sinks: `slack`, `slack-2`, … for a list, or the names that the owner gives. */
export function readSlack(context: Context): readonly SlackSink[] {
  const tree = at(context.root, 'slack')
  const own = fromEnvironment(context, 'SLACK_WEBHOOK', tree)
  if (own !== undefined && tree !== undefined)
    context.warnings.push(`${own.at.place ?? 'SLACK_WEBHOOK'} is set and replaces \`slack\` of the configuration file.`)
  if (own !== undefined) return numbered(context, several(own))
  if ((tree?.kind === 'list' && tree.items.length === 0) || (tree?.kind === 'map' && tree.entries.length === 0))
    context.warnings.push('slack is there and has no webhook in it: nothing goes to Slack. Write ${SLACK_WEBHOOK}, or take it out.')
  if (tree?.kind === 'text') return tree.broken ? [] : numbered(context, several({ text: tree.text.trim(), at: tree.at }))
  if (tree?.kind === 'list') {
    return numbered(
      context,
      tree.items.map((item) => (item.kind === 'text' && !item.broken ? { text: item.text.trim(), at: item.at } : undefined)),
    )
  }
  if (tree?.kind !== 'map') return []
  return noted(
    context,
    tree.entries.flatMap(({ key, at: keyAt, value }) => {
      if (!NAME.test(key))
        return refuseName(context, keyAt, key, "a sink's name is made of a-z, 0-9 and -. Write for instance `slack: {ops: ${SLACK_WEBHOOK}}`")
      if (RESERVED.has(key)) return refuseName(context, keyAt, '', `"${key}" is the name of standard output. Choose another name`)
      return value.kind === 'text' && !value.broken ? sink(context, key, { text: value.text.trim(), at: value.at }) : []
    }),
  )
}

/** A name that may be a webhook in the wrong place: it is kept from all output. */
function refuseName(context: Context, place: Place, key: string, message: string): readonly SlackSink[] {
  if (/[:/]/.test(key)) keepSecret(context.secrets, key)
  complain(context, place, message)
  return []
}

/** A variable may hold several URLs. */
function several(given: Setting): readonly Setting[] {
  return given.text.split(/[\s,]+(?=https?:|file:|ssm:|secretsmanager:)/).map((text) => ({ text: text.replace(/[\s,]+$/, ''), at: given.at }))
}

/** Keeps the number of what has a problem, so that mending one renames no other. */
function numbered(context: Context, given: readonly (Setting | undefined)[]): readonly SlackSink[] {
  return noted(
    context,
    given.flatMap((one, i) => (one === undefined ? [] : sink(context, i === 0 ? 'slack' : `slack-${i + 1}`, one))),
  )
}

function sink(context: Context, name: string, given: Setting): readonly SlackSink[] {
  const text = readSecret(context, given)
  if (text === undefined) return []
  const checked = checkUrl(text)
  if ('problem' in checked) {
    complain(context, given.at, `the webhook ${checked.problem}`)
    return []
  }
  if (checked.url.pathname === '/') {
    complain(context, given.at, 'the webhook is a URL without a path. Write it whole, as Slack shows it')
    return []
  }
  keepSecretUrl(context.secrets, checked.url)
  return [{ name, url: checked.url.href }]
}

function noted(context: Context, sinks: readonly SlackSink[]): readonly SlackSink[] {
  for (const [i, one] of sinks.entries()) {
    const same = sinks.slice(0, i).find((other) => other.url === one.url)
    if (same !== undefined) context.warnings.push(`${same.name} and ${one.name} are the same webhook: every alert comes twice.`)
  }
  return sinks
}
