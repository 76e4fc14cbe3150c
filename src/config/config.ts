// The configuration as the rest of the program sees it: everything read, checked and decided.
import type { Item } from '../watch/item.ts'

/** A Slack webhook. It is known by its name, so that its queue outlives a new URL. */
export interface SlackSink {
  readonly name: string
  /** Secret. */
  readonly url: string
}

/** The Cert Spotter API and how it may be asked. */
export interface CertspotterConfig {
  /** Secret. No header at all is sent without it. */
  readonly token?: string
  /** Base address without a slash at its end. */
  readonly url: string
  /** Queries an hour: for a name and all below it, and for a name alone. */
  readonly quota: { readonly full: number; readonly single: number }
  /** Least time between two polls of one name, in milliseconds; `auto` spreads the quota. */
  readonly intervalMs: number | 'auto'
  readonly baseline: 'inventory' | 'silent' | 'alert'
}

/** A directory on this machine. */
export interface DirectoryState {
  readonly kind: 'directory'
  /** Absolute. */
  readonly path: string
  /** For people: `~/.local/state/certbell`. */
  readonly shown: string
}

/** A bucket and what the keys in it begin with: empty, or with a slash at its end. */
export interface S3State {
  readonly kind: 's3'
  readonly bucket: string
  readonly prefix: string
  /** For people: `s3://bucket/prefix`. */
  readonly shown: string
}

/** Where a log list comes from: Google's and Apple's are built in. */
export type LogListSource =
  | { readonly kind: 'google' | 'apple' }
  /** Absolute. `shown` for people. */
  | { readonly kind: 'file'; readonly path: string; readonly shown: string }
  /** `key`: DER SubjectPublicKeyInfo of whoever signs it. */
  | { readonly kind: 'url'; readonly url: string; readonly key: Buffer }

/** How the logs themselves are read. */
export interface LogsConfig {
  readonly lists: readonly LogListSource[]
  /** Globs over descriptions and operators; none: all that are live. */
  readonly only: readonly string[]
  readonly start: 'end' | 'beginning'
  /** ms between two looks at a static log's checkpoint. */
  readonly intervalMs: number
  /** Bytes a second, of all logs together; undefined: as fast as they come. */
  readonly bandwidth: number | undefined
}

/** Where state lives. */
export type State = DirectoryState | S3State

/** Where the predecessor kept its own: an object at the top of a bucket for each domain, or a file in a directory (absolute). */
export interface Predecessor {
  readonly bucket?: string
  readonly directory?: string
}

/** How AWS is reached, as far as the environment (or `.env`) says. */
export interface AwsSettings {
  readonly region?: string
  /** S3 elsewhere than at Amazon's, without a slash at its end. */
  readonly endpoint?: string
  /** The services that keep secrets, elsewhere than at Amazon's, likewise. */
  readonly secretEndpoints?: { readonly ssm?: string; readonly secretsmanager?: string }
  /** Secret. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
  /** They stand in `.env`, where nobody else looks for them. */
  readonly ownCredentials: boolean
}

/** All settings, from flags, environment, `.env`, file and defaults. */
export interface Config {
  /** After folding. */
  readonly watch: readonly Item[]
  readonly folded: readonly { readonly item: Item; readonly into: Item }[]
  readonly exclude: readonly Item[]
  readonly slack: readonly SlackSink[]
  readonly stdout: 'auto' | 'pretty' | 'json' | 'off'
  readonly certspotter: false | CertspotterConfig
  readonly logs: false | LogsConfig
  readonly state: State
  /** Read once for each name that has no state of ours, and never written. */
  readonly predecessor: Predecessor
  readonly aws: AwsSettings
  /** Mail address or URL for the User-Agent; printable ASCII. */
  readonly contact?: string
  /** Secret. */
  readonly heartbeat?: string
  readonly listen?: { readonly host: string; readonly port: number }
  readonly logFormat: 'text' | 'json'
  readonly debug: boolean
  readonly quiet: boolean
  /** Proxies for outgoing requests; `no` is the list of hosts that are reached without one. May hold secrets. */
  readonly proxy: { readonly http?: string; readonly https?: string; readonly no?: string }
  /** The configuration file if there is one, for people: relative where it is inside the working directory. */
  readonly file?: string
  /** Every string that must not appear in any output, whole or as part of a longer one. */
  readonly secrets: readonly string[]
  /** The configuration file and `.env`, absolute, where such a string stands in them. */
  readonly secretFiles: readonly string[]
  /** What is accepted and yet may not be what the owner wants; a sentence each. */
  readonly warnings: readonly string[]
}

/** What the command line gives. */
export interface Flags {
  readonly config?: string
  readonly state?: string
  /** Watched besides those of the configuration. */
  readonly names?: readonly string[]
  readonly logFormat?: string
  readonly verbose?: boolean
  readonly quiet?: boolean
}
