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

/** A directory on this machine. `migrateFrom` may hold the predecessor's files. */
export interface DirectoryState {
  readonly kind: 'directory'
  /** Absolute. */
  readonly path: string
  /** For people: `~/.local/state/certbell`. */
  readonly shown: string
  readonly migrateFrom?: string
}

/** A bucket with a prefix (without slashes at its ends, perhaps empty). Not made by loadConfig yet. */
export interface S3State {
  readonly kind: 's3'
  readonly bucket: string
  readonly prefix: string
  readonly shown: string
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
  readonly state: DirectoryState | S3State
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
