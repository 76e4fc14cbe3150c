// S3 for the Lambda bundle: signed by the small client, with the credentials that Lambda puts into the environment.
import { systemClock } from '../clock.ts'
import type { AwsSettings } from '../config/config.ts'
import { openAws4fetchStore } from '../stores/s3/aws4fetch-store.ts'
import type { S3Place } from '../stores/s3/exchange.ts'
import type { ObjectStore } from '../stores/s3/object-store.ts'
import type { Patience } from '../stores/s3/patience.ts'
import { readPredecessors } from '../stores/s3/predecessor-object.ts'
import { OwnerError } from '../watch/errors.ts'

/** A request for an object ends after so long, ms; then it is sent again. */
const ATTEMPT_MS = 5000

/** What the bucket is reached with. `timeLeft`: ms that a call beginning now may take. */
export interface ObjectsAccess {
  readonly fetch: typeof globalThis.fetch
  readonly random: () => number
  readonly timeLeft: () => number
}

/** How patient a tick is with S3. */
export function tickPatience({ random, timeLeft }: ObjectsAccess): Patience {
  return { time: systemClock, random, timeLeft, attemptMs: ATTEMPT_MS }
}

/** Objects of a bucket. Throws OwnerError where the environment says too little of AWS. */
export function openObjects(place: S3Place, aws: AwsSettings, access: ObjectsAccess): ObjectStore {
  const { region = aws.endpoint === undefined ? undefined : 'us-east-1', credentials, endpoint } = aws
  if (region === undefined) throw new OwnerError('state-access', 'the region of the bucket is not known. Set AWS_REGION')
  if (credentials === undefined)
    throw new OwnerError('state-access', 'there are no AWS credentials. Give the function a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
  const reached = {
    region,
    ...(endpoint !== undefined && { endpoint }),
    credentials: () => credentials,
    fetch: async (...[url, init]: Parameters<Parameters<typeof openAws4fetchStore>[1]['fetch']>) => access.fetch(url, init),
  }
  return openAws4fetchStore(place, reached, tickPatience(access))
}

/** The predecessor's objects of these names at the top of a bucket. */
export async function inheritedObjects(
  bucket: string,
  names: readonly string[],
  aws: AwsSettings,
  access: ObjectsAccess,
): Promise<ReadonlyMap<string, string>> {
  return readPredecessors(openObjects({ bucket, prefix: '' }, aws, access), names)
}
