// A running watch with logs: what /metrics says of them, and that an alert says how long it took, in Slack and in the metric alike.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { logList } from '../../src/sandbox/ct-list.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import { certbell, until, WEBHOOK_PATH } from '../support/run.ts'

it('/metrics knows the logs, and the delay is from the log’s timestamp to Slack’s answer', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-log-metrics-'))
  const host = await startCtHost()
  const slack = await startSlack({ path: WEBHOOK_PATH })
  t.after(async () => {
    await Promise.all([host.close(), slack.close()])
    rmSync(folder, { recursive: true, force: true })
  })
  const [good, bad] = [
    host.serve(createCtLog({ name: 'good' }), { protocol: 'static-ct' }),
    host.serve(createCtLog({ name: 'bad' }), { protocol: 'rfc6962' }),
  ]
  host.setFault(({ log }) => (log === 'bad' ? { status: 503 } : undefined))
  writeFileSync(join(folder, 'logs.json'), logList([good, bad]))
  writeFileSync(
    join(folder, 'certbell.yaml'),
    `watch: [example.com]\nslack: ${slack.url}\nstate: ./state\ncertspotter: false\nlogs: {lists: ['./logs.json'], interval: 1s}\nlisten: 127.0.0.1:0\n`,
  )
  const watched = await certbell(['watch'], {
    cwd: folder,
    with: async (child, said) => {
      await until(() => said().includes('listening on'), 'it listens')
      const base = `http://127.0.0.1:${/listening on 127\.0\.0\.1:(\d+)/.exec(said())?.[1]}`
      await until(() => host.count('checkpoint') > 1, 'the log is begun')
      issueTwins([good.log], { names: ['new.example.com'], notBefore: new Date() })
      good.log.publish()
      await until(() => slack.messages.length > 0, 'it rings')
      const scrape = async (): Promise<readonly string[]> => (await (await fetch(`${base}/metrics`)).text()).split('\n')
      const value = async (sample: string): Promise<number | undefined> => {
        const line = (await scrape()).find((each) => each.startsWith(`${sample} `))
        return line === undefined ? undefined : Number(line.slice(sample.length + 1))
      }
      let delivered: number | undefined
      for (let n = 0; n < 100 && delivered !== 1; n++) {
        delivered = await value('certbell_alert_delay_seconds_count{source="log"}')
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      assert.equal(delivered, 1)
      const took = (await value('certbell_alert_delay_seconds_sum{source="log"}')) ?? 0
      assert.ok(took > 0 && took < 20, String(took))
      for (const part of ['0.5', '0.95', '0.99'])
        assert.equal(await value(`certbell_alert_delay_recent_seconds{source="log",quantile="${part}"}`), took)
      assert.equal(await value('certbell_source_up{source="log"}'), 1)
      assert.equal(await value('certbell_source_up{source="certspotter"}'), undefined)
      assert.equal(await value('certbell_issuances_total{source="log"}'), 1)
      assert.ok(((await value(`certbell_log_requests_total{log="Sandbox 'good' log",outcome="ok"}`)) ?? 0) > 1)
      assert.ok(((await value(`certbell_log_requests_total{log="Sandbox 'bad' log",outcome="5xx"}`)) ?? 0) > 0)
      const causes = (await scrape()).filter((line) => line.startsWith('certbell_log_lag_cause{'))
      assert.deepEqual(
        causes.map((line) => /log="([^"]*)".*cause="(\w+)"/.exec(line)?.slice(1)),
        [["Sandbox 'bad' log", 'down']],
      )
      child.kill('SIGTERM')
    },
  })
  assert.equal(watched.code, 0, watched.err)
  assert.match(JSON.stringify(slack.messages[0]?.payload), /logged (?:less than 1|\d+) s before this was sent/)
})
