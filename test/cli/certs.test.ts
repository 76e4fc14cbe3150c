// `certbell certs`: where a certificate is from, and which names may be asked for.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { createAuthority } from '../../src/sandbox/ct-authority.ts'
import { logList } from '../../src/sandbox/ct-list.ts'
import { startCtHost } from '../../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../../src/sandbox/ct-log.ts'
import { certbell } from '../support/run.ts'

it('a log by what it is called, and what is asked for among what is watched and what is known', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certbell-certs-'))
  const host = await startCtHost()
  t.after(async () => {
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const served = host.serve(createCtLog({ name: 'one' }), { protocol: 'static-ct' })
  const authority = createAuthority()
  const add = (names: readonly string[], ips: readonly string[] = []): void =>
    void served.log.add({
      precertificate: authority.issue({ names: [...names], ips: [...ips], notBefore: new Date() }).precertificate,
      chain: authority.chain,
    })
  add(['www.example.com'])
  add(['old.example.net', 'beside.example.org'])
  add([], ['2001:db8:aa:1::5'])
  add([], ['203.0.113.7'])
  add([], ['203.0.113.9'])
  served.log.publish()
  writeFileSync(join(folder, 'logs.json'), logList([served]))
  const watching = (watch: string): void =>
    writeFileSync(
      join(folder, 'certbell.yaml'),
      `watch: [${watch}]\nstdout: json\nstate: ./state\ncertspotter: false\nlogs: {lists: ['./logs.json'], start: beginning}\n`,
    )
  const NOW = "example.com, '2001:db8:aa::/48', 203.0.113.0/24"
  watching(`${NOW}, example.net`)
  const polled = await certbell(['poll'], { cwd: folder, timeout: 20_000 })
  assert.equal(polled.code, 0, polled.err)
  const all = await certbell(['certs'], { cwd: folder })
  assert.match(all.out, /^www\.example\.com .* {2}Sandbox 'one' log, entry 0$/m)
  assert.match(all.out, /^203\.0\.113\.9 .* {2}Sandbox 'one' log, entry 4$/m)
  assert.doesNotMatch(all.out, /…/)

  watching(NOW)
  const cases: readonly { in: string; out: readonly string[]; err?: RegExp; code?: number; why: string }[] = [
    { in: 'example.com', out: ['www.example.com'], why: 'watched' },
    { in: 'www.example.com', out: ['www.example.com'], why: 'below a watched name' },
    { in: 'none.example.com', out: [], why: 'below a watched name, and nothing is known' },
    { in: '2001:db8:aa::/48', out: ['2001:db8:aa:1::5'], why: 'watched' },
    { in: '2001:db8:aa:1::5', out: ['2001:db8:aa:1::5'], why: 'in a watched prefix' },
    { in: '2001:db8:aa:1::6', out: [], why: 'in a watched prefix, and nothing is known' },
    { in: '2001:db8:aa:1::/64', out: ['2001:db8:aa:1::5'], why: 'a part of a watched prefix' },
    { in: '2001:db8::/32', out: ['2001:db8:aa:1::5'], why: 'a prefix is watched in it' },
    { in: '203.0.113.7', out: ['203.0.113.7'], why: 'one of two in a watched prefix' },
    { in: '198.51.100.1', out: [], code: 2, err: /^certs: 198\.51\.100\.1 is not watched/m, why: 'an address in none' },
    { in: 'example.net', out: ['old.example.net'], err: /example\.net is not watched: these are known from before/, why: 'not watched any more' },
    { in: 'example.org', out: ['old.example.net'], err: /example\.org is not watched/, why: 'never watched, beside a name that was' },
    { in: 'exampel.com', out: [], code: 2, err: /is not watched\. Did you mean example\.com\?/, why: 'never watched, and nothing is known' },
  ]
  for (const c of cases) {
    const [text, json] = await Promise.all([certbell(['certs', c.in], { cwd: folder }), certbell(['certs', c.in, '--json'], { cwd: folder })])
    for (const ran of [text, json]) {
      assert.equal(ran.code, c.code ?? 0, `${c.why}: ${ran.err}`)
      if (c.err === undefined) assert.equal(ran.err, '', c.why)
      else assert.match(ran.err, c.err, c.why)
    }
    const records = json.out.split('\n').filter(Boolean).map((line) => JSON.parse(line) as { names: string[]; ip_addresses: string[]; source: object }) // prettier-ignore
    assert.deepEqual(
      records.map(({ names, ip_addresses: ips }) => names[0] ?? ips[0]),
      c.out,
      c.why,
    )
    for (const { source } of records) assert.deepEqual(Object.keys(source), ['kind', 'id'])
    for (const name of c.out) assert.match(text.out, new RegExp(`^${name.replaceAll('.', '\\.')} `, 'm'), c.why)
    if (c.out.length === 0) assert.equal(text.out, c.code === 2 ? '' : 'No certificate is known yet.\n', c.why)
  }
})
