// S3 over Amazon's SDK: for `watch` and `poll`, which find credentials wherever the SDK does (profiles, SSO, instance roles). Loaded when first needed.
import type * as sdkTypes from '@aws-sdk/client-s3'
import { OwnerError } from '../../watch/errors.ts'
import type { Exchange, S3Answer, S3Place, S3Request } from './exchange.ts'
import type { ObjectStore } from './object-store.ts'
import { createObjectStore } from './object-store.ts'
import type { Patience } from './patience.ts'

/** What is not left to the SDK. `endpoint`: another service than Amazon's, in path style. `credentials`: instead of the SDK's own chain. */
export interface SdkAccess {
  readonly region?: string
  readonly endpoint?: string
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string }
}

/** An ObjectStore over @aws-sdk/client-s3. */
export async function openSdkStore(place: S3Place, access: SdkAccess, patience: Patience): Promise<ObjectStore & { close(): void }> {
  const sdk = await import('@aws-sdk/client-s3')
  const client = new sdk.S3Client({
    ...(access.region !== undefined && { region: access.region }),
    ...(access.endpoint !== undefined && { endpoint: access.endpoint, forcePathStyle: true }),
    ...(access.credentials !== undefined && { credentials: access.credentials }),
    // Look-alikes refuse the checksums that the SDK would add since 2025.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Patience is ours.
    maxAttempts: 1,
  })
  const exchange: Exchange = async (request, signal) => {
    try {
      return await send(sdk, client, place.bucket, request, signal)
    } catch (error) {
      return answerOf(error)
    }
  }
  return { ...createObjectStore(exchange, place, patience), close: () => client.destroy() }
}

type Sdk = typeof sdkTypes

async function send(sdk: Sdk, client: sdkTypes.S3Client, bucket: string, request: S3Request, abortSignal: AbortSignal): Promise<S3Answer> {
  const options = { abortSignal }
  switch (request.kind) {
    case 'get': {
      const { key, unless } = request
      const command = new sdk.GetObjectCommand({ Bucket: bucket, Key: key, ...(unless !== undefined && { IfNoneMatch: unless }) })
      const { Body, ETag } = await client.send(command, options)
      const body = Buffer.from((await Body?.transformToByteArray()) ?? new Uint8Array())
      return { status: 200, body, ...(ETag !== undefined && { etag: ETag }) }
    }
    case 'put': {
      const condition = 'ifMatch' in request.condition ? { IfMatch: request.condition.ifMatch } : { IfNoneMatch: '*' }
      const { ETag } = await client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key: request.key, Body: request.body, ...condition }), options)
      return { status: 200, ...(ETag !== undefined && { etag: ETag }) }
    }
    case 'list': {
      const { prefix, after } = request
      const command = new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ...(after !== undefined && { ContinuationToken: after }) })
      const { Contents = [], NextContinuationToken: next } = await client.send(command, options)
      const objects = Contents.flatMap(({ Key, LastModified }) =>
        Key === undefined || LastModified === undefined ? [] : [{ key: Key, lastModified: LastModified.getTime() }],
      )
      return { status: 200, listed: { objects, ...(next !== undefined && { next }) } }
    }
    case 'remove':
      await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key: request.key }), options)
      return { status: 204 }
  }
}

// The SDK throws what S3 answers. Whatever has no status had no answer.
function answerOf(error: unknown): S3Answer {
  if (error instanceof Error && (error.name === 'CredentialsProviderError' || error.message === 'Region is missing')) {
    throw new OwnerError('state-access', 'AWS credentials or the region are missing. Set AWS_REGION, and AWS_PROFILE or AWS_ACCESS_KEY_ID', {
      cause: error,
    })
  }
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) throw error
  const status = (error.$metadata as { readonly httpStatusCode?: number } | undefined)?.httpStatusCode
  if (status === undefined) throw error
  const name = 'name' in error && typeof error.name === 'string' ? error.name : undefined
  return { status, ...(name !== undefined && /^[A-Za-z0-9]{1,100}$/.test(name) && { code: name }) }
}
