// The front door for AWS Lambda: one pass for each invocation. Built into dist/lambda/index.mjs, one file for all (scripts/bundle.ts).
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { createTick } from './aws/tick.ts'
import { systemClock } from './clock.ts'
import { readEnvironment } from './config/environment.ts'
import { readTextFile } from './config/files.ts'
import { toStderr } from './log.ts'

/** What one invocation did, and how things stand after it. */
export interface Summary {
  /** Names that were looked at. */
  readonly polled: number
  /** Issuances that were not known before. */
  readonly new: number
  /** Alerts that a sink took in this tick; one that two sinks took counts twice. */
  readonly delivered: number
  /** Alerts that wait for a sink, by the same count; -1 where the state could not be read. */
  readonly pending: number
  /** What is wrong now, a sentence each; empty while all is well. */
  readonly trouble: readonly string[]
}

/** The part of Lambda's context that is used. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number
  readonly functionName: string
}

// Set by the bundler.
declare const CERTBELL_VERSION: string | undefined

const env = readEnvironment()

const tick = createTick({
  source: { env, root: resolve(env['LAMBDA_TASK_ROOT'] || '.'), readFile: readTextFile },
  clock: systemClock,
  random: Math.random,
  fetch: globalThis.fetch,
  // Not the console: Lambda would wrap what is JSON already.
  stdout: async (text) => new Promise((done, fail) => process.stdout.write(text, (error) => (error ? fail(error) : done()))),
  stderr: toStderr,
  newName: () => randomBytes(12).toString('base64url'),
  version: typeof CERTBELL_VERSION === 'string' ? CERTBELL_VERSION : '0.0.0',
})

/**
 * One pass over what is due, within the time that is left: what cannot be asked or delivered any more waits for the next invocation. Whatever the event
 * holds makes no difference, and two at once or one twice do no harm. What passes by itself (the API or a sink fails, S3 is busy) is `trouble`. Throws
 * where a person has to act (settings, rights, a damaged state), with the remedy in the message.
 */
export async function handler(_event: unknown, context: LambdaContext): Promise<Summary> {
  return tick({ remaining: () => context.getRemainingTimeInMillis(), functionName: context.functionName })
}
