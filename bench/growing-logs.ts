// Logs that grow while they are read, in a process of their own. argv: logs, entries a second of them all, one match in so many, seconds. Prints the list, then how
// many matches were published.
import { logList } from '../src/sandbox/ct-list.ts'
import { makeFiller } from '../src/sandbox/ct-filler.ts'
import { startCtHost } from '../src/sandbox/ct-log-server.ts'
import { createCtLog } from '../src/sandbox/ct-log.ts'

const [logs, rate, every, seconds] = process.argv.slice(2).map(Number)
if (logs === undefined || rate === undefined || every === undefined || seconds === undefined)
  throw new RangeError('growing-logs LOGS RATE EVERY SECONDS')
const host = await startCtHost()
const strangers = makeFiller({ count: 64, names: (n) => [`host-${n}.strangers.test`, `www.host-${n}.strangers.test`], notBefore: new Date() })
const ours = makeFiller({ count: 64, names: (n) => [`host-${n}.watched.example`], notBefore: new Date() })
const served = Array.from({ length: logs }, (_, n) =>
  host.serve(createCtLog({ name: `grow-${n}` }), { protocol: n % 2 === 0 ? 'static-ct' : 'rfc6962' }),
)
console.log(JSON.stringify({ list: logList(served) }))

// Each log merges once a second, not all at the same moment. Serials that no other log has: each match is an issuance of its own.
let serial = 2 ** 40
let matches = 0
const share = rate / logs
let ends = 0
for (const [n, { log }] of served.entries()) {
  let owed = 0
  const grow = (): void => {
    owed += share
    const hits = Math.round(share / every + 0.5 * ((n % 2) - 0.5))
    log.addMany(Math.max(0, Math.floor(owed) - hits), strangers, serial)
    log.addMany(hits, ours, serial + 100_000)
    serial += 200_000
    owed -= Math.floor(owed)
    matches += hits
    log.publish()
  }
  setTimeout(
    () => {
      const timer = setInterval(grow, 1000)
      setTimeout(() => {
        clearInterval(timer)
        ends += 1
        if (ends === served.length) console.log(JSON.stringify({ matches }))
      }, seconds * 1000)
    },
    3000 + (n / logs) * 1000,
  )
}
