// A worker thread that reads pages: packed bytes in, hashes and the few entries that may matter out. It has no network, no state and no environment.
import { parentPort, workerData } from 'node:worker_threads'
import { release } from '../release.ts'
import type { SieveData } from '../watch/sieve.ts'
import { openSieve } from '../watch/sieve.ts'
import type { LogPage } from './log-entry.ts'
import type { LogTrouble } from './log-failure.ts'
import { LogFailure } from './log-failure.ts'
import type { PackedAnswer, PageKind } from './read-page.ts'
import { readPage } from './read-page.ts'

/** A page to be read. */
export interface WorkerOrder {
  readonly id: number
  readonly answer: PackedAnswer
  readonly kind: PageKind
}

/** What became of it, and how many ms that took. Neither page nor failure: it cannot be read by a worker. */
export interface WorkerReply {
  readonly id: number
  readonly ms: number
  /** Its hashes come as a plain Uint8Array. */
  readonly page?: LogPage
  readonly failure?: { readonly kind: LogTrouble; readonly message: string; readonly strange: boolean; readonly tooLarge: boolean }
}

const sieve = openSieve(workerData as SieveData)
const port = parentPort
if (port === null) throw new Error('this is no worker thread')

port.on('message', ({ id, answer, kind }: WorkerOrder) => {
  const began = performance.now()
  const reply = (more: Partial<WorkerReply>, memory: readonly ArrayBuffer[] = []): void =>
    port.postMessage({ id, ms: performance.now() - began, ...more } satisfies WorkerReply, memory)
  try {
    const page = readPage(answer, kind, sieve)
    // All that a page holds is in one piece of memory.
    reply({ page }, [page.hashes.buffer as ArrayBuffer])
  } catch (error) {
    if (!(error instanceof LogFailure)) return reply({})
    const { kind: trouble, message, strange, tooLarge } = error
    reply({ failure: { kind: trouble, message, strange, tooLarge } })
  } finally {
    release(answer.bytes)
  }
})
port.postMessage('ready', [])
