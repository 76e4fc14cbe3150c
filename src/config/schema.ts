// The shape of certbell.yaml. What the values mean (names, URLs, durations) is read in the files beside this one; here is what kind of thing stands where.
// Each message follows the value that it is about: `"loud" is not auto, pretty, json or off`.
import * as z from 'zod/mini'

// Editors check the file before its variables are replaced, so `${NAME}` passes wherever a value does.
const REFERENCE = /\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}]*)?\}/
const reference = (error: string) => z.string().check(z.regex(REFERENCE, { error }))

const DURATION_OR_REFERENCE = /^(?:[1-9][0-9]{0,7}[smhd]|.*\$\{.+\}.*)$/

const NO_DURATION = 'is not a duration. Write 5m'

const NO_ITEMS = 'is not a name or a list of names. Write [example.com]'
const items = z.union([z.string(), z.array(z.string({ error: 'is not a name. Write example.com' }))], { error: NO_ITEMS })

const NO_SINKS = 'is not a URL, a list of URLs, or names with URLs. Write ${SLACK_WEBHOOK}'
const sinkUrl = z.string({ error: 'is not a URL. Write ${SLACK_WEBHOOK}' })
const sinks = z.union([sinkUrl, z.array(sinkUrl), z.record(z.string(), sinkUrl)], { error: NO_SINKS })

const count = (example: number) => {
  const error = `is not a whole number above 0. Write ${example}`
  return z.union([z.int({ error }).check(z.positive({ error })), reference(error)], { error })
}

const choice = <const T extends readonly [string, ...string[]]>(values: T) => {
  const error = `is not one of ${values.join(', ')}`
  return z.union([z.enum(values, { error }), reference(error)], { error })
}

const text = (message: string) => z.string({ error: message })

const quota = z.strictObject(
  {
    full: z.optional(count(10).check(z.describe('Queries an hour that the plan allows for a name and everything below it. Default 10.'))),
    single: z.optional(count(100).check(z.describe('Queries an hour that the plan allows for a name alone. Default 100.'))),
  },
  { error: 'is not a mapping. Write {full: 10, single: 100}' },
)

const certspotter = z.strictObject({
  token: z.optional(
    text('is not a token').check(
      z.describe(
        'API token of SSLMate, sent as Bearer; `file:PATH` reads it from a file, `ssm:/path` or `secretsmanager:NAME#key` from AWS. Without one the small free quota holds.',
      ),
    ),
  ),
  url: z.optional(text('is not a URL').check(z.describe('Base address of the API; `/issuances` is added. Default https://api.certspotter.com/v1.'))),
  quota: z.optional(quota.check(z.describe("The plan's limits; every page that is asked for counts."))),
  interval: z.optional(
    z
      .union([z.literal('auto'), z.string().check(z.regex(DURATION_OR_REFERENCE, { error: NO_DURATION }))], { error: NO_DURATION })
      .check(z.describe('Least time between two looks at one name, such as 5m; `auto` spreads the quota evenly. Default auto.')),
  ),
  baseline: z.optional(
    choice(['inventory', 'silent', 'alert']).check(
      z.describe("What a name's first run sends: one inventory message, nothing, or an alert for each certificate. Default inventory."),
    ),
  ),
})

const NO_LIST = 'is not a log list. Write google, apple, the path of a file, or {url: https://…, key: …}'
const logList = z.union(
  [
    text(NO_LIST),
    z.strictObject({
      url: text('is not a URL').check(z.describe('Where the list is; its signature is beside it, with .sig for .json.')),
      key: text('is not a public key').check(z.describe('Who signs it: PEM, base64 of the DER, or file:PATH.')),
    }),
  ],
  { error: NO_LIST },
)

const logs = z.strictObject({
  lists: z.optional(
    z
      .array(logList, { error: 'is not a list of log lists. Write [google, apple]' })
      .check(z.describe('Log lists; a log is read if one of them has it. Default [google, apple].')),
  ),
  only: z.optional(
    z
      .array(text('is not a word to choose logs by. Write argon*'), { error: 'is not a list of words. Write ["argon*"]' })
      .check(
        z.describe('Only logs whose description has such a word, or whose operator is called so; * stands for anything. Default: all that are live.'),
      ),
  ),
  start: z.optional(choice(['end', 'beginning']).check(z.describe('Where a log is begun: beginning rings for all that it holds. Default end.'))),
  interval: z.optional(
    z
      .string({ error: NO_DURATION })
      .check(
        z.regex(DURATION_OR_REFERENCE, { error: NO_DURATION }),
        z.describe("Between two looks at a static log's checkpoint; RFC 6962 logs three times that. Default 3s."),
      ),
  ),
  bandwidth: z.optional(text('is not a bandwidth. Write 100Mbit').check(z.describe('What all logs together may take: 100Mbit. Default: no cap.'))),
})

/** The configuration file, in the order in which the documentation tells it. */
export const configSchema = z.strictObject({
  watch: z.optional(
    items.check(
      z.describe(
        'What to watch: example.com (and everything below), =login.example.com (that name alone), 203.0.113.0/24, or @FILE with one item a line. Required unless names are given otherwise.',
      ),
    ),
  ),
  exclude: z.optional(
    items.check(z.describe('Names that are not news, same grammar. A certificate stays silent only if every watched name in it is excluded.')),
  ),
  slack: z.optional(
    sinks.check(
      z.describe(
        'Slack incoming webhook: a URL, a list of URLs, or names with URLs. Keep it secret: write ${SLACK_WEBHOOK}, file:PATH, ssm:/path or secretsmanager:NAME#key.',
      ),
    ),
  ),
  stdout: z.optional(
    choice(['auto', 'pretty', 'json', 'off']).check(
      z.describe('Alerts on standard output. auto: pretty on a terminal, JSON lines in a pipe, off when another sink is configured. Default auto.'),
    ),
  ),
  certspotter: z.optional(
    z
      .union([z.literal(false), certspotter], { error: 'is neither false nor a mapping of settings' })
      .check(z.describe('The Cert Spotter API source; false turns it off.')),
  ),
  logs: z.optional(
    z
      .union([z.boolean(), logs], { error: 'is neither true, false nor a mapping of settings' })
      .check(z.describe('Reading the logs themselves; true reads all that browsers accept. Default false.')),
  ),
  state: z.optional(
    text('is not a directory').check(
      z.describe('Directory where state lives. Default $STATE_DIRECTORY, else $XDG_STATE_HOME/certbell, else ~/.local/state/certbell.'),
    ),
  ),
  contact: z.optional(
    text('is not a mail address or URL').check(z.describe('Mail address or URL sent in the User-Agent, as log operators ask for.')),
  ),
  heartbeat: z.optional(
    text('is not a URL').check(
      z.describe(
        'URL asked for by GET at least once a minute while all is well, URL/fail when something is not. file:PATH, ssm:/path and secretsmanager:NAME#key read it from there.',
      ),
    ),
  ),
  listen: z.optional(text('is not host:port. Write 127.0.0.1:8080').check(z.describe('host:port for /livez, /healthz and /metrics. Default off.'))),
})

/** The JSON schema that editors use, as published in schema/certbell.schema.json. */
function configJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(configSchema, { io: 'input' })
  return { $schema, title: 'Certbell configuration', description: 'certbell.yaml: what Certbell watches and whom it tells.', ...rest }
}

/** The JSON schema's text, as the file holds it. */
export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`
}
