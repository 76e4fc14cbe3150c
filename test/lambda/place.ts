// Everything that a function in Lambda needs around it, on loopback: the runtime, the API, Slack, S3; and the process itself, from the built bundle.
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { outputSchemas } from '../../scripts/output-schemas.ts'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import type { CertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import type { Summary } from '../../src/lambda.ts'
import type { LambdaEnd, LambdaRuntime } from '../../src/sandbox/lambda-runtime.ts'
import { startLambdaRuntime } from '../../src/sandbox/lambda-runtime.ts'
import type { FakeS3 } from '../../src/sandbox/s3.ts'
import { startS3 } from '../../src/sandbox/s3.ts'
import type { Slack } from '../../src/sandbox/slack.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import { holdOutput, TOKEN, WEBHOOK_PATH } from '../support/run.ts'

const BUNDLE = join(import.meta.dirname, '..', '..', 'dist', 'lambda', 'index.mjs')
/** The function's credentials. */
export const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secretNeverPrintMe' }
const DAY = 86_400_000

export interface LambdaPlace {
  readonly api: CertSpotterApi
  readonly slack: Slack
  readonly s3: FakeS3
  readonly runtime: LambdaRuntime
  /** The function's directory. */
  readonly root: string
  /** What the process said so far, in both its streams. */
  readonly said: () => string
  /** Adds what is old news to a first run. */
  old(...names: readonly string[]): void
  /** Adds what rings. */
  fresh(...names: readonly string[]): void
  /** Starts the process, cold. `more`: its environment, undefined takes a variable away. */
  start(more?: Readonly<Record<string, string | undefined>>): void
  /** Ends it, as the platform does: at once. */
  kill(): Promise<void>
  /** The process, to freeze it. */
  readonly child: () => ChildProcess
  /** One invocation, its clock `minutes` after the first; the process is started if there is none. */
  tick(minutes?: number, ms?: number): Promise<LambdaEnd>
  /** One that returns a summary. */
  summary(minutes?: number, ms?: number): Promise<Summary>
  /** Names in all of Slack's messages. */
  rung(name: string): number
  close(): Promise<void>
}

/** Sets it all up; nothing is started in it yet. `yaml` is a certbell.yaml beside the bundle. */
export async function lambdaPlace(yaml?: string): Promise<LambdaPlace> {
  const root = mkdtempSync(join(tmpdir(), 'certbell-lambda-'))
  copyFileSync(BUNDLE, join(root, 'index.mjs'))
  if (yaml !== undefined) writeFileSync(join(root, 'certbell.yaml'), yaml)
  const api = await startCertSpotterApi({ tokens: [TOKEN] })
  const slack = await startSlack({ path: WEBHOOK_PATH })
  const s3 = await startS3({ keys: KEYS })
  const runtime = await startLambdaRuntime()
  const ids = createIds()
  let child: ChildProcess | undefined
  let said = ''
  let ended: Promise<unknown> = Promise.resolve()

  const add = (names: readonly string[], notBefore: number): void => {
    for (const name of names) api.add(makeIssuance({ id: ids(), names: [name], notBefore: new Date(notBefore) }))
  }
  const place: LambdaPlace = {
    api,
    slack,
    s3,
    runtime,
    root,
    said: () => said,
    old: (...names) => add(names, Date.now() - 20 * DAY),
    fresh: (...names) => add(names, Date.now() + DAY),
    start: (more = {}) => {
      const env = {
        PATH: process.env['PATH'],
        TZ: ':UTC',
        AWS_LAMBDA_RUNTIME_API: runtime.host,
        AWS_LAMBDA_FUNCTION_NAME: 'certbell',
        LAMBDA_TASK_ROOT: root,
        _HANDLER: 'index.handler',
        AWS_REGION: 'eu-central-1',
        AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        S3_BUCKET: s3.bucket,
        MONITOR_DOMAINS: 'example.com',
        SLEEP_DELAY: '60',
        SLACK_WEBHOOK: slack.url,
        CERTSPOTTER_API_URL: api.url,
        CERTSPOTTER_API_TOKEN: TOKEN,
        ...more,
      }
      const given = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
      const started = spawn(process.execPath, [join(import.meta.dirname, 'bootstrap.ts')], {
        cwd: root,
        env: given,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child = started
      for (const stream of [started.stdout, started.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
      ended = new Promise((resolve) => started.on('close', resolve))
    },
    kill: async () => {
      child?.kill('SIGKILL')
      child = undefined
      await ended
    },
    child: () => {
      if (child === undefined) throw new Error('no process was started')
      return child
    },
    tick: async (minutes = 0, ms = 60_000) => {
      if (child === undefined) place.start()
      return runtime.invoke({ clock: minutes * 60_000 }, ms)
    },
    summary: async (minutes, ms) => {
      const end = await place.tick(minutes, ms)
      if (end.kind !== 'response') throw new Error(`the handler threw: ${JSON.stringify(end.body)}`)
      const held = outputSchemas.tick.safeParse(end.body)
      if (!held.success) throw new Error(JSON.stringify(held.error.issues))
      return end.body as Summary
    },
    rung: (name) => slack.messages.filter(({ payload }) => JSON.stringify(payload).includes(name)).length,
    close: async () => {
      await place.kill()
      await Promise.all([api.close(), slack.close(), s3.close(), runtime.close()])
      rmSync(root, { recursive: true, force: true })
      holdOutput(['in Lambda'], said.replaceAll('\t', ' '))
    },
  }
  return place
}
