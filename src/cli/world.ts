// The real world for a run: clock, network, state directory, standard output.
import { statSync } from 'node:fs'
import type { World } from '../app.ts'
import { systemClock } from '../clock.ts'
import type { DirectoryState, S3State } from '../config/config.ts'
import { readTextFile } from '../config/files.ts'
import { createHttp } from '../http-undici.ts'
import { processOwner } from '../process-owner.ts'
import type { Backend } from '../stores/backend.ts'
import { openSqlite } from '../stores/sqlite/backend.ts'
import { OwnerError } from '../watch/errors.ts'
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
    readFile: (path) => {
      // A pipe of that name would be waited for for ever.
      if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) throw new Error('it is not a file')
      return readTextFile(path)
    },
    stdout: { isTty: process.stdout.isTTY, color: session.color, write: writeOut },
    straight: straightMark,
    timeouts: { ask: ASK_MS, send: SEND_MS },
    warn: (message) => session.log('warn', message),
  }
  return { world, close: async () => net.close() }
}

/** Opens the state that the configuration names. */
async function openState(state: DirectoryState | S3State): Promise<Backend> {
  if (state.kind === 's3') throw new OwnerError('state-s3', 'state in S3 comes with the next version; use a directory')
  return openSqlite(state.path, state.shown)
}

async function writeOut(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => (error === null || error === undefined ? resolve() : reject(error)))
  })
}
