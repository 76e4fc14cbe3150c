// Two writers on one bucket whose service stumbles: answers get lost after the write was done, before it was done, and it is busy now and then.
import { describe } from 'node:test'
import { openS3 } from '../../src/stores/s3/backend.ts'
import { numbers } from '../watch/simulate.ts'
import { sharedContract } from './contract-shared.ts'
import { s3Place } from './s3-place.ts'

describe('s3 that stumbles', () => {
  let round = 0
  sharedContract(async () => {
    const random = numbers(1000 + round++)
    const { fake, options } = await s3Place()
    fake.switches.fault = ({ method }) => {
      const luck = random()
      if (luck < 0.03) return 'lost'
      if (luck < 0.04) return 'cut'
      if (luck < 0.05) return 'slow-down'
      return luck < 0.07 && method === 'PUT' ? 'conflict' : undefined
    }
    return { open: async () => openS3(options()), atOnce: true, remove: async () => fake.close() }
  })
})
