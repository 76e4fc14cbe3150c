// One invocation: one pass, in the time that the platform leaves, and an honest word on how things stand. What a process may keep from one to the next
// is what costs to get and cannot grow old: settings, and what was read of the bucket. Claims, leases and clocks are new each time: the process may
// have been frozen for hours in between.
import type { World } from '../app.ts'
import type { Clock } from '../clock.ts'
import type { Config, State } from '../config/config.ts'
import { createFetchHttp } from '../http-fetch.ts'
import type { Summary } from '../lambda.ts'
import { createLogger, redactor } from '../log.ts'
import type { Backend } from '../stores/backend.ts'
import { openS3 } from '../stores/s3/backend.ts'
import { OwnerError } from '../watch/errors.ts'
import { emfLine } from '../web/emf.ts'
import { inheritedObjects, openObjects, tickPatience } from './objects.ts'
import type { ObjectsAccess } from './objects.ts'
import { createOwners } from './owners.ts'
import { readSecret } from './secrets.ts'
import { createSettings } from './settings.ts'
import type { SettingsSource } from './settings.ts'
import { pass } from './pass.ts'
import type { TickTime } from './time.ts'
import { tickTime, within } from './time.ts'

const ASK_MS = 30_000
const SEND_MS = 10_000

/** What a process in Lambda is given of the world. */
export interface LambdaPorts {
  readonly source: SettingsSource
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly fetch: typeof globalThis.fetch
  /** Alerts as JSON lines, where no other sink is set, and metrics. */
  readonly stdout: (text: string) => Promise<void>
  readonly stderr: (text: string) => void
  /** Gives a name that nobody else ever gets: 64 random bits at least, in letters, digits, `-` and `_`. */
  readonly newName: () => string
  readonly version: string
}

/** What is known of one invocation. */
export interface Invocation {
  /** ms until the platform ends it. */
  readonly remaining: () => number
  readonly functionName: string
}

/** One tick. Throws an Error where a person has to act, the remedy in its message; what passes by itself is `trouble`. */
export type Tick = (invocation: Invocation) => Promise<Summary>

/** Makes the function that a process calls for each invocation. */
export function createTick(ports: LambdaPorts): Tick {
  const { clock } = ports
  const owners = createOwners(ports.newName())
  const settings = createSettings(ports.source)
  let shown: Config | undefined
  let backend: Backend | undefined
  let lastSaid = 0
  // The invocation whose time counts just now.
  let current: TickTime | undefined
  const access: ObjectsAccess = { fetch: ports.fetch, random: ports.random, timeLeft: () => current?.forState() ?? 0 }

  const openState = async ({ state, aws }: { readonly state: State; readonly aws: Config['aws'] }): Promise<Backend> => {
    if (state.kind !== 's3') throw new RangeError('the settings let no other pass')
    backend ??= await openS3({ store: openObjects(state, aws, access), place: state, patience: tickPatience(access), newName: ports.newName })
    return { ...backend, close: async () => {} }
  }

  return async ({ remaining, functionName }) => {
    const time = tickTime(remaining, clock)
    current = time
    const run = owners.begin()
    let redact = (text: string): string => text
    try {
      const http = within(createFetchHttp(ports.fetch), time)
      const config = await settings.at(clock.now(), async (reference, aws) => readSecret(reference, aws, { http, clock, random: ports.random }))
      redact = redactor(config.secrets)
      const log = createLogger({
        format: config.logFormat,
        least: config.debug ? 'debug' : 'info',
        redact,
        now: () => new Date(clock.now()),
        write: ports.stderr,
      })
      if (config !== shown) for (const warning of config.warnings) log('warn', warning)
      shown = config
      const world: World = {
        clock,
        random: ports.random,
        http,
        owner: run.owner,
        version: ports.version,
        openState,
        readInherited: async ({ predecessor: { bucket }, aws }, names) =>
          bucket === undefined ? new Map() : inheritedObjects(bucket, names, aws, access),
        stdout: { isTty: false, color: false, write: ports.stdout },
        straight: () => ({
          last: () => lastSaid,
          // What is marked is said next.
          mark: (now) => {
            lastSaid = now
            time.giveUpStoring()
          },
        }),
        timeouts: { ask: ASK_MS, send: SEND_MS },
        warn: (message) => log('warn', message),
      }
      const { summary, state, refused } = await pass(config, world, time, log)
      if (refused) settings.doubt()
      await ports.stdout(emfLine(functionName, clock.now(), { ...summary, trouble: summary.trouble.length }, state))
      return { ...summary, trouble: summary.trouble.map(redact) }
    } catch (error) {
      throw told(error, redact)
    } finally {
      run.end()
      time.end()
    }
  }
}

// What leaves here is logged by the platform with its stack, and may be sent on as a message.
function told(error: unknown, redact: (text: string) => string): Error {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  const shown = new Error(redact(message))
  shown.name = name
  shown.stack = redact(error instanceof OwnerError ? `${name}: ${message}` : (stack ?? message))
  return shown
}
