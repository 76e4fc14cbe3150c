// A process that polls a sandbox API and delivers into a file of lines, beside others on the same state. Run as: node test/stores/poller.ts JSON
import { appendFileSync } from 'node:fs'
import { openApp } from '../../src/app.ts'
import { systemClock } from '../../src/clock.ts'
import { runPass } from '../../src/daemon.ts'
import { createHttp } from '../../src/http-undici.ts'
import { processOwner } from '../../src/process-owner.ts'
import { openSqlite } from '../../src/stores/sqlite/backend.ts'
import { itemOf } from '../support/items.ts'

const { api, state, out, names, passes } = JSON.parse(process.argv[2] ?? '{}') as {
  api: string
  state: string
  out: string
  names: readonly string[]
  passes: number
}
const watch = names.map(itemOf)
const net = createHttp()
for (let pass = 0; pass < passes; pass++) {
  const app = await openApp(
    {
      watch,
      folded: [],
      exclude: [],
      slack: [],
      stdout: 'json',
      certspotter: { url: api, quota: { full: 40, single: 1 }, intervalMs: 1, baseline: 'alert' },
      logs: false,
      state: { kind: 'directory', path: state, shown: 'the state' },
      predecessor: {},
      aws: { ownCredentials: false },
      logFormat: 'text',
      debug: false,
      quiet: true,
      proxy: {},
      secrets: [],
      secretFiles: [],
      warnings: [],
    },
    {
      clock: systemClock,
      random: Math.random,
      http: net.http,
      owner: processOwner(),
      version: '0.0.0',
      openState: async () => openSqlite(state, 'the state'),
      readInherited: async () => new Map(),
      stdout: { isTty: false, color: false, write: async (text) => appendFileSync(out, text) },
      straight: () => ({ last: () => Date.now(), mark: () => undefined }),
      timeouts: { ask: 5000, send: 5000 },
      warn: () => undefined,
    },
    () => undefined,
    true,
  )
  await runPass(app, systemClock, { wait: false, signal: new AbortController().signal })
  await app.close()
}
await net.close()
