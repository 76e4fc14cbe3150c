// The real world for a run: clock, network, state directory, standard output.
import type { World } from '../app.ts'
import { systemClock } from '../clock.ts'
import type { Config } from '../config/config.ts'
import { createHttp } from '../http-undici.ts'
import { processOwner } from '../process-owner.ts'
import type { Backend } from '../stores/backend.ts'
import { openSqlite } from '../stores/sqlite/backend.ts'
import { readInherited } from './inherited.ts'
import type { Session } from './session.ts'
import { straightMark } from './straight.ts'

const ASK_MS = 30_000
const SEND_MS = 10_000

/** The world as it is, and what closes the part of it that we opened. */
export function realWorld(session: Session): { readonly world: World; readonly close: () => Promise<void> } {
  const net = createHttp(session.config.proxy)
  const world: World = {
    clock: systemClock,
    random: Math.random,
    http: net.http,
    owner: processOwner(),
    version: session.version,
    openState,
    readInherited,
    openTail: async (...run) => {
      const { openTail } = await import('./open-tail.ts')
      return openTail(world, ...run)
    },
    stdout: { isTty: process.stdout.isTTY, color: session.color, write: writeOut },
    straight: straightMark,
    timeouts: { ask: ASK_MS, send: SEND_MS },
    warn: (message) => session.log('warn', message),
  }
  return { world, close: async () => net.close() }
}

/** Opens the state that the configuration names. */
async function openState({ state, aws }: Pick<Config, 'state' | 'aws'>): Promise<Backend> {
  if (state.kind === 'directory') return openSqlite(state.path, state.shown)
  // Amazon's SDK is large: only for who needs it.
  const { openBucket } = await import('./bucket.ts')
  return openBucket(state, aws)
}

async function writeOut(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => (error === null || error === undefined ? resolve() : reject(error)))
  })
}
