// S3 for a process of one's own: through Amazon's SDK, which finds credentials wherever they may be.
import { randomBytes } from 'node:crypto'
import { systemClock } from '../clock.ts'
import type { AwsSettings } from '../config/config.ts'
import type { Backend, Reader } from '../stores/backend.ts'
import { openS3, openS3Reader } from '../stores/s3/backend.ts'
import type { S3Place } from '../stores/s3/exchange.ts'
import type { Patience } from '../stores/s3/patience.ts'
import { readPredecessors } from '../stores/s3/predecessor-object.ts'
import { honoursConditions } from '../stores/s3/probe.ts'
import { openSdkStore } from '../stores/s3/sdk-store.ts'

const patience: Patience = { time: systemClock, random: Math.random, timeLeft: () => 30_000, attemptMs: 10_000 }

type Objects = Awaited<ReturnType<typeof openSdkStore>>

async function openObjects(place: S3Place, { region, endpoint, credentials, ownCredentials }: AwsSettings): Promise<Objects> {
  const access = {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(ownCredentials && credentials !== undefined && { credentials }),
  }
  return openSdkStore(place, access, patience)
}

const newName = (): string => randomBytes(12).toString('base64url')

/** Opens the state in a bucket. Throws as openS3 does. */
export async function openBucket(place: S3Place, aws: AwsSettings): Promise<Backend> {
  const store = await openObjects(place, aws)
  const backend = await openS3({ store, place, patience, newName })
  return {
    ...backend,
    close: async () => {
      await backend.close()
      store.close()
    },
  }
}

/** Opens it for reading; undefined if there is none yet. */
export async function openBucketReader(place: S3Place, aws: AwsSettings): Promise<Reader | undefined> {
  const store = await openObjects(place, aws)
  const reader = await openS3Reader({ store, place, patience, newName })
  if (reader === undefined) store.close()
  return reader && { ...reader, close: async () => store.close() }
}

/** Whether the service behind it keeps two writers apart (conditional writes). */
export async function keepsWritersApart(place: S3Place, aws: AwsSettings): Promise<boolean> {
  const store = await openObjects(place, aws)
  try {
    return await honoursConditions(store, place.prefix, newName())
  } finally {
    store.close()
  }
}

/** The predecessor's objects of these names at the top of a bucket. */
export async function inheritedObjects(bucket: string, aws: AwsSettings, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const store = await openObjects({ bucket, prefix: '' }, aws)
  try {
    return await readPredecessors(store, names)
  } finally {
    store.close()
  }
}
