// `certbell demo`: the real thing against the sandbox on loopback. No account, no internet, no configuration.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openApp } from '../../app.ts'
import type { World } from '../../app.ts'
import { systemClock } from '../../clock.ts'
import type { Config } from '../../config/config.ts'
import { createHttp } from '../../http-undici.ts'
import { runWatch } from '../../daemon.ts'
import type { MonitorEvent } from '../../monitor.ts'
import { renderSlack } from '../../notifiers/slack-render.ts'
import { processOwner } from '../../process-owner.ts'
import { startCertSpotterApi } from '../../sandbox/certspotter-api.ts'
import type { CertSpotterApi } from '../../sandbox/certspotter-api.ts'
import { makeFiller } from '../../sandbox/ct-filler.ts'
import { logList } from '../../sandbox/ct-list.ts'
import type { ServedLog } from '../../sandbox/ct-log-server.ts'
import { startCtHost } from '../../sandbox/ct-log-server.ts'
import { createCtLog } from '../../sandbox/ct-log.ts'
import { issueTwins } from '../../sandbox/ct-twin.ts'
import { createIds, makeIssuance, SECTIGO_ISSUER } from '../../sandbox/issuance.ts'
import { startSlack } from '../../sandbox/slack.ts'
import type { Slack } from '../../sandbox/slack.ts'
import { openSqlite } from '../../stores/sqlite/backend.ts'
import { parseItem } from '../../watch/item.ts'
import { span } from '../../watch/words.ts'
import { openTail } from '../open-tail.ts'
import { untilSignalled } from '../signals.ts'

export interface DemoOptions {
  readonly keep: boolean
  readonly color: boolean
  readonly version: string
}

const NAME = 'example.com'
const DAY = 86_400_000
/** Everything must have been seen by then, ms. */
const PATIENCE = 15_000

/** Runs the command; the exit code. */
export async function demo(options: DemoOptions): Promise<number> {
  const say = (text = ''): void => void process.stdout.write(`${text}\n`)
  const folder = mkdtempSync(join(tmpdir(), 'certbell-demo-'))
  const api = await startCertSpotterApi({ tokens: ['demo-token'] })
  const slack = await startSlack()
  const host = await startCtHost()
  const log = host.serve(createCtLog({ name: 'demo2027' }), { protocol: 'static-ct' })
  log.log.addMany(1000, makeFiller({ count: 8, names: (n) => [`n${n}.elsewhere.example`], notBefore: new Date() }))
  log.log.publish()
  const net = createHttp()
  const stop = untilSignalled(() => undefined)
  try {
    say('certbell demo: no account, no internet. All of it runs on this machine and ends by itself.')
    say()
    say(`1  A Cert Spotter API, a CT log with 1,000 entries and a Slack receiver are up on 127.0.0.1`)
    const ids = createIds()
    addOldOnes(api, ids)
    const events: MonitorEvent[] = []
    const app = await openApp(configFor(api, slack, folder, log), worldFor(net.http, options), (event) => void events.push(event))
    const ended = new AbortController()
    const running = runWatch(app, systemClock, { signal: AbortSignal.any([stop.signal, ended.signal]) })
    // A loop that cannot go on ends the waiting as well.
    const failed = running.then(
      () => false,
      () => true,
    )
    try {
      await until(() => slack.messages.length > 0, failed, stop.signal)
      say(`2  Watching ${NAME}: its baseline is done. What exists already does not ring; one message says what there is:`)
      say()
      show(slack, 0, say)

      say('3  A certificate is issued for login.example.com')
      const issued = Date.now()
      api.add(
        makeIssuance({
          id: ids(),
          names: ['login.example.com', 'www.login.example.com'],
          notBefore: new Date(issued - 60_000),
          precertificate: true,
        }),
      )
      await until(() => slack.messages.length > 1, failed, stop.signal)
      say(`4  ${span(Date.now() - issued)} later this stands in Slack:`)
      say()
      show(slack, 1, say)

      say('5  Three more come at once, one from another CA, one for names of others as well. They make one message:')
      say()
      const now = Date.now()
      api.add(
        makeIssuance({ id: ids(), names: ['*.staging.example.com'], notBefore: new Date(now - 120_000) }),
        makeIssuance({ id: ids(), names: ['vpn.example.com'], notBefore: new Date(now - DAY), issuer: SECTIGO_ISSUER, key: 'rsa' }),
        makeIssuance({
          id: ids(),
          names: ['shop.example.com', ...Array.from({ length: 40 }, (_, index) => `tenant-${index}.cdn.example`)],
          notBefore: new Date(now - 60_000),
        }),
      )
      await until(() => slack.messages.length > 2, failed, stop.signal)
      show(slack, 2, say)
      say('6  One is logged, and read from the log itself, each entry hashed into what the log signed')
      const logged = issueTwins([log.log], { names: ['intranet.example.com'], notBefore: new Date(Date.now() - 60_000) })
      log.log.publish()
      const loggedAt = Date.now()
      await until(() => slack.messages.length > 3, failed, stop.signal)
      const took = Date.now() - loggedAt
      api.add(logged.issuance(ids()))
      const asked = api.requests.length
      await until(() => api.requests.length > asked + 1, failed, stop.signal)
      say(`7  ${span(took)} later it stands in Slack. The API has it too by now: that is the same issuance, and no second message:`)
      say()
      show(slack, 3, say)

      say(
        `${api.requests.length} queries were asked, each with its token; every answer was taken in once. Slack got ${slack.messages.length} messages.`,
      )
      say()
      if (options.keep) {
        say(`The sandbox stays up: API ${api.url} (token demo-token), Slack ${slack.url}`)
        say('Try: certbell poll example.com, with CERTSPOTTER_API_URL, CERTSPOTTER_API_TOKEN and SLACK_WEBHOOK set to those. Ctrl-C ends it.')
        await systemClock.sleepUntil(Infinity, stop.signal)
      } else say('Next: certbell init, or certbell watch your-domain.com')
      return 0
    } finally {
      ended.abort()
      await running.catch(() => undefined)
      await app.close()
    }
  } catch (error) {
    if (stop.signal.aborted) return 0
    throw error
  } finally {
    stop.end()
    await net.close()
    await api.close()
    await slack.close()
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

function configFor(api: CertSpotterApi, slack: Slack, folder: string, log: ServedLog): Config {
  const list = join(folder, 'logs.json')
  writeFileSync(list, logList([log]))
  const parsed = parseItem(NAME)
  if ('problem' in parsed) throw new RangeError(parsed.problem)
  return {
    watch: [parsed.item],
    folded: [],
    exclude: [],
    slack: [{ name: 'slack', url: slack.url }],
    stdout: 'off',
    certspotter: { token: 'demo-token', url: api.url, quota: { full: 3600, single: 3600 }, intervalMs: 'auto', baseline: 'inventory' },
    logs: { lists: [{ kind: 'file', path: list, shown: list }], only: [], start: 'end', intervalMs: 300, bandwidth: undefined },
    state: { kind: 'directory', path: join(folder, 'state'), shown: join(folder, 'state') },
    predecessor: {},
    aws: { ownCredentials: false },
    logFormat: 'text',
    debug: false,
    quiet: true,
    proxy: {},
    secrets: [],
    secretFiles: [],
    warnings: [],
  }
}

function worldFor(http: World['http'], options: DemoOptions): World {
  let said = 0
  const world: World = {
    clock: systemClock,
    random: Math.random,
    http,
    owner: processOwner(),
    version: options.version,
    openState: async ({ state }) => openSqlite(state.kind === 'directory' ? state.path : '', state.shown),
    readInherited: async () => new Map(),
    stdout: { isTty: false, color: false, write: async () => undefined },
    straight: () => ({ last: () => said, mark: (now) => (said = now) }),
    openTail: async (...run) => openTail(world, ...run),
    timeouts: { ask: 5000, send: 5000 },
    warn: () => undefined,
  }
  return world
}

// What there is before anyone looks: a few months of renewals, over more than one page.
function addOldOnes(api: CertSpotterApi, ids: () => string): void {
  const hosts = ['example.com', 'www.example.com', 'api.example.com', 'mail.example.com', 'blog.example.com']
  for (let n = 0; n < 137; n++) {
    const host = hosts[n % hosts.length] ?? NAME
    api.add(
      makeIssuance({
        id: ids(),
        names: [host],
        notBefore: new Date(Date.now() - (80 - (n % 79)) * DAY),
        ...(n % 20 === 0 && { issuer: SECTIGO_ISSUER }),
      }),
    )
  }
}

function show(slack: Slack, index: number, say: (text?: string) => void): void {
  const message = slack.messages[index]
  if (message === undefined) return
  for (const line of renderSlack(message.payload).split('\n')) say(`   ${line}`)
  say()
}

async function until(condition: () => boolean, failed: Promise<boolean>, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + PATIENCE
  let broken = false
  void failed.then((bad) => (broken = bad))
  while (!condition()) {
    if (signal.aborted) throw new Error('stopped')
    if (broken || performance.now() > deadline) throw new Error('the demo did not come to its end')
    await systemClock.sleepUntil(Date.now() + 50, signal)
  }
}
