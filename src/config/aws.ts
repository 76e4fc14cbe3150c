// What the environment says of AWS, for state in a bucket and secrets that are kept there. The SDK looks further by itself; .env is for us alone.
import type { AwsSettings } from './config.ts'
import { complain, keepSecret, variablePlace } from './context.ts'
import type { Context } from './context.ts'

/** The settings; what is wrong with an endpoint is only said where it is needed: `s3`, for state in a bucket; and for secrets that are kept at AWS. */
export function readAws(context: Context, s3: boolean): AwsSettings {
  const { env, fromDotenv } = context
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION']
  const [accessKeyId, secretAccessKey, sessionToken] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY'], env['AWS_SESSION_TOKEN']]
  for (const secret of [secretAccessKey, sessionToken]) if (secret !== undefined) keepSecret(context.secrets, secret)
  const endpoint = s3 ? readEndpoint(context, 'AWS_ENDPOINT_URL_S3') : undefined
  const wanted = [...context.remote.wanted, ...context.remote.known.keys()]
  const ssm = wanted.some((reference) => reference.startsWith('ssm:')) ? readEndpoint(context, 'AWS_ENDPOINT_URL_SSM') : undefined
  const secretsmanager = wanted.some((reference) => reference.startsWith('secretsmanager:'))
    ? readEndpoint(context, 'AWS_ENDPOINT_URL_SECRETS_MANAGER')
    : undefined
  return {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...((ssm ?? secretsmanager) !== undefined && {
      secretEndpoints: { ...(ssm !== undefined && { ssm }), ...(secretsmanager !== undefined && { secretsmanager }) },
    }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) } }),
    ownCredentials: fromDotenv.has('AWS_ACCESS_KEY_ID'),
  }
}

// Plain http is common here: an S3 of one's own beside the program. What is sent is signed, but who is on the way may read it.
function readEndpoint(context: Context, own: string): string | undefined {
  const name = [own, 'AWS_ENDPOINT_URL'].find((each) => context.env[each] !== undefined)
  if (name === undefined) return undefined
  const text = context.env[name] ?? ''
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url !== undefined && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  if (url === undefined || !plain || !/^https?:$/.test(url.protocol)) {
    complain(
      context,
      variablePlace(context, name),
      'is not the address of a service. Write for instance https://s3.example.net, or http://127.0.0.1:9000',
    )
    return undefined
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}
