// What S3's refusals mean, and what the owner has to do about them. S3's own message is not passed on: it may hold key ids.
import { OwnerError, StoreError } from '../../watch/errors.ts'
import type { S3Answer, S3Place, S3Request } from './exchange.ts'
import { shownPlace } from './exchange.ts'

const CREDENTIALS = ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken', 'TokenRefreshRequired', 'InvalidClientTokenId']
const REGION = ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException', 'TemporaryRedirect']

/** The error for an answer that is neither wanted nor passing: OwnerError `state-access` where the owner has to act, else StoreError `io`. */
export function refusal(request: S3Request, answer: S3Answer, place: S3Place): Error {
  const said = answer.code === undefined ? `${answer.status}` : `${answer.status} ${answer.code}`
  const owner = (message: string): OwnerError => new OwnerError('state-access', `${message} (S3 said ${said})`)
  const code = answer.code ?? ''
  if (code === 'NoSuchBucket') return owner(`the bucket ${place.bucket} does not exist. Create it, or correct the state place ${shownPlace(place)}`)
  if (CREDENTIALS.includes(code))
    return owner(
      `the credentials for ${shownPlace(place)} are not accepted. Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the role`,
    )
  if (code === 'RequestTimeTooSkewed') return owner(`this machine's clock is more than 15 minutes off, so S3 refuses every request. Set the clock`)
  if (REGION.includes(code) || answer.status === 301 || answer.status === 307)
    return owner(`the bucket ${place.bucket} is in another region. Set AWS_REGION to the bucket's own`)
  if (answer.status === 403) return owner(`${DENIED[request.kind]} ${shownPlace(place)} is not allowed. The role needs ${statement(request, place)}`)
  if (answer.status === 401) return owner(`the service behind ${shownPlace(place)} wants other credentials`)
  if (answer.status === 501)
    return owner(`the service behind ${shownPlace(place)} does not know conditional writes, without which alerts get lost. Use another`)
  return new StoreError('io', `the state at ${shownPlace(place)} cannot be ${request.kind === 'put' ? 'written' : 'read'}: S3 said ${said}`)
}

const DENIED = { get: 'Reading', put: 'Writing', list: 'Listing', remove: 'Deleting in' }

// The statement that is missing, as a policy has it. Who may not list is told 403 of an object that is not there: the predecessor took that for a
// first run. It granted s3:ListBucket on BUCKET/*, where it has no effect.
function statement({ kind }: S3Request, { bucket, prefix }: S3Place): string {
  const objects = `arn:aws:s3:::${bucket}/${prefix}*`
  const list = `s3:ListBucket on arn:aws:s3:::${bucket} (the bucket's own ARN, without /*)`
  if (kind === 'list') return list
  if (kind === 'put') return `s3:PutObject and s3:GetObject on ${objects}`
  if (kind === 'remove') return `s3:DeleteObject on ${objects}`
  return `s3:GetObject on ${objects} and ${list}; without the latter S3 forbids to look at what is not there yet`
}
