// Secrets that AWS keeps, for a command: with the credentials of the environment, else with those that Amazon's SDK finds.
import { readSecret } from '../aws/secrets.ts'
import { systemClock } from '../clock.ts'
import type { AwsSettings } from '../config/config.ts'
import { createFetchHttp } from '../http-fetch.ts'
import { OwnerError } from '../watch/errors.ts'

/** See ReadRemoteSecret. */
export async function readAwsSecret(reference: string, aws: AwsSettings): Promise<string> {
  const access = { http: createFetchHttp(globalThis.fetch), clock: systemClock, random: Math.random }
  return readSecret(reference, aws.credentials === undefined ? { ...aws, ...(await found(reference, aws)) } : aws, access)
}

async function found(reference: string, { region }: AwsSettings): Promise<Pick<AwsSettings, 'credentials' | 'region'>> {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const { config } = new S3Client({ ...(region !== undefined && { region }) })
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await config.credentials()
    const place = region ?? (await config.region().catch(() => undefined))
    return {
      ...(place !== undefined && { region: place }),
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    }
  } catch (error) {
    throw new OwnerError('secret', `there are no AWS credentials to read ${reference} with. Set AWS_PROFILE or AWS_ACCESS_KEY_ID`, { cause: error })
  }
}
