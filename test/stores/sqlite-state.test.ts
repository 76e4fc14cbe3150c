// What becomes of a state that is damaged, newer, full or not ours: it is never begun anew, and says what to do.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { openSqlite } from '../../src/stores/sqlite/backend.ts'
import { quickCheck } from '../../src/stores/sqlite/quick-check.ts'
import { openSqliteReader } from '../../src/stores/sqlite/reader.ts'
import { OwnerError, StoreError } from '../../src/watch/errors.ts'
import { contents, message, open, page, settleIn, setup, short, sighting, work } from './support.ts'

const FILE = 'certbell.db'

describe('the state directory', () => {
  let folder = ''
  let whole = ''
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'certbell-state-'))
    whole = join(folder, 'whole')
    const backend = await openSqlite(whole, 'the state')
    const now = await settleIn(backend, setup())
    const store = await open(backend, setup(), now)
    await store.commit(await work(store, now), page(Array.from({ length: 100 }, (_, n) => sighting(n))), now)
    await backend.close()
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  const copy = (name: string): string => {
    const directory = join(folder, name)
    cpSync(whole, directory, { recursive: true })
    return directory
  }
  // A look leaves an empty write-ahead log and its index behind; neither is the state.
  const bytes = (directory: string) => {
    const log = join(directory, `${FILE}-wal`)
    return [readFileSync(join(directory, FILE)).toString('hex'), existsSync(log) ? readFileSync(log).toString('hex') : '']
  }

  /** Opening, reading and a first transaction: whichever looks first must refuse. */
  const use = async (directory: string): Promise<void> => {
    const backend = await openSqlite(directory, 'the state')
    try {
      await open(backend)
      await contents(backend)
    } finally {
      await backend.close()
    }
  }

  const damages: readonly (readonly [string, (path: string) => void, string])[] = [
    ['truncated to nothing', (path) => truncateSync(path, 0), 'state-damaged'],
    ['truncated to 50 bytes', (path) => truncateSync(path, 50), 'state-damaged'],
    ['truncated to half', (path) => truncateSync(path, Math.floor(statSync(path).size / 2)), 'state-damaged'],
    ['without its last byte', (path) => truncateSync(path, statSync(path).size - 1), 'state-damaged'],
    ['garbage', (path) => writeFileSync(path, Buffer.alloc(20_000, 'no database ')), 'state-damaged'],
    [
      'a header with garbage behind it',
      (path) => writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 100), Buffer.alloc(statSync(path).size - 100, 7)])),
      'state-damaged',
    ],
    ['another database', (path) => (rmSync(path), execute(path, 'create table t (x); insert into t values (1)')), 'state-damaged'],
    ['a control document that is no JSON', (path) => execute(path, `update control set body = '{"version":'`), 'state-damaged'],
    ['a control document of nothing', (path) => execute(path, 'delete from control'), 'state-damaged'],
    ['a newer control document', (path) => execute(path, `update control set body = '{"version":2}'`), 'state-newer'],
    ['a newer schema', (path) => execute(path, 'pragma user_version = 99'), 'state-newer'],
  ]
  for (const [why, damage, code] of damages) {
    it(`${why}: refused with a remedy, and left byte for byte`, async () => {
      const directory = copy(why.replaceAll(/\W/g, '-'))
      damage(join(directory, FILE))
      const held = bytes(directory)
      for (let round = 0; round < 2; round++) {
        await assert.rejects(use(directory), (error) => {
          assert.ok(error instanceof OwnerError, String(error))
          assert.equal(error.code, code)
          assert.match(error.message, /the state/)
          assert.match(error.message, /Restore it|Install that version/)
          return true
        })
      }
      assert.deepEqual(bytes(directory), held)
      const reader = openSqliteReader(directory, 'the state').then(async (opened) => opened?.control())
      await assert.rejects(reader, (error) => error instanceof OwnerError && error.code === code)
    })
  }

  it('a newer one that was closed as it should be is refused without a trace beside it', async () => {
    const directory = copy('newer-alone')
    execute(join(directory, FILE), 'pragma user_version = 99')
    await assert.rejects(use(directory), (error) => error instanceof OwnerError && error.code === 'state-newer')
    await assert.rejects(openSqliteReader(directory, 'the state'), OwnerError)
    assert.deepEqual(readdirSync(directory), [FILE])
  })

  it('damage in a page that nobody reads is found by looking at every page', async () => {
    const directory = copy('inner-page')
    const path = join(directory, FILE)
    assert.equal(quickCheck(directory, 'the state'), 'whole')
    // The first page of the index over the hashes, which a look at the alerts never comes to.
    const page = rootPage(path, 'known')
    const file = readFileSync(path)
    file.fill(0x5a, (page - 1) * 4096, page * 4096)
    writeFileSync(path, file)
    await use(directory)
    assert.throws(
      () => quickCheck(directory, 'the state'),
      (error) => error instanceof OwnerError && error.code === 'state-damaged' && error.message.includes('Restore it'),
    )
    assert.equal(quickCheck(join(folder, 'none at all'), 'the state'), 'unchecked')
  })

  it('is for its owner only, also where the umask would let others in', async () => {
    const mask = process.umask(0)
    try {
      const directory = join(folder, 'deep', 'er')
      const backend = await openSqlite(directory, 'the state')
      await open(backend)
      const modes = Object.fromEntries(readdirSync(directory).map((name) => [name, statSync(join(directory, name)).mode & 0o777]))
      assert.ok(FILE in modes)
      for (const [name, mode] of Object.entries(modes)) assert.equal(mode, 0o600, name)
      assert.equal(statSync(directory).mode & 0o777, 0o700)
      await backend.close()
    } finally {
      process.umask(mask)
    }
  })

  it('a killed first start leaves nothing that a second one stumbles over', async () => {
    const directory = join(folder, 'half-made')
    mkdirSync(directory)
    // Pid 4194305 is above the most that Linux gives.
    for (const end of ['', '-wal', '-journal']) writeFileSync(join(directory, `${FILE}.new-4194305${end}`), 'half')
    await use(directory)
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.includes('.new-')),
      [],
    )
  })

  it('where there is none, the reader says so and makes nothing', async () => {
    const directory = join(folder, 'none')
    assert.equal(await openSqliteReader(directory, 'the state'), undefined)
    assert.ok(!existsSync(directory))
  })

  const places: readonly (readonly [string, (directory: string) => void])[] = [
    ['a file where the directory should be', (directory) => writeFileSync(directory, 'x')],
    ['a directory where the file should be', (directory) => mkdirSync(join(directory, FILE), { recursive: true })],
  ]
  for (const [why, prepare] of places) {
    it(`${why} is the owner's mistake`, async () => {
      const directory = join(folder, why.replaceAll(' ', '-'))
      prepare(directory)
      await assert.rejects(use(directory), OwnerError)
    })
  }

  it("a directory that cannot be written is the owner's mistake", async (t) => {
    const root = process.getuid?.() === 0
    if (!root) {
      const directory = join(folder, 'locked')
      mkdirSync(directory, { mode: 0o500 })
      await assert.rejects(use(directory), (error) => error instanceof OwnerError && error.code === 'state-access')
      return
    }
    // Root may write anywhere but on a read-only file system.
    const directory = copy('read-only')
    if (!mount(['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory])) return t.skip('mounting is not allowed here')
    try {
      cpSync(whole, directory, { recursive: true })
      if (!mount(['-o', 'remount,ro', directory])) return t.skip('remounting is not allowed here')
      await assert.rejects(use(directory), (error) => error instanceof OwnerError && error.code === 'state-access')
      await assert.rejects(use(join(directory, 'below')), (error) => error instanceof OwnerError && error.code === 'state-access')
    } finally {
      execFileSync('umount', [directory])
    }
  })

  it('a full disk keeps nothing half, and goes on once there is room', async (t) => {
    const directory = join(folder, 'full')
    mkdirSync(directory)
    if (!mount(['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', directory])) return t.skip('mounting a tmpfs is not allowed here')
    try {
      const backend = await openSqlite(directory, 'the state')
      try {
        const now = await settleIn(backend, setup())
        const store = await open(backend, setup(), now)
        const claimed = await work(store, now)
        const held = await contents(backend)
        assert.throws(() => writeFileSync(join(directory, 'ballast'), Buffer.alloc(2_000_000)), /ENOSPC/)
        const step = page(Array.from({ length: 500 }, (_, n) => sighting(n)))
        const isFull = (error: unknown) => error instanceof StoreError && error.code === 'full' && /is full/.test(error.message)
        await assert.rejects(store.commit(claimed, step, now), isFull)
        await assert.rejects(store.commit(claimed, step, now), isFull, 'again and again')
        assert.deepEqual(await contents(backend), held)
        rmSync(join(directory, 'ballast'))
        execFileSync('mount', ['-o', 'remount,size=8m', directory])
        const done = await store.commit(claimed, step, now)
        assert.equal(done.alerts.length, 500)
        assert.deepEqual((await message(store, now)).alerts.map(short).slice(0, 2), ['id-0', 'id-1'])
      } finally {
        await backend.close()
      }
    } finally {
      execFileSync('umount', [directory])
    }
  })
})

function rootPage(path: string, table: string): number {
  const database = new DatabaseSync(path)
  const page = Number(database.prepare('select rootpage from sqlite_schema where name = ?').get(table)?.['rootpage'])
  database.close()
  return page
}

function execute(path: string, statement: string): void {
  const database = new DatabaseSync(path)
  database.exec(statement)
  database.close()
}

function mount(options: readonly string[]): boolean {
  try {
    execFileSync('mount', options, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
