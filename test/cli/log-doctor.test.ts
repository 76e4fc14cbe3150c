// `certbell doctor` with logs: each list and each log's head once, what is wrong by name, and nothing kept of it.
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { outputSchemas } from '../../scripts/output-schemas.ts'
import { brokenSignature } from '../../src/sandbox/ct-lies.ts'
import type { LogRow } from '../../src/sandbox/ct-list.ts'
import { createListKey, logList } from '../../src/sandbox/ct-list.ts'
import type { ServedLog } from '../../src/sandbox/ct-log-server.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import type { Ran } from '../support/run.ts'
import { certbell, until } from '../support/run.ts'

async function scene(t: TestContext, more = '') {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-log-doctor-'))
  const host = await startCtHost()
  t.after(async () => {
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const [tiled, classic] = [
    host.serve(createCtLog({ name: 'tiled' }), { protocol: 'static-ct' }),
    host.serve(createCtLog({ name: 'classic' }), { protocol: 'rfc6962' }),
  ]
  const key = createListKey()
  const publish = (rows: readonly (ServedLog | LogRow)[], madeAt = new Date(), text = logList(rows, { madeAt })): void => {
    host.put('/list.json', text)
    host.put('/list.sig', key.sign(text))
    writeFileSync(join(folder, 'logs.json'), logList([tiled], { madeAt }))
  }
  publish([tiled, classic])
  writeFileSync(join(folder, 'key.pem'), key.pem)
  const url = `${host.origin}/list.json`
  writeFileSync(
    join(folder, 'certbell.yaml'),
    `watch: [example.com]\ncertspotter: false\nstdout: json\nlogs: {lists: ['./logs.json', {url: '${url}', key: 'file:key.pem'}], interval: 1s}\nstate: ./state\n${more}`,
  )
  return {
    folder,
    host,
    tiled,
    classic,
    url,
    publish,
    doctor: async (...flags: readonly string[]): Promise<Ran> => certbell(['doctor', ...flags], { cwd: folder }),
  }
}

const CONTACT = 'contact: security@example.com\n'

describe('doctor, with logs', { concurrency: 2 }, () => {
  it('all is right: the lists, and a head of each log, each asked for once', async (t) => {
    const { host, url, doctor } = await scene(t, CONTACT)
    const ran = await doctor()
    assert.equal(ran.code, 0, ran.out)
    assert.match(ran.out, /^ok +log list logs\.json: 1 log, it has no signature, made (?:just now|\d+ s ago)$/m)
    assert.ok(new RegExp(`^ok +log list ${url.replaceAll('.', '\\.')}: 2 logs, its signature is right, made`, 'm').test(ran.out), ran.out)
    assert.match(ran.out, /^ok +logs: 2 of 2 answer with a head that their key signed$/m)
    assert.doesNotMatch(ran.out, /^(?:warn|FAIL)/m)
    assert.deepEqual(host.requests.map(({ kind }) => kind).sort(), ['checkpoint', 'file', 'file', 'get-sth'])
    assert.ok(host.requests.every(({ headers }) => headers['user-agent']?.includes('security@example.com')))
    assert.equal(outputSchemas.doctor.parse(JSON.parse((await doctor('--json')).out)).well, true)
  })

  it('what is wrong is a warning by name, as long as a log answers', async (t) => {
    const { host, tiled, classic, publish, doctor } = await scene(t)
    const liar = host.serve(createCtLog({ name: 'liar' }), { protocol: 'static-ct' })
    liar.show(() => brokenSignature(liar.log))
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
    const spki = publicKey.export({ format: 'der', type: 'spki' })
    const odd = {
      served: tiled,
      description: 'Odd',
      overrides: { key: spki.toString('base64'), log_id: createHash('sha256').update(spki).digest('base64') },
    }
    publish([tiled, classic, liar, odd], new Date(Date.now() - 20 * 86_400_000))
    host.setFault(({ log, kind }) => (log === 'classic' ? { status: 503 } : kind === 'unknown' ? 'reset' : undefined))
    const ran = await doctor()
    assert.equal(ran.code, 0, ran.out)
    assert.match(ran.out, /^warn +`contact` is not set.*\n +set contact/m)
    assert.match(ran.out, /^warn +the newest log list .* 20 days ago\. It may be frozen/m)
    assert.match(ran.out, /^warn +Odd is not read: its key is neither/m)
    assert.match(ran.out, /^ok +logs: 1 of 4 answer/m)
    assert.match(
      ran.out,
      /^warn +logs: 3 of 4 do not: Odd \(its key is neither .*\), Sandbox 'classic' log \(it answers 503\), Sandbox 'liar' log \(its key did not sign the head that it shows\)\n +a log that is down/m,
    )
  })

  it('no log answers: FAIL', async (t) => {
    const { host, doctor } = await scene(t, CONTACT)
    host.setFault(({ kind }) => (kind === 'file' ? undefined : { retryAfter: 3600 }))
    const ran = await doctor()
    assert.equal(ran.code, 1, ran.out)
    assert.match(
      ran.out,
      /^FAIL +logs: none of 2 logs answers with a head that its key signed: .*it refuses requests for now \(429, Retry-After 1 h\).*\n +see the way out/m,
    )
  })

  it('a list that is not rightly signed is a warning beside one that is right, and FAIL alone', async (t) => {
    const { folder, host, publish, tiled, doctor } = await scene(t, CONTACT)
    host.put('/list.sig', 'nobody signed this')
    const beside = await doctor()
    assert.equal(beside.code, 0, beside.out)
    assert.match(beside.out, /^warn +the log list http.* is not used: its signature is not that of its key\. None is known yet$/m)
    assert.match(beside.out, /^ok +logs: 1 of 1 answer/m)
    writeFileSync(join(folder, 'logs.json'), '{')
    const alone = await doctor()
    assert.equal(alone.code, 1, alone.out)
    assert.match(alone.out, /^warn +the log list logs\.json is not used/m)
    assert.match(alone.out, /^FAIL +logs: no log list can be used, and none is known/m)
    publish([tiled])
    assert.equal((await doctor()).code, 0)
  })

  it('works beside a running watch, and keeps nothing', async (t) => {
    const { folder, host, tiled, classic, doctor } = await scene(t, CONTACT)
    const documents = (): unknown => {
      const database = new DatabaseSync(join(folder, 'state', 'certbell.db'), { readOnly: true })
      try {
        return database.prepare('select name, body from documents order by name').all()
      } finally {
        database.close()
      }
    }
    const watched = await certbell(['watch'], {
      cwd: folder,
      with: async (child, said) => {
        await until(() => host.count('get-sth') > 0 && host.count('checkpoint') > 0, 'it reads')
        const ran = await doctor()
        assert.equal(ran.code, 0, ran.out)
        assert.match(ran.out, /^ok +logs: 2 of 2 answer/m)
        assert.doesNotMatch(said(), /taken over/)
        child.kill('SIGTERM')
      },
    })
    assert.equal(watched.code, 0, watched.err)
    // It asks of those that a watch was told to leave alone nothing.
    const database = new DatabaseSync(join(folder, 'state', 'certbell.db'))
    const id = classic.log.keys.id.toString('base64')
    const state = JSON.parse(String(database.prepare('select body from documents where name = ?').get(`log/${id}`)?.['body'])) as Record<
      string,
      unknown
    >
    const limited = { ...state, limit: { requests: 3, ms: 60_000, until: Date.now() + 3_600_000 } }
    database.prepare('update documents set body = ? where name = ?').run(JSON.stringify(limited), `log/${id}`)
    database.close()
    const before = documents()
    const asked = host.count('get-sth')
    const ran = await doctor()
    // The time comes with its day where that is another one: this runs before midnight too.
    assert.match(
      ran.out,
      /^warn +logs: 1 of 2 do not: Sandbox 'classic' log \(it asked to be left alone until (?:\d{4}-\d\d-\d\d )?\d\d:\d\d, and was not asked\)$/m,
    )
    assert.deepEqual([host.count('get-sth'), documents()], [asked, before])
    assert.ok(readFileSync(join(folder, 'logs.json'), 'utf8').includes(tiled.url))
  })
})
