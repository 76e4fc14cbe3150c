// What IAM is asked because of what the program does to its state: recorded at the store, in a life of it from the first write to the last removal.
import type { ObjectStore } from '../../src/stores/s3/object-store.ts'
import { openS3 } from '../../src/stores/s3/backend.ts'
import { s3Place } from '../stores/s3-place.ts'
import { DAY, HOUR, drain, open, page, settleIn, setup, sighting, work } from '../stores/support.ts'
import type { Asked } from '../support/iam.ts'

const object = (action: string, bucket: string, key: string): Asked => ({ action, resource: `arn:aws:s3:::${bucket}/${key}` })

/** Requests as IAM sees them. */
export const asks = {
  get: (bucket: string, key: string): Asked => object('s3:GetObject', bucket, key),
  put: (bucket: string, key: string): Asked => object('s3:PutObject', bucket, key),
  remove: (bucket: string, key: string): Asked => object('s3:DeleteObject', bucket, key),
  /** S3 also looks at this before it says 404 rather than 403, with the key as the prefix. */
  list: (bucket: string, prefix: string): Asked => ({
    action: 's3:ListBucket',
    resource: `arn:aws:s3:::${bucket}`,
    context: { 's3:prefix': prefix },
  }),
}

/** The store, with a record of what IAM is asked; `rename` makes the keys those of another prefix. */
export function recorded(store: ObjectStore, bucket: string, asked: Asked[], rename = (key: string): string => key): ObjectStore {
  return {
    get: async (key, unless) => {
      const found = await store.get(key, unless)
      asked.push(asks.get(bucket, rename(key)), ...(found === undefined ? [asks.list(bucket, rename(key))] : []))
      return found
    },
    put: async (key, body, condition) => {
      const done = await store.put(key, body, condition)
      // If-Match wants the right to read as well.
      asked.push(asks.put(bucket, rename(key)), asks.get(bucket, rename(key)), ...(done === 'gone' ? [asks.list(bucket, rename(key))] : []))
      return done
    },
    list: async (prefix, atMost) => {
      asked.push(asks.list(bucket, rename(prefix)))
      return store.list(prefix, atMost)
    },
    remove: async (key) => {
      asked.push(asks.remove(bucket, rename(key)))
      return store.remove(key)
    },
  }
}

/** Makes a state, fills it, delivers, forgets, and tidies up. Each of the four kinds of request is in what it returns. */
export async function askedInALife(bucket: string, rename?: (key: string) => string): Promise<readonly Asked[]> {
  const asked: Asked[] = []
  const { fake, options } = await s3Place()
  try {
    const given = options()
    const backend = await openS3({ ...given, store: recorded(given.store, bucket, asked, rename) })
    const start = await settleIn(backend, setup())
    const store = await open(backend, setup(), start)
    await store.commit(await work(store, start), page([sighting(1), sighting(2)]), start)
    await drain(store, start)
    // Left by one that was killed.
    fake.set('state/segments/orphan.json.gz', 'x', Date.now() - 2 * HOUR)
    await store.review(start + 200 * DAY, true)
    if (fake.objects.has('state/segments/orphan.json.gz')) throw new Error('nothing was tidied up')
    return asked
  } finally {
    await fake.close()
  }
}
