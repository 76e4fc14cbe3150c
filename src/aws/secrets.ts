// Secrets from where AWS keeps them: Systems Manager's Parameter Store and Secrets Manager, by one signed request each.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
import { AwsClient } from 'aws4fetch'
import type { Clock } from '../clock.ts'
import type { AwsSettings } from '../config/config.ts'
import type { Http, HttpResponse } from '../http.ts'
import { NetworkError } from '../http.ts'
import { OwnerError } from '../watch/errors.ts'

/** What it takes to ask. `random` in [0, 1). */
export interface SecretsAccess {
  readonly http: Http
  readonly clock: Clock
  readonly random: () => number
}

interface Reference {
  readonly service: 'ssm' | 'secretsmanager'
  /** Path, name or ARN. */
  readonly id: string
  /** Of a secret that is a JSON object. */
  readonly key?: string
  readonly region?: string
}

const ATTEMPTS = 4
const ATTEMPT_MS = 5000
const FIRST_PAUSE = 200
// Both keep 64 kB at most.
const MAX_BYTES = 262_144
const CREDENTIALS =
  /^(?:UnrecognizedClient|InvalidSignature|ExpiredToken|IncompleteSignature|InvalidClientTokenId|MissingAuthenticationToken|SignatureDoesNotMatch)/
const PASSING = /^(?:Throttling|TooManyRequests|RequestLimitExceeded|InternalS|ServiceUnavailable|InternalFailure)/

/** The secret of a reference. Throws OwnerError `secret`, which names the reference and never a value. */
export async function readSecret(text: string, aws: AwsSettings, access: SecretsAccess): Promise<string> {
  const reference = parse(text)
  const region = reference.region ?? aws.region
  if (region === undefined) throw owner(`the region of ${text} is not known. Set AWS_REGION`)
  const { credentials } = aws
  if (credentials === undefined) throw owner(`there are no AWS credentials to read ${text} with. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`)
  const { service, id } = reference
  const [target, body] =
    service === 'ssm' ? ['AmazonSSM.GetParameter', { Name: id, WithDecryption: true }] : ['secretsmanager.GetSecretValue', { SecretId: id }]
  const endpoint = aws.secretEndpoints?.[service] ?? `https://${service}.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`
  const post = async (): Promise<HttpResponse> => {
    const client = new AwsClient({ ...credentials, service, region, retries: 0 })
    const text = JSON.stringify(body)
    const signed = await client.sign(`${endpoint}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
      body: text,
    })
    return access.http({
      method: 'POST',
      url: signed.url,
      headers: Object.fromEntries(signed.headers),
      body: text,
      timeoutMs: ATTEMPT_MS,
      maxBytes: MAX_BYTES,
    })
  }
  const answer = parseObject((await ask(text, post, access, (said) => refusal(text, reference, region, said))).body)
  const value = service === 'ssm' ? field(answer?.['Parameter'], 'Value') : answer?.['SecretString']
  if (typeof value !== 'string') throw owner(`${text} holds no text`)
  return reference.key === undefined ? value : keyOf(text, value, reference.key)
}

function parse(text: string): Reference {
  const [, service, rest = ''] = /^(ssm|secretsmanager):(.*)$/s.exec(text) ?? []
  const hash = service === 'secretsmanager' ? rest.lastIndexOf('#') : -1
  const id = hash === -1 ? rest : rest.slice(0, hash)
  const key = hash === -1 ? undefined : rest.slice(hash + 1)
  if (id === '' || key === '' || /[^\x21-\x7e]/.test(id))
    throw owner(
      service === 'ssm' ? 'names no parameter. Write ssm:/certbell/slack-webhook' : 'names no secret. Write secretsmanager:certbell#slack, or an ARN',
    )
  const region = /^arn:[a-z-]+:[a-z]+:([a-z0-9-]+):/.exec(id)?.[1]
  return { service: service === 'ssm' ? 'ssm' : 'secretsmanager', id, ...(key !== undefined && { key }), ...(region !== undefined && { region }) }
}

// What passes is asked again; a start that fails for it would have to be seen to by a person.
async function ask(
  text: string,
  post: () => Promise<HttpResponse>,
  { clock, random }: SecretsAccess,
  refused: (said: string) => OwnerError,
): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt++) {
    let why: string
    try {
      const response = await post()
      if (response.status === 200) return response
      const code = errorCode(response.body)
      why = `AWS said ${response.status}${code === '' ? '' : ` ${code}`}`
      if (response.status !== 429 && response.status < 500 && !PASSING.test(code)) throw refused(`${response.status}${code === '' ? '' : ` ${code}`}`)
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      why = error.message
    }
    if (attempt === ATTEMPTS) throw owner(`${text} cannot be read just now: ${why}`)
    await clock.sleepUntil(clock.now() + (0.5 + random() / 2) * FIRST_PAUSE * 2 ** attempt)
  }
}

// https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html; a refusal for want of a right comes as 400 or 403.
function refusal(text: string, { service, id }: Reference, region: string, said: string): OwnerError {
  const [status = '', code = ''] = said.split(' ')
  const told = `(AWS said ${said})`
  if (CREDENTIALS.test(code))
    return owner(`the AWS credentials to read ${text} with are not accepted. Check the role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ${told}`)
  if (code.startsWith('AccessDenied') || status === '403') {
    const arn = id.startsWith('arn:')
      ? id
      : service === 'ssm'
        ? `arn:aws:ssm:${region}:*:parameter/${id.replace(/^\//, '')}`
        : `arn:aws:secretsmanager:${region}:*:secret:${id}-*`
    const right = service === 'ssm' ? 'ssm:GetParameter' : 'secretsmanager:GetSecretValue'
    return owner(`reading ${text} is not allowed. The role needs ${right} on ${arn}, and kms:Decrypt on its key if that is one of your own ${told}`)
  }
  if (code.startsWith('ParameterNotFound') || code.startsWith('ResourceNotFound'))
    return owner(`${text} does not exist in ${region}. Create it, or correct its name or AWS_REGION ${told}`)
  return owner(`${text} cannot be read ${told}`)
}

function keyOf(text: string, value: string, key: string): string {
  const found = parseObject(Buffer.from(value))?.[key]
  if (typeof found !== 'string') throw owner(`${text}: the secret is no JSON object with a text under that key`)
  return found
}

function errorCode(body: Buffer): string {
  const type = parseObject(body)?.['__type']
  const code = typeof type === 'string' ? (type.split('#').at(-1) ?? '') : ''
  return /^[A-Za-z0-9]{1,100}$/.test(code) ? code : ''
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function owner(message: string): OwnerError {
  return new OwnerError('secret', message)
}
