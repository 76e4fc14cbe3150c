// What the platform's own program does in a function's process: it loads the handler, then asks for events for ever. Run as: node bootstrap.ts
// An event with `clock` (ms) steps the wall clock that the function sees; deadlines stay true.
import type { OutgoingHttpHeaders } from 'node:http'
import { request } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LambdaContext } from '../../src/lambda.ts'

const { AWS_LAMBDA_RUNTIME_API: api = '', LAMBDA_TASK_ROOT: root = '', _HANDLER: name = '' } = process.env
const [file = '', method = ''] = name.split('.')

const RealDate = Date
let shift = 0
globalThis.Date = class extends RealDate {
  constructor(...parts: readonly number[]) {
    if (parts.length === 0) super(RealDate.now() + shift)
    else super(...(parts as [number]))
  }
  static override now(): number {
    return RealDate.now() + shift
  }
} as DateConstructor

interface Answer {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

async function call(verb: 'GET' | 'POST', path: string, body?: unknown, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // A connection each: the platform freezes a process only once it asks for the next event; a test does at any time.
    const sent = request(`http://${api}/2018-06-01/runtime${path}`, { method: verb, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ headers: response.headers, body: text }))
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const described = (error: unknown): object => {
  const { name: errorType, message: errorMessage, stack = '' } = error as Error
  return { errorType, errorMessage, stackTrace: stack.split('\n').slice(1) }
}

let handler: (event: unknown, context: LambdaContext) => Promise<unknown>
try {
  handler = ((await import(pathToFileURL(join(root, `${file}.mjs`)).href)) as Record<string, typeof handler>)[method] as typeof handler
  if (handler.length > 2) throw new TypeError('callbacks have gone with Node 24')
} catch (error) {
  await call('POST', '/init/error', described(error), { 'lambda-runtime-function-error-type': 'Runtime.ImportModuleError' })
  process.exit(1)
}
for (;;) {
  const { headers, body } = await call('GET', '/invocation/next')
  const id = String(headers['lambda-runtime-aws-request-id'])
  const deadline = Number(headers['lambda-runtime-deadline-ms'])
  const event = JSON.parse(body) as { readonly clock?: number }
  shift = event.clock ?? shift
  const context = { functionName: 'certbell', awsRequestId: id, getRemainingTimeInMillis: () => deadline - RealDate.now() }
  try {
    await call('POST', `/invocation/${id}/response`, (await handler(event, context)) ?? null)
  } catch (error) {
    // As the platform's own program does it.
    console.error(
      `${new RealDate().toISOString()}\t${id}\tERROR\tInvoke Error\t${JSON.stringify({ ...described(error), stack: (error as Error).stack?.split('\n') })}`,
    )
    await call('POST', `/invocation/${id}/error`, described(error))
  }
}
