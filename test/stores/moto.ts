// moto's server, an S3 that is not ours: CERTBELL_MOTO names its executable moto_server, which .ci/run installs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A running one, with an empty bucket called `bucket`. */
export interface Moto {
  readonly endpoint: string
  /** Makes one more. */
  makeBucket(name: string): Promise<void>
  stop(): void
}

const executable = process.env['CERTBELL_MOTO'] ?? ''

/** For a test's `skip`: why it cannot be had, or false. */
export const withoutMoto: string | false = executable === '' ? 'CERTBELL_MOTO names no moto_server' : false

// It checks no signature, but wants one to be there.
const SIGNED = { authorization: 'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x' }

/** Starts one on loopback. */
export async function startMoto(): Promise<Moto> {
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const server = spawn(executable, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const makeBucket = async (name: string): Promise<void> => {
    const made = await fetch(`${endpoint}/${name}`, { method: 'PUT', headers: SIGNED })
    if (made.status !== 200) throw new Error(`moto: ${made.status} ${await made.text()}`)
  }
  for (let n = 0; ; n++) {
    if (n > 150) throw new Error('moto does not start')
    const up = await fetch(`${endpoint}/moto-api/`).catch(() => undefined)
    await up?.arrayBuffer()
    if (up?.ok === true) break
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  await makeBucket('bucket')
  return { endpoint, makeBucket, stop: () => void server.kill() }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
