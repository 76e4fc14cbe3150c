// The store's contract against an S3 that is not ours.
import { after, before, describe } from 'node:test'
import { openS3 } from '../../src/stores/s3/backend.ts'
import { storeContract } from './contract.ts'
import type { Moto } from './moto.ts'
import { startMoto, withoutMoto } from './moto.ts'
import { PATIENT, s3Options } from './s3-place.ts'

// It takes its time, and more so while other tests run.
const SLOW = { ...PATIENT, timeLeft: () => 60_000, attemptMs: 30_000 }

// It is waiting that takes so long, so several tests wait at once; each has a bucket of its own.
describe('moto', { skip: withoutMoto, concurrency: 6 }, () => {
  let moto: Moto
  let buckets = 0
  before(async () => void (moto = await startMoto()))
  after(() => moto.stop())
  storeContract('s3 of moto', async () => {
    const bucket = `bucket-${++buckets}`
    await moto.makeBucket(bucket)
    return { open: async () => openS3(s3Options(moto.endpoint, SLOW, { bucket, prefix: 'state/' })), atOnce: true, remove: async () => {} }
  })
})
