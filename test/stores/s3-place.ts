// A place in S3 for the tests: the fake with its own check of signatures, reached as the Lambda bundle reaches S3.
import { randomBytes } from 'node:crypto'
import type { FakeS3 } from '../../src/sandbox/s3.ts'
import { startS3 } from '../../src/sandbox/s3.ts'
import type { FetchLike } from '../../src/stores/s3/aws4fetch-store.ts'
import { openAws4fetchStore } from '../../src/stores/s3/aws4fetch-store.ts'
import type { S3Options } from '../../src/stores/s3/backend.ts'
import type { S3Place } from '../../src/stores/s3/exchange.ts'
import type { Patience } from '../../src/stores/s3/patience.ts'

/** How a test reaches a fake S3, or another one: `open` is one more process. */
export interface S3TestPlace {
  readonly fake: FakeS3
  readonly options: () => S3Options
}

export const S3_PLACE = { bucket: 'bucket', prefix: 'state/' }
export const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }

/** Gives up after a second; sleeps are short. */
export const PATIENT: Patience = {
  time: { now: () => Date.now(), sleepUntil: async (at) => new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.min(5, at - Date.now())))) },
  random: Math.random,
  timeLeft: () => 3000,
  attemptMs: 2000,
}

/** One process's way to a fake, or to another S3. */
export function s3Options(endpoint: string, patience: Patience = PATIENT, place: S3Place = S3_PLACE): S3Options {
  const access = {
    region: 'eu-central-1',
    endpoint,
    credentials: () => KEYS,
    fetch: async (...[url, init]: Parameters<FetchLike>) => fetch(url, init),
  }
  return { store: openAws4fetchStore(place, access, patience), place, patience, newName: () => randomBytes(9).toString('base64url') }
}

/** A fake S3 with our keys, and the way to it. */
export async function s3Place(patience: Patience = PATIENT): Promise<S3TestPlace> {
  const fake = await startS3({ keys: KEYS })
  return { fake, options: () => s3Options(fake.endpoint, patience) }
}
