// What every `--json` output and /healthz look like, as schemas: `npm run schema` writes them to schema/, and the tests hold the real outputs to them.
// They are kept apart from the code that makes the outputs, so that a slip there does not change the description as well.
import * as z from 'zod/mini'

const text = (what: string) => z.string().check(z.describe(what))
const time = (what: string) => z.iso.datetime().check(z.describe(`${what} RFC 3339, UTC.`))
const count = (what: string) => z.int().check(z.nonnegative(), z.describe(what))
const flag = (what: string) => z.boolean().check(z.describe(what))
const hash = (what: string) => z.string().check(z.regex(/^[0-9a-f]{64}$/), z.describe(`${what} 64 lower-case hex digits.`))
const list = (what: string) => z.array(z.string()).check(z.describe(what))

const SEVERITIES = ['info', 'low', 'medium', 'high'] as const
const severity = (what: string) => z.enum(SEVERITIES).check(z.describe(what))

/** The components that can be in trouble. */
export const COMPONENT =
  'What it is about: certspotter, certspotter:NAME, certspotter/overdue, sink:NAME, sink:NAME/message, log:LOG, log-list:LIST, logs, state or runner.'
const ITEMS = 'The watched items that it is about, in A-labels, where it is about some of them and not about the source.'

const apiSource = z.strictObject({
  kind: z.literal('certspotter'),
  id: text("The Cert Spotter API's own id of the issuance: an opaque string, `unknown` for a malformed entry without one."),
})

const logId = z.string().check(z.regex(/^[A-Za-z0-9+/]{43}=$/), z.describe('The log id, base64.'))

const logEntry = {
  log: text("The log's description."),
  log_id: logId,
  index: count('Place of the entry in the log.'),
  leaf_hash: hash('Leaf hash of the entry.'),
}

const logSource = z.strictObject({
  kind: z.literal('log'),
  ...logEntry,
  verified: flag('Whether the entry was hashed into a head that the log signed before this was told.'),
})

const finding = z.strictObject({
  kind: text(
    'What was found, as a word: issued, tbs-differs, der-unreadable, name-by-api-only; more may come. For other alerts the kind of the alert.',
  ),
  severity: severity("This finding's own severity."),
  reason: text('Why, in words.'),
})

const delivery = z.strictObject({
  sink: text('Name of the sink: slack, slack-2, the one given in the configuration, or stdout.'),
  state: z
    .enum(['waiting', 'retrying', 'parked', 'delivered'])
    .check(z.describe('waiting: not tried yet. retrying: tried, not taken. parked: refused in each form, tried hourly. delivered: taken.')),
  at: z.optional(time('When it was last tried.')),
  answer: z.optional(text("The sink's last answer.")),
})

const base = {
  schema: z.literal('certbell.alert/1').check(z.describe('Name and version of this form.')),
  id: text('Together with `kind` unique for ever: the key to drop repetitions by. For a certificate its tbs_sha256, else opaque.'),
  severity: severity('That of the worst finding.'),
  reason: text("The worst finding's reason, in words."),
  findings: z.array(finding).check(z.minLength(1), z.describe('Everything that was found, most to the point first.')),
  seen_at: time('When Certbell learned of it.'),
  deliveries: z.optional(z.array(delivery).check(z.describe('In `certbell alerts --json` only: what became of it at each sink.'))),
}

const certificate = z.strictObject({
  ...base,
  kind: z.literal('certificate'),
  matched: z
    .array(
      z.strictObject({
        name: text('A name of the certificate.'),
        item: text('The watched item that it matches, as the owner wrote it.'),
      }),
    )
    .check(z.minLength(1), z.describe('The names that match, each with the most specific item: the first thousand, and one for each further item.')),
  matched_count: z.optional(count('How many matches there were, where some are left out.')),
  names: list('All names of the certificate, or a thousand, lower-case, each once. Whoever had it issued chose them.'),
  names_count: z.optional(count('How many names there were, where some are left out.')),
  ip_addresses: list('All IP addresses of the certificate, or a thousand.'),
  ip_addresses_count: z.optional(count('How many IP addresses there were, where some are left out.')),
  issuer: z.strictObject({
    name: z.optional(text("The issuer's distinguished name.")),
    friendly_name: z.optional(text('The CA as people know it.')),
    caa_domains: z.optional(list('Values of CAA records that allow this CA.')),
  }),
  serial: z.optional(z.string().check(z.regex(/^[0-9a-f]*$/), z.describe('Serial number, lower-case hex.'))),
  key: z.optional(
    z
      .strictObject({
        type: text('rsa, ec, ed25519, …; the OID of an algorithm that is not known.'),
        bits: z.optional(count('Size, for RSA.')),
        curve: z.optional(text('Curve, for EC.')),
      })
      .check(z.describe('The kind of public key.')),
  ),
  not_before: time('Start of validity.'),
  not_after: time('End of validity.'),
  revoked: z.optional(flag('Whether the API knew it to be revoked when it was asked.')),
  precertificate: z.optional(flag('True if only the precertificate was known yet.')),
  tbs_sha256: hash('SHA-256 of the TBSCertificate without the CT extensions: the same for precertificate and certificate.'),
  cert_sha256: z.optional(hash('SHA-256 of the certificate, or of the precertificate while that is all there is.')),
  pubkey_sha256: z.optional(hash('SHA-256 of the SubjectPublicKeyInfo.')),
  problem_reporting: z.optional(text("The CA's words on how to have it revoked, at most 1,000 characters.")),
  logged_at: z.optional(time('When a log took it in, by its own word. Not known from the API.')),
  delay_seconds: z.optional(
    z
      .number()
      .check(
        z.nonnegative(),
        z.describe('In a line of the stdout sink only, of a log: seconds from `logged_at` to when the line was made to be sent.'),
      ),
  ),
  source: z.union([apiSource, logSource]),
  final_certificate: z.optional(
    z
      .strictObject({
        cert_sha256: hash('SHA-256 of the certificate.'),
        seen_at: time('When Certbell saw it.'),
        source: z.union([apiSource, logSource]).check(z.describe('Where it was seen.')),
      })
      .check(z.describe('In `certbell alerts --json` only: the certificate itself, if it was seen after an alert that its precertificate made.')),
  ),
})

const inventory = z.strictObject({
  ...base,
  kind: z.literal('inventory'),
  item: text("The item whose first run is done, in the state's spelling (A-labels, with = for a name alone)."),
  count: count('All issuances found, those that rang included.'),
  hostnames: count('How many different names they are for.'),
  issuers: list('Names of CAs, commonest first.'),
  issuer_counts: z.array(count('Certificates of this CA.')).check(z.describe('How many certificates each of `issuers` has, in the same order.')),
  newest: z.optional(time('Start of validity of the newest; absent if there is none.')),
})

const malformed = z.strictObject({
  ...base,
  kind: z.literal('malformed'),
  why: text('What cannot be read.'),
  source: z.union([apiSource, logSource]),
  count: z.optional(count('Of a log: how many entries could not be read since this was last told.')),
  entries: z.optional(
    z.array(z.strictObject({ ...logEntry, why: text('What cannot be read.') })).check(z.describe('Of a log: the first hundred of them.')),
  ),
})

const misbehaviour = z.strictObject({
  ...base,
  kind: z.literal('log-misbehaviour'),
  log: text("The log's description."),
  log_id: logId,
  misbehaviour: z
    .enum([
      'wrong-signature',
      'root-mismatch',
      'split-view',
      'shrunken-tree',
      'final-head-differs',
      'other-lineage',
      'read-only-grew',
      'future-timestamp',
      'timestamp-back',
      'leaf-index',
    ])
    .check(z.describe('What it did. The first four cannot be reconciled with what it signed; the others are against the rules. More may come.')),
  message: text('What it did, and what that means for reading on.'),
  evidence: list('Files below the state directory that hold what it sent, as it came.'),
})

const trouble = z.strictObject({
  ...base,
  kind: z.literal('trouble'),
  component: text(COMPONENT),
  items: z.optional(list(ITEMS)),
  message: text('What is wrong, what it means, and what to do.'),
  since: time('Since when.'),
})

const recovered = z.strictObject({
  ...base,
  kind: z.literal('recovered'),
  component: text(COMPONENT),
  items: z.optional(list(ITEMS)),
  message: text('What is well again, and after how long.'),
  since: time('Since when it had been in trouble.'),
})

const test = z.strictObject({ ...base, kind: z.literal('test'), message: text('Says that it is a test.') })

const reason = z.strictObject({
  component: text(COMPONENT),
  message: text('What is wrong and what mends it.'),
  since: z.optional(time('Since when.')),
})

const quota = z.strictObject({
  limit: count('Queries an hour that the plan allows.'),
  left: count('How many are left.'),
  next_free: z.optional(time('When the oldest one that counts stops counting.')),
})

const name = z.strictObject({
  name: text('The watched item, in A-labels, with = for a name alone.'),
  state: z
    .enum(['new', 'baseline', 'steady', 'failing'])
    .check(z.describe('new: never looked at. baseline: the first run is not done. failing: the last attempt failed.')),
  found: count('Entries taken in for it.'),
  lag_seconds: count('Seconds since it should have been looked at; 0 if it is not late.'),
  last_success: z.optional(time('When it was last looked at with success.')),
  next_poll: z.optional(time('When it is due, as things are.')),
  last_error: z.optional(text('Why the last attempt failed; absent if it did not.')),
})

const sink = z.strictObject({
  sink: text('Its name.'),
  state: z.enum(['ok', 'failing', 'dead', 'unused']).check(z.describe('dead: the webhook is gone, tried hourly. unused: nothing was delivered yet.')),
  delivered: count('Alerts delivered, over the life of the state.'),
  waiting: count('Alerts that wait for their turn or for a retry.'),
  parked: count('Alerts that it refused in each form.'),
  failing_since: z.optional(time('Since when it takes nothing.')),
  next_attempt: z.optional(time('When it is tried again.')),
  last_delivery: z.optional(time('When it last took something.')),
  last_answer: z.optional(text('Its last answer.')),
})

const logs = z.array(
  z.strictObject({
    log: text("The log's description."),
    log_id: logId,
    operator: text('Who runs it, by the log list.'),
    type: z.enum(['rfc6962', 'static-ct']),
    state: text('Its state in the log list; `reading` where the list has none.'),
    size: z.optional(count('Entries in its newest head; absent until it was reached.')),
    position: count('Entries read.'),
    verified: count('Entries read and verified against a signed head.'),
    lag: z.strictObject({
      entries: count('Entries not read yet.'),
      seconds: z.int().check(z.nonnegative(), z.describe('For how long; also of a log that fails.')),
      cause: z.optional(
        z.enum(['slow', 'limited', 'down', 'broken', 'bandwidth', 'cpu', 'misbehaves']).check(z.describe('Why; docs/logs.md says what each means.')),
      ),
      let_through: z.optional(
        z
          .strictObject({
            requests: count('Requests that it answered.'),
            seconds: count('In so many seconds.'),
            wait_until: z.optional(time('It asked to be left alone until then.')),
          })
          .check(z.describe('Of a log that refuses us (`limited`): what it lets through.')),
      ),
    }),
    head_seen_at: z.optional(time('When its newest head came.')),
    last_error: z.optional(text('The last failure; absent if the last attempt went well.')),
  }),
)

const status = z.strictObject({
  schema: z.literal('certbell.status/1'),
  well: flag('Whether all is well; exit code 0 if so, else 1.'),
  checked_at: z.optional(time('When this was said. Absent if there is no state yet.')),
  reasons: z.array(reason).check(z.describe('Everything that is wrong; empty if all is well.')),
  sources: z.optional(
    z
      .array(
        z.strictObject({
          source: z.literal('certspotter'),
          found: count('Entries taken in for the names that are watched.'),
          last_success: z.optional(time('When it last answered.')),
          next_poll: z.optional(time('When it is asked next.')),
          blocked_until: z.optional(time('It told us to wait until then, or we pause after a failure.')),
          quota: z.strictObject({ full: quota, single: quota }),
        }),
      )
      .check(z.describe('Absent if there is no state yet.')),
  ),
  names: z.array(name),
  logs: z.optional(logs.check(z.describe('The logs that are read; absent if none is.'))),
  added: z.optional(
    z
      .array(
        z.strictObject({
          item: text('As the owner wrote it.'),
          since: z.optional(time('Since when it is looked for in the logs. Absent: from the next start on.')),
          before: z
            .enum(['certspotter', 'nothing'])
            .check(z.describe('What tells of what the logs held before: the Cert Spotter API, or nothing, where it is off or the item is no name.')),
        }),
      )
      .check(z.describe('Items that were added after the logs were begun; absent if none was.')),
  ),
  sinks: z.array(sink),
  runner: z.optional(
    z
      .strictObject({
        overdue: flag('It should have come round and has not.'),
        started_at: time('When it was started.'),
        due_at: time('When it means to come round again.'),
      })
      .check(z.describe('The `certbell watch` that runs, or died.')),
  ),
})

const cert = z.strictObject({
  schema: z.literal('certbell.cert/1'),
  tbs_sha256: hash('Identity of the issuance: the `id` of its alert.'),
  names: list('All names of the certificate, or a thousand.'),
  names_count: z.optional(count('How many names there were, where some are left out.')),
  ip_addresses: list('IP addresses of the certificate, where it rang or a log had it; those of silent ones of the API are not read.'),
  ip_addresses_count: z.optional(count('How many IP addresses there were, where some are left out.')),
  issuer: z.optional(text('The CA as people know it, else its distinguished name.')),
  not_before: time('Start of validity.'),
  not_after: time('End of validity.'),
  first_seen: time('When Certbell learned of it.'),
  source: z.strictObject({
    kind: z.enum(['certspotter', 'log']).check(z.describe('Where it was first seen.')),
    id: text('Its id there: the one of the API, or LOG-ID:INDEX.'),
  }),
  rang: flag('Whether it was an alert; what a baseline found and what is excluded was not.'),
})

const check = z.strictObject({
  schema: z.literal('certbell.check/1'),
  file: z.optional(text('The configuration file; absent if there is none.')),
  watch: z.array(
    z.strictObject({
      item: text('As the owner wrote it.'),
      key: text("The state's spelling of it: A-labels."),
      kind: z.enum(['subtree', 'exact', 'ip', 'all']).check(z.describe('subtree: the name and everything below it. exact: the name alone.')),
      interval_seconds: z.optional(z.int().check(z.positive(), z.describe('Planned time between two looks; absent if the API is not asked for it.'))),
      in_logs_since: z.optional(time('Since when it is looked for in the logs, where that is later than they were begun.')),
    }),
  ),
  folded: z
    .array(z.strictObject({ item: text('The item that is inside another.'), into: text('The other.') }))
    .check(z.describe('Items that cost nothing, because another covers them.')),
  exclude: list('Names that are not news.'),
  sources: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('certspotter'),
        token: flag('Whether there is one.'),
        quota: z.strictObject({ full: count('Queries an hour for a name and all below it.'), single: count('Queries an hour for a name alone.') }),
        baseline: z.enum(['inventory', 'silent', 'alert']),
      }),
      z.strictObject({
        kind: z.literal('logs'),
        lists: list('Log lists that are read: google, apple, a path or a URL.'),
        only: list('Words that logs are chosen by; empty: all that are live.'),
        start: z.enum(['end', 'beginning']).check(z.describe('Where a log is begun.')),
        interval_seconds: z.int().check(z.positive(), z.describe("Between two looks at a static log's checkpoint; at other logs three times that.")),
        bits_per_second: z.optional(z.number().check(z.positive(), z.describe('What all logs together may take; absent: no cap.'))),
      }),
    ]),
  ),
  sinks: list('Names of the sinks.'),
  state: text('Where state lives.'),
  notes: list('What is accepted and may not be what was meant.'),
})

const doctor = z.strictObject({
  schema: z.literal('certbell.doctor/1'),
  well: flag('False if any finding is `fail`; then the exit code is 1.'),
  findings: z.array(
    z.strictObject({
      level: z.enum(['ok', 'warn', 'fail']),
      what: text('What was looked at, and how it is.'),
      remedy: z.optional(text('What mends it.')),
    }),
  ),
})

const testAlert = z.strictObject({
  schema: z.literal('certbell.test-alert/1'),
  sink: text('Name of the sink.'),
  outcome: z
    .enum(['delivered', 'retry', 'dead', 'parked'])
    .check(z.describe('retry: it would be tried again. dead: the webhook is gone. parked: refused in each form.')),
  answer: text("The sink's answer."),
})

const health = z.strictObject({
  well: flag('True with status 200, false with 503.'),
  reasons: z.array(reason),
  checked_at: time('When this was said.'),
})

const tick = z.strictObject({
  polled: count('Names that were looked at.'),
  new: count('Issuances that were not known before; those of a baseline are among them.'),
  delivered: count('Alerts that a sink took in this tick. One that two sinks took counts twice.'),
  pending: z.int().check(z.minimum(-1), z.describe('Alerts that wait for a sink, by the same count. -1: the state could not be read.')),
  trouble: list('What is wrong now, a sentence each; empty while all is well.'),
})

/** Each output's schema by the name of its file in schema/: `NAME.schema.json`. */
export const outputSchemas = {
  alert: z.discriminatedUnion('kind', [certificate, inventory, malformed, misbehaviour, trouble, recovered, test]),
  cert,
  status,
  check,
  doctor,
  logs,
  'test-alert': testAlert,
  health,
  tick,
} as const

export type OutputName = keyof typeof outputSchemas

const ABOUT: Readonly<Record<OutputName, string>> = {
  alert: 'One alert: a line of the stdout sink, of `watch --json`, `poll --json` and `alerts --json`.',
  cert: 'One certificate of the inventory: a line of `certs --json`.',
  status: 'The document of `status --json`.',
  check: 'The document of `check --json`.',
  doctor: 'The document of `doctor --json`.',
  logs: 'The document of `logs --json`: the logs that are read, or were.',
  'test-alert': 'What one sink answered: a line of `test-alert --json`.',
  health: 'The body of /healthz.',
  tick: 'What one invocation of the Lambda function returns.',
}

/** The names of all outputs. */
export const outputNames = Object.keys(outputSchemas) as readonly OutputName[]

/** The JSON schema's text, as the file holds it. */
export function outputSchemaText(output: OutputName): string {
  const { $schema, ...rest } = z.toJSONSchema(outputSchemas[output])
  return `${JSON.stringify({ $schema, title: `Certbell: ${output}`, description: ABOUT[output], ...rest }, undefined, 2)}\n`
}
