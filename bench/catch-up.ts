// The whole process reading a log from its beginning over HTTP, beside what unpacking and hashing the same tiles costs alone.
import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { gunzipSync, gzipSync } from 'node:zlib'
import { tilePath, walkDataTile } from '../src/ct/tile.ts'
import { bar, run } from './measure.ts'

const CERTBELL = join(import.meta.dirname, '..', 'bin', 'certbell.js')
const ENTRIES = 256 * 800

/** CPU and memory of catching up, by the number of items and the protocol. */
export async function catchUp(): Promise<void> {
  for (const protocol of ['static-ct', 'rfc6962'] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'certbell-catch-up-'))
    const server = spawn(process.execPath, ['--max-old-space-size=3000', join(import.meta.dirname, 'log-server.ts'), String(ENTRIES), protocol], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const said = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
      const { list, urls } = JSON.parse(String((await said.next()).value)) as { list: string; urls: readonly string[] }
      writeFileSync(join(folder, 'logs.json'), list)
      const alone = protocol === 'static-ct' ? await bareTiles(urls[0] ?? '') : await barePages(urls[0] ?? '')
      for (const items of [1, 10_000]) {
        const names = ['watched.example', ...Array.from({ length: items - 1 }, (_, n) => `brand${n}.example`)]
        writeFileSync(join(folder, 'names.txt'), names.join('\n'))
        writeFileSync(
          join(folder, 'certbell.yaml'),
          `watch: '@names.txt'\ncertspotter: false\nlogs: {lists: [./logs.json], start: beginning}\nstdout: json\nstate: ./state-${items}\n`,
        )
        const ran = await run(process.execPath, [CERTBELL, 'poll', '--quiet'], process.env, folder)
        if (ran.code !== 0) throw new Error(`certbell poll: ${ran.code}: ${ran.out}`)
        const ours = ((ran.cpuSeconds ?? 0) / ENTRIES) * 1000
        console.log(
          `     ${protocol}, ${items} items: ${ours.toFixed(4)} CPU-s for 1,000 entries, alone ${alone.toFixed(4)}; ${Math.round(ENTRIES / ran.seconds)} entries/s, ${Math.round(ran.peakMiB ?? 0)} MiB`,
        )
        // Generated tiles pack far better than real ones, so the ratio to unpacking them says little: what counts is the whole.
        if (protocol === 'static-ct') bar(`catch-up, ${items} items: CPU for 1,000 entries`, ours, { most: 0.02 }, 's')
      }
    } finally {
      server.kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

// CPU seconds for 1,000 entries. The least of three rounds.
function cost(task: () => void): number {
  let least = Infinity
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage()
    task()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1e6)
  }
  return (least / ENTRIES) * 1000
}

async function bareTiles(url: string): Promise<number> {
  // fetch unpacks by itself; how they were packed does not matter here.
  const packed: Buffer[] = []
  for (let index = 0; index < ENTRIES / 256; index++)
    packed.push(gzipSync(Buffer.from(await (await fetch(url + tilePath({ level: 'data', index, width: 256 }))).arrayBuffer())))
  return cost(() => {
    for (const tile of packed) {
      const bytes = gunzipSync(tile)
      walkDataTile(bytes, 256, ({ start, end }) => void hash('sha256', bytes.subarray(start, end), 'binary'))
    }
  })
}

async function barePages(url: string): Promise<number> {
  const pages: string[] = []
  for (let start = 0; start < ENTRIES; start += 256)
    pages.push(await (await fetch(`${url}ct/v1/get-entries?start=${start}&end=${start + 255}`)).text())
  return cost(() => {
    let bytes = 0
    for (const page of pages) {
      const { entries } = JSON.parse(page) as { readonly entries: readonly { readonly leaf_input: string; readonly extra_data: string }[] }
      for (const { leaf_input: leaf, extra_data: extra } of entries) bytes += Buffer.from(leaf, 'base64').length + Buffer.from(extra, 'base64').length
    }
    if (bytes === 0) throw new Error('nothing was read')
  })
}
