// Lambda's Runtime API on loopback: what the platform says to the process that runs a function, and hears from it.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { listen, readBody } from './server.ts'

/** How an invocation ended, by the word of the process. The bodies are JSON, parsed. */
export type LambdaEnd = { readonly kind: 'response'; readonly body: unknown } | { readonly kind: 'error'; readonly body: LambdaError }

/** An error as the runtime reports it. */
export interface LambdaError {
  readonly errorType: string
  readonly errorMessage: string
  readonly stackTrace?: readonly string[]
}

export interface LambdaRuntime {
  /** AWS_LAMBDA_RUNTIME_API for the process. */
  readonly host: string
  /** What the process could not even start for. */
  readonly initErrors: readonly LambdaError[]
  /** Hands the event to the process when it next asks, with `ms` to go from then. It never resolves if the process ends before its word. */
  invoke(event: unknown, ms: number): Promise<LambdaEnd>
  /** Invocations handed out and not ended yet. */
  running(): number
  close(): Promise<void>
}

interface Waiting {
  readonly event: unknown
  readonly ms: number
  readonly end: (end: LambdaEnd) => void
}

const ROOT = '/2018-06-01/runtime'

/** Starts one; it serves one process at a time. */
export async function startLambdaRuntime(): Promise<LambdaRuntime> {
  const queue: Waiting[] = []
  const open = new Map<string, Waiting>()
  const initErrors: LambdaError[] = []
  let asking: ServerResponse | undefined

  const handOut = (): void => {
    if (asking === undefined || asking.destroyed) return
    const next = queue.shift()
    if (next === undefined) return
    const id = randomUUID()
    open.set(id, next)
    const response = asking
    asking = undefined
    response
      .writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': id,
        'lambda-runtime-deadline-ms': String(Date.now() + next.ms),
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-central-1:123456789012:function:certbell',
        'lambda-runtime-trace-id': 'Root=1-00000000-000000000000000000000000',
      })
      .end(JSON.stringify(next.event))
  }

  const server = await listen(async (request, response) => {
    const body = await readBody(request)
    const path = request.url?.startsWith(ROOT) === true ? request.url.slice(ROOT.length) : ''
    const accept = (): void => void response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}')
    if (request.method === 'GET' && path === '/invocation/next') {
      asking = response
      return handOut()
    }
    if (request.method === 'POST' && path === '/init/error') {
      initErrors.push(JSON.parse(body.toString()) as LambdaError)
      return accept()
    }
    const [, id = '', word = ''] = /^\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? []
    const ended = open.get(id)
    if (request.method !== 'POST' || ended === undefined) {
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"errorType":"InvalidRequestID"}')
      return undefined
    }
    open.delete(id)
    accept()
    const parsed: unknown = JSON.parse(body.toString())
    ended.end(word === 'error' ? { kind: 'error', body: parsed as LambdaError } : { kind: 'response', body: parsed })
    return undefined
  })
  return {
    host: server.origin.slice('http://'.length),
    initErrors,
    invoke: async (event, ms) =>
      new Promise((end) => {
        queue.push({ event, ms, end })
        handOut()
      }),
    running: () => open.size,
    close: async () => server.close(),
  }
}
