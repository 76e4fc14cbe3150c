import { openS3 } from '../../src/stores/s3/backend.ts'
import { storeContract } from './contract.ts'
import { s3Place } from './s3-place.ts'

storeContract('s3', async () => {
  const { fake, options } = await s3Place()
  return { open: async () => openS3(options()), atOnce: true, remove: async () => fake.close() }
})
