// A full disk, with the real command: it is said straight to the sink, once, reading stops, and nothing is lost when there is room again.
import assert from 'node:assert/strict'
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { startCertSpotterApi } from '../../src/sandbox/certspotter-api.ts'
import { createIds, makeIssuance } from '../../src/sandbox/issuance.ts'
import { startReceiver } from '../../src/sandbox/receiver.ts'
import { startSlack } from '../../src/sandbox/slack.ts'
import { fill, smallDisk } from '../support/small-disk.ts'
import { certbell, TOKEN, until, WEBHOOK_PATH } from '../support/run.ts'

/** One name, looked at every second. */
function settings(slack: string, disk: string, api: string): string {
  return `watch: [example.com]\nslack: ${slack}\nstate: ${join(disk, 'state')}\ncertspotter: {url: '${api}', token: ${TOKEN}, interval: 1s, quota: {full: 100000, single: 100000}}\n`
}

it('a full disk is said straight to each sink, once, and costs nothing when there is room again', async (t) => {
  const small = smallDisk(t)
  if (small === undefined) return
  const { folder, disk } = small
  const api = await startCertSpotterApi({ tokens: [TOKEN] })
  const slack = await startSlack({ path: WEBHOOK_PATH })
  try {
    const ids = createIds()
    const add = (name: string): void => api.add(makeIssuance({ id: ids(), names: [name], notBefore: new Date() }))
    add('first.example.com')
    const config = join(folder, 'certbell.yaml')
    writeFileSync(config, settings(slack.url, disk, api.url))
    const poll = async (): Promise<number | null> => (await certbell(['poll', '--config', config], { cwd: folder })).code
    assert.equal(await poll(), 0)
    const before = slack.messages.length

    fill(disk)
    // Many: they do not fit into what is left of the write-ahead log.
    for (let n = 0; n < 100; n++) add(`new-${n}.${'long-label-'.repeat(5)}x.example.com`)
    const asked = api.requests.length
    const codes = [await poll(), await poll(), await poll()]
    assert.deepEqual(codes, [1, 1, 1])
    const said = slack.messages.slice(before).map(({ payload }) => JSON.stringify(payload))
    assert.equal(said.length, 1, 'said once in an hour')
    assert.match(said[0] ?? '', /full/)
    assert.ok(api.requests.length - asked <= 3, 'reading stops: no page is asked for again and again')

    rmSync(join(disk, 'filler'))
    for (let n = 0; n < 10 && (await poll()) !== 0; n++);
    const texts = slack.messages.slice(before + 1).map(({ payload }) => JSON.stringify(payload))
    assert.equal(texts.filter((text) => text.includes('new certificates')).length, 10, 'all 100 came, ten a message')
    for (const n of [0, 50, 99]) assert.equal(texts.filter((text) => text.includes(`new-${n}.`)).length, 1, `new-${n} came once`)
  } finally {
    await api.close()
    await slack.close()
    small.remove()
  }
})

it('while the disk is full a running watch is not well: /healthz, the heartbeat and status say so, and it is over when there is room', async (t) => {
  const small = smallDisk(t)
  if (small === undefined) return
  const { folder, disk } = small
  const api = await startCertSpotterApi({ tokens: [TOKEN] })
  const slack = await startSlack({ path: WEBHOOK_PATH })
  const heart = await startReceiver()
  try {
    const ids = createIds()
    const config = join(folder, 'certbell.yaml')
    writeFileSync(
      config,
      `watch: [example.com]\nslack: ${slack.url}\nlisten: 127.0.0.1:0\nheartbeat: ${heart.url}/beat\nstate: ${join(disk, 'state')}\ncertspotter: {url: '${api.url}', token: ${TOKEN}, interval: 1s, quota: {full: 100000, single: 100000}}\n`,
    )
    const ran = await certbell(['watch', '--config', config], {
      cwd: folder,
      timeout: 150_000,
      with: async (child, said) => {
        const port = (): string | undefined => /listening on 127\.0\.0\.1:(\d+)/.exec(said())?.[1]
        await until(() => port() !== undefined && slack.messages.length > 0, 'it watches')
        const health = async (): Promise<{ status: number; body: string }> => {
          const answer = await fetch(`http://127.0.0.1:${port()}/healthz`)
          return { status: answer.status, body: await answer.text() }
        }
        assert.equal((await health()).status, 200)

        const room = statfsSync(disk)
        writeFileSync(join(disk, 'filler'), Buffer.alloc(room.bavail * room.bsize))
        for (let n = 0; n < 100; n++)
          api.add(makeIssuance({ id: ids(), names: [`n${n}.${'long-label-'.repeat(5)}x.example.com`], notBefore: new Date() }))
        await until(() => said().includes('is full'), 'it meets the full disk')
        const full = await health()
        assert.equal(full.status, 503)
        assert.match(full.body, /"component":"state".*full/)
        const status = await certbell(['status', '--config', config], { cwd: folder })
        assert.equal(status.code, 1)
        assert.match(status.out.split('\n')[0] ?? '', /^Not well: .*disk is full/)
        await until(() => heart.requests.some(({ path }) => path === '/beat/fail'), 'the heartbeat says so', 60_000)

        rmSync(join(disk, 'filler'))
        let well = false
        for (let n = 0; n < 80 && !well; n++) {
          well = (await health()).status === 200
          if (!well) await new Promise((resolve) => setTimeout(resolve, 1000))
        }
        assert.ok(well, 'it is well again by itself')
        child.kill('SIGTERM')
      },
    })
    assert.equal(ran.code, 0, ran.err)
  } finally {
    await Promise.all([api.close(), slack.close(), heart.close()])
    small.remove()
  }
})

it('a watch that is started on a full disk says so once, waits, and watches as soon as there is room', async (t) => {
  const small = smallDisk(t)
  if (small === undefined) return
  const { folder, disk } = small
  const api = await startCertSpotterApi({ tokens: [TOKEN] })
  const slack = await startSlack({ path: WEBHOOK_PATH })
  try {
    const config = join(folder, 'certbell.yaml')
    writeFileSync(
      config,
      `watch: [example.com]\nslack: ${slack.url}\nlisten: 127.0.0.1:0\nstate: ${join(disk, 'state')}\ncertspotter: {url: '${api.url}', token: ${TOKEN}}\n`,
    )
    fill(disk)
    const ran = await certbell(['watch', '--config', config], {
      cwd: folder,
      timeout: 120_000,
      with: async (child, said) => {
        await until(() => said().includes('tried again every 30 s') && said().includes('listening on'), 'it waits')
        const port = /listening on 127\.0\.0\.1:(\d+)/.exec(said())?.[1]
        const asked = async (path: string): Promise<{ status: number; body: string }> => {
          const answer = await fetch(`http://127.0.0.1:${port}${path}`)
          return { status: answer.status, body: await answer.text() }
        }
        assert.equal((await asked('/livez')).status, 200)
        const health = await asked('/healthz')
        assert.equal(health.status, 503)
        assert.match(health.body, /"component":"state".*full/)
        assert.deepEqual(api.requests, [], 'nothing is read that could not be kept')
        // Twice: the second try says it to nobody again.
        await until(() => said().split('tried again every 30 s').length === 3, 'it is tried again', 40_000)
        assert.equal(slack.messages.length, 1)
        assert.match(JSON.stringify(slack.messages[0]?.payload), /full/)
        rmSync(join(disk, 'filler'))
        await until(() => slack.messages.some(({ payload }) => JSON.stringify(payload).includes('Now watching example.com')), 'it watches', 40_000)
        assert.equal((await asked('/healthz')).status, 200)
        child.kill('SIGTERM')
      },
    })
    assert.equal(ran.code, 0, ran.err)
  } finally {
    await Promise.all([api.close(), slack.close()])
    small.remove()
  }
})

it('a watch that waits for room on the disk ends at the first signal', async (t) => {
  const small = smallDisk(t)
  if (small === undefined) return
  const { folder, disk } = small
  try {
    fill(disk)
    const ran = await certbell(['watch', 'example.com', '--state', join(disk, 'state')], {
      cwd: folder,
      with: async (child, said) => {
        await until(() => said().includes('tried again every 30 s'), 'it waits')
        child.kill('SIGTERM')
      },
    })
    assert.equal(ran.code, 0, ran.err)
  } finally {
    small.remove()
  }
})

/** What the write-ahead log keeps of its room at most (bytes). */
const KEPT = 2 * 1024 * 1024

for (const killed of [false, true]) {
  it(`the write-ahead log itself fills the disk, then a little room comes: ${killed ? 'a new start' : 'the running watch'} goes on from it`, async (t) => {
    const small = smallDisk(t)
    if (small === undefined) return
    const { folder, disk } = small
    const api = await startCertSpotterApi({ tokens: [TOKEN] })
    const slack = await startSlack({ path: WEBHOOK_PATH })
    try {
      const ids = createIds()
      const config = join(folder, 'certbell.yaml')
      const log = join(disk, 'state', 'certbell.db-wal')
      writeFileSync(config, settings(slack.url, disk, api.url))
      let added = 0
      const add = (count: number): void => {
        for (const end = added + count; added < end; added++)
          api.add(makeIssuance({ id: ids(), names: [`new-${added}.example.com`], notBefore: new Date() }))
      }
      const times = (n: number): number => slack.messages.filter(({ payload }) => JSON.stringify(payload).includes(`new-${n}.`)).length
      const all = (): boolean => Array.from({ length: added }, (_, n) => times(n)).every((count) => count > 0)
      const give = (reader: DatabaseSync): void => {
        reader.close()
        // Less than the log takes: the database has to grow by what the log has.
        rmSync(join(disk, 'crumb'))
      }
      let reader: DatabaseSync | undefined
      const watch = async (then: Parameters<typeof certbell>[1]['with'] & object) =>
        certbell(['watch', '--config', config], { cwd: folder, timeout: 200_000, with: then })

      const ran = await watch(async (child, said) => {
        await until(() => slack.messages.some(({ payload }) => JSON.stringify(payload).includes('Now watching')), 'it watches')
        // Who reads keeps the log from being begun again, so it grows.
        reader = new DatabaseSync(join(disk, 'state', 'certbell.db'), { readOnly: true })
        reader.exec('begin')
        reader.prepare('select count(*) from alerts').get()
        writeFileSync(join(disk, 'crumb'), Buffer.alloc(1280 * 1024))
        const room = statfsSync(disk)
        writeFileSync(join(disk, 'filler'), Buffer.alloc(room.bavail * room.bsize - 2.5 * 1024 * 1024))
        for (let n = 0; n < 60 && !said().includes('is full'); n++) {
          add(20)
          await new Promise((resolve) => setTimeout(resolve, 1000))
        }
        assert.match(said(), /is full/)
        assert.ok(statSync(log).size > KEPT, 'it is the log that fills the disk')
        if (killed) {
          child.kill('SIGKILL')
          return
        }
        give(reader)
        await until(all, 'all came', 100_000)
        assert.ok(statSync(log).size <= KEPT, 'the log has given its room back')
        child.kill('SIGTERM')
      })
      if (killed) {
        assert.ok(reader !== undefined && ran.signal === 'SIGKILL')
        give(reader)
        const again = await watch(async (child) => {
          await until(all, 'all came', 100_000)
          assert.ok(statSync(log).size <= KEPT, 'the log has given its room back')
          child.kill('SIGTERM')
        })
        assert.equal(again.code, 0, again.err)
      } else assert.equal(ran.code, 0, ran.err)
      const twice = Array.from({ length: added }, (_, n) => times(n)).filter((count) => count !== 1)
      // The message that was under way when it was killed may come twice.
      assert.ok(twice.length <= (killed ? 10 : 0) && twice.every((count) => count === 2), `${twice.length} came more than once`)
    } finally {
      await api.close()
      await slack.close()
      small.remove()
    }
  })
}
