// Systems Manager's parameters and Secrets Manager on loopback, as far as somebody who reads them can see.
import type { AwsKeys } from './aws-signature.ts'
import { signatureFault } from './aws-signature.ts'
import { listen, readBody } from './server.ts'

/** One request, as it is logged. */
export interface AwsSecretRequest {
  /** `AmazonSSM.GetParameter` or `secretsmanager.GetSecretValue`. */
  readonly target: string
  /** The parameter's or the secret's name or ARN. */
  readonly id: string
  /** As the signature has it. */
  readonly region: string
  /** What was wrong with it; undefined if it was answered with the value. */
  refused?: string
}

/** What may go wrong with one request: AWS's word for it with its status, or a connection that breaks. */
export type AwsSecretFault = { readonly status: number; readonly type: string; readonly message?: string } | 'cut' | 'hang'

export interface FakeAwsSecrets {
  /** `http://127.0.0.1:PORT`, for both services. */
  readonly endpoint: string
  /** Values by name or ARN. */
  readonly parameters: Map<string, string>
  readonly secrets: Map<string, string>
  readonly log: AwsSecretRequest[]
  /** Accidents for the next requests, one each; `undefined` in it is a true answer. */
  readonly script: (AwsSecretFault | undefined)[]
  close(): Promise<void>
}

/** Starts one; signatures are checked against `keys`. */
export async function startAwsSecrets(keys: AwsKeys): Promise<FakeAwsSecrets> {
  const parameters = new Map<string, string>()
  const secrets = new Map<string, string>()
  const log: AwsSecretRequest[] = []
  const script: (AwsSecretFault | undefined)[] = []
  const server = await listen(async (request, response) => {
    const body = await readBody(request)
    const target = String(request.headers['x-amz-target'] ?? '')
    const ssm = target === 'AmazonSSM.GetParameter'
    const asked = JSON.parse(body.toString()) as { Name?: string; SecretId?: string; WithDecryption?: boolean }
    const id = (ssm ? asked.Name : asked.SecretId) ?? ''
    const region = /Credential=[^/]+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const entry: AwsSecretRequest = { target, id, region }
    log.push(entry)
    const answer = (status: number, value: object): void =>
      void response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': '1' }).end(JSON.stringify(value))
    const refuse = (status: number, type: string, message = ''): void => {
      entry.refused = type
      answer(status, { __type: type, message })
    }
    const fault = script.shift()
    if (fault === 'cut') return void response.destroy()
    if (fault === 'hang') return undefined
    if (fault !== undefined) return refuse(fault.status, fault.type, fault.message)
    const wrong = signatureFault(request, body, keys, ssm ? 'ssm' : 'secretsmanager')
    if (wrong !== undefined) return refuse(400, wrong === 'InvalidAccessKeyId' ? 'UnrecognizedClientException' : 'InvalidSignatureException')
    if (!ssm && target !== 'secretsmanager.GetSecretValue') return refuse(400, 'UnknownOperationException')
    if (request.method !== 'POST' || request.url !== '/' || request.headers['content-type'] !== 'application/x-amz-json-1.1')
      return refuse(400, 'SerializationException')
    const value = (ssm ? parameters : secrets).get(id)
    if (value === undefined) return refuse(400, ssm ? 'ParameterNotFound' : 'com.amazonaws.secretsmanager#ResourceNotFoundException')
    // As it is kept: without decryption it is of no use.
    if (ssm)
      return answer(200, { Parameter: { Name: id, Type: 'SecureString', Value: asked.WithDecryption === true ? value : 'AQICAHh…', Version: 1 } })
    return answer(200, { Name: id, SecretString: value, VersionStages: ['AWSCURRENT'] })
  })
  return { endpoint: server.origin, parameters, secrets, log, script, close: async () => server.close() }
}
