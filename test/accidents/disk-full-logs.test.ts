// A disk that is nearly full, while only logs are read: small things can still be kept, what was found cannot. That is said, shown, and costs nothing.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { logList } from '../../src/sandbox/ct-list.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { issueTwins } from '../../src/sandbox/ct-twin.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import { certbell, until, WEBHOOK_PATH } from '../support/run.ts'
import { fill, smallDisk } from '../support/small-disk.ts'

const COUNT = 120

it('a disk that has room for little is full: said straight, shown, and nothing is lost', { timeout: 240_000 }, async (t) => {
  const small = smallDisk(t)
  if (small === undefined) return
  const { folder, disk } = small
  const host = await startCtHost()
  const slack = await startSlack({ path: WEBHOOK_PATH })
  try {
    const served = host.serve(createCtLog({ name: 'busy' }), { protocol: 'static-ct' })
    writeFileSync(join(folder, 'logs.json'), logList([served]))
    writeFileSync(
      join(folder, 'certbell.yaml'),
      `watch: [example.com]\nslack: ${slack.url}\nstate: ${join(disk, 'state')}\ncertspotter: false\nlogs: {lists: ['./logs.json'], interval: 1s}\nlisten: 127.0.0.1:0\n`,
    )
    const status = async () => certbell(['status'], { cwd: folder })
    const poll = async (): Promise<number | null> => (await certbell(['poll'], { cwd: folder })).code
    const texts = (): readonly string[] => slack.messages.map(({ payload }) => JSON.stringify(payload))
    const watched = await certbell(['watch'], {
      cwd: folder,
      timeout: 200_000,
      with: async (child, said) => {
        await until(() => host.count('checkpoint') > 1 && said().includes('listening on'), 'the log is begun')
        const health = `http://127.0.0.1:${/listening on 127\.0\.0\.1:(\d+)/.exec(said())?.[1]}/healthz`
        assert.equal((await status()).code, 0)
        fill(disk, 64 * 1024)
        for (let n = 0; n < COUNT; n++)
          issueTwins([served.log], { names: [`new-${n}.${'long-label-'.repeat(5)}x.example.com`], notBefore: new Date() })
        served.log.publish()
        await until(() => texts().some((text) => text.includes('is full')), 'it is said', 30_000)
        assert.equal((await fetch(health)).status, 503)
        const shown = await status()
        assert.equal(shown.code, 1)
        assert.match(shown.out, /could not be written/)
        rmSync(join(disk, 'filler'))
        // At one message a second, ten certificates in each.
        await until(() => texts().filter((text) => text.includes('new certificates')).length >= COUNT / 10, 'all of it rings', 150_000)
        assert.equal((await fetch(health)).status, 200)
        assert.equal((await status()).code, 0)
        child.kill('SIGTERM')
      },
    })
    assert.equal(watched.code, 0, watched.err)
    assert.equal(texts().filter((text) => text.includes('is full')).length, 1)
    for (const n of [0, 60, COUNT - 1]) assert.equal(texts().filter((text) => text.includes(`new-${n}.`)).length, 1, `new-${n} rings once`)

    // A pass of cron says it as well, in its hour.
    fill(disk, 64 * 1024)
    for (let n = COUNT; n < 2 * COUNT; n++)
      issueTwins([served.log], { names: [`new-${n}.${'long-label-'.repeat(5)}x.example.com`], notBefore: new Date() })
    served.log.publish()
    assert.equal(await poll(), 1)
    assert.equal((await status()).code, 1)
  } finally {
    await Promise.all([host.close(), slack.close()])
    small.remove()
  }
})
