// One request to S3 and its answer, whichever client carries it: that is all that the clients here differ in.

/** When a write may happen: only where nothing is, or only where just this is. ETags come with their quotes. */
export type Condition = { readonly ifNoneMatch: '*' } | { readonly ifMatch: string }

/** What may be asked. `unless`: an ETag that is known already. `after`: where the page before ended. */
export type S3Request =
  | { readonly kind: 'get'; readonly key: string; readonly unless?: string }
  | { readonly kind: 'put'; readonly key: string; readonly body: Buffer; readonly condition: Condition }
  | { readonly kind: 'list'; readonly prefix: string; readonly after?: string }
  | { readonly kind: 'remove'; readonly key: string }

/** An object as a listing has it. `lastModified` in ms since the epoch. */
export interface ListedObject {
  readonly key: string
  readonly lastModified: number
}

/** What S3 said. `code` is its own word for an error, `NoSuchKey` and the like. */
export interface S3Answer {
  readonly status: number
  readonly code?: string
  readonly etag?: string
  readonly body?: Buffer
  readonly listed?: { readonly objects: readonly ListedObject[]; readonly next?: string }
}

/** Carries one request, once. An error answer is an answer; it throws where there was none. */
export type Exchange = (request: S3Request, signal: AbortSignal) => Promise<S3Answer>

/** Where state lives. `prefix` is empty or ends with a slash. */
export interface S3Place {
  readonly bucket: string
  readonly prefix: string
}

/** How a place is shown to people: `s3://bucket/prefix`. */
export function shownPlace({ bucket, prefix }: S3Place): string {
  return `s3://${bucket}${prefix === '' ? '' : `/${prefix.replace(/\/$/, '')}`}`
}

/** No object of ours comes near this size, bytes. */
export const MAX_BODY = 64 * 1024 * 1024
