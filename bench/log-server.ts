// Logs for benchmarks, in a process of their own: filled once, served from memory. argv: entries of each log, names of the logs' protocols. Prints the list's path… as JSON.
import { logList } from '../src/sandbox/ct-list.ts'
import { makeFiller } from '../src/sandbox/ct-filler.ts'
import { startCtHost } from '../src/sandbox/ct-log-server.ts'
import type { LogProtocol } from '../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../src/sandbox/ct-log.ts'

const [, , size = '100000', ...protocols] = process.argv
const host = await startCtHost({ cache: 400 * 1024 * 1024 })
const filler = makeFiller({ count: 64, names: (n) => [`host-${n}.strangers.test`, `www.host-${n}.strangers.test`], notBefore: new Date() })
const served = protocols.map((protocol, n) => host.serve(createCtLog({ name: `bench-${n}` }), { protocol: protocol as LogProtocol, pageSize: 256 }))
for (const { log } of served) {
  log.addMany(Number(size), filler)
  log.publish()
}
// Tiles are packed when first asked for: once before anyone is measured.
for (const { url, protocol } of served) {
  if (protocol !== 'static-ct') continue
  for (let tile = 0; tile * 256 < Number(size) - 255; tile++) {
    const path =
      tile < 1000 ? String(tile).padStart(3, '0') : `x${String(Math.floor(tile / 1000)).padStart(3, '0')}/${String(tile % 1000).padStart(3, '0')}`
    await (await fetch(`${url}tile/data/${path}`)).arrayBuffer()
  }
}
console.log(JSON.stringify({ list: logList(served), urls: served.map(({ url }) => url) }))
